"""Resume, cancel and find registrations whose process has died.

>>> _ = client.start_registration(
...     NewImage(name="debian", url="https://files.example/debian-12.qcow2")
... )  # and here the process dies
>>> (lost,) = client.unfinished_registrations()
>>> client.resume_registration(lost).wait().name
'debian'
"""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hyperx_glance import removal
from hyperx_glance.cloud import pages
from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department
from hyperx_glance.cloud.tasks import newest_import
from hyperx_glance.errors import (
    ConflictError,
    InvalidRequestError,
    LocalFileError,
    QuotaExceededError,
    RegistrationFailedError,
)
from hyperx_glance.models.fields import DataFile, well_formed_checksum
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.record import (
    begun,
    has_become_ready,
    is_being_uploaded,
    is_staged,
    is_unfinished_registration,
    made_of_a_server,
)
from hyperx_glance.models.request import problem_of
from hyperx_glance.models.url_text import stored_url, well_formed
from hyperx_glance.quotas.reading import image_quota
from hyperx_glance.registration import admission, checking, failures, importing
from hyperx_glance.registration.following import RegistrationFollower
from hyperx_glance.registration.handle import Registration
from hyperx_glance.registration.order import Deadline, RegistrationOrder, Way, in_mib
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.opening import REJECTED
from hyperx_glance.texts import NO_TEXT, field_name, say
from hyperx_glance.vocabulary import UrlProblem, glance_key

_OF_THE_CALLER = (UrlProblem.DENIED_ADDRESS, UrlProblem.DENIED_PORT, UrlProblem.TLS)
"""Problems that the caller's `UrlPolicy` decides, and that therefore say nothing about the record."""


def resume_registration(
    context: Context, reference: Image | str, *, url: str | None, file: DataFile | None, keep_failed: bool
) -> Registration:
    """Follow a running import, start one that was not started, or verify a finished one; a failed record is final."""
    if url is not None and file is not None:
        fields = [field_name("url"), field_name("file")]
        raise InvalidRequestError(say("only-one-of-two-fields", fields=fields))
    image = _registered(context, reference)
    if image.failure:
        raise ConflictError(
            say("registration-has-failed", image=image.id),
            explanation=image.failure,
            hint=say("delete-and-register-again"),
        )
    order = RegistrationOrder(
        image_id=image.id,
        url=_known_url(context, image, url) if file is None else None,
        file=None if file is None else _given_file(image, file),
        disk_format=image.disk_format,
        department=_department(context, image),
        checksum=_wanted_checksum(image),
        packed=image.glance_property(glance_key("packed")),
        keep_failed=keep_failed,
    )
    if is_staged(image) or (is_being_uploaded(image) and _source_is_known(order, image)):
        # Only an upload sets these statuses. If its process is alive it will finish. If not, Glance resets the record,
        # or has all the data and waits for the request to import it.
        quota = image_quota(context, order.department)
        order = dataclasses.replace(order, room=quota.image_size_mib)
        way = Way.STREAM if image.glance_status == "saving" else Way.STAGE
        return Registration(RegistrationFollower(RegistrationRecord(context, order, own=False), way, interrupted=True))
    if begun(image) or newest_import(context.cloud, image.id) is not None:
        needs_every_store = not has_become_ready(image)
        record = RegistrationRecord(context, order, own=False)
        return Registration(RegistrationFollower(record, Way.FOLLOW, needs_every_store=needs_every_store))
    return Registration(_begin(context, order, image))


def cancel_registration(context: Context, reference: Image | str) -> None:
    """Delete the record of an image that is not ready; the URL is not read, and the record's texts are not trusted.

    If an upload was just interrupted, wait until Glance has reset the record, for at most 5 seconds.
    """
    image = _registered(context, reference)
    if is_being_uploaded(image):
        removal.let_glance_notice(context.cloud, context.settings.pace, image.id)
        image = _registered(context, image.id)
    if has_become_ready(image):
        raise ConflictError(say("image-is-registered", image=image.id), hint=say("delete-the-image", image=image.id))
    department = Department(image.owner, image.owner)
    order = RegistrationOrder(image_id=image.id, url=None, disk_format=image.disk_format, department=department)
    record = RegistrationRecord(context, order, own=False)
    record.is_written = is_being_uploaded(image)
    with record.named():
        record.cancel()


def _registered(context: Context, reference: Image | str) -> Image:
    """Read the record again; raise `ConflictError` if it never was a registration."""
    image = context.cloud.image(image_id(reference))
    if made_of_a_server(image):
        raise ConflictError(say("made-from-a-server", image=image.id))
    return image


