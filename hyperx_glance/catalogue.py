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
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from hyperx_glance import filters, pages
from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.errors import AmbiguousNameError, InvalidRequestError, NotFoundError
from hyperx_glance.filters import Listing, Order, Viewer
from hyperx_glance.models import Image, ImageQuery
from hyperx_glance.settings import Settings

SAME_SECOND = 2000
"""So many images of one second are held back to be put in order."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


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


def _matches(cloud: Cloud, settings: Settings, query: ImageQuery, listing: Listing, order: Order) -> Iterator[Image]:
    """Give what counts of one listing."""
    first = settings.page_size
    if listing.exact and query.limit is not None:
        first = min(first, query.limit + 1)  # the one more shows whether the last is alone in its second
    parameters = (*listing.parameters, ("sort", order.parameter))
    for image in pages.read(cloud, parameters, first_size=first, page_size=settings.page_size):
        if listing.matches(image):
            yield image
        elif listing.ends is not None and listing.ends(image):
            return
