"""Find images: lists, one image, counts, tags.

    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="active", tags=["linux"])
    >>> [image.name for image in client.images(search="DEB active")]
    ['debian']
    >>> client.image("debian").id == image_id, client.count(tags=["linux"]), client.tags()
    (True, 1, {'linux': 1})

Lists are lazy: a page is asked for when the one before has been used up, and nothing after the iterator is closed.
"""

import heapq
import itertools
import json
import logging
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pydantic

from hyperx_glance import filters
from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.errors import (
    AmbiguousNameError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.filters import Listing, Order, Viewer
from hyperx_glance.models import Image, ImagePage, ImageQuery
from hyperx_glance.settings import Settings

LOG = logging.getLogger(__name__)

LARGEST_PAGE = 1000
"""Glance gives no more (glance/common/config.py, api_limit_max)."""
REMEMBERED = 2 * LARGEST_PAGE
"""So many ids are kept of each list, to go on when the last images of a page have vanished."""
SAME_SECOND = 2000
"""So many images of one second are held back to be put in order."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LOST_MARKER = (400, 403, 404)


# ----------------------------------------------------------------- verbs


def images(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> Iterator[Image]:
    """Check the query now, and give the images when they are asked for."""
    filters.check(query, is_administrator=cloud.is_administrator)
    return _images(cloud, departments, settings, query)


def image(cloud: Cloud, departments: Departments, settings: Settings, name_or_id: str) -> Image:
    """Find one image in the view "all": what looks like an id is tried as one first."""
    if not name_or_id:
        raise InvalidRequestError("image: a non-empty name or id is needed")
    if _UUID.fullmatch(name_or_id):
        found = _by_id(cloud, name_or_id)
        if found is not None:
            return found
    matches = list(images(cloud, departments, settings, ImageQuery(name=name_or_id)))
    if not matches:
        raise NotFoundError(
            f"There is no image of the name or id {name_or_id}.", hint='Names must be exact; try images(search="...").'
        )
    if len(matches) > 1:
        raise AmbiguousNameError(
            f"{len(matches)} images are called {name_or_id}.", matches=[match.id for match in matches]
        )
    return matches[0]


def count(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> int:
    """Count by reading the records that match, and no others where Glance can tell: it has no request that counts."""
    matches = _unordered(cloud, departments, settings, query)
    return sum(1 for _ in itertools.islice(matches, query.limit))


def tags(cloud: Cloud, departments: Departments, settings: Settings) -> dict[str, int]:
    """Count the tags of the images in view "all", in the order of the tags."""
    matches = _unordered(cloud, departments, settings, ImageQuery())
    return dict(sorted(Counter(tag for match in matches for tag in match.tags).items()))


def owner_name(cloud: Cloud, departments: Departments, image: Image | str) -> str:
    """Name the department that owns an image; its id where Keystone does not tell, "" where nobody owns it."""
    owner = image.owner if isinstance(image, Image) else cloud.image(image).owner
    return departments.name(owner) if owner else ""


def _by_id(cloud: Cloud, image_id: str) -> Image | None:
    try:
        found = cloud.image(image_id)
    except NotFoundError:
        return None
    if found.glance_status in filters.GONE:
        return None
    # Glance shows an administrator every department's images, which are not in the view "all".
    if cloud.is_administrator and found.visibility not in ("public", "community") and found.owner != cloud.project_id:
        return None
    return found


# ----------------------------------------------------------------- lists


def _images(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> Iterator[Image]:
    order = Order(query.sort)
    lists = [
        _in_order(_matches(cloud, settings, query, listing, order), order)
        for listing in _listings(cloud, departments, query)
    ]
    merged = lists[0] if len(lists) == 1 else _merged(lists, order)
    yield from itertools.islice(merged, query.limit)


def _unordered(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> Iterator[Image]:
    order = Order(query.sort)
    for listing in _listings(cloud, departments, query):
        yield from _matches(cloud, settings, query, listing, order)


def _listings(cloud: Cloud, departments: Departments, query: ImageQuery) -> list[Listing]:
    """Ask Keystone only where the query is about departments' names."""
    names = {}
    if query.search and not query.search.isspace():
        own = departments.own()
        names = {own.id: own.name, **departments.names()}
    viewer = Viewer(cloud.project_id, cloud.is_administrator, names)
    owners = None if query.owner is None else departments.matching(query.owner)
    return filters.listings(query, viewer, owners=owners)


def _merged(lists: Sequence[Iterator[Image]], order: Order) -> Iterator[Image]:
    """Merge lists that are in order.

    They share no image, but one that changed its visibility between two requests may be in two: then it is its own
    neighbour, as what orders images by default never changes.
    """
    previous = ""
    for match in heapq.merge(*lists, key=order.key):
        if match.id != previous:
            yield match
        previous = match.id


def _in_order(matches: Iterator[Image], order: Order) -> Iterator[Image]:
    """Put neighbours whose order nobody can see in the API into the order of the other columns.

    Where more than `SAME_SECOND` wait for that, which Glance's API cannot create in a second, the first of them go, so
    that memory stays bounded: then the order is nearly that of the columns.
    """
    neighbours = order.neighbours
    if neighbours is None:
        yield from matches
        return
    held: list[Image] = []
    for match in matches:
        if held and not neighbours(held[-1], match):
            yield from held if len(held) == 1 else sorted(held, key=order.key)
            held = []
        held.append(match)
        if len(held) == 2 * SAME_SECOND:
            held.sort(key=order.key)
            yield from held[:SAME_SECOND]
            held = held[SAME_SECOND:]
    yield from sorted(held, key=order.key)


# ----------------------------------------------------------------- pages


class _Page(NamedTuple):
    images: Iterable[Image]
    following: str | None


def _matches(cloud: Cloud, settings: Settings, query: ImageQuery, listing: Listing, order: Order) -> Iterator[Image]:
    """Give what counts of one listing."""
    first = settings.page_size
    if listing.exact and query.limit is not None:
        first = min(first, query.limit + 1)  # the one more shows whether the last is alone in its second
    parameters = (*listing.parameters, ("sort", order.parameter))
    for image in _read(cloud, parameters, first, settings.page_size):
        if listing.matches(image):
            yield image
        elif listing.ends is not None and listing.ends(image):
            return


def _read(cloud: Cloud, parameters: Sequence[tuple[str, str]], first_size: int, page_size: int) -> Iterator[Image]:
    """Read one list of Glance page by page, each image once.

    A page begins behind the last image but one, so that it shows the last image again. Glance cuts the page, then
    leaves out what its policy hides, and gives no ``next`` with a page that is empty then (glance/api/v2/images.py,
    index): the list would seem to end there. With the last image in sight a page is never empty, and ``next`` tells
    the truth. Of ``next`` itself no more than the marker is used: it repeats but one of several tags
    (ResponseSerializer.index).
    """
    recent: deque[str] = deque(maxlen=REMEMBERED)
    passed: set[str] = set()
    marker, size, read = None, first_size, 0
    while True:
        marker, (images, following) = _page_behind(
            cloud, parameters, marker, size, recent, complete=read == len(recent)
        )
        seen, before, empty = set(recent), read, True
        if following in passed and following not in seen:
            raise _stuck(following)
        for image in images:
            empty = False
            if image.id not in seen:
                seen.add(image.id)
                recent.append(image.id)
                read += 1
                yield image
        fresh = read > before
        if following is None:
            if not empty or size >= LARGEST_PAGE:
                return
            size = LARGEST_PAGE  # the policy may have emptied the page: look further
        elif fresh and following == recent[-1] and len(recent) > 1:
            passed.add(following)
            marker, size = recent[-2], min(page_size + 1, LARGEST_PAGE)
        elif not fresh and following in seen and size < LARGEST_PAGE:
            size = LARGEST_PAGE  # the policy hides a page's worth of images: look further
        elif not fresh and (following in passed or following in seen):
            raise _stuck(following)
        else:
            passed.add(following)
            marker, size = following, page_size


def _stuck(following: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"Glance's list does not go on behind image {following}.",
        service="image",
        hint="An operator should look at its policy get_image and at its database.",
    )


def _page_behind(
    cloud: Cloud,
    parameters: Sequence[tuple[str, str]],
    marker: str | None,
    size: int,
    recent: Sequence[str],
    *,
    complete: bool,
) -> tuple[str | None, _Page]:
    """Read the page behind a marker, or behind an image further up where the marker's image has vanished meanwhile.

    ``complete`` tells that ``recent`` holds all ids that were read, so that the list can begin anew.
    """
    back = 2
    while True:
        try:
            return marker, _page(cloud, parameters, marker, size)
        except (InvalidRequestError, NotAllowedError, NotFoundError) as error:
            back *= 2
            if marker is None or error.status not in _LOST_MARKER:
                raise
            if back <= len(recent):
                marker = recent[-back]
            elif recent and marker != recent[0]:
                marker = recent[0]
            elif complete:
                marker = None
            else:
                raise ServiceUnavailableError(
                    "Images vanish faster than Glance's list can be read.", service="image", hint="Try again."
                ) from error


def _page(cloud: Cloud, parameters: Sequence[tuple[str, str]], marker: str | None, size: int) -> _Page:
    asked = [*parameters, ("limit", str(size))]
    if marker is not None:
        asked.append(("marker", marker))
    return _parsed(cloud.read("image", "/images", params=asked))


def _parsed(content: bytes) -> _Page:
    """Read a page image by image, without holding more than one.

    A thousand images at once leave the processor's caches and wake the garbage collector: parsing them takes a third
    longer than one after the other. So the page is cut where one record ends and the next begins, as Glance writes them
    (json.dumps in ResponseSerializer.index). Inside a text there is a backslash before the quote, so that only records
    are cut apart; whatever looks different is parsed as a whole.
    """
    begin, end = b'{"images": [{"', content.rfind(b"}]")
    if not content.startswith(begin) or end < 0:
        return _parsed_at_once(content)
    try:
        following = json.loads(b"{" + content[end + 2 :].lstrip(b", ")).get("next")
    except ValueError:
        return _parsed_at_once(content)
    return _Page(_one_by_one(content[len(begin) : end].split(b'}, {"'), content), _marker(following))


def _one_by_one(records: Sequence[bytes], content: bytes) -> Iterator[Image]:
    for record in records:
        try:
            image = Image.model_validate_json(b'{"' + record + b"}")
        except pydantic.ValidationError:
            yield from _parsed_at_once(content).images
            return
        yield image


def _parsed_at_once(content: bytes) -> _Page:
    """Read a page as a whole, and image by image what cannot be read so."""
    try:
        page = ImagePage.model_validate_json(content)
    except pydantic.ValidationError:
        return _parsed_leniently(content)
    return _Page(page.images, _marker(page.next))


def _parsed_leniently(content: bytes) -> _Page:
    try:
        page = json.loads(content)
        records, following = list(page["images"]), page.get("next")
    except (ValueError, TypeError, KeyError) as error:
        raise ServiceUnavailableError(
            "What answered is no list of images.", service="image", hint="See whether the endpoint is Glance's."
        ) from error
    found = []
    for record in records:
        try:
            found.append(Image.model_validate(record))
        except pydantic.ValidationError as error:
            image_id = record.get("id") if isinstance(record, dict) else None
            LOG.warning("Image %s is left out, because its record cannot be read: %s", image_id, error)
    return _Page(found, _marker(following))


def _marker(following: str | None) -> str | None:
    if not following:
        return None
    values = parse_qs(urlsplit(following).query).get("marker")
    if not values:
        raise ServiceUnavailableError("Glance's list names a next page without a marker.", service="image")
    return values[-1]
