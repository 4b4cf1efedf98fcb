"""The errors of this library, as one tree.

    >>> from hyperx_glance.errors import HyperxGlanceError, QuotaExceededError
    >>> try:
    ...     raise QuotaExceededError(department="dept-a", resource="images", limit=10, used=10, requested=1)
    ... except HyperxGlanceError as error:
    ...     print(error)
    Department dept-a has no room for 1 more image: 10 of 10 used. Hint: Delete what is no longer needed,
    or ask an administrator for a larger quota.

The tree::

    HyperxGlanceError                    message, hint, code, explanation, service, status, request_id, image_id,
    │                                    launch_id, capture_id, volume_id
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
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict, Unpack

from hyperx_glance.texts import LONGEST_TEXT, NO_TEXT, Audience, Reader, Text, reader, say, visible, word
from hyperx_glance.vocabulary import FailureReason, Phase, UrlProblem

if TYPE_CHECKING:
    from pydantic import SecretStr

    from hyperx_glance.texts import Language

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
"""OpenStack's own are "req-" and a UUID (oslo_middleware/request_id.py); other clouds' may be longer."""


def known_request_id(text: str | None) -> str | None:
    """Return the id of a request if it is valid; a proxy may write anything there."""
    return text if text and _REQUEST_ID.fullmatch(text) else None


class Answer(TypedDict, total=False):
    """The response of a service that caused an error, as keywords of every error."""

    explanation: str
    service: str | None
    status: int | None
    request_id: str | None


class ErrorKeywords(Answer, total=False):
    """The keywords of every error."""

    hint: Text


def _text(text: object) -> Text:
    """Return a text; programs' own tests make errors of plain strings."""
    return text if isinstance(text, Text) else Text(str(text))


