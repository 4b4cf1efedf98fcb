"""Deleting images, and finding the servers that use them.

    >>> image = client.register(hyperx_glance.NewImage(name="debian", url="https://files.example/debian-12.qcow2"))
    >>> client.servers_using(image)
    ServersUsing(servers=(), not_looked_at=())
    >>> client.delete(image).image == image
    True
    >>> client.delete(image, missing_ok=True)
    Deletion(image=None, servers=None, not_looked_at=())

Servers are never touched: Nova and Cinder made their own copies of the data.
"""

import logging

from hyperx_glance import removal
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.compute import servers_of_images
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.refusals import remembered
from hyperx_glance.cloud.volumes import volumes_of_images
from hyperx_glance.errors import (
    ConflictError,
    InUseError,
    NotAllowedError,
    NotFoundError,
    ProtectedError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import Image, image_id
from hyperx_glance.models.results import Deletion, ServerRef, ServersUsing
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import ISO_FORMAT, Kind
from hyperx_glance.waiting.pace import attempts

LOG = logging.getLogger(__name__)
_UNFINISHED = ("queued", "saving")


def delete(context: Context, image: Image | str, *, missing_ok: bool, report_servers: bool) -> Deletion:
    """Delete an image permanently. That is one request, unless the servers that use the image are requested.

    If a response is lost, the request is sent again: an id is never used twice, so it can delete nothing else. An image
    that is gone then counts as deleted. If ``image`` is a record without data, wait for services that write to it.
    """
    # An id is enough: reading the image first would cost a request.
    known = image if isinstance(image, Image) else Image(id=image_id(image))
    found = ServersUsing(servers=())
    try:
        if report_servers and known is not image:
            known = context.cloud.image(known.id)
    except NotFoundError:
        if not missing_ok:
            raise
        return Deletion(image=None, servers=())
    servers = None
    if report_servers:
        try:
            found = servers_using(context, known)  # there, NotFoundError would not be about the image
            servers = found.servers
        except (NotAllowedError, ServiceUnavailableError) as error:
            LOG.warning("The servers of image %s were not listed: %s", known.id, error)
            found = ServersUsing(servers=(), not_looked_at=("compute",))
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
    return Deletion(image=known, servers=servers, not_looked_at=found.not_looked_at)


def servers_using(context: Context, image: Image | str) -> ServersUsing:
    """List the servers made from an image, by name; administrators see those of all departments.

    Without Cinder, those on volumes are missing, and the result says so.
    """
    known = image if isinstance(image, Image) else context.cloud.image(image_id(image))
    not_looked_at: tuple[str, ...] = ()
    try:
        through_volume = _servers_of_volumes(context, known)
    except (NotAllowedError, ServiceUnavailableError) as error:
        LOG.warning("The servers of image %s that run on volumes were not listed: %s", known.id, error)
        through_volume, not_looked_at = {}, ("block-storage",)
    # Nova's filter finds only servers without a volume; the others are picked from the whole list.
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
    by_name = sorted(found, key=lambda server: (server.name, server.id))
    return ServersUsing(servers=tuple(by_name), not_looked_at=not_looked_at)


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
        with remembered(cloud, reference):
            cloud.delete_image(reference)
    except ProtectedError:
        raise
    except ConflictError as error:
        raise InUseError(say("store-refused-to-delete", image=reference), **error.answer()) from error


def _servers_of_volumes(context: Context, image: Image) -> dict[str, str]:
    """Map the servers that have a volume made from the image to the disk format that Cinder noted.

    The record of a server on a volume does not name its image; Cinder copies the image's record to the volume. Cinder's
    own filter for that copy, glance_metadata, does not work, so every volume is read.
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