def _begin(context: Context, order: RegistrationOrder, image: Image) -> RegistrationFollower:
    """Start an import or upload that was not started."""
    if not _source_is_known(order, image):
        raise _invalid("url", "stored-url-lacks-credentials", image)
    record = RegistrationRecord(context, order, own=False)
    with record.named():
        try:
            found = checking.look(context, order, declared=order.disk_format, packed=order.packed)
            quota = admission.admit(context, order, Deadline(context.settings.pace.clock))
            quota.check_room(image_size_mib=in_mib(found.size or 0))
            ways = checking.ways(context, order, found)
            order = order.completed(found, checksum=order.checksum, ways=ways, room=quota.image_size_mib)
            record.order = order
            way = importing.begin(context, order, resumed=True)
        except REJECTED as problem:
            if isinstance(problem, LocalFileError) or problem.reason in _OF_THE_CALLER:
                raise
            raise record.fail(failures.from_source(problem, order, phase=image.phase)) from problem
        except (QuotaExceededError, RegistrationFailedError) as error:
            record.fail(error)
            raise
        # Other errors, such as the caller's mistake or missing rights, say nothing about the record.
    record.own = way is Way.IMPORT
    return RegistrationFollower(record, way, needs_every_store=way is Way.FOLLOW)


def _source_is_known(order: RegistrationOrder, image: Image) -> bool:
    """Check whether the data can be read again; raise `InvalidRequestError` if it is in a file that was not given."""
    if order.url is None and order.file is None and not image.url:
        raise _invalid("file", "registered-from-a-file", image, hint="give-the-file")
    return order.url is not None or order.file is not None


def _given_file(image: Image, file: DataFile) -> LocalFile:
    if image.url:
        raise _invalid("file", "registered-from-a-url", image)
    return LocalFile(file)


def _invalid(name: str, problem: str, image: Image, *, hint: str = "") -> InvalidRequestError:
    """Return the error for a URL or a file that does not belong to the image; ``problem`` and ``hint`` are codes."""
    message = say("wrong-field", field=field_name(name), problem=say(problem, image=image.id))
    return InvalidRequestError(message, hint=say(hint, image=image.id) if hint else NO_TEXT)


def _known_url(context: Context, image: Image, url: str | None) -> str | None:
    """Return the real URL: the given one if it belongs to the record, otherwise the stored one if it is complete.

    The URL in another department's record may be forged, so that the caller reads for that department a URL that only
    the caller can reach.
    """
    if url is None and image.owner != context.cloud.project_id:
        raise _invalid("url", "stored-url-not-trusted", image, hint="give-the-url")
    if url is not None:
        if not well_formed(url):
            problem = say("must-be-an-http-url")
            raise InvalidRequestError(say("wrong-field", field=field_name("url"), problem=problem))
        # Both go through stored_url: what it removes has changed between versions.
        if image.url and not (well_formed(image.url) and stored_url(url).url == stored_url(image.url).url):
            raise _invalid("url", "registered-from-another-url", image)
        return url
    stripped = image.glance_property(glance_key("url_stripped")) == "true"
    return None if stripped or not well_formed(image.url) else image.url


def _wanted_checksum(image: Image) -> str | None:
    """Read the checksum as leniently as those of requests; refuse one that cannot be verified."""
    wanted = image.glance_property(glance_key("checksum_wanted"))
    try:
        return well_formed_checksum(wanted) if wanted else None
    except ValueError as error:
        raise ConflictError(
            say("recorded-checksum-unusable", image=image.id, problem=problem_of(error)),
            hint=say("delete-and-register-again"),
        ) from None


def _department(context: Context, image: Image) -> Department:
    return Department(image.owner, context.departments.name(image.owner))


def unfinished_registrations(context: Context, *, older_than_seconds: float) -> Iterator[Image]:
    """Iterate over the registrations that the caller started for the connected department and that are not finished.

    Images that were not verified are included. Records of other departments are not: their members could write the
    caller's id into them.
    """
    parameters = [
        (glance_key("created_by"), context.cloud.user_id),
        ("owner", context.cloud.project_id),
        ("visibility", "all"),
        ("sort", "created_at:asc,id:asc"),
    ]
    if older_than_seconds:
        latest = _now(context) - timedelta(seconds=older_than_seconds)
        parameters.append(("created_at", f"lte:{latest:%Y-%m-%dT%H:%M:%SZ}"))
    yield from filter(is_unfinished_registration, pages.read(context.cloud, parameters))


def _now(context: Context) -> datetime:
    """Return the time of Glance's clock, which wrote the times of the records."""
    answer = context.cloud.get("image", "/images", params={"limit": 1})
    return server_time(answer.headers.get("Date")) or datetime.now(UTC)