def _restored(kind: type[HyperxGlanceError], message: Text, state: Mapping[str, object]) -> HyperxGlanceError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class HyperxGlanceError(Exception):
    """The base class of all errors that this library raises.

    ``message`` says what failed, and ``hint`` what to do next, in one sentence each; ``code`` is the code of the
    message. If a service responded, ``service`` is its type in OpenStack's catalogue ("image"), ``explanation`` what it
    said in its own words, ``status`` the HTTP status and ``request_id`` the id to look for in the service's log.
    ``image_id``, ``launch_id``, ``capture_id`` and ``volume_id`` (the copy of a volume that a capture makes) name the
    thing that the error is about, or that may have been made before the error. ``suggested_status`` is the HTTP status
    with which a back end can answer its own caller.
    """

    default_hint: ClassVar[str] = ""
    """The code of the hint of an error without another hint."""
    suggested_status: ClassVar[int] = 502
    image_id: str | None = None
    launch_id: str | None = None
    capture_id: str | None = None
    volume_id: str | None = None
    admin_password: SecretStr | None = None
    """The administrator's password of servers that may exist. It is stored nowhere else; a pickle has None."""
    left: tuple[Text, ...] = ()
    """Things that were made and may still exist: "image 7c1", "launch 81f"."""

    def __init__(
        self,
        message: Text,
        *,
        hint: Text = NO_TEXT,
        explanation: str = "",
        service: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = _text(message)
        super().__init__(str(self.message))
        self.hint = _text(hint) or (say(self.default_hint) if self.default_hint else NO_TEXT)
        self.explanation = visible(explanation[:LONGEST_TEXT])
        self.service = service
        self.status = status
        self.request_id = known_request_id(request_id)

    def __reduce__(self) -> tuple[object, ...]:
        """Make errors copyable and picklable, regardless of the keywords of their constructors."""
        return _restored, (type(self), str(self.message), self.__dict__)

    @property
    def code(self) -> str:
        """The stable code of what failed; the reference lists all codes."""
        return self.message.code

    def answer(self) -> Answer:
        """Return what is known of the service's response, for another error about it."""
        return Answer(
            explanation=self.explanation, service=self.service, status=self.status, request_id=self.request_id
        )

    def __str__(self) -> str:
        """Describe what failed, which service responded, and what to do."""
        return self.read_by(Reader())

    def in_language(self, language: Language, /, *, audience: Audience | str = Audience.PYTHON) -> str:
        """Return the whole error, with its hint, in "en" or "zh" and for one audience.

        For a person, it is without what the service said.

        Raises:
            InvalidRequestError: unknown language or audience.
        """
        return self.read_by(reader(language, audience))

    def read_by(self, reader: Reader) -> str:
        """Return the whole error for a reader."""
        text: Text = self.message
        if reader.audience is not Audience.PERSON:
            if self.explanation:
                text = say("error.explanation", message=_without_stop(text, reader), explanation=self.explanation)
            if self.status is not None:
                request = say("error.request", request=self.request_id) if self.request_id else NO_TEXT
                bare = _without_stop(text, reader)
                service = word("service", self.service or "")
                text = say("error.answer", message=bare, service=service, status=self.status, request=request)
        shown = text.read_by(reader)
        left = [each for each in self.left if str(each).partition(" ")[2] not in shown]
        hint = self.hint
        if (left or hint) and not shown.endswith((".", "!", "?", "。", "！", "？")):
            shown += "。" if reader.language == "zh" else "."
        parts = [shown]
        if left:
            parts.append(say("error.left", things=left).read_by(reader))
        if hint:
            parts.append(say("error.hint", hint=hint).read_by(reader))
        return ("" if reader.language == "zh" else " ").join(parts)


def _without_stop(text: Text, reader: Reader) -> str:
    return text.read_by(reader).rstrip(".。")


class InvalidRequestError(HyperxGlanceError, ValueError):
    """A request that is wrong, regardless of the user who makes it."""

    suggested_status = 422

    @property
    def problems(self) -> Mapping[str, Text]:
        """What is wrong with each field, by its name; "" stands for the request as a whole."""
        problems = self.message.values.get("problems")
        found: dict[str, Text] = {}
        for problem in problems if isinstance(problems, tuple) else (self.message,):
            fields = problem.values.get("fields", problem.values.get("field"))
            named = [
                each.values for each in (fields if isinstance(fields, tuple) else (fields,)) if isinstance(each, Text)
            ]
            for values in named or [{}]:
                name = str(values.get("name", ""))
                found.setdefault(name, problem.values["problem"] if problem.code == "wrong-field" else problem)
        return found


class ImmutableFieldError(InvalidRequestError):
    """An attempt to change a field that HYPERX never changes after creation."""

    default_hint = "register-a-new-image"


class NotFoundError(HyperxGlanceError):
    """Something that does not exist, or that the caller may not see."""

    suggested_status = 404


class AmbiguousNameError(HyperxGlanceError):
    """A name that several things have; ``matches`` has their ids."""

    suggested_status = 409
    default_hint = "use-an-id"

    def __init__(self, message: Text, *, matches: Sequence[str] = (), **answer: Unpack[ErrorKeywords]) -> None:
        answer.setdefault("hint", say(self.default_hint, ids=matches))
        super().__init__(message, **answer)
        self.matches: tuple[str, ...] = tuple(matches)


class AuthenticationError(HyperxGlanceError):
    """An expired session, or credentials that Keystone refused: log in again."""

    suggested_status = 401
    default_hint = "log-in-again"


class NotAllowedError(HyperxGlanceError):
    """A request that the caller is not allowed to make."""

    suggested_status = 403


class ConflictError(HyperxGlanceError):
    """A request that is impossible in the present state of the image, server or other thing."""

    suggested_status = 409


class ProtectedError(ConflictError):
    """An image that is protected from deletion."""

    default_hint = "unprotect-first"


class InUseError(ConflictError):
    """Data that the store refuses to delete, because something else still uses it."""

    default_hint = "delete-clones-first"


class QuotaExceededError(HyperxGlanceError):
    """A quota that does not have enough room.

    The figures are those of the first exceeded resource, in the order of the fields of `DepartmentQuota` and in their
    units. A figure is None if the service did not send it. ``exceeded`` names all exceeded resources.
    """

    suggested_status = 409
    default_hint = "make-room"

    def __init__(
        self,
        message: Text = NO_TEXT,
        *,
        department: str | None = None,
        resource: str | None = None,
        limit: int | None = None,
        used: int | None = None,
        requested: int | None = None,
        exceeded: Sequence[str] = (),
        **answer: Unpack[ErrorKeywords],
    ) -> None:
        if not message and resource is not None:
            several = len(exceeded) > 1
            message = say(
                "quota-exceeded-for-several" if several else "quota-exceeded",
                department=department,
                requested=requested,
                resource=_counted(resource, requested),
                used=used,
                limit=limit,
                **{"exceeded": [word("quota", each) for each in exceeded]} if several else {},
            )
        super().__init__(message, **answer)
        self.department = department
        self.resource = resource
        self.limit = limit
        self.used = used
        self.requested = requested
        self.exceeded: tuple[str, ...] = tuple(exceeded) or ((resource,) if resource else ())


def _counted(resource: str, count: int | None) -> Text:
    one = word("resource", f"{resource}.one")
    return one if count == 1 and one.code else word("resource", resource)


class PlaceLostError(HyperxGlanceError):
    """A deleted image that the quota of its department still counts."""

    image_id: str
    default_hint = "give-the-place-back"

    def __init__(self, image_id: str, *, department: str) -> None:
        super().__init__(say("place-lost", image=image_id, department=department))
        self.image_id = image_id
        self.department = department


class UrlRejectedError(HyperxGlanceError):
    """A URL that cannot become an image, before anything is created.

    ``reason`` is a `UrlProblem`, and ``field`` the field of the request that has the URL: "url" or "checksum_url".
    """

    suggested_status = 422
    field: Literal["url", "checksum_url"] = "url"

    def __init__(
        self,
        message: Text,
        *,
        url: str,
        reason: UrlProblem,
        hint: Text = NO_TEXT,
        explanation: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, explanation=explanation)
        self.url = url
        self.reason = reason
        self.http_status = status


class LocalFileError(HyperxGlanceError):
    """A local file that cannot become an image, or in which an image cannot be saved.

    ``file`` is its path, ``reason`` a `UrlProblem`.
    """

    suggested_status = 422

    def __init__(self, message: Text, *, file: str, reason: UrlProblem, **answer: Unpack[ErrorKeywords]) -> None:
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
        message: Text,
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

    default_hint = "compare-the-checksum"

    def __init__(self, *, image_id: str, expected: str, actual: str) -> None:
        message = say("checksum-differs", image=image_id, actual=actual, expected=expected)
        super().__init__(message, image_id=image_id, phase=Phase.FAILED, reason=FailureReason.CHECKSUM)
        self.expected = expected
        self.actual = actual


class ImageNotActiveError(HyperxGlanceError):
    """An image that cannot be launched because it is INACTIVE; ``phase`` says why."""

    suggested_status = 409
    image_id: str

    def __init__(
        self, message: Text, *, image_id: str, phase: Phase, failure: str | None = None, **answer: Unpack[ErrorKeywords]
    ) -> None:
        super().__init__(message, **answer)
        self.image_id = image_id
        self.phase = phase
        self.failure = failure


class FlavorTooSmallError(HyperxGlanceError):
    """A flavor with too little disk space or memory for the image."""

    suggested_status = 422
    default_hint = "choose-a-larger-flavor"


class LaunchFailedError(HyperxGlanceError):
    """A launch whose servers Nova could not make.

    ``servers`` are the failed servers, each a `Server` with its ``fault``.
    """

    launch_id: str

    def __init__(
        self, message: Text, *, launch_id: str, servers: Sequence[object] = (), **answer: Unpack[ErrorKeywords]
    ) -> None:
        super().__init__(message, **answer)
        self.launch_id = launch_id
        self.servers: tuple[object, ...] = tuple(servers)


class CaptureFailedError(HyperxGlanceError):
    """A capture that made no image; everything that it had made is deleted."""

    capture_id: str

    def __init__(self, message: Text, *, capture_id: str, server_id: str, **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.capture_id = capture_id
        self.server_id = server_id


class PasswordResetError(HyperxGlanceError):
    """A server that did not accept the new password; the message says what is missing."""

    suggested_status = 409


class WaitTimeoutError(HyperxGlanceError):
    """A deadline that has passed; ``last_seen`` is the last progress, and the ids name work that continues."""

    suggested_status = 504

    def __init__(
        self,
        message: Text,
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

    suggested_status = 503

    def __init__(self, message: Text, *, connected: bool = True, **answer: Unpack[ErrorKeywords]) -> None:
        super().__init__(message, **answer)
        self.connected = connected
