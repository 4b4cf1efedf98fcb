"""What a verb may have made, named on every exception.

>>> from hyperx_glance.errors import ConflictError
>>> from hyperx_glance.waiting.made import MayHaveMade
>>> with MayHaveMade(image_id="7c1"):
...     raise ConflictError("The response was lost.")
Traceback (most recent call last):
hyperx_glance.errors.ConflictError: The response was lost. These may still exist: image 7c1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from types import TracebackType

    from pydantic import SecretStr


class MayHaveMade:
    """Ids of what may exist since the block's first request, for every exception that leaves the block.

    An error of this library gets the ids as attributes and in its text. Any other exception, such as Ctrl-C or one of
    the caller's callback, gets them as attributes and as a note. Both get ``admin_password``, which is not stored
    anywhere else, as an attribute only. After ``undone()`` nothing is named, because nothing is left.
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
        """Name these ids, too; None removes an id."""
        self._ids |= {name: value for name, value in ids.items() if value is not None}
        for name in (name for name, value in ids.items() if value is None):
            self._ids.pop(name, None)

    def undone(self) -> None:
        """Name nothing from now on, because nothing is left."""
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
        left = [say(f"left.{name.removesuffix('_id')}", id=value) for name, value in ids.items()]
        if isinstance(error, HyperxGlanceError):
            error.left = (*error.left, *(each for each in left if each not in error.left))
            return
        if not left:
            return
        note = say("error.left", things=left)
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
