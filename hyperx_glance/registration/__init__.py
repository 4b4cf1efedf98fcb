"""Register images and ISOs from URLs and files.

    >>> from hyperx_glance import NewImage
    >>> client.register(NewImage(name="debian", url="http://169.254.169.254/debian.qcow2"))
    Traceback (most recent call last):
    hyperx_glance.errors.UrlRejectedError: Address 169.254.169.254 is in 169.254.0.0/16, which is denied. ...

A registration has seven steps. Nothing is created before the first three have passed, and a failure of a later one
deletes the record.

`order` is the request. `checking` takes the first three steps, `creation`, `admission` and `importing` the next
two, and `following` the last: `looking` shows how far an import has come, `outcome` judges it, `uploading` and
`streaming` send data through this process, and `verification` compares checksums. `record` alone deletes, `failures`
has the errors, `handle` is the public face, and `resumption` finds a registration again.
"""

import functools
from collections.abc import Callable

from hyperx_glance.cloud import hidden
from hyperx_glance.cloud.context import Context
from hyperx_glance.models.image import Image
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.models.results import Progress, UrlReport
from hyperx_glance.registration import admission, checking, creation, importing
from hyperx_glance.registration.following import RegistrationFollower
from hyperx_glance.registration.handle import Registration
from hyperx_glance.registration.looking import progress
from hyperx_glance.registration.order import Deadline
from hyperx_glance.registration.record import MORE_TIME, RegistrationRecord
from hyperx_glance.registration.resumption import cancel_registration, resume_registration, unfinished_registrations
from hyperx_glance.sources import urls
from hyperx_glance.sources.opening import unpacked
from hyperx_glance.texts import say
from hyperx_glance.waiting.callbacks import reported

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


def register(
    context: Context,
    new: NewImage | NewIso,
    *,
    on_progress: Callable[[Progress], object] | None,
    timeout: float | None,
    keep_failed: bool,
) -> Image:
    """Take all steps; delete the record after any exception, unless a service is out of reach."""
    end = Deadline.after(context.settings.pace, timeout)
    follower = _start(context, new, end, keep_failed=keep_failed)
    with follower.record.named():
        # 6. Follow until the image is ready. 7. Verify it.
        return reported(
            lambda tell: follower.finish(tell, end),
            on_progress,
            withdraw=follower.record.withdraw,
            more_time=say(MORE_TIME),
        )


def start_registration(context: Context, new: NewImage | NewIso, *, keep_failed: bool) -> Registration:
    """Take the first five steps; `Registration.wait` takes the others."""
    return Registration(_start(context, new, Deadline(context.settings.pace.clock), keep_failed=keep_failed))


def _start(context: Context, new: NewImage | NewIso, end: Deadline, *, keep_failed: bool) -> RegistrationFollower:
    # 1. May the caller do this?
    asked = checking.asked(context, new, keep_failed=keep_failed)
    # 2. What is behind the URL, or in the file?
    checksum = checking.checksum(context, asked, new.checksum_url)
    found = checking.look(context, asked, declared=new.disk_format, packed=None if new.unpack == "auto" else "")
    ways = checking.ways(context, asked, found)
    # 3. Does the department have room?
    room = checking.room(context, asked, found)
    # 4. Create the record under an id of our own.
    order = asked.completed(found, checksum=checksum, ways=ways, room=room)
    record = RegistrationRecord(context, order, own=True)
    with record.named():
        with record.interruptible(lambda: creation.undo_create(record, new)):
            methods = creation.create(record, new)
        # 5. Let Glance import, or stream. Wait first until the department has no more records than it may have.
        with record.given_up_on_failure():
            if record.hidden:
                raise record.reject(hidden.refusal(record.hidden))
            admission.admit(context, order, end)
            way = importing.begin(context, order, methods=methods)
            return RegistrationFollower(record, way)


def check_url(context: Context, url: str, *, disk_format: str | None) -> UrlReport:
    """Report what a registration would find at a URL."""
    policy, network = context.settings.url_policy, context.settings.network
    deadline = network.clock() + policy.timeout_seconds
    unpack = functools.partial(unpacked, deadline=deadline, network=network)
    return urls.report(url, policy, disk_format=disk_format, unpack=unpack, network=network)
