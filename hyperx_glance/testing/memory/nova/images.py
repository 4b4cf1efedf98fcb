"""The images that the in-memory Nova passes on from Glance, as it did until microversion 2.36."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from hyperx_glance.testing.memory.glance.queries import in_reach
from hyperx_glance.testing.memory.glance.records import ImageRecord, isotime, visible
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.paging import cut_page
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_limit, check_metadata
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_STATUSES: Final = {"active": "ACTIVE", "queued": "SAVING", "saving": "SAVING"}
_PROGRESS: Final = {"queued": 25, "saving": 50, "active": 100}
_LAST_OF_IMAGES, _LAST_OF_METADATA = (2, 35), (2, 38)


class Images(State):
    """Images and their properties, which Nova calls metadata (nova/api/openstack/compute/images.py)."""

    def _list_images(self, call: Call) -> Reply:
        page, links = self._image_page(call)
        brief = [{"id": image.id, "name": image.name, "links": self._image_links(image)} for image in page]
        return json_reply(200, {"images": brief, **links})

    def _list_image_details(self, call: Call) -> Reply:
        page, links = self._image_page(call)
        return json_reply(200, {"images": [self._whole_image(image) for image in page], **links})

    def _image_page(self, call: Call) -> tuple[list[ImageRecord], Record]:
        self._demand_version(call, _LAST_OF_IMAGES)
        check_limit(call)
        seen = in_reach(call.who, "", "accepted")
        found = [image for image in self._glance.images.values() if not image.deleted and seen(image)]
        kept = sorted(
            (image for image in found if _matches(call, image)), key=lambda image: image.created_at, reverse=True
        )
        page = cut_page(call, kept, key=lambda image: image.id, largest=self.max_limit)
        for image in page:
            self._glance.look_at(image)
        return page, self._next("images_links", call, [image.id for image in page])

    def _show_image(self, call: Call, image_id: str) -> Reply:
        self._demand_version(call, _LAST_OF_IMAGES)
        image = self._known_image(call, image_id)
        self._glance.look_at(image)
        return json_reply(200, {"image": self._whole_image(self._known_image(call, image_id))})

    def _delete_image(self, call: Call, image_id: str) -> Reply:
        self._demand_version(call, _LAST_OF_IMAGES)
        image = self._known_image(call, image_id)
        if image.protected or not self._glance.lets(call.who, "delete_image", image):
            raise Refused(403, "You are not allowed to delete the image.")
        self._glance.remove_image(image_id)
        return Reply(204)

    def _demand_version(self, call: Call, last: tuple[int, int]) -> None:
        if microversion(call) > last:
            raise Refused(404, "The resource could not be found.")

    def _known_image(self, call: Call, image_id: str) -> ImageRecord:
        image = self._glance.image(image_id)
        if image is None or not visible(call.who, image):
            raise Refused(404, "Image not found.")
        return image

    def _whole_image(self, image: ImageRecord) -> Record:
        view: Record = {
            "id": image.id,
            "name": image.name,
            "minRam": image.min_ram,
            "minDisk": image.min_disk,
            "metadata": dict(image.properties),
            "created": isotime(image.created_at),
            "updated": isotime(image.updated_at),
            "status": _STATUSES.get(image.status, "UNKNOWN"),
            "progress": _PROGRESS.get(image.status, 0),
            "OS-EXT-IMG-SIZE:size": image.size,
            "links": self._image_links(image),
        }
        server_id = image.properties.get("instance_uuid")
        if server_id is not None:
            view["server"] = {"id": server_id, "links": self._links("servers", server_id)}
        return view

    def _image_links(self, image: ImageRecord) -> list[Record]:
        alternate = {"rel": "alternate", "type": "application/vnd.openstack.image"}
        return [*self._links("images", image.id), {**alternate, "href": f"{self._glance.url}/images/{image.id}"}]

    # ------------------------------------------------------------- metadata

    def _show_image_metadata(self, call: Call, image_id: str) -> Reply:
        self._demand_version(call, _LAST_OF_METADATA)
        return json_reply(200, {"metadata": self._known_image(call, image_id).properties})

    def _show_image_item(self, call: Call, image_id: str, key: str) -> Reply:
        self._demand_version(call, _LAST_OF_METADATA)
        properties = self._known_image(call, image_id).properties
        if key not in properties:
            raise Refused(404, "The resource could not be found.")
        return json_reply(200, {"meta": {key: properties[key]}})

    def _add_image_metadata(self, call: Call, image_id: str) -> Reply:
        asked = call.member("metadata")
        check_metadata(asked)
        properties = {**self._known_image(call, image_id).properties, **asked}
        return json_reply(200, {"metadata": self._rewritten(call, image_id, properties)})

    def _replace_image_metadata(self, call: Call, image_id: str) -> Reply:
        asked = call.member("metadata")
        check_metadata(asked)
        return json_reply(200, {"metadata": self._rewritten(call, image_id, dict(asked))})

    def _set_image_item(self, call: Call, image_id: str, key: str) -> Reply:
        item = call.member("meta")
        check_metadata(item)
        if key not in item:
            raise Refused(400, "Request body and URI mismatch")
        self._rewritten(call, image_id, {**self._known_image(call, image_id).properties, key: item[key]})
        return json_reply(200, {"meta": item})

    def _delete_image_item(self, call: Call, image_id: str, key: str) -> Reply:
        properties = dict(self._known_image(call, image_id).properties)
        if key not in properties:
            raise Refused(404, "Invalid metadata key")
        del properties[key]
        self._rewritten(call, image_id, properties)
        return Reply(204)

    def _rewritten(self, call: Call, image_id: str, properties: dict[str, str]) -> Mapping[str, str]:
        self._demand_version(call, _LAST_OF_METADATA)
        image = self._known_image(call, image_id)
        if not self._glance.lets(call.who, "modify_image", image):
            raise Refused(403, "You are not authorized to complete modify_image action.")
        self._glance.set_properties(image, properties)
        return image.properties


def _matches(call: Call, image: ImageRecord) -> bool:
    since = call.value("changes-since")
    server = call.value("server").rsplit("/", 1)[-1]
    return all(
        (
            call.value("name", str(image.name)) == image.name,
            call.value("status", image.status).lower() in (image.status, _STATUSES.get(image.status, "").lower()),
            not server or image.properties.get("instance_uuid") == server,
            not call.value("type") or image.properties.get("image_type") == call.value("type"),
            int(call.value("minRam") or 0) <= image.min_ram,
            int(call.value("minDisk") or 0) <= image.min_disk,
            not since or image.updated_at >= _time(since),
        )
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, f"Invalid input for query parameters changes-since. Value: {text}.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
