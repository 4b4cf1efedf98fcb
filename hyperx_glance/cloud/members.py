"""The departments with which an image is shared, as Glance keeps them: its members.

>>> from hyperx_glance.cloud.members import Access, add_member, members, remove_members
>>> from hyperx_glance.waiting.pace import Pace
>>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", visibility="shared", status="active")
>>> add_member(cloud, Pace(), image_id, hyperx_cloud.departments["dept-b"], Access())
>>> [member.status.value for member in members(cloud, image_id)]
['pending']
>>> remove_members(cloud, Pace(), image_id, lambda member: True, Access())
()

Glance asks Keystone nothing: any word can become a member. Members exist only while the visibility is "shared"; what
hides them, and what brings a former member back, is in docs/decisions/0101.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from pydantic import ConfigDict

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, image_path
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    WaitTimeoutError,
)
from hyperx_glance.models.times import Time
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import ShareStatus
from hyperx_glance.waiting.pace import Pace, attempts, may_be_done, wait_until

LOOKS = 2
"""How many looks in a row must show that a member is gone."""
NOT_SHARED = "not-shared"
"""The code of the error if an image is not shared, or not any more."""
LONGEST_SECONDS = 60.0
"""How long members are removed who come back each time."""


class Member(Shape):
    """A department with which an image is shared.

    Glance uses the row of a former member again and keeps its ``created_at``; ``updated_at`` is when the department was
    invited or answered.
    """

    model_config = ConfigDict(strict=False)

    member_id: str
    status: ShareStatus
    created_at: Time
    updated_at: Time


class _Members(Shape):
    members: tuple[Member, ...]


class Access:
    """Which departments have an image, for the error of a verb that fails in the middle.

    ``name`` returns the name of a department for its id.
    """

    def __init__(self, ids: Iterable[str] = (), *, has: bool = False, name: Callable[[str], str] = str) -> None:
        self._fates = dict.fromkeys(ids, "has" if has else "has-not")
        self._name = name
        self._begun = False

    def has(self, *ids: str) -> None:
        """Note departments that have the image."""
        self._note("has", ids)

    def may_have(self, *ids: str) -> None:
        """Note departments that may have the image, or not."""
        self._note("may-have", ids)

    def has_not(self, *ids: str) -> None:
        """Note departments that do not have the image."""
        self._note("has-not", ids)

    def all_gone(self) -> None:
        """Note that no department has the image."""
        self.has_not(*self._fates)

    def begin(self) -> None:
        """Say in every error from now on who has the image."""
        self._begun = True

    def _note(self, fate: str, ids: Iterable[str]) -> None:
        self._fates |= dict.fromkeys(ids, fate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if error is None or not self._begun:
            return
        told = {fate: [self._name(each) for each in self._fates if self._fates[each] == fate] for fate in _FATES}
        for fate, names in told.items():
            if names:
                error.add_note(say(_FATES[fate], departments=names))
        if isinstance(error, HyperxGlanceError):
            left = [say("left.member", department=name) for name in told["has"] + told["may-have"]]
            error.left = (*error.left, *(each for each in left if each not in error.left))


_FATES = {"has": "departments-have-it", "may-have": "departments-may-have-it", "has-not": "departments-do-not-have-it"}


def members(cloud: Cloud, image_id: str) -> tuple[Member, ...]:
    """Return the members of a shared image: the owner sees all of them, a member itself."""
    with _while_shared(cloud, image_id):
        return cloud.get_parsed(_Members, "image", image_path(image_id, "members")).members


def add_member(cloud: Cloud, pace: Pace, image_id: str, project_id: str, access: Access) -> None:
    """Make a department a member; one that is a member stays as it is.

    The request may be sent again: Glance answers 409 for a member who is there. It counts before it looks, so with the
    last place taken it answers 413 for that, too (glance/quota/__init__.py, ImageMemberFactoryProxy.new_image_member).
    """
    for attempt in attempts(pace):
        with attempt, _noted(access, project_id, lost=attempt.lost), _while_shared(cloud, image_id):
            try:
                cloud.post("image", image_path(image_id, "members"), json={"member": project_id})
            except ConflictError:
                pass
            except QuotaExceededError as error:
                if project_id not in {member.member_id for member in members(cloud, image_id)}:
                    raise _too_many(image_id, error) from error
    access.has(project_id)


def set_status(cloud: Cloud, pace: Pace, image_id: str, project_id: str, status: ShareStatus) -> None:
    """Set the answer of a department. The request may be sent again: it sets the same status."""
    for attempt in attempts(pace):
        with attempt, _while_shared(cloud, image_id):
            cloud.put("image", image_path(image_id, "members", project_id), json={"status": status.value})


def remove_member(cloud: Cloud, pace: Pace, image_id: str, project_id: str, access: Access) -> None:
    """Remove a member. The request may be sent again: Glance answers 404 for one who is gone."""
    for attempt in attempts(pace):
        with (
            attempt,
            _noted(access, project_id, lost=attempt.lost),
            _while_shared(cloud, image_id),
            contextlib.suppress(NotFoundError),
        ):
            cloud.delete("image", image_path(image_id, "members", project_id))


def remove_members(
    cloud: Cloud,
    pace: Pace,
    image_id: str,
    chosen: Callable[[Member], bool],
    access: Access,
    *,
    looks: int = 1,
) -> tuple[Member, ...]:
    """Remove the chosen members for good, and return those who stay.

    Glance's PUT of a status brings a row back that was deleted after the PUT had found it (glance/db/sqlalchemy/api.py,
    _image_member_update). So whoever comes back is removed again, until two looks in a row show none of them. ``looks``
    is how many looks are needed if the first shows none.
    """
    calm = 0

    def look() -> tuple[Member, ...] | None:
        nonlocal calm, looks
        found = members(cloud, image_id)
        there = [member.member_id for member in found if chosen(member)]
        access.has(*there)
        for each in there:
            access.begin()
            remove_member(cloud, pace, image_id, each, access)
            access.may_have(each)
        calm, looks = (0, LOOKS) if there else (calm + 1, looks)
        return found if calm >= looks else None

    try:
        return wait_until(pace, look, timeout=min(LONGEST_SECONDS, pace.deadline), what="members to be gone")
    except WaitTimeoutError as error:
        message, hint = say("members-come-back", image=image_id), say("delete-or-unshare-again", image=image_id)
        raise WaitTimeoutError(message, image_id=image_id, hint=hint) from error


@contextlib.contextmanager
def _noted(access: Access, project_id: str, *, lost: bool) -> Iterator[None]:
    """Note that nobody knows whether a request was carried out, if its response is lost."""
    try:
        yield
    except HyperxGlanceError as error:
        if lost or may_be_done(error):
            access.may_have(project_id)
        raise
    except BaseException:
        access.may_have(project_id)
        raise


@contextlib.contextmanager
def _while_shared(cloud: Cloud, image_id: str) -> Iterator[None]:
    """Tell a refusal from the end of the sharing: Glance answers 403 with the same words for both."""
    try:
        yield
    except NotAllowedError as error:
        if cloud.image(image_id).visibility == "shared":
            raise
        raise ConflictError(say("not-shared", image=image_id), hint=say("read-it-again"), **error.answer()) from error


def _too_many(image_id: str, error: QuotaExceededError) -> QuotaExceededError:
    most = _maximum(error.explanation)
    hint = say("unshare-or-publish")
    return QuotaExceededError(
        say("too-many-members", image=image_id), resource="members", limit=most, hint=hint, **error.answer()
    )


def _maximum(explanation: str) -> int | None:
    """Return Glance's limit from its words (glance/common/exception.py, ImageMemberLimitExceeded)."""
    figure = explanation.partition("Maximum: ")[2].rstrip(":. ")
    return int(figure) if figure.isascii() and figure.isdigit() and len(figure) < 10 else None
