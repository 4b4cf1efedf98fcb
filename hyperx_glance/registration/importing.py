"""The request that Glance import a URL, or what was staged, and what its refusals mean."""

from hyperx_glance.cloud.cloud import WEB_DOWNLOAD
from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    RegistrationFailedError,
    UrlRejectedError,
)
from hyperx_glance.models.record import begun, is_staged
from hyperx_glance.models.url_text import ascii_url
from hyperx_glance.quotas.refusals import of_department
from hyperx_glance.registration import staging
from hyperx_glance.registration.failures import from_source, scrubbed, vanished
from hyperx_glance.registration.order import RegistrationOrder, Way
from hyperx_glance.sources import urls
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import FailureReason, Phase, UrlProblem
from hyperx_glance.waiting.callbacks import OUT_OF_REACH
from hyperx_glance.waiting.pace import attempts

_FILTERED = "does not pass filtering"
_NO_METHOD = "import method"
"""Parts of the text of Glance's 400 (glance/api/v2/images.py, import_image and _validate_import_body)."""


def begin(
    context: Context, order: RegistrationOrder, *, methods: frozenset[str] = frozenset(), resumed: bool = False
) -> Way:
    """Ask Glance to import, and return the way of the data: `Way.STREAM` or `Way.STAGE` if it must be uploaded instead.

    ``methods`` are the import methods that Glance offers, empty if unknown. The request is sent again if its response
    was lost: 409 then means that the import runs. For a resumed record, 409 means that another process has started the
    import. A new record is not known to any other process.
    """
    lacking = bool(methods) and WEB_DOWNLOAD not in methods
    if Way.IMPORT not in order.ways or lacking:
        way = staging.choose(context, order, methods)
        if way is not None:
            return way
        if Way.IMPORT not in order.ways:
            raise staging.not_offered()
    assert order.url is not None  # Glance imports only URLs; a record whose URL is unknown is followed, never started
    try:
        return _ask(context, order, order.url, resumed=resumed)
    except OUT_OF_REACH as error:
        scrubbed(error, order)
        raise
    except HyperxGlanceError as error:
        scrubbed(error, order)
        if isinstance(error, NotFoundError) and _is_gone(context, order):
            raise vanished(order.image_id, phase=Phase.REGISTERED) from error
        way = staging.choose(context, order, methods) if _cannot_import(error) else None
        if way is not None:
            return way
        raise _translated(context, order, error, hint=say("stream-without-web-download")) from error


def import_staged(context: Context, order: RegistrationOrder) -> None:
    """Ask Glance to import what was staged.

    The request is sent again if its response was lost. 409 then means that the import runs, or has ended, as far as
    the record is no longer staged; another process that has found the staged data may have sent the request, too.
    """
    try:
        for attempt in attempts(context.settings.pace):
            with attempt:
                try:
                    context.cloud.import_image(order.image_id, None, order.stores)
                except ConflictError:
                    if is_staged(context.cloud.image(order.image_id)):
                        raise
    except OUT_OF_REACH:
        raise
    except HyperxGlanceError as error:
        if isinstance(error, NotFoundError) and _is_gone(context, order):
            raise vanished(order.image_id, phase=Phase.STORING) from error
        raise _translated(context, order, error, hint=NO_TEXT) from error


def _ask(context: Context, order: RegistrationOrder, url: str, *, resumed: bool) -> Way:
    for attempt in attempts(context.settings.pace):
        with attempt:
            try:
                context.cloud.import_image(order.image_id, ascii_url(url), order.stores)
            except ConflictError:
                if resumed:
                    return Way.FOLLOW
                if not (attempt.lost and begun(context.cloud.image(order.image_id))):
                    raise
    return Way.IMPORT


def _is_gone(context: Context, order: RegistrationOrder) -> bool:
    try:
        context.cloud.image(order.image_id)
    except NotFoundError:
        return True
    return False


def _cannot_import(error: HyperxGlanceError) -> bool:
    # If import is switched off, its path is not found, although the image is.
    return isinstance(error, NotFoundError) or (
        isinstance(error, InvalidRequestError)
        and (_FILTERED in error.explanation or _NO_METHOD in error.explanation.lower())
    )


def _translated(
    context: Context, order: RegistrationOrder, error: HyperxGlanceError, *, hint: Text
) -> HyperxGlanceError:
    """Return the error of a refused request; ``hint`` is for a refusal that does not tell another way out."""
    if isinstance(error, QuotaExceededError):
        return of_department(error, context.departments.own().name)
    if _FILTERED in error.explanation and order.url is not None:
        # Glance sends the same text for a name that does not resolve (glance/common/utils.py, validate_import_uri).
        policy, network = context.settings.url_policy, context.settings.network
        try:
            urls.destination(order.url, policy, seconds=policy.timeout_seconds, network=network)
        except UrlRejectedError as problem:
            if problem.reason == UrlProblem.NAME_NOT_FOUND:
                return from_source(problem, order, phase=Phase.REGISTERED)
    match error:
        case ConflictError():
            hint = say("import-is-locked")
        case InvalidRequestError() if _FILTERED in error.explanation:
            hint = say("import-is-filtered")
    return RegistrationFailedError(
        say("glance-refused-to-import", image=order.image_id),
        image_id=order.image_id,
        phase=Phase.REGISTERED,
        reason=FailureReason.GLANCE,
        hint=hint,
        **error.answer(),
    )
