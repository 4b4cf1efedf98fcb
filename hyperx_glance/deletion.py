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

from hyperx_glance import removal
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.compute import servers_of_images
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.volumes import volumes_of_images
from hyperx_glance.errors import ConflictError, InUseError, NotFoundError, ProtectedError
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.results import Deletion, ServerRef
from hyperx_glance.vocabulary import ISO_FORMAT, Kind
from hyperx_glance.waiting.pace import repeated

_UNFINISHED = ("queued", "saving")


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
    criteria = _of_all_departments(context) | ({} if through_volume else {"image": known.id})
    found = []
    for server in servers_of_images(context.cloud, criteria, page_size=context.settings.page_size):
        by_image = server.image_id == known.id
        if by_image or server.id in through_volume:
            by_iso = known.kind is Kind.ISO or through_volume.get(server.id) == ISO_FORMAT
            found.append(
                ServerRef(
                    id=server.id,
                    name=server.name or "",
                    status=server.status or "",
                    project_id=server.project_id or "",
                    through="iso" if by_iso else "image" if by_image else "volume",
                )
            )
    return sorted(found, key=lambda server: (server.name, server.id))


def _delete(context: Context, reference: str) -> None:
    def send(lost: bool) -> None:  # noqa: FBT001  # as `repeated` calls it
        try:
            _delete_once(context.cloud, reference)
        except NotFoundError:
            if not lost:
                raise

    repeated(context.settings.pace, send)


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
    volumes = volumes_of_images(context.cloud, _of_all_departments(context), page_size=context.settings.page_size)
    return {
        attachment.server_id: volume.of_image("disk_format")
        for volume in volumes
        if volume.of_image("image_id") == image.id
        for attachment in volume.attachments or ()
        if attachment.server_id is not None
    }


def _of_all_departments(context: Context) -> dict[str, str]:
    return {"all_tenants": "1"} if context.cloud.is_administrator else {}
