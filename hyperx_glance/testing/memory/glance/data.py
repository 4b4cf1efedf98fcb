"""Uploads and downloads of the in-memory Glance."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Sequence

from hyperx_glance.testing.memory.glance.downloads import ContentError, inspect
from hyperx_glance.testing.memory.glance.records import ImageRecord
from hyperx_glance.testing.memory.glance.state import MIB, State
from hyperx_glance.testing.memory.wire import Call, Refused, Reply


class Data(State):
    """The part of Glance that handles uploads and downloads."""

    def _upload(self, call: Call, image_id: str) -> Reply:
        if call.headers.get("content-type") != "application/octet-stream":
            raise Refused(415, f"Invalid content type {call.headers.get('content-type', '')}")
        announced = call.headers.get("x-openstack-image-size") or call.headers.get("content-length")
        counted = 0 if "streams-counted" in self.lacks else int(announced or 0)
        self._enforce("image_size_total", call.who.project_id, counted // MIB)
        store = call.headers.get("x-image-meta-store", self.stores[0] if self.stores else "")
        if self.stores and store not in self.stores:
            raise Refused(400, f"Store for identifier {store} not found")
        image = self._found(call, image_id)
        self._demand(call, "upload_image", image)
        if image.status != "queued":
            raise Refused(409, f"Image status transition from {image.status} to saving is not allowed")
        missing = [key for key in ("disk_format", "container_format") if not getattr(image, key)]
        if missing:
            words = f"Property {missing[0]}" if len(missing) == 1 else f"Properties {', '.join(missing)}"
            raise Refused(400, f"{words} must be set prior to saving data.")
        if image.spoiled:
            raise Refused(500)
        image.status = "saving"
        self._save(image)
        try:
            self._take(call, image, store, announced)
        finally:
            if image.status == "saving":  # refused, or the stream broke off
                image.status = "queued"
                self._save(image)
        return Reply(204)

    def _stage(self, call: Call, image_id: str) -> Reply:
        """Take data for a later import (glance/api/v2/image_data.py, stage)."""
        if "glance-direct" not in self.import_methods:
            raise Refused(404, "'glance-direct' method is not available at this site.")
        if call.headers.get("content-type") != "application/octet-stream":
            raise Refused(415, f"Invalid content type {call.headers.get('content-type', '')}")
        announced = call.headers.get("x-openstack-image-size") or call.headers.get("content-length")
        self._enforce("image_stage_total", call.who.project_id, int(announced or 0) // MIB)
        image = self._found(call, image_id)
        self._demand(call, "modify_image", image)
        if image.status != "queued":
            raise Refused(409, f"Image status transition from {image.status} to uploading is not allowed")
        image.status = "uploading"
        self._save(image)
        try:
            self._enforce("image_count_uploading", call.who.project_id)
            image.staged = call.content()
            image.size = len(image.staged)
        finally:
            if image.staged is None and not image.deleted:  # refused, or the stream broke off
                image.status = "queued"
            self._save(image)
        return Reply(204)

    def _delete_from_store(self, call: Call, store: str, image_id: str) -> Reply:
        """Remove one copy of the data (glance/api/v2/images.py, delete_from_store)."""
        if not self.stores:
            raise Refused(404)
        if store not in self.stores:
            raise Refused(409, f"The selected store {store} is not available on this node.")
        image = self._found(call, image_id, "Failed to find image {}")
        self._demand(call, "delete_image_location", image)
        if image.status != "active":
            words = "It's not allowed to remove image data from store if image status is not 'active'"
            raise Refused(409, words)
        if len(image.stores) == 1:
            words = "Cannot delete image data from the only store containing it. Consider deleting the image instead."
            raise Refused(403, words)
        if store not in image.stores:
            raise Refused(404, f"Image {image_id} is not stored in store {store}.")
        image.stores = [each for each in image.stores if each != store]
        self._save(image)
        return Reply(204)

    def _take(self, call: Call, image: ImageRecord, store: str, announced: str | None) -> None:
        self._enforce("image_count_uploading", call.who.project_id)
        data = call.content()
        if image.deleted:
            raise Refused(410, f"Image {image.id} could not be found after upload. The image may have been deleted.")
        if announced is not None and int(announced) != len(data):
            raise Refused(400, f"Size mismatch: expected {announced} bytes, got {len(data)} bytes")
        if store in self.broken_stores:
            raise Refused(503, "Insufficient permissions on image storage media: ")
        try:
            self._fill(image, data, [store] if self.stores else self._default_stores())
        except ContentError as error:
            # The refused data stays in the store, with its hashes: that makes the record useless.
            image.spoiled, image.stores = True, [store]
            self._hash(image, data)
            raise Refused(415, str(error)) from error
        image.status = "active"
        self._save(image)

    def _fill(self, image: ImageRecord, data: bytes, stores: Sequence[str]) -> None:
        """Put data into stores; refuse data that is not of the declared format."""
        if image.container_format == "bare":
            with contextlib.suppress(*([ContentError] if "formats-checked" in self.lacks else [])):
                hybrids = "hybrid-isos" not in self.lacks
                image.virtual_size = inspect(str(image.disk_format), data, hybrids=hybrids).virtual_size
        image.size, image.data = len(data), data
        image.stores = [*image.stores, *(store for store in stores if store not in image.stores)]
        self._hash(image, data)

    def _hash(self, image: ImageRecord, data: bytes) -> None:
        image.checksum = hashlib.md5(data, usedforsecurity=False).hexdigest()
        image.os_hash_algo = self.hash_algorithm
        image.os_hash_value = hashlib.new(self.hash_algorithm, data).hexdigest()

    def _download(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id)
        if "member" not in call.who.roles or not self._may(call.who, "download_image", call.who.project_id):
            raise Refused(403, "You are not authorized to complete download_image action.")
        if image.status == "deactivated" and not call.who.is_administrator:
            raise Refused(403, "The requested image has been deactivated. Image data download is forbidden.")
        if image.data is None:
            return Reply(204)
        headers = {"Content-Type": "application/octet-stream", "Content-MD5": str(image.checksum)}
        part = _part(call, len(image.data))
        if part is None:
            self.cache.keep(image_id, size=len(image.data), now=self.now().timestamp())
            return Reply(200, image.data, {**headers, "Content-Length": str(len(image.data))})
        start, end = part
        headers |= {"Content-Range": f"bytes {start}-{end - 1}/{len(image.data)}", "Content-Length": str(end - start)}
        return Reply(206, image.data[start:end], headers)


def _part(call: Call, size: int) -> tuple[int, int] | None:
    """Return the part of the data that is requested (glance/common/wsgi.py, get_range_from_request)."""
    asked = call.headers.get("range")
    if asked is not None:
        if "," in asked:
            words = "Requests with multiple ranges are not supported in Glance. "
            raise Refused(400, f"{words}You may make multiple single-range requests instead.")
        match = re.fullmatch(r"bytes=(?:(\d+)-(\d*)|(-\d+))", asked)
        if match is None:
            raise Refused(416, detail="Invalid Range header.")
        if match[3]:
            return max(size + int(match[3]), 0), size
        start = _inside(int(match[1]), size, "Range")
        return start, min(int(match[2]) + 1, size) if match[2] else size
    asked = call.headers.get("content-range")
    if asked is None:
        return None
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", asked)
    if match is None:
        raise Refused(416, detail="Invalid Content-Range header.")
    return _inside(int(match[1]), size, "Content-Range"), int(match[2]) + 1


def _inside(start: int, size: int, header: str) -> int:
    if start >= size:
        words = f"Invalid start position in {header} header. "
        raise Refused(416, detail=f"{words}Start position MUST be in the inclusive range [0, {size - 1}].")
    return start
