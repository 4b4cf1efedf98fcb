"""Why a registration failed, and what becomes of its record."""

import contextlib
import html
import logging
from collections.abc import Iterator

from hyperx_glance import urls
from hyperx_glance.cloud import Cloud
from hyperx_glance.errors import (
    HyperxGlanceError,
    NotFoundError,
    ProtectedError,
    QuotaExceededError,
    RegistrationFailedError,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import exceeded_quota
from hyperx_glance.url_text import ascii_url, scrub
from hyperx_glance.vocabulary import Phase, UrlProblem, glance_key

DIAGNOSIS_SECONDS = 5.0
GLANCE, DELETED = "glance", "deleted"
"""The reasons where the cause is not known, and where somebody else deleted the record."""
_LOG = logging.getLogger(__name__)
_LONGEST_FAILURE = 1000


def scrubbed(error: HyperxGlanceError, order: Order) -> HyperxGlanceError:
    """Take the URL's credentials out of an error in place: Glance quotes the whole URL."""
    error.message = without_secrets(error.message, order)
    error.args = (error.message,)
    return error


def without_secrets(text: str, order: Order) -> str:
    """Take the URL's credentials out of what Glance says."""
    if order.url is None:
        return scrub(text)
    # The last is what becomes of entities that a URL only seems to hold.
    return scrub(text, order.url, ascii_url(order.url), html.unescape(order.url))


def explain(site: Site, order: Order, *, message: str, phase: Phase) -> HyperxGlanceError:
    """Find the cause of an import that Glance gave up.

    Glance keeps the text of few causes: a status of 404, TLS, redirects and wrong content all become "Task failed due
    to Internal Error" (glance/async_/taskflow_executor.py). So the URL is read again, for at most 5 seconds.
    """
    quota = exceeded_quota(message, site.departments.own().name)
    if quota is not None:
        return quota
    if order.url is not None:
        problem = urls.diagnose(
            order.url,
            site.settings.url_policy,
            declared=order.disk_format,
            seconds=DIAGNOSIS_SECONDS,
            network=site.settings.network,
        )
        if problem is not None and not site.settings.url_policy.preflight:
            problem = _where_glance_sees_more(problem)
        if problem is not None:
            return from_url(problem, order, phase=phase)
    text = without_secrets(message, order)
    return RegistrationFailedError(
        f"Glance failed to import image {order.image_id}: {text or 'it does not say why'}.".replace("..", "."),
        image_id=order.image_id,
        phase=phase,
        reason=GLANCE,
        hint="Glance's log tells more. If Glance cannot reach the URL and this machine can: transfer='stream'.",
    )


def from_url(problem: UrlRejectedError, order: Order, *, phase: Phase) -> RegistrationFailedError:
    """Turn what is wrong with a URL into the failure of a registration that had begun."""
    error = RegistrationFailedError(
        f"{_not_registered(order.image_id)}{problem.message}",
        image_id=order.image_id,
        phase=phase,
        reason=problem.reason,
        hint=problem.hint,
    )
    error.__cause__ = problem
    return error


def vanished(image_id: str, *, phase: Phase) -> RegistrationFailedError:
    """Tell that somebody else has deleted the record."""
    message = f"Image {image_id} was deleted while it was being registered."
    return RegistrationFailedError(message, image_id=image_id, phase=phase, reason=DELETED)


def _where_glance_sees_more(problem: UrlRejectedError) -> UrlRejectedError | None:
    """Judge what this machine found, where preflight is off because it may not reach the server at all."""
    if problem.reason == UrlProblem.NAME_NOT_FOUND:
        return None
    if problem.reason in (UrlProblem.REFUSED, UrlProblem.TIMEOUT):
        problem.hint = "So it looks from this machine; Glance may have failed for another reason."
    return problem


def _not_registered(image_id: str) -> str:
    """Begin the sentence of an error; the record itself, which shows the same reason, need not name itself."""
    return f"Image {image_id} was not registered: "


def dispose(site: Site, order: Order, error: HyperxGlanceError) -> bool:
    """Delete a failed record, or keep it with the reason; what goes wrong here is a note on the error, and False.

    A record for which there is no room is never kept: it would take the place of another.
    """
    kept = order.keep_failed and not isinstance(error, QuotaExceededError | WaitTimeoutError)
    with noted(error, order.image_id, "marked as failed" if kept else "deleted"):
        if kept:
            keep(site.cloud, order.image_id, error)
        else:
            delete_record(site.cloud, order.image_id)
        return True
    return False


@contextlib.contextmanager
def noted(error: BaseException, image_id: str, done: str = "deleted") -> Iterator[None]:
    """Note on the first error, which stays the one to tell, that the record could not be cleaned up."""
    try:
        yield
    except HyperxGlanceError as second:
        error.add_note(f"The record {image_id} could not be {done}: {second}")
        _LOG.warning("the record %s of a failed registration could not be %s", image_id, done)


def keep(cloud: Cloud, image_id: str, error: HyperxGlanceError) -> None:
    """Write the reason into the record, which makes its phase failed."""
    reason = error.message.removeprefix(_not_registered(image_id))[:_LONGEST_FAILURE]
    patch = [{"op": "add", "path": f"/{glance_key('failure')}", "value": reason}]
    cloud.patch_image(image_id, patch)


def delete_record(cloud: Cloud, image_id: str) -> None:
    """Delete a record once; gone is gone, and its protection was this registration's own."""
    try:
        try:
            cloud.delete_image(image_id)
        except ProtectedError:
            patch = [{"op": "replace", "path": "/protected", "value": False}]
            cloud.patch_image(image_id, patch)
            cloud.delete_image(image_id)
    except NotFoundError:
        return
