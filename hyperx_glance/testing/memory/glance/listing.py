"""Lists of images in the in-memory Glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import urlencode

from hyperx_glance.testing.memory.glance import queries, records
from hyperx_glance.testing.memory.glance.imports import Imports
from hyperx_glance.testing.memory.glance.records import ImageRecord, visible
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class Listing(Imports):
    """The part of Glance that handles lists, page by page."""

    def _list(self, call: Call) -> Reply:
        limit = self._page_size(call)
        columns = queries.sorting(call.query)
        images = self._selected(call, columns)
        marker = call.value("marker")
        if marker:
            images = self._behind(call, marker, columns, images)
        page = self._cut(call, images, limit)
        if self._jobs:
            self._look_elsewhere(page)
        seen = [image for image in page if image.id not in self.hidden_by_policy]
        query = [(key, value) for key, value in call.query if key != "marker"]
        body: Record = {
            "images": [self._view(call, image) for image in seen],
            "first": "/v2/images" + (f"?{urlencode(query)}" if query else ""),
            "schema": "/v2/schemas/images",
        }
        # Counted before the policy left some out; without any left there is no next page (images.py, index).
        if seen and len(page) == limit:
            body["next"] = f"/v2/images?{urlencode([*query, ('marker', seen[-1].id)])}"
        return json_reply(200, body)

    def _cut(self, call: Call, images: list[ImageRecord], limit: int) -> list[ImageRecord]:
        """Cut a page, in which a database that ignores case counts an image once for each of its tags that it finds."""
        if self.case_sensitive:
            return images[:limit]
        page: list[ImageRecord] = []
        rows = 0
        for image in images:
            if rows >= limit:
                break
            found = (sum(self._same(tag, asked.strip()) for tag in image.tags) for asked in call.values("tag"))
            rows += math.prod(found)
            page.append(image)
        return page

    def _page_size(self, call: Call) -> int:
        if not call.values("limit"):
            return self.default_page
        try:
            limit = int(call.value("limit"))
        except ValueError:
            raise Refused(400, "limit param must be an integer") from None
        if limit < 0:
            raise Refused(400, "limit param must be positive")
        return min(limit, self.largest_page)

    def _selected(self, call: Call, columns: Sequence[tuple[str, bool]]) -> list[ImageRecord]:
        """Filter and sort; pages after the first use what the first page found, as long as nothing has changed."""
        ours = ("limit", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status", "visibility")
        query = {key: value for key, value in call.query if key not in ours}
        visibility = call.value("visibility")
        if visibility and visibility not in (*records.VISIBILITIES, "all"):
            raise Refused(400, f"Invalid visibility value: {visibility}")
        if "changes-since" in query:
            raise Refused(400, 'The "changes-since" filter is no longer available on v2.')
        member_status = call.value("member_status", "accepted")
        if member_status not in ("pending", "accepted", "rejected", "all"):
            raise Refused(400, f"Invalid status: {member_status}")
        tags = [tag.strip() for tag in call.values("tag")]
        asked = (call.who, visibility, member_status, tuple(tags), tuple(sorted(query.items())), tuple(columns))
        if call.value("marker") and self._pages and self._pages[:2] == (asked, self._version):
            return self._pages[2]
        tests = [queries.in_reach(call.who, visibility, member_status), *queries.filters(query, tags, self._same)]
        found = [image for image in self.images.values() if not image.deleted]
        for test in tests:
            found = [image for image in found if test(image)]
        ordered = queries.in_order(found, columns)
        self._pages = (asked, self._version, ordered)
        self._positions = {image.id: position for position, image in enumerate(ordered)}
        return ordered

    def _behind(
        self, call: Call, marker: str, columns: Sequence[tuple[str, bool]], images: list[ImageRecord]
    ) -> list[ImageRecord]:
        # Administrators see deleted images (glance/context.py, can_see_deleted).
        last = self.images.get(marker) if call.who.is_administrator else self.image(marker)
        if last is None:
            raise Refused(400, f"No image found with ID {marker}")
        if not visible(call.who, last):
            raise Refused(403, f"Forbidding request, image {marker} not visible")
        position = self._positions.get(marker)
        if position is not None and not {key for key, _ in columns} & {
            "name",
            "size",
            "container_format",
            "disk_format",
        }:
            return images[position + 1 :]  # no column is ever null, so the order decides
        test = queries.behind(last, columns)
        return [image for image in images if test(image)]

    def _same(self, present: object, wanted: str) -> bool:
        if self.case_sensitive or not isinstance(present, str):
            return present == wanted
        return present.rstrip().casefold() == wanted.rstrip().casefold()
