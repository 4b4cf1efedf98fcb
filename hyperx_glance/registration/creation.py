"""Creating the record of a registration under an id of our own, once, even if a response is lost.

>>> image = client.register(NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
>>> client.register(NewImage(name="again", url="https://files.example/debian-12.qcow2", id=image.id))
Traceback (most recent call last):
hyperx_glance.errors.ConflictError: The id ... is taken, or belonged to an earlier image...
"""

from collections.abc import Mapping

from hyperx_glance.cloud import hidden
from hyperx_glance.cloud.cloud import image_of
from hyperx_glance.cloud.formats import check_formats, formats
from hyperx_glance.cloud.refusals import explained_creation
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.mapping import new_image_body
from hyperx_glance.models.record import begun
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.quotas.refusals import of_department
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.texts import say
from hyperx_glance.waiting.pace import attempts, wait_until

ARRIVAL_SECONDS = 2.0


def create(record: RegistrationRecord, new: NewImage | NewIso) -> frozenset[str]:
    """Create the record under its own id, and return Glance's import methods, empty if Glance does not list them.

    The client chose the id, so a create is sent again if its response was lost: 201 and 409 both mean that the record
    exists. 413 may mean this, too: Glance checks the quota before the id, and the record may have used up the quota.
    """
    context, body = record.context, _body(record, new)
    methods = ""
    try:
        for attempt in attempts(context.settings.pace):
            with attempt, explained_creation(context.cloud):
                try:
                    answer = context.cloud.post("image", "/images", json=body)
                    methods = answer.headers.get("OpenStack-image-import-methods", "")
                    record.hidden = hidden.lacking(body, image_of(answer, record.image_id))
                except (ConflictError, QuotaExceededError) as refusal:
                    found = _made(record, body, refusal) if attempt.lost else None
                    if found is None or begun(found):
                        # One whose data has begun is of an earlier registration, or another process resumed it.
                        record.may_exist = found is not None
                        raise
                except ServiceUnavailableError:
                    raise
                except HyperxGlanceError:
                    record.may_exist = attempt.lost
                    raise
    except ServiceUnavailableError as error:
        record.may_exist = error.connected
        raise
    except InvalidRequestError as error:
        # Asked only now, so that registrations take no other request. Nothing was created.
        _check_format(record, error)
        raise
    except QuotaExceededError as error:
        raise of_department(error, context.departments.own().name) from error
    except ConflictError as error:
        raise ConflictError(
            say("id-is-taken", image=record.image_id),
            hint=say("omit-the-id"),
            **error.answer(),
        ) from error
    return frozenset(filter(None, methods.split(",")))


def _check_format(record: RegistrationRecord, refusal: InvalidRequestError) -> None:
    """Raise an error with the formats that Glance takes if it has refused the format; its own words are a schema."""
    try:
        taken = formats(record.context.cloud)
    except HyperxGlanceError:
        return
    try:
        check_formats(taken, record.order.disk_format)
    except InvalidRequestError as error:
        error.service, error.status, error.request_id = refusal.service, refusal.status, refusal.request_id
        raise error from refusal


def _body(record: RegistrationRecord, new: NewImage | NewIso) -> Mapping[str, object]:
    context, order = record.context, record.order
    return new_image_body(
        new.model_copy(update={"checksum": order.checksum}),
        image_id=order.image_id,
        disk_format=order.disk_format,
        packed=order.packed,
        expected_size=order.size,
        public_visibility=context.settings.public_visibility,
        user_id=context.cloud.user_id,
        owner=None if order.department.id == context.cloud.project_id else order.department.id,
    )


def _made(record: RegistrationRecord, body: Mapping[str, object], refusal: HyperxGlanceError) -> Image | None:
    """Find the record that an earlier create may have made, although this create was refused.

    After a 413 the record may not be visible yet: it appears up to a quarter of a second after its connection was cut.
    """
    context = record.context

    def look() -> Image | None:
        try:
            return context.cloud.image(record.image_id)
        except NotFoundError:
            return None

    arriving = isinstance(refusal, QuotaExceededError)
    try:
        image = wait_until(
            context.settings.pace,
            look,
            timeout=ARRIVAL_SECONDS if arriving else 0.0,
            what=f"the record {record.image_id}",
        )
    except WaitTimeoutError:
        return None
    return image if (image.name, image.created_by) == (body["name"], context.cloud.user_id) else None


def undo_create(record: RegistrationRecord, new: NewImage | NewIso) -> None:
    """Make sure that an interrupted create leaves nothing.

    A DELETE alone may arrive before the create and leave an orphan. A POST followed by a DELETE uses up the id.
    """
    body = _body(record, new)
    try:
        record.context.cloud.post("image", "/images", json=body)
    except (ConflictError, QuotaExceededError) as refusal:
        found = _made(record, body, refusal)
        if found is None or begun(found):
            record.may_exist = found is not None
            return
    record.delete()
