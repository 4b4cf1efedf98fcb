"""From a checked request to a record whose data is on its way."""

from collections.abc import Mapping

from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
    WaitTimeoutError,
    name_left,
)
from hyperx_glance.mapping import new_image_body
from hyperx_glance.models import Image, NewImage, NewIso
from hyperx_glance.registration.admission import admit
from hyperx_glance.registration.failures import delete_record, dispose, noted, scrubbed
from hyperx_glance.registration.importing import begin
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import begun, of_department
from hyperx_glance.waiting import repeated, wait_until

ARRIVAL_SECONDS = 2.0


def start(site: Site, order: Order, new: NewImage | NewIso, *, end: float) -> bool:
    """Create the record and set its transfer going; give False where it must be streamed. Nothing stays on failure.

    ``end`` on the clock of the pace bounds the waiting for a place.
    """
    try:
        methods = create(site, order, new)
    except HyperxGlanceError:
        raise
    except BaseException as error:
        with noted(error, order.image_id):
            bury(site, order, new)
        raise
    try:
        return _begin(site, order, methods, end)
    except HyperxGlanceError:
        raise
    except BaseException as error:
        with noted(error, order.image_id):
            delete_record(site.cloud, order.image_id)
        raise


def _begin(site: Site, order: Order, methods: frozenset[str], end: float) -> bool:
    try:
        admit(site, order, end=end)
        return begin(site, order, methods=methods)
    except ServiceUnavailableError as error:
        # Out of reach: nothing can be cleaned up now, and whoever has the id can resume or delete.
        name_left(error, image_id=order.image_id)
        raise
    except HyperxGlanceError as error:
        dispose(site, order, scrubbed(error, order))
        raise


def create(site: Site, order: Order, new: NewImage | NewIso) -> frozenset[str]:
    """Create the record under its own id and give Glance's import methods; empty where it does not tell.

    The client chose the id, so a create whose answer was lost is sent again: 201 and 409 both mean that it is there.
    413 may mean so, too: Glance looks at the quota before it looks at the id, and the record has the last place.
    """
    body = _body(site, order, new)

    def send(lost: bool) -> frozenset[str]:  # noqa: FBT001  # as `repeated` calls it
        try:
            answer = site.cloud.post("image", "/images", json=body)
        except (ConflictError, QuotaExceededError) as refusal:
            if not lost or not _is_there(site, order, body, refusal):
                raise
            return frozenset()
        methods = answer.headers.get("OpenStack-image-import-methods", "")
        return frozenset(filter(None, methods.split(",")))

    try:
        return repeated(site.settings.pace, send)
    except ServiceUnavailableError as error:
        if error.connected:
            name_left(error, image_id=order.image_id)
        raise
    except QuotaExceededError as error:
        raise of_department(error, site.departments.own().name) from error
    except ConflictError as error:
        raise ConflictError(
            f"The id {order.image_id} is taken, or was an image's before.",
            hint="Leave the id out, and the library draws one.",
            **error.answer(),
        ) from error


def _body(site: Site, order: Order, new: NewImage | NewIso) -> Mapping[str, object]:
    return new_image_body(
        new,
        image_id=order.image_id,
        disk_format=order.disk_format,
        public_visibility=site.settings.public_visibility,
        user_id=site.cloud.user_id,
        owner=None if order.department.id == site.cloud.project_id else order.department.id,
    )


def _is_there(site: Site, order: Order, body: Mapping[str, object], refusal: HyperxGlanceError) -> bool:
    """Tell whether an earlier create has made the record, though this one was refused.

    A record that has come further is an earlier registration's under the same id. Behind a 413 it may still be on its
    way: a record shows up to a quarter of a second after its connection was cut.
    """

    def look() -> Image | None:
        try:
            return site.cloud.image(order.image_id)
        except NotFoundError:
            return None

    arriving = isinstance(refusal, QuotaExceededError)
    try:
        image = wait_until(site.settings.pace, look, timeout=ARRIVAL_SECONDS if arriving else 0.0)
    except WaitTimeoutError:
        return False
    return not begun(image) and (image.name, image.created_by) == (body["name"], site.cloud.user_id)


def bury(site: Site, order: Order, new: NewImage | NewIso) -> None:
    """Make sure that an interrupted create leaves nothing.

    A bare DELETE can come too early and leave an orphan; POST, then DELETE burns the id for good.
    """
    body = _body(site, order, new)
    try:
        site.cloud.post("image", "/images", json=body)
    except (ConflictError, QuotaExceededError) as refusal:
        if not _is_there(site, order, body, refusal):
            return
    delete_record(site.cloud, order.image_id)
