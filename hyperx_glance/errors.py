"""The errors of this library, as one tree.

    >>> from hyperx_glance.errors import HyperxGlanceError, QuotaExceededError
    >>> try:
    ...     raise QuotaExceededError(department="dept-a", resource="images", limit=10, used=10, requested=1)
    ... except HyperxGlanceError as error:
    ...     print(error)
    Department dept-a has no room for 1 more image: 10 of 10 used. Hint: Delete what is no longer needed,
    or ask an administrator for a larger quota.

The tree::

    HyperxGlanceError                    hint, service, status, request_id, image_id, launch_id, capture_id, volume_id
    ├── InvalidRequestError              also a ValueError: wrong arguments
    │   └── ImmutableFieldError          URL, owner, hypervisor, format and kind never change
    ├── NotFoundError
    ├── AmbiguousNameError               matches
    ├── AuthenticationError              log in again
    ├── NotAllowedError
    ├── ConflictError
    │   ├── ProtectedError
    │   └── InUseError
    ├── QuotaExceededError               department, resource, limit, used, requested, exceeded
    ├── PlaceLostError                   department
    ├── UrlRejectedError                 url, reason: raised before anything is created
    ├── LocalFileError                   file, reason
    ├── RegistrationFailedError          phase, reason
    │   └── ChecksumMismatchError        expected, actual
    ├── ImageNotActiveError              phase, failure
    ├── FlavorTooSmallError
    ├── LaunchFailedError                servers
    ├── CaptureFailedError               server_id
    ├── PasswordResetError
    ├── WaitTimeoutError                 last_seen
    └── ServiceUnavailableError          connected
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from hyperx_glance.vocabulary import FailureReason, Phase, UrlProblem

if TYPE_CHECKING:
    from pydantic import SecretStr


_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tabs and newlines, DEL and C1, which drive terminals
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # no width, or a turn of the direction
    "\u2028\u2029\ud800-\udfff\U000e0000-\U000e007f]"  # ends of lines, halves of pairs, tags
)
LONGEST_MESSAGE = 10_000
"""Longer messages are cut: a service may send names and states of any length."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
"""OpenStack's own are "req-" and a UUID (oslo_middleware/request_id.py); other clouds' may be longer."""


def visible(text: str) -> str:
    r"""Return a string without control characters and invisible characters, which any input may contain.

    >>> visible("Image \x1b[31mred\u202e is gone.")
    'Image [31mred is gone.'
    """
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def known_request_id(text: str | None) -> str | None:
    """Return the id of a request if it is valid; a proxy may write anything there."""
    return text if text and _REQUEST_ID.fullmatch(text) else None


class Answer(TypedDict, total=False):
    """The source of an error that a service caused, as keywords of every error."""

    service: str | None
    status: int | None
    request_id: str | None


class ErrorKeywords(Answer, total=False):
    """The keywords of every error."""

    hint: str


