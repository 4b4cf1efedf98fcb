"""The errors of registrations: why one failed, and what to do, without the secrets of its URL.

>>> from hyperx_glance.registration.failures import lacking
>>> print(lacking("7c1", frozenset({"slow"})).message)
Image 7c1 is ready, but Glance could not put it into every store. It is missing from: slow.
"""

import html
import re
from typing import NamedTuple

from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.failures import TOO_LARGE
from hyperx_glance.errors import (
    HyperxGlanceError,
    LocalFileError,
    QuotaExceededError,
    RegistrationFailedError,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.models.results import Progress
from hyperx_glance.models.url_text import ascii_url, scrub
from hyperx_glance.quotas.refusals import image_quota_error, of_department
from hyperx_glance.registration.order import RegistrationOrder
from hyperx_glance.sources import urls
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import FailureReason, Phase, UrlProblem

DIAGNOSIS_SECONDS = 5.0


def scrubbed(error: HyperxGlanceError, order: RegistrationOrder) -> HyperxGlanceError:
    """Remove the URL's credentials from an error in place: Glance quotes the whole URL."""
    error.explanation = without_secrets(error.explanation, order)
    return error


def without_secrets(text: str, order: RegistrationOrder) -> str:
    """Remove the URL's credentials from a message of Glance."""
    if order.url is None:
        return scrub(text)
    # The last form: part of a URL may look like an HTML entity, and is unescaped on its way.
    return scrub(text, order.url, ascii_url(order.url), html.unescape(order.url))


# ----------------------------------------------------------------- failed imports


class Diagnosis(NamedTuple):
    """Cause of a failed import; ``url_is_good`` if this machine could read what Glance could not."""

    error: HyperxGlanceError
    url_is_good: bool = False


def explain(context: Context, order: RegistrationOrder, *, message: str, staged: bool, phase: Phase) -> Diagnosis:
    """Find out why an import failed; this process has read the data if it was ``staged``.

    Glance keeps the text of few causes: a status of 404, TLS, redirects and wrong content all become "Task failed due
    to Internal Error" (glance/async_/taskflow_executor.py). So the URL is read again, for at most 5 seconds.
    """
    quota = image_quota_error(message, department=context.departments.own().name)
    if quota is not None:
        return Diagnosis(quota)
    problem, good = None, False
    if order.url is not None and not staged:
        settings = context.settings
        problem = urls.diagnose(
            order.url,
            settings.url_policy,
            declared=order.disk_format,
            seconds=DIAGNOSIS_SECONDS,
            network=settings.network,
        )
        good = problem is None
        if problem is not None and not settings.url_policy.preflight:
            problem = _where_glance_sees_more(problem)
    if problem is not None:
        return Diagnosis(from_source(problem, order, phase=phase))
    said = "glance-failed-to-import" if message else "glance-failed-to-import-silently"
    error = RegistrationFailedError(
        say(said, image=order.image_id),
        image_id=order.image_id,
        phase=phase,
        reason=FailureReason.GLANCE,
        explanation=without_secrets(message, order),
        hint=say("see-the-log-about-staging") if staged else _way_out(order, good=good),
    )
    return Diagnosis(error, good)


def _way_out(order: RegistrationOrder, *, good: bool) -> Text:
    if not good:
        return say("see-the-log-and-stream")
    return say("see-the-log-or-stage" if len(order.stores) > 1 else "see-the-log-or-stream")


def from_source(
    problem: UrlRejectedError | LocalFileError, order: RegistrationOrder, *, phase: Phase
) -> RegistrationFailedError:
    """Turn the error of a URL or file into the failure of a registration that has a record."""
    error = RegistrationFailedError(
        say("image-not-registered", image=order.image_id, problem=problem.message),
        image_id=order.image_id,
        phase=phase,
        reason=problem.reason,
        explanation=problem.explanation,
        hint=problem.hint,
    )
    error.__cause__ = problem
    return error


def _where_glance_sees_more(problem: UrlRejectedError) -> UrlRejectedError | None:
    """Judge what this machine found. Preflight is off, so this machine may be unable to reach the server at all."""
    if problem.reason == UrlProblem.NAME_NOT_FOUND:
        return None
    if problem.reason in (UrlProblem.REFUSED, UrlProblem.TIMEOUT):
        problem.hint = say("found-by-this-machine")
    return problem


def for_the_record(error: HyperxGlanceError) -> Text:
    """Return the reason that a record keeps, without the image, which it shows itself."""
    problem = error.message.values["problem"] if error.code == "image-not-registered" else error.message
    text = problem if isinstance(problem, Text) else Text(str(problem))
    if not error.explanation:
        return text
    if text.endswith("."):
        return say("text-explained", text=text, explanation=error.explanation)
    return say("error.explanation", message=text, explanation=error.explanation)


def lacking(image_id: str, stores: frozenset[str]) -> RegistrationFailedError:
    """Return the error of an image that is ready, but not in every store."""
    return RegistrationFailedError(
        say("missing-from-stores", image=image_id, stores=sorted(stores)),
        image_id=image_id,
        phase=Phase.READY,
        reason=FailureReason.GLANCE,
        hint=say("use-copy-or-delete"),
    )


# ----------------------------------------------------------------- uploads


# glance/api/v2/image_data.py, upload: 413 has three meanings, and one of them is the quota.
_NO_QUOTA = re.compile("storage media is full|image is too large")
IS_HYBRID = "iso-is-hybrid"
IS_UNSAFE = "failed-the-safety-checks"
"""Codes of the reasons that `streaming` finds, because Glance gives none."""
_REFUSALS: tuple[tuple[str, UrlProblem | FailureReason, str], ...] = (
    ("storage media is full", FailureReason.GLANCE, "check-the-store"),
    (f"^413 {TOO_LARGE}", UrlProblem.TOO_LARGE, "import-or-raise-the-limit"),
    ("^413", UrlProblem.TOO_LARGE, "make-the-image-smaller"),
    (f"^415 {IS_HYBRID}", UrlProblem.WRONG_FORMAT, "make-an-iso-for-cd-drives"),
    (f"^500 {IS_HYBRID}", FailureReason.GLANCE, "make-an-iso-for-cd-drives"),
    ("^415.*safety", UrlProblem.UNSAFE_IMAGE, "make-a-self-contained-image"),
    ("^415", UrlProblem.WRONG_FORMAT, "specify-the-actual-format"),
)
"""The reason and the code of the hint for a status, our code and the words of Glance."""


def of_upload(
    error: HyperxGlanceError, context: Context, order: RegistrationOrder, *, phase: Phase
) -> HyperxGlanceError:
    """Turn the error that ended an upload into the failure of its registration."""
    match error:
        case UrlRejectedError() | LocalFileError():
            return from_source(error, order, phase=phase)
        case QuotaExceededError() if error.resource is not None:
            return error
        case QuotaExceededError() if not _NO_QUOTA.search(error.explanation):
            return of_department(error, context.departments.own().name)
    refusal = f"{error.status} {error.code} {error.explanation}"
    reason, hint = next(
        ((reason, say(hint)) for words, reason, hint in _REFUSALS if re.search(words, refusal)),
        (FailureReason.GLANCE, NO_TEXT),
    )
    message = say("glance-refused-the-data", image=order.image_id)
    if error.code == TOO_LARGE:
        message = say("image-not-registered", image=order.image_id, problem=error.message)
    if error.status is None or error.code in (IS_HYBRID, IS_UNSAFE):
        message = say("glance-refused-the-data-because", image=order.image_id, problem=error.message)
    return RegistrationFailedError(
        message, image_id=order.image_id, phase=phase, reason=reason, **error.answer(), hint=hint
    )


# ----------------------------------------------------------------- endings


def vanished(image_id: str, *, phase: Phase) -> RegistrationFailedError:
    """Return the error of a registration whose record was deleted by somebody else."""
    message = say("image-deleted-meanwhile", image=image_id)
    return RegistrationFailedError(message, image_id=image_id, phase=phase, reason=FailureReason.DELETED)


def cancelled(image_id: str, *, phase: Phase) -> RegistrationFailedError:
    """Return the error of a registration that was cancelled."""
    message = say("registration-cancelled", image=image_id)
    return RegistrationFailedError(message, image_id=image_id, phase=phase, reason=FailureReason.CANCELLED)


def unverifiable(image_id: str, problem: Text, *, explanation: str = "") -> RegistrationFailedError:
    """Return the error of an image whose checksum cannot be verified."""
    return RegistrationFailedError(
        say("checksum-unverifiable", image=image_id, problem=problem),
        image_id=image_id,
        phase=Phase.READY,
        reason=FailureReason.UNVERIFIABLE,
        explanation=explanation,
        hint=say("stream-or-omit-the-checksum"),
    )


def late(image_id: str, last: Progress, *, streams: bool) -> WaitTimeoutError:
    """Return the error of an image that was not ready in time."""
    message = say("not-ready-yet", image=image_id, phase=last.phase)
    if last.message:
        message = say("not-ready-yet-because", image=image_id, phase=last.phase, why=last.message)
    hint = say("start-it-again" if streams else "glance-continues", image=image_id)
    return WaitTimeoutError(message, last_seen=last, image_id=image_id, explanation=last.explanation, hint=hint)


def unverified(image_id: str, last: Progress) -> WaitTimeoutError:
    """Return the error of a ready image whose checksum was not verified in time."""
    message, hint = say("not-verified-in-time", image=image_id), say("verify-it-later", image=image_id)
    return WaitTimeoutError(message, last_seen=last, image_id=image_id, hint=hint)
