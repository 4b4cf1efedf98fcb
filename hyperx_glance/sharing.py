"""Sharing images with departments that are named, and taking them back for good.

    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="licensed", status="active", visibility="private")
    >>> department = hyperx_cloud.departments["dept-b"]
    >>> [share.status.value for share in client.share(image_id, department)]
    ['pending']
    >>> client.unshare(image_id, department)
    ()

Glance asks Keystone nothing, so every name is resolved before anything is written. A department with which an image is
shared can read and launch it at once; its answer decides only in which lists the image is. Members survive every other
visibility, so that all former ones would have an image that is shared again: `cloud.members` removes them first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department
from hyperx_glance.cloud.members import (
    LOOKS,
    NOT_SHARED,
    Access,
    Member,
    add_member,
    members,
    remove_member,
    remove_members,
    set_status,
)
from hyperx_glance.cloud.patching import belongs_to_another, check_for_others, patch
from hyperx_glance.errors import (
    AuthenticationError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from hyperx_glance.models.image import Image, image_id, with_share_status
from hyperx_glance.models.mapping import Edit, json_patch
from hyperx_glance.models.results import Share
from hyperx_glance.texts import NO_TEXT, Text, say, sentences
from hyperx_glance.vocabulary import Action, Category, ShareStatus
from hyperx_glance.waiting.pace import attempts, may_be_done

_ANSWERS = {Action.ACCEPT: ShareStatus.ACCEPTED, Action.DECLINE: ShareStatus.REJECTED}


# ----------------------------------------------------------------- the owner


def share(context: Context, image: Image | str, departments: Sequence[str], *, accept: bool) -> tuple[Share, ...]:
    """Share an image with departments, and return all with which it is shared then."""
    cloud = context.cloud
    acceptor = _acceptor(context, accept=accept)
    asked = _resolved(context, departments, context.departments.receiver)
    name = _naming(context, asked)
    record = cloud.image(image_id(image))
    _check_owner(cloud, record)
    check_shareable(record)
    if record.owner in asked:
        raise InvalidRequestError(say("shared-with-its-owner", department=asked[record.owner]))
    with Access(asked, name=name) as access:
        present = {member.member_id: member.status for member in _opened(context, record, access)}
        access.has(*(present.keys() & asked.keys()))
        access.begin()
        for each in asked:
            # The steward accepts only where Glance has just let the caller share: a reader may not (decisions, 0100).
            if each not in present or (acceptor is not None and present[each] is ShareStatus.PENDING):
                add_member(cloud, context.settings.pace, record.id, each, access)
        if acceptor is not None:
            _accept_for(context, acceptor, record.id, asked)
        found = members(cloud, record.id)
        access.has_not(*(asked.keys() - {each.member_id for each in found}))
        lacking = asked.keys() - {each.member_id for each in found if acceptor is None or _has_answered(each)}
        if lacking:
            departments = sorted(map(name, lacking))
            raise ConflictError(
                say("shared-otherwise", image=record.id, departments=departments), hint=say("try-again")
            )
    return _shares(found, name)


def unshare(context: Context, image: Image | str, departments: Sequence[str], *, everyone: bool) -> tuple[Share, ...]:
    """Take an image back from departments, or from all of them, and return those that are left."""
    if bool(departments) is everyone:
        raise InvalidRequestError(say("departments-or-everyone"))
    cloud, pace = context.cloud, context.settings.pace
    asked = _resolved(context, departments, context.departments.former_receiver)
    name = _naming(context, asked)
    record = cloud.image(image_id(image))
    _check_owner(cloud, record)
    if record.visibility != "shared":
        return ()
    with Access(asked, has=True, name=name) as access:
        access.begin()
        for each in asked:
            remove_member(cloud, pace, record.id, each, access)
            access.may_have(each)
        left = remove_members(
            cloud, pace, record.id, lambda member: everyone or member.member_id in asked, access, looks=LOOKS
        )
    return _shares(left, name)


def shares(context: Context, image: Image | str) -> tuple[Share, ...]:
    """Return the departments with which an image is shared: the owner sees all, and a member itself."""
    try:
        found = members(context.cloud, image_id(image))
    except ConflictError as error:
        if error.code != NOT_SHARED:
            raise
        return ()
    return _shares(found, _naming(context, {}))


def check_shareable(image: Image) -> None:
    """Refuse to share what everybody sees, and what is no image of its own."""
    if image.category is not Category.PRIVATE:
        raise ConflictError(say("everybody-sees-it", image=image.id), hint=say("withdraw-it-first", image=image.id))
    check_for_others(image)


def _check_owner(cloud: Cloud, image: Image) -> None:
    if belongs_to_another(cloud, image):
        raise NotAllowedError(say("of-its-department"))


def _acceptor(context: Context, *, accept: bool) -> Cloud | None:
    """Return who accepts for the departments; None leaves it to them."""
    if context.settings.share_acceptance == "steward" and context.steward is None:
        raise InvalidRequestError(say("acceptance-needs-a-steward"), hint=say("connect-with-an-accepting-steward"))
    if accept:
        if not context.cloud.is_administrator:
            raise NotAllowedError(say("only-administrators-accept-for-others"), hint=say("let-them-accept"))
        return context.cloud
    return context.steward if context.settings.share_acceptance == "steward" else None


def _resolved(context: Context, departments: Sequence[str], resolve: Callable[[str], Department]) -> dict[str, str]:
    """Return ids and names of all departments; raise if one is unknown, so that nothing is written."""
    own = context.departments.own()
    if {own.id, own.name} & set(departments) and not context.cloud.is_administrator:
        raise InvalidRequestError(say("shared-with-its-owner", department=own.name))
    return {found.id: found.name for found in map(resolve, departments)}


def _opened(context: Context, record: Image, access: Access) -> tuple[Member, ...]:
    """Return the members of a shared image; share a private one first, without its former members.

    Whatever fails before the former members are gone, the image is private again before the error.
    """
    cloud, pace = context.cloud, context.settings.pace
    if record.visibility == "shared":
        return members(cloud, record.id)
    opened = True
    try:
        for attempt in attempts(pace):  # it sets the same visibility
            with attempt:
                try:
                    patch(cloud, record, _visibility("shared"))
                except HyperxGlanceError as error:
                    opened = attempt.lost or may_be_done(error)
                    raise
        opened = True
        return remove_members(cloud, pace, record.id, lambda member: _is_former(member, record), access)
    except BaseException as error:
        if opened:
            _close(context, record, error, access)
        raise


def _is_former(member: Member, record: Image) -> bool:
    """Tell former members of a private image from those whom somebody else invites at this moment.

    Their rows are younger than the record as it was read: while it was private, no row could be made. A former member
    can change ``updated_at`` by an answer, but not ``created_at``.
    """
    return record.updated_at is None or member.created_at <= record.updated_at


def _close(context: Context, record: Image, error: BaseException, access: Access) -> None:
    """Make the image private again, or tell that its former members may have it."""
    try:
        for attempt in attempts(context.settings.pace):
            with attempt:
                patch(context.cloud, record, _visibility("private"))
    except HyperxGlanceError:
        error.add_note(say("former-members-may-have-it", image=record.id))
        if isinstance(error, HyperxGlanceError):
            error.hint = say("make-it-private", image=record.id)
    else:
        access.all_gone()


def _visibility(word: str) -> list[dict[str, str | int | list[str]]]:
    return json_patch([Edit("category", "visibility", word)])


def _has_answered(member: Member) -> bool:
    return member.status is not ShareStatus.PENDING


def _accept_for(context: Context, acceptor: Cloud, image_id: str, asked: Iterable[str]) -> None:
    """Accept for departments that have not answered; one that has declined has its reasons."""
    pending = {member.member_id for member in members(context.cloud, image_id) if not _has_answered(member)}
    for each in asked:
        if each not in pending:
            continue
        try:
            set_status(acceptor, context.settings.pace, image_id, each, ShareStatus.ACCEPTED)
        except NotFoundError:
            pass  # somebody has taken the image back meanwhile, as the last look will show
        except AuthenticationError as error:
            if acceptor is context.cloud:
                raise
            # an error of the steward: logging in again would not help the caller
            message = say("steward-cannot-accept", image=image_id, problem=error.message)
            raise NotAllowedError(message, hint=say("renew-the-steward"), **error.answer()) from error
        except NotAllowedError as error:
            if acceptor is not context.cloud:
                error.hint = say("steward-needs-admin")
            raise


# ----------------------------------------------------------------- the other department


def accept(context: Context, image: Image | str) -> Image:
    """Accept a shared image: it is then in this department's lists."""
    reference = image_id(image)
    _answer(context, reference, ShareStatus.ACCEPTED)
    try:
        return with_share_status(context.cloud.image(reference), ShareStatus.ACCEPTED)
    except HyperxGlanceError as error:
        error.add_note(say("acceptance-was-done", image=reference))
        raise