def _restored(kind: type[HyperxGlanceError], message: str, state: Mapping[str, object]) -> HyperxGlanceError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class HyperxGlanceError(Exception):
    """The base class of all errors that this library raises.

    ``hint`` is one sentence that says what to do next. If a service responded, ``service`` is its type in OpenStack's
    catalogue ("image"), ``status`` the HTTP status and ``request_id`` the id to look for in the service's log.
    ``image_id``, ``launch_id``, ``capture_id`` and ``volume_id`` (the copy of a volume that a capture makes) name the
    thing that the error is about, or that may have been made before the error.
    """

    default_hint: str = ""
    image_id: str | None = None
    launch_id: str | None = None
    capture_id: str | None = None
    volume_id: str | None = None
    admin_password: SecretStr | None = None
    """The administrator's password of servers that may exist. It is stored nowhere else; a pickle has None."""
    left: tuple[str, ...] = ()
    """Things that were made and may still exist: "image 7c1", "launch 81f"."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        service: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        message = visible(message[:LONGEST_MESSAGE])
        super().__init__(message)
        self.message = message
        self.hint: str = visible(hint) or self.default_hint
        self.service = service
        self.status = status
        self.request_id = known_request_id(request_id)

    def __reduce__(self) -> tuple[object, ...]:
        """Make errors copyable and picklable, regardless of the keywords of their constructors."""
        return _restored, (type(self), self.message, self.__dict__)

    def answer(self) -> Answer:
        """Return the service, status and request id, for another error about the same response."""
        return Answer(service=self.service, status=self.status, request_id=self.request_id)

    def __str__(self) -> str:
        """Describe what failed, which service responded, and what to do."""
        text = self.message
        if self.status is not None:
            request = f", request {self.request_id}" if self.request_id else ""
            text = f"{text.rstrip('.')} ({self.service} answered {self.status}{request})."
        left = [each for each in self.left if each.partition(" ")[2] not in text]
        if (left or self.hint) and not text.endswith((".", "!", "?")):
            text += "."
        if left:
            text += f" These may still exist: {', '.join(left)}."
        return f"{text} Hint: {self.hint}" if self.hint else text


class InvalidRequestError(HyperxGlanceError, ValueError):
    """A request that is wrong, regardless of the user who makes it."""


class ImmutableFieldError(InvalidRequestError):
    """An attempt to change a field that HYPERX never changes after creation."""

    default_hint = "Register a new image instead: URL, owner, hypervisor, format and kind never change."


class NotFoundError(HyperxGlanceError):
    """Something that does not exist, or that the caller may not see."""


class AmbiguousNameError(HyperxGlanceError):
    """A name that several things have; ``matches`` has their ids."""

    default_hint = "Use the id."

    def __init__(self, message: str, *, matches: Sequence[str] = (), **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.matches: tuple[str, ...] = tuple(matches)


class AuthenticationError(HyperxGlanceError):
    """An expired session, or credentials that Keystone refused: log in again."""

    default_hint = "Log in again."


class NotAllowedError(HyperxGlanceError):
    """A request that the caller is not allowed to make."""


class ConflictError(HyperxGlanceError):
    """A request that is impossible in the present state of the image, server or other thing."""


class ProtectedError(ConflictError):
    """An image that is protected from deletion."""

    default_hint = "Switch its protection off first: update(image, protected=False)."


class InUseError(ConflictError):
    """Data that the store refuses to delete, because something else still uses it."""

    default_hint = "Delete the volumes or clones made from the image first."


class QuotaExceededError(HyperxGlanceError):
    """A quota that does not have enough room.

    The figures are those of the first exceeded resource, in the order of the fields of `DepartmentQuota` and in their
    units. A figure is None if the service did not send it. ``exceeded`` names all exceeded resources.
    """

    default_hint = "Delete what is no longer needed, or ask an administrator for a larger quota."

    def __init__(
        self,
        message: str = "",
        *,
        department: str | None = None,
        resource: str | None = None,
        limit: int | None = None,
        used: int | None = None,
        requested: int | None = None,
        exceeded: Sequence[str] = (),
        **answer: Unpack[ErrorKeywords],
    ) -> None:
        if not message:
            what = resource.removesuffix("s") if resource and requested == 1 else resource
            message = f"Department {department} has no room for {requested} more {what}: {used} of {limit} used."
            if len(exceeded) > 1:
                message += f" Exceeded: {', '.join(exceeded)}."
        super().__init__(message, **answer)
        self.department = department
        self.resource = resource
        self.limit = limit
        self.used = used
        self.requested = requested
        self.exceeded: tuple[str, ...] = tuple(exceeded) or ((resource,) if resource else ())


class PlaceLostError(HyperxGlanceError):
    """A deleted image that the quota of its department still counts."""

    image_id: str
    default_hint = (
        "Nothing is left to delete. An operator gives the place back in Glance's database: see the guide, Departments"
        " and quotas, A place that is lost."
    )

    def __init__(self, image_id: str, *, department: str) -> None:
        super().__init__(
            f"Image {image_id} is deleted, but it may still take a place in the quota of department {department}:"
            " a service wrote to it while Glance deleted it, and Glance counts more images than it lists."
        )
        self.image_id = image_id
        self.department = department


class UrlRejectedError(HyperxGlanceError):
    """A URL that cannot become an image, before anything is created; ``reason`` is a `UrlProblem`."""

    def __init__(
        self, message: str, *, url: str, reason: UrlProblem, hint: str = "", status: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.url = url
        self.reason = reason
        self.http_status = status


class LocalFileError(HyperxGlanceError):
    """A local file that cannot become an image, or in which an image cannot be saved.

    ``file`` is its path, ``reason`` a `UrlProblem`.
    """

    def __init__(self, message: str, *, file: str, reason: UrlProblem, **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.file = file
        self.reason = reason


class RegistrationFailedError(HyperxGlanceError):
    """A registration that failed after its record had been created.

    ``reason`` is a `UrlProblem` if the URL or file is the cause, otherwise a `FailureReason`. The record is deleted,
    unless ``keep_failed`` is True.
    """

    image_id: str

    def __init__(
        self,
        message: str,
        *,
        image_id: str,
        phase: Phase,
        reason: UrlProblem | FailureReason,
        **answer: Unpack[ErrorKeywords],
    ) -> None:
        super().__init__(message, **answer)
        self.image_id = image_id
        self.phase = phase
        self.reason = reason


class ChecksumMismatchError(RegistrationFailedError):
    """Data with a wrong checksum; ``expected`` and ``actual`` are "algorithm:hex"."""

    default_hint = "Compare the checksum with its publisher's page, and download again."

    def __init__(self, *, image_id: str, expected: str, actual: str) -> None:
        message = f"The data of image {image_id} is {actual}, not {expected}."
        super().__init__(message, image_id=image_id, phase=Phase.FAILED, reason=FailureReason.CHECKSUM)
        self.expected = expected
        self.actual = actual


class ImageNotActiveError(HyperxGlanceError):
    """An image that cannot be launched because it is INACTIVE; ``phase`` says why."""

    image_id: str

    def __init__(
        self, message: str, *, image_id: str, phase: Phase, failure: str | None = None, **answer: Unpack[ErrorKeywords]
    ) -> None:
        super().__init__(message, **answer)
        self.image_id = image_id
        self.phase = phase
        self.failure = failure


class FlavorTooSmallError(HyperxGlanceError):
    """A flavor with too little disk space or memory for the image."""

    default_hint = "Choose a larger flavor."


class LaunchFailedError(HyperxGlanceError):
    """A launch whose servers Nova could not make.

    ``servers`` are the failed servers, each a `Server` with its ``fault``.
    """

    launch_id: str

    def __init__(
        self, message: str, *, launch_id: str, servers: Sequence[object] = (), **answer: Unpack[ErrorKeywords]
    ) -> None:
        super().__init__(message, **answer)
        self.launch_id = launch_id
        self.servers: tuple[object, ...] = tuple(servers)


class CaptureFailedError(HyperxGlanceError):
    """A capture that made no image; everything that it had made is deleted."""

    capture_id: str

    def __init__(self, message: str, *, capture_id: str, server_id: str, **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.capture_id = capture_id
        self.server_id = server_id


class PasswordResetError(HyperxGlanceError):
    """A server that did not accept the new password; the message says what is missing."""


class WaitTimeoutError(HyperxGlanceError):
    """A deadline that has passed; ``last_seen`` is the last progress, and the ids name work that continues."""

    def __init__(
        self,
        message: str,
        *,
        last_seen: object = None,
        image_id: str | None = None,
        launch_id: str | None = None,
        **answer: Unpack[ErrorKeywords],
    ) -> None:
        super().__init__(message, **answer)
        self.last_seen = last_seen
        self.image_id = image_id
        self.launch_id = launch_id


class ServiceUnavailableError(HyperxGlanceError):
    """A service that is missing, cannot be reached, or fails.

    ``connected`` is False only if the service has certainly not worked on the request: no connection was made, or the
    login before the request failed.
    """

    def __init__(self, message: str, *, connected: bool = True, **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.connected = connected
