"""Delete images, and find the servers that use them.

    >>> image = client.register(hyperx_glance.NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
    >>> client.servers_using(image)
    []
    >>> client.delete(image).image == image
    True
    >>> client.delete(image, missing_ok=True)
    Deletion(image=None, servers=None)

Servers are never touched: Nova and Cinder made their own copy of the data.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeVar

from hyperx_glance import removal
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, Service
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed
from hyperx_glance.errors import ConflictError, InUseError, NotFoundError, ProtectedError
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.results import Deletion, ServerRef
from hyperx_glance.vocabulary import ISO_FORMAT, Kind
from hyperx_glance.waiting.pace import attempts


class _UsedImage(Shape):
    id: str | None = None


class _Server(Listed):
    """Hold what Nova tells of a server; one that boots from a volume has "" for its image."""

    name: str | None = None
    status: str | None = None
    tenant_id: str | None = None
    image: _UsedImage | Literal[""] | None = None


class _ServerPage(ListPage[_Server], alias_generator=collection("servers")):
    pass


class _CopiedImage(Shape):
    image_id: str | None = None
    disk_format: str | None = None


class _Attachment(Shape):
    server_id: str | None = None


class _Volume(Listed):
    volume_image_metadata: _CopiedImage | None = None
    attachments: tuple[_Attachment, ...] | None = None


class _VolumePage(ListPage[_Volume], alias_generator=collection("volumes")):
    pass


_UNFINISHED = ("queued", "saving")
_Record = TypeVar("_Record", bound=Listed)


def delete(context: Context, image: Image | str, *, missing_ok: bool, report_servers: bool) -> Deletion:
    """Delete an image for good, by one request unless the servers that use it are asked for.

    Where an answer is lost it is sent again: an id never comes back, so nothing else can be deleted by that. What is
    gone then counts as deleted. Where the image that is given has no data yet, whoever writes to it is waited for.
    """
    # Known by its id alone, unless the caller knows it already: to read it first would cost a request.
    known = image if isinstance(image, Image) else Image(id=image_id(image))
    servers = None
    try:
        if report_servers and known is not image:
            known = context.cloud.image(known.id)
    except NotFoundError:
        if not missing_ok:
            raise
        return Deletion(image=None, servers=())
    if report_servers:
        servers = tuple(servers_using(context, known))  # what is not found there is no image
    unfinished = known.glance_status in _UNFINISHED
    written = unfinished and not removal.stands_still(context, known.id)
    in_doubt = written and known.owner == context.cloud.project_id
    try:
        lost = removal.delete(context, known.id, lambda: _delete(context, known.id), in_doubt=in_doubt)
    except NotFoundError:
        if not missing_ok:
            raise
        return Deletion(image=None, servers=() if report_servers else None)
    if lost is not None:
        raise lost
    return Deletion(image=known, servers=servers)


def servers_using(context: Context, image: Image | str) -> list[ServerRef]:
    """List the servers made from an image, by name: those of the caller's department, an administrator's of all."""
    known = image if isinstance(image, Image) else context.cloud.image(image_id(image))
    through_volume = _servers_of_volumes(context, known)
    # Nova's own filter finds image-backed servers only; others are picked from the whole list.
    criteria = {} if through_volume else {"image": known.id}
    found = []
    for server in _list(context, "compute", "/servers/detail", _ServerPage, criteria=criteria):
        by_image = isinstance(server.image, _UsedImage) and server.image.id == known.id
        if by_image or server.id in through_volume:
            by_iso = known.kind is Kind.ISO or through_volume.get(server.id) == ISO_FORMAT
            found.append(
                ServerRef(
                    id=server.id,
                    name=server.name or "",
                    status=server.status or "",
                    project_id=server.tenant_id or "",
                    through="iso" if by_iso else "image" if by_image else "volume",
                )
            )
    return sorted(found, key=lambda server: (server.name, server.id))


def _delete(context: Context, reference: str) -> None:
    for attempt in attempts(context.settings.pace):
        with attempt:
            try:
                _delete_once(context.cloud, reference)
            except NotFoundError:
                if not attempt.lost:
                    raise


def _delete_once(cloud: Cloud, reference: str) -> None:
    try:
        cloud.delete_image(reference)
    except ProtectedError:
        raise
    except ConflictError as error:
        raise InUseError(
            f"The store refuses to delete the data of image {reference}: {error.message}",
            **error.answer(),
        ) from error


def _servers_of_volumes(context: Context, image: Image) -> dict[str, str]:
    """Map each server with a volume made from the image to the disk format that the volume remembers.

    A volume-backed server does not name its image; Cinder copies the image's record to the volume. Cinder's own filter
    on that copy, glance_metadata, does not work: every volume is read.
    """
    if not context.cloud.has("block-storage"):
        return {}
    return {
        attachment.server_id: copied.disk_format or ""
        for volume in _list(context, "block-storage", "/volumes/detail", _VolumePage, criteria={})
        if (copied := volume.volume_image_metadata) is not None and copied.image_id == image.id
        for attachment in volume.attachments or ()
        if attachment.server_id is not None
    }


def _list(
    context: Context,
    service: Service,
    path: str,
    page: type[ListPage[_Record]],
    *,
    criteria: Mapping[str, str],
) -> Iterator[_Record]:
    """Iterate over Nova's servers or Cinder's volumes, an administrator over those of all departments."""
    cloud = context.cloud
    asked = {**criteria, "limit": str(context.settings.page_size)} | (
        {"all_tenants": "1"} if cloud.is_administrator else {}
    )
    return listed(service, lambda params: cloud.get_parsed(page, service, path, params=params), asked)
