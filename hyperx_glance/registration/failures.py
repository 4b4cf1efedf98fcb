"""The errors of registrations: why one failed, and what to do, without the secrets of its URL.

>>> from hyperx_glance.registration.failures import lacking
>>> print(lacking("7c1", frozenset({"slow"})).message)
Image 7c1 is ready, but Glance could not put it into every store. It is missing from: slow.
"""

import html
import re
from typing import NamedTuple

from hyperx_glance.cloud.context import Context
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
from hyperx_glance.vocabulary import FailureReason, Phase, UrlProblem

DIAGNOSIS_SECONDS = 5.0


def scrubbed(error: HyperxGlanceError, order: RegistrationOrder) -> HyperxGlanceError:
    """Remove the URL's credentials from an error in place: Glance quotes the whole URL."""
    error.message = without_secrets(error.message, order)
    error.args = (error.message,)
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


def explain(context: Context, order: RegistrationOrder, *, message: str, phase: Phase) -> Diagnosis:
    """Find out why an import failed.

    Glance keeps the text of few causes: a status of 404, TLS, redirects and wrong content all become "Task failed due
    to Internal Error" (glance/async_/taskflow_executor.py). So the URL is read again, for at most 5 seconds.
    """
    quota = image_quota_error(message, department=context.departments.own().name)
    if quota is not None:
        return Diagnosis(quota)
    problem, good = None, False
    if order.url is not None:
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
    text = without_secrets(message, order)
    error = RegistrationFailedError(
        f"Glance failed to import image {order.image_id}: {text or 'it did not say why'}.".replace("..", "."),
        image_id=order.image_id,
        phase=phase,
        reason=FailureReason.GLANCE,
        hint=f"See Glance's log. {_way_out(order, good=good)}",
    )
    return Diagnosis(error, good)


def _way_out(order: RegistrationOrder, *, good: bool) -> str:
    if not good:
        return "If this machine can reach the URL and Glance cannot, use transfer='stream'."
    streams = "transfer='stream' or 'auto' streams it"
    return f"This machine can read the URL: {streams}{', to one store' if len(order.stores) > 1 else ''}."


def from_source(
    problem: UrlRejectedError | LocalFileError, order: RegistrationOrder, *, phase: Phase
) -> RegistrationFailedError:
    """Turn the error of a URL or file into the failure of a registration that has a record."""
    error = RegistrationFailedError(
        f"{not_registered(order.image_id)}{problem.message}",
        image_id=order.image_id,
        phase=phase,
        reason=problem.reason,
        hint=problem.hint,
    )
    error.__cause__ = problem
    return error


def _where_glance_sees_more(problem: UrlRejectedError) -> UrlRejectedError | None:
    """Judge what this machine found. Preflight is off, so this machine may be unable to reach the server at all."""
    if problem.reason == UrlProblem.NAME_NOT_FOUND:
        return None
    if problem.reason in (UrlProblem.REFUSED, UrlProblem.TIMEOUT):
        problem.hint = "This is what this machine found; Glance may have failed for another reason."
    return problem


def not_registered(image_id: str) -> str:
    """Return the beginning of an error's sentence; it is left out in the record, which shows the same reason."""
    return f"Image {image_id} was not registered: "


def lacking(image_id: str, stores: frozenset[str]) -> RegistrationFailedError:
    """Return the error of an image that is ready, but not in every store."""
    names = ", ".join(sorted(stores))
    return RegistrationFailedError(
        f"Image {image_id} is ready, but Glance could not put it into every store. It is missing from: {names}.",
        image_id=image_id,
        phase=Phase.READY,
        reason=FailureReason.GLANCE,
        hint="The image was not changed: use it, copy it to the other stores (Glance's copy-image), or delete it.",
    )


# ----------------------------------------------------------------- uploads


