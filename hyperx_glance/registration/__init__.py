"""Register images and ISOs from URLs and files, and never leave anybody guessing.

    >>> from hyperx_glance import NewImage
    >>> client.register(NewImage(name="debian", url="http://169.254.169.254/debian.qcow2"))
    Traceback (most recent call last):
    hyperx_glance.errors.UrlRejectedError: Address 169.254.169.254 lies in 169.254.0.0/16, from which nothing is ...

Order of work: may the caller do this; what is behind the URL, or in the file; has the department room; create the
record under an id of our own; let Glance import, or stream; follow; verify. Nothing is created before all checks have
passed, and whatever fails afterwards takes the record away with it.
"""

import functools
from collections.abc import Callable, Iterator

from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import WaitTimeoutError
from hyperx_glance.models.fields import DataFile
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.models.results import Progress, UrlReport
from hyperx_glance.registration import checking, creation, looking, resumption
from hyperx_glance.registration.handle import Registration
from hyperx_glance.registration.order import Deadline
from hyperx_glance.registration.record import OUT_OF_REACH, Record
from hyperx_glance.sources import urls
from hyperx_glance.sources.opening import unpacked
from hyperx_glance.waiting.callbacks import CallbackError, teller

__all__ = [
    "Registration",
    "cancel_registration",
    "check_url",
    "progress",
    "register",
    "resume_registration",
    "start_registration",
    "unfinished_registrations",
]

_MORE_TIME = "Its record is deleted. Give it more time: timeout=..., or start_registration and wait."


def register(
    context: Context,
    new: NewImage | NewIso,
    *,
    on_progress: Callable[[Progress], object] | None,
    timeout: float | None,
    keep_failed: bool,
) -> Image:
    """Register and wait; whatever ends the waiting takes the record away, except that Glance is out of reach."""
    tell, end = teller(on_progress), Deadline.after(context.settings.pace, timeout)
    record = _checked(context, new, keep_failed=keep_failed)
    with record.named():
        try:
            following = creation.start(record, new, end)
        except WaitTimeoutError as error:
            _hint(record, error)
            raise
        try:
            return following.finish(tell, end)
        except OUT_OF_REACH:
            raise
        except CallbackError as error:
            raised = error.raised
            record.withdraw(raised)
        except BaseException as error:
            record.withdraw(error)
            _hint(record, error)
            raise
        raise raised


def _hint(record: Record, error: BaseException) -> None:
    if isinstance(error, WaitTimeoutError) and not record.may_exist:
        error.hint = _MORE_TIME


def start_registration(context: Context, new: NewImage | NewIso, *, keep_failed: bool) -> Registration:
    """Check, create the record and set its transfer going."""
    record = _checked(context, new, keep_failed=keep_failed)
    with record.named():
        return Registration(creation.start(record, new, Deadline(context.settings.pace.clock)))


def _checked(context: Context, new: NewImage | NewIso, *, keep_failed: bool) -> Record:
    return Record(context, checking.check(context, new, keep_failed=keep_failed), own=True, may_exist=False)


def resume_registration(
    context: Context, image: Image | str, *, url: str | None, file: DataFile | None, keep_failed: bool
) -> Registration:
    """Take up a registration whose caller died."""
    return Registration(resumption.resume(context, image, url=url, file=file, keep_failed=keep_failed))


def cancel_registration(context: Context, image: Image | str) -> None:
    """End what is not ready, without taking it up."""
    resumption.cancel(context, image)


def progress(context: Context, image: Image | str) -> Progress:
    """Look once at what anybody registers, and start nothing."""
    return looking.look(context, image_id(image))


def unfinished_registrations(context: Context, *, older_than_seconds: float) -> Iterator[Image]:
    """Iterate over what the caller began to register and nobody finished."""
    return resumption.unfinished(context, older_than_seconds=older_than_seconds)


def check_url(context: Context, url: str, *, disk_format: str | None) -> UrlReport:
    """Tell what a registration would find at a URL."""
    policy, network = context.settings.url_policy, context.settings.network
    deadline = network.clock() + policy.timeout_seconds
    unpack = functools.partial(unpacked, deadline=deadline, network=network)
    return urls.report(url, policy, disk_format=disk_format, unpack=unpack, network=network)
