"""Finding images: lists, one image, counts, tags, summaries.

>>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="active", tags=["linux"])
>>> [image.name for image in client.images(search="DEB active")]
['debian']
>>> client.image("debian").id == image_id, client.count(tags=["linux"]), client.tags()
(True, 1, {'linux': 1})
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hyperx_glance.browsing import lists
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import AmbiguousNameError, NotFoundError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image, is_uuid
from hyperx_glance.models.record import GONE
from hyperx_glance.models.releases import is_released, latest_of
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from hyperx_glance.browsing.summary import Counted
    from hyperx_glance.models.results import Summary


def images(context: Context, query: ImageQuery) -> Iterator[Image]:
    """Check the query now, and return an iterator that reads the images as they are used."""
    return lists.ordered(context, query, Sorting(query.sort))


def image(context: Context, name_or_id: str) -> Image:
    """Return one image of the view "all"; a string that looks like an id is first tried as an id."""
    if is_uuid(name_or_id):
        found = _by_id(context.cloud, name_or_id)
        if found is not None:
            return found
    matches = list(lists.unordered(context, ImageQuery(name=name_or_id)))
    if not matches:
        raise NotFoundError(say("no-such-image", name=name_or_id), hint=say("search-for-the-image"))
    if len(matches) > 1:
        if (latest := _latest_of_one_family(matches)) is not None:
            return latest
        raise AmbiguousNameError(
            say("several-images", count=len(matches), name=name_or_id), matches=[match.id for match in matches]
        )
    return matches[0]


def _latest_of_one_family(matches: list[Image]) -> Image | None:
    """Return the latest if all are releases of one family, two of which may have its name for a moment."""
    if len({(match.family, match.owner) for match in matches}) > 1 or not all(map(is_released, matches)):
        return None
    return latest_of(matches, datetime.now(UTC))


def count(context: Context, query: ImageQuery) -> int:
    """Count by reading the matching records, since Glance has no request that counts."""
    matches = lists.unordered(context, query)
    return sum(1 for _ in itertools.islice(matches, query.limit))


def summary(context: Context, query: ImageQuery) -> Summary:
    """Count images by their fields; with a limit, the order decides which images are counted."""
    from hyperx_glance.browsing.summary import summarized  # noqa: PLC0415  # models that only this verb needs

    return summarized(lists.unordered(context, query) if query.limit is None else images(context, query))


def tags(context: Context) -> dict[str, int]:
    """Return the tags in the view "all", sorted, with the number of images that carry them."""
    return counted_tags(lists.unordered(context, ImageQuery()))


def counted_tags(images: Iterable[Image | Counted]) -> dict[str, int]:
    """Return the tags of images, sorted, with the number of images that carry them."""
    return dict(sorted(Counter(tag for image in images for tag in image.tags).items()))


def owner_name(context: Context, image: Image | str) -> str:
    """Return the name of an image's department, or its id if Keystone hides the name; "" if the image has no owner."""
    owner = image.owner if isinstance(image, Image) else context.cloud.image(image).owner
    return context.departments.name(owner) if owner else ""


def _by_id(cloud: Cloud, image_id: str) -> Image | None:
    try:
        found = cloud.image(image_id)
    except NotFoundError:
        return None
    if found.glance_status in GONE:
        return None
    # Glance shows administrators the images of all departments, which are not in the view "all".
    if cloud.is_administrator and found.visibility not in ("public", "community") and found.owner != cloud.project_id:
        return None
    return found
