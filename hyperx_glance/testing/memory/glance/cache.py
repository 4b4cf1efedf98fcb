"""The cache of the in-memory Glance, as its managers see it (glance/api/v2/cached_images.py).

The data comes from the usual place: the cache only shows which images were downloaded whole.

>>> cache = Cache(lambda image_id: image_id == "7c1")
>>> cache.keep("7c1", size=512, now=0.0)
>>> [image["size"] for image in cache.kept.values()]
[512]
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply


class Cache:
    """The records of cached images, by id."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._numbers = itertools.count(1)
        self.kept: dict[str, Record] = {}
        self.queued: list[str] = []

    def routes(self) -> Sequence[Route]:
        """List the routes."""
        return (
            Route("GET", "/v2/cache", self._list),
            Route("DELETE", "/v2/cache", self._clear),
            Route("PUT", "/v2/cache/([^/]+)", self._queue),
            Route("DELETE", "/v2/cache/([^/]+)", self._remove),
        )

    def keep(self, image_id: str, *, size: int, now: float) -> None:
        """Note that an image was downloaded whole, at a time in seconds since 1970."""
        times: Record = {"last_accessed": now, "last_modified": now}
        new = {"id": next(self._numbers), "image_id": image_id, **times, "size": size, "hits": 0, "checksum": None}
        self.kept[image_id] = {**self.kept.get(image_id, new), "last_accessed": now}
        self.drop_from_queue(image_id)

    def drop(self, image_id: str) -> None:
        """Forget an image."""
        self.kept.pop(image_id, None)
        self.drop_from_queue(image_id)

    def drop_from_queue(self, image_id: str) -> None:
        """Stop waiting for an image."""
        self.queued = [each for each in self.queued if each != image_id]

    def _list(self, call: Call) -> Reply:
        _managers_only(call, "cache_list")
        return json_reply(200, {"cached_images": list(self.kept.values()), "queued_images": self.queued})

    def _clear(self, call: Call) -> Reply:
        _managers_only(call, "cache_delete")
        target = call.headers.get("x-image-cache-clear-target", "")
        if target not in ("", "cache", "queue"):
            words = "If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string."
            raise Refused(400, words)
        if target != "queue":
            self.kept.clear()
        if target != "cache":
            self.queued.clear()
        return Reply(204)

    def _queue(self, call: Call, image_id: str) -> Reply:
        _managers_only(call, "cache_image")
        if not self._exists(image_id):
            raise Refused(404, f"Image {image_id} not found.")
        if image_id not in self.kept:
            self.queued = [*dict.fromkeys([*self.queued, image_id])]
        return Reply(202)

    def _remove(self, call: Call, image_id: str) -> Reply:
        _managers_only(call, "cache_delete")
        if not self._exists(image_id):
            raise Refused(404, f"Image {image_id} not found.")
        self.drop(image_id)
        return Reply(204)


def _managers_only(call: Call, action: str) -> None:
    if not call.who.is_administrator:
        raise Refused(403, f"You are not authorized to complete {action} action.")
