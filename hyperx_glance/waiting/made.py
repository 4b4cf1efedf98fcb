"""Name on every exception what a verb may have made.

>>> from hyperx_glance.errors import ConflictError
>>> from hyperx_glance.waiting.made import MayHaveMade
>>> with MayHaveMade(image_id="7c1"):
...     raise ConflictError("The answer was lost.")
Traceback (most recent call last):
hyperx_glance.errors.ConflictError: The answer was lost. What was begun may still be there: image 7c1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from hyperx_glance.errors import HyperxGlanceError

if TYPE_CHECKING:
    from types import TracebackType

    from pydantic import SecretStr


class MayHaveMade:
    """Name, on every exception that leaves the block, what may exist since the block's first request.

    An error of this library gets the ids as attributes and in its text. Any other exception, such as Ctrl-C or what the
    caller's own callback raised, gets them as attributes and as a note. Both get ``admin_password``, which nothing else
    keeps, as an attribute alone. After ``undone()`` nothing is named: all that was made is gone again.
    """

    def __init__(
        self,
        *,
        image_id: str | None = None,
        launch_id: str | None = None,
        capture_id: str | None = None,
        admin_password: SecretStr | None = None,
    ) -> None:
        self._ids: dict[str, str] = {}
        self._secrets = {} if admin_password is None else {"admin_password": admin_password}
        self._undone = False
        self.found(image_id=image_id, launch_id=launch_id, capture_id=capture_id)

    def found(self, **ids: str | None) -> None:
        """Name these, too; what is None is named no more."""
        self._ids |= {name: value for name, value in ids.items() if value is not None}
        for name in (name for name, value in ids.items() if value is None):
            self._ids.pop(name, None)

    def undone(self) -> None:
        """Say that nothing is left of what was made."""
        self._undone = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ids = self._ids.copy()  # another thread may find more
        if error is None or self._undone:
            return
        vars(error).update(ids, **self._secrets)
        left = [f"{name.removesuffix('_id')} {value}" for name, value in ids.items()]
        if isinstance(error, HyperxGlanceError):
            error.left = (*error.left, *(each for each in left if each not in error.left))
            return
        if not left:
            return
        note = f"What was begun may still be there: {', '.join(left)}."
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