def decline(context: Context, image: Image | str) -> None:
    """Decline a shared image: it is then in no list, but who knows its id can still use it."""
    _answer(context, image_id(image), ShareStatus.REJECTED)


def why_not_answer(cloud: Cloud, image: Image, action: Action) -> Text:
    """Return why this caller may not accept or decline an image, or what is already so; no text if that is possible.

    If the image was read in a way that does not show the department's answer, both are possible.
    """
    if cloud.is_administrator:
        return sentences(say("administrators-are-no-members"), say("share-and-accept"))
    if image.visibility != "shared":
        return sentences(say("not-shared", image=image.id), say("only-shared-images-are-offered"))
    if image.owner == cloud.project_id:
        return say("own-image-is-not-offered")
    if image.share_status is _ANSWERS[action]:
        return say("already-accepted" if action is Action.ACCEPT else "already-declined")
    return NO_TEXT


def _answer(context: Context, image_id: str, status: ShareStatus) -> None:
    cloud = context.cloud
    if cloud.is_administrator:
        raise NotAllowedError(say("administrators-are-no-members"), hint=say("share-and-accept"))
    try:
        set_status(cloud, context.settings.pace, image_id, cloud.project_id, status)
    except NotFoundError as error:
        if cloud.image(image_id).owner == cloud.project_id:
            raise NotAllowedError(say("own-image-is-not-offered"), **error.answer()) from error
        raise NotFoundError(say("not-shared-with-us", image=image_id), **error.answer()) from error
    except NotAllowedError as error:
        if cloud.image(image_id).owner == cloud.project_id:
            raise NotAllowedError(say("own-image-is-not-offered"), **error.answer()) from error
        if "member" not in cloud.access.role_names:
            error.hint = say("ask-for-the-role-member")
        raise


# ----------------------------------------------------------------- names


def _naming(context: Context, asked: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that names departments, from names that are read now: after a write, nothing may fail."""
    names = context.departments.owner_names()

    def name(department_id: str) -> str:
        try:
            return names.get(department_id) or asked.get(department_id) or department_id
        except HyperxGlanceError:  # Keystone shows names one by one, and not this one
            return department_id

    return name


def _shares(found: Iterable[Member], name: Callable[[str], str]) -> tuple[Share, ...]:
    listed = [
        Share(
            department_id=member.member_id,
            department=name(member.member_id),
            status=member.status,
            since=member.updated_at,
        )
        for member in found
    ]
    return tuple(sorted(listed, key=lambda each: (each.department, each.department_id)))
