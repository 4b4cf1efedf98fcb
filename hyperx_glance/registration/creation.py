"""From a request to a record whose data is on its way: every check, then the record, then the import."""

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from hyperx_glance import quotas, urls
from hyperx_glance.cloud import image_path
from hyperx_glance.departments import Department
from hyperx_glance.errors import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.mapping import new_image_body
from hyperx_glance.models import DepartmentQuota, Image, ImagePage, NewImage, NewIso
from hyperx_glance.registration.failures import GLANCE, delete_record, dispose, scrubbed
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import admission_rank, exceeded_quota
from hyperx_glance.vocabulary import Category, Phase, UrlProblem
from hyperx_glance.waiting import wait_until

MIB = 2**20
ADMISSION_SECONDS = 30.0
REPETITIONS = 3
WEB_DOWNLOAD = "web-download"
_Answer = TypeVar("_Answer")
_FILTERED = "does not pass filtering"
_NO_METHOD = "import method"


def check(site: Site, new: NewImage | NewIso, *, keep_failed: bool) -> Order:
    """Check everything that can be checked before anything is created."""
    department = _owner(site, new)
    if new.category is Category.FEATURED and not site.cloud.is_administrator:
        raise NotAllowedError("Only administrators register featured images.", hint='Choose category="public".')
    _check_transfer(site, new)
    found = look(site, new.url, declared=new.disk_format)
    quota = quotas.image_quota(site.cloud, site.departments, department)
    size_mib = None if found.size is None else math.ceil(found.size / MIB) * max(1, len(new.stores))
    quotas.check_images(quota, size_mib=size_mib)
    return Order(
        image_id=new.id or str(uuid.uuid4()),
        url=new.url,
        disk_format=found.disk_format,
        department=department,
        size=found.size,
        room_bytes=_room(quota),
        checksum=new.checksum,
        stores=new.stores,
        keep_failed=keep_failed,
    )


def _owner(site: Site, new: NewImage | NewIso) -> Department:
    own = site.departments.own()
    if new.owner is None or new.owner == own.id:
        return own
    department = site.departments.resolve(new.owner)
    if department.id != own.id and not site.cloud.is_administrator:
        raise NotAllowedError(
            f"Only administrators register images for another department, {new.owner}.",
            hint="Connect to that department.",
        )
    return department


def _check_transfer(site: Site, new: NewImage | NewIso) -> None:
    transfer = site.settings.transfer
    if transfer == "stream" and len(new.stores) > 1:
        raise InvalidRequestError("stores: streaming fills one store; more need Glance's own import")
    if transfer == "import" and _has_login(new.url):
        raise InvalidRequestError("url: Glance does not log in to servers; use transfer='stream' or 'auto'")


def _has_login(url: str) -> bool:
    return "@" in url.partition("://")[2].partition("/")[0]


def look(site: Site, url: str, *, declared: str | None) -> urls.Found:
    """Read the head of the URL; without preflight only check where it leads."""
    policy = site.settings.url_policy
    if policy.preflight:
        return urls.preflight(url, policy, declared=declared)
    if declared is None:
        raise InvalidRequestError("disk_format: without preflight the format must be given")
    try:
        urls.destination(url, policy, seconds=policy.timeout_seconds)
    except UrlRejectedError as error:
        # A name that only Glance can resolve is what preflight=False is for.
        if error.reason not in (UrlProblem.NAME_NOT_FOUND, UrlProblem.TIMEOUT):
            raise
    return urls.Found(declared, None)


def _room(quota: DepartmentQuota) -> int | None:
    usage = quota.image_size_mib
    return None if usage is None or usage.remaining is None else usage.remaining * MIB


# ----------------------------------------------------------------- creating


def repeated(site: Site, send: Callable[[bool], _Answer]) -> _Answer:
    """Send what may safely be sent again, when no answer comes; ``send`` learns whether an answer was lost before."""
    pause = site.settings.pace.first_interval
    for attempt in range(REPETITIONS):
        try:
            return send(attempt > 0)
        except ServiceUnavailableError:
            site.settings.pace.sleep(pause)
            pause *= 4
    return send(True)