# glance/api/v2/image_data.py, upload: 413 has three meanings, and one of them is the quota.
_NO_QUOTA = re.compile("storage media is full|image is too large")
IS_HYBRID = "The file is an ISO that also boots from a memory stick"
_FOR_CD_DRIVES = (
    "Glance 2025.1 and 2025.2 do not accept such an ISO. Upgrade Glance to 2026.1, or make an ISO for CD drives only"
    " by clearing the first block of a copy: dd if=/dev/zero of=FILE bs=512 count=1 conv=notrunc."
)
_REFUSALS: tuple[tuple[str, UrlProblem | FailureReason, str], ...] = (
    ("storage media is full", FailureReason.GLANCE, "Ask an operator to check Glance's store."),
    ("^413", UrlProblem.TOO_LARGE, "Make the image smaller, or ask an operator to raise image_size_cap."),
    (f"^415.*{IS_HYBRID}", UrlProblem.WRONG_FORMAT, _FOR_CD_DRIVES),
    (f"^500.*{IS_HYBRID}", FailureReason.GLANCE, _FOR_CD_DRIVES),
    ("^415.*safety", UrlProblem.UNSAFE_IMAGE, "Make a self-contained image: qemu-img convert."),
    ("^415", UrlProblem.WRONG_FORMAT, "Specify the actual format of the file."),
)


def of_upload(
    error: HyperxGlanceError, context: Context, order: RegistrationOrder, *, phase: Phase
) -> HyperxGlanceError:
    """Turn the error that ended an upload into the failure of its registration."""
    match error:
        case UrlRejectedError() | LocalFileError():
            return from_source(error, order, phase=phase)
        case QuotaExceededError() if error.resource is not None:
            return error
        case QuotaExceededError() if not _NO_QUOTA.search(error.message):
            return of_department(error, context.departments.own().name)
    reason, hint = next(
        ((reason, hint) for words, reason, hint in _REFUSALS if re.search(words, f"{error.status} {error.message}")),
        (FailureReason.GLANCE, ""),
    )
    return RegistrationFailedError(
        f"Glance refused the data of image {order.image_id}: {error.message}",
        image_id=order.image_id,
        phase=phase,
        reason=reason,
        **error.answer(),
        hint=hint,
    )


# ----------------------------------------------------------------- endings


def vanished(image_id: str, *, phase: Phase) -> RegistrationFailedError:
    """Return the error of a registration whose record was deleted by somebody else."""
    message = f"Image {image_id} was deleted while it was being registered."
    return RegistrationFailedError(message, image_id=image_id, phase=phase, reason=FailureReason.DELETED)


def cancelled(image_id: str, *, phase: Phase) -> RegistrationFailedError:
    """Return the error of a registration that was cancelled."""
    message = f"The registration of image {image_id} was cancelled."
    return RegistrationFailedError(message, image_id=image_id, phase=phase, reason=FailureReason.CANCELLED)


def unverifiable(image_id: str, why: str) -> RegistrationFailedError:
    """Return the error of an image whose checksum cannot be verified."""
    return RegistrationFailedError(
        f"The checksum of image {image_id} cannot be verified: {why}",
        image_id=image_id,
        phase=Phase.READY,
        reason=FailureReason.UNVERIFIABLE,
        hint="Register it with transfer='stream', which hashes the data from the URL, or without a checksum.",
    )


def late(image_id: str, last: Progress, *, streams: bool) -> WaitTimeoutError:
    """Return the error of an image that was not ready in time."""
    message = f"Image {image_id} is not ready yet: {last.phase}. {last.message}".rstrip()
    hint = "Glance continues without this process. Use resume_registration to follow it, or delete to stop it."
    if streams:
        hint = "Use wait or resume_registration to start it again, or delete to stop it."
    return WaitTimeoutError(message, last_seen=last, image_id=image_id, hint=hint)


def unverified(image_id: str, last: Progress) -> WaitTimeoutError:
    """Return the error of a ready image whose checksum was not verified in time."""
    message = f"Image {image_id} is ready, but its checksum is not verified yet."
    hint = "Use wait or resume_registration to verify it, or delete to remove it."
    return WaitTimeoutError(message, last_seen=last, image_id=image_id, hint=hint)