def create(site: Site, order: Order, new: NewImage | NewIso) -> frozenset[str]:
    """Create the record under its own id and give Glance's import methods; empty where it does not tell.

    The client chose the id, so a create whose answer was lost is sent again: 201 and 409 both mean that it is there.
    """
    body = _body(site, order, new)

    def send(lost: bool) -> frozenset[str]:  # noqa: FBT001  # as `repeated` calls it
        try:
            answer = site.cloud.post("image", "/images", json=body)
        except ConflictError:
            if not lost or not _is_ours(site, order, body):
                raise
            return frozenset()
        methods = answer.headers.get("OpenStack-image-import-methods", "")
        return frozenset(filter(None, methods.split(",")))

    try:
        return repeated(site, send)
    except ServiceUnavailableError as error:
        if error.connected:
            error.image_id = order.image_id
        raise
    except QuotaExceededError as error:
        raise exceeded_quota(error.message, order.department.name) or error from error
    except ConflictError as error:
        raise ConflictError(
            f"The id {order.image_id} is taken, or was an image's before.",
            hint="Leave the id out, and the library draws one.",
            service=error.service,
            status=error.status,
            request_id=error.request_id,
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


def _is_ours(site: Site, order: Order, body: Mapping[str, object]) -> bool:
    try:
        image = site.cloud.image(order.image_id)
    except NotFoundError:
        return False
    return (image.name, image.created_by) == (body["name"], site.cloud.user_id)


def bury(site: Site, order: Order, new: NewImage | NewIso) -> None:
    """Make sure that an interrupted create leaves nothing.

    A bare DELETE can come too early and leave an orphan; POST, then DELETE burns the id, which Glance never gives again.
    """
    try:
        site.cloud.post("image", "/images", json=_body(site, order, new))
    except ConflictError:
        if not _is_ours(site, order, _body(site, order, new)):
            return
    delete_record(site.cloud, order.image_id)


# ----------------------------------------------------------------- the race for the last places


def admit(site: Site, order: Order) -> None:
    """Let a registration go on only while its department has no more records than it may have.

    Glance counts and then inserts, so that several creates at once can get in too many. The import starts only after a
    look that shows no more records than the limit. Otherwise, who ranks beyond the limit withdraws; who ranks within it
    waits for the others to do so, and in the end withdraws too.
    """

    def look_again() -> bool | None:
        quota = quotas.image_quota(site.cloud, site.departments, order.department)
        if quota.images is None or quota.images.limit is None or quota.images.used <= quota.images.limit:
            return True
        if admission_rank(order.image_id, _records(site, order.department)) > quota.images.limit:
            raise QuotaExceededError(
                department=order.department.name,
                resource="images",
                limit=quota.images.limit,
                used=quota.images.limit,
                requested=1,
            )
        return None

    try:
        wait_until(site.settings.pace, look_again, timeout=ADMISSION_SECONDS)
    except WaitTimeoutError:
        quotas.check_images(quotas.image_quota(site.cloud, site.departments, order.department), size_mib=None)
        raise


def _records(site: Site, department: Department) -> Iterator[Image]:
    for hidden in ("false", "true"):
        path: str | None = "/images"
        marker: dict[str, object] = {}
        while path:
            params = {"owner": department.id, "visibility": "all", "os_hidden": hidden, "limit": 1000, "sort": "id:asc"}
            page = ImagePage.model_validate_json(site.cloud.get("image", path, params={**params, **marker}).content)
            yield from page.images
            if not page.next or not page.images:
                break
            marker = {"marker": page.images[-1].id}


# ----------------------------------------------------------------- the import


def begin(site: Site, order: Order, *, methods: frozenset[str] = frozenset(), resumed: bool = False) -> bool:
    """Ask Glance to import; give False where the data must be streamed instead.

    An import whose answer was lost is asked for again: 409 means that it runs. For a resumed record too; in a fresh one
    nobody else has any business.
    """
    transfer = site.settings.transfer
    if order.url is None:
        return True
    if transfer == "stream" or (transfer == "auto" and (_has_login(order.url) or _lacks_web_download(methods))):
        return False
    body: dict[str, object] = {"method": {"name": WEB_DOWNLOAD, "uri": urls.ascii_url(order.url)}}
    if order.stores:
        body["stores"] = list(order.stores)

    def send(lost: bool) -> bool:  # noqa: FBT001  # as `repeated` calls it
        try:
            # Confidential: the URL may hold credentials, and keystoneauth logs bodies.
            site.cloud.post("image", image_path(order.image_id, "import"), json=body, confidential=True)
        except ConflictError:
            if not (lost or resumed):
                raise
        return True

    try:
        return repeated(site, send)
    except ServiceUnavailableError as error:
        error.image_id = order.image_id
        raise
    except QuotaExceededError as error:
        raise exceeded_quota(error.message, order.department.name) or error from error
    except InvalidRequestError as error:
        if transfer == "auto" and (_FILTERED in error.message or _NO_METHOD in error.message.lower()):
            return False
        raise _refused(order, error) from error
    except NotFoundError as error:
        # Where importing is switched off altogether its path is not found, though the image is.
        site.cloud.image(order.image_id)
        if transfer == "auto":
            return False
        raise _refused(order, error) from error
    except ConflictError as error:
        raise _refused(order, error) from error


def _lacks_web_download(methods: frozenset[str]) -> bool:
    return bool(methods) and WEB_DOWNLOAD not in methods


def _refused(order: Order, error: HyperxGlanceError) -> RegistrationFailedError:
    scrubbed(error, order)
    hint = "Glance has no web-download here: stream the data instead, transfer='stream' or 'auto'."
    if _FILTERED in error.message:
        hint = "Glance's import_filtering_opts forbid this scheme, host or port; transfer='stream' goes around them."
    elif isinstance(error, ConflictError):
        hint = "Another import holds this record, or a store of that name does not exist."
    return RegistrationFailedError(
        f"Glance refuses to import image {order.image_id}: {error.message}",
        image_id=order.image_id,
        phase=Phase.REGISTERED,
        reason=GLANCE,
        hint=hint,
        service=error.service,
        status=error.status,
        request_id=error.request_id,
    )


def start(site: Site, order: Order, new: NewImage | NewIso) -> bool:
    """Create the record and set its transfer going; give False where it must be streamed. Nothing stays on failure."""
    try:
        methods = create(site, order, new)
    except HyperxGlanceError:
        raise
    except BaseException:
        bury(site, order, new)
        raise
    try:
        admit(site, order)
        return begin(site, order, methods=methods)
    except ServiceUnavailableError as error:
        # Out of reach: nothing can be cleaned up now, and whoever has the id can resume or delete.
        error.image_id = order.image_id
        raise
    except HyperxGlanceError as error:
        dispose(site, order, scrubbed(error, order))
        raise
    except BaseException:
        delete_record(site.cloud, order.image_id)
        raise
