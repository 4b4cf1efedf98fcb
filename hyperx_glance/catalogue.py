"""Find images: lists, one image, counts, tags, summaries.

    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="active", tags=["linux"])
    >>> [image.name for image in client.images(search="DEB active")]
    ['debian']
    >>> client.image("debian").id == image_id, client.count(tags=["linux"]), client.tags()
    (True, 1, {'linux': 1})

Lists are lazy: a page is asked for when the one before has been used up, and nothing after the iterator is closed.
"""

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from hyperx_glance import filters, pages
from hyperx_glance.cloud import Cloud
from hyperx_glance.context import Context
from hyperx_glance.errors import AmbiguousNameError, NotFoundError
from hyperx_glance.filters import Listing, Viewer
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image, is_uuid
from hyperx_glance.models.results import Summary
from hyperx_glance.sorting import Sorting
from hyperx_glance.summary import summarized

FIRST_PAGE = 16
"""So many images are asked for at first, by all listings together, where nobody knows how many will be used."""
SPARE = 24
"""So many more than wanted are asked for at first, by all listings together, where some will not count."""
SAME_SECOND = 2000
"""So many images of one second are held back to be put in order."""


# ----------------------------------------------------------------- verbs


def images(context: Context, query: ImageQuery) -> Iterator[Image]:
    """Check the query now, and give the images when they are asked for."""
    filters.check(query, is_administrator=context.cloud.is_administrator)
    return _images(context, query)


def image(context: Context, name_or_id: str) -> Image:
    """Find one image in the view "all": what looks like an id is tried as one first."""
    if is_uuid(name_or_id):
        found = _by_id(context.cloud, name_or_id)
        if found is not None:
            return found
    matches = list(_unordered(context, ImageQuery(name=name_or_id)))
    if not matches:
        raise NotFoundError(
            f"There is no image of the name or id {name_or_id}.", hint='Names must be exact; try images(search="...").'
        )
    if len(matches) > 1:
        raise AmbiguousNameError(
            f"{len(matches)} images are called {name_or_id}.", matches=[match.id for match in matches]
        )
    return matches[0]


def count(context: Context, query: ImageQuery) -> int:
    """Count by reading the records that match, and no others where Glance can tell: it has no request that counts."""
    matches = _unordered(context, query)
    return sum(1 for _ in itertools.islice(matches, query.limit))


def summary(context: Context, query: ImageQuery) -> Summary:
    """Count images by what they are; which ones a limit leaves is a matter of their order."""
    read = _unordered if query.limit is None else _images
    return summarized(read(context, query))


def tags(context: Context) -> dict[str, int]:
    """Count the tags of the images in view "all", in the order of the tags."""
    matches = _unordered(context, ImageQuery())
    return dict(sorted(Counter(tag for match in matches for tag in match.tags).items()))


def owner_name(context: Context, image: Image | str) -> str:
    """Name the department that owns an image; its id where Keystone does not tell, "" where nobody owns it."""
    owner = image.owner if isinstance(image, Image) else context.cloud.image(image).owner
    return context.departments.name(owner) if owner else ""


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


def _images(context: Context, query: ImageQuery) -> Iterator[Image]:
    order = Sorting(query.sort)
    listings = _listings(context, query)
    readings = [_Reading(context, query, listing, among=len(listings)) for listing in listings]
    lists = [in_order(reading.rows(order), reading.matches, order) for reading in readings]
    merged = lists[0] if len(lists) == 1 else _merged(lists, order)
    yield from itertools.islice(merged, query.limit)


def _unordered(context: Context, query: ImageQuery) -> Iterator[Image]:
    order = Sorting(query.sort)
    for listing in _listings(context, query):
        reading = _Reading(context, query, listing)
        yield from filter(reading.matches, reading.rows(order, whole=query.limit is None))


def _listings(context: Context, query: ImageQuery) -> list[Listing]:
    """Ask Keystone only where the query is about departments' names."""
    names = context.departments.owner_names() if query.search and not query.search.isspace() else {}
    viewer = Viewer(context.cloud.project_id, context.cloud.is_administrator, names)
    owners = None if query.owner is None else context.departments.matching(query.owner)
    return filters.listings(query, viewer, owners=owners)


def _merged(lists: Sequence[Iterator[Image]], order: Sorting) -> Iterator[Image]:
    """Merge lists that are in order.

    They share no image, but one that changed its visibility between two requests may be in two: then it is its own
    neighbour, as what orders images by default never changes.
    """
    previous = ""
    for match in heapq.merge(*lists, key=order.key):
        if match.id != previous:
            yield match
        previous = match.id


def in_order(
    rows: Iterator[Image], matches: Callable[[Image], bool], order: Sorting, *, most: int = SAME_SECOND
) -> Iterator[Image]:
    """Give the rows that match; put neighbours whose order nobody can see in the API into that of the other columns.

    Where more than ``most`` wait for that, which Glance's API cannot create in a second, the first of them go, so that
    memory stays bounded: then the order is nearly that of the columns.
    """
    neighbours = order.neighbours
    if neighbours is None:
        yield from filter(matches, rows)
        return
    held: list[Image] = []
    for row in rows:
        if held and not neighbours(held[-1], row):
            if len(held) > 1:
                held.sort(key=order.key)
            yield from held
            held.clear()
        if matches(row):
            held.append(row)
            if len(held) == 2 * most:
                held.sort(key=order.key)
                yield from held[:most]
                held = held[most:]
    yield from sorted(held, key=order.key)


class _Reading:
    """Read one listing, as far as it is used.

    For Glance a request costs as much as some thirty images (`tests/benchmarks`). So a list begins with few images and
    is soon at the largest page. With a limit what was read tells how many there are to read, but no page is more than
    twice as large as all before: matches that stand together would make it far too large.
    """

    def __init__(self, context: Context, query: ImageQuery, listing: Listing, *, among: int = 1) -> None:
        self._cloud = context.cloud
        self._first = max(1, FIRST_PAGE // among)
        self._spare = SPARE // among
        self._largest = context.settings.page_size
        self._limit = query.limit
        self._listing = listing
        self._given = 0

    @property
    def matches(self) -> Callable[[Image], bool]:
        """The test whether an image of the listing counts; with a limit it is counted, too."""
        return self._listing.matches if self._limit is None else self._counted

    def _counted(self, image: Image) -> bool:
        counts = self._listing.matches(image)
        self._given += counts
        return counts

    def rows(self, order: Sorting, *, whole: bool = False) -> Iterator[Image]:
        """Give the images of the listing, up to those behind which none counts; ``whole``: all of them will be read."""
        parameters = (*self._listing.parameters, ("sort", order.parameter))
        size = (lambda _: self._largest) if whole else self._size
        found = pages.read(self._cloud, parameters, size=size, may_be_emptied=not self._listing.alike)
        ends = self._listing.ends
        return found if ends is None else itertools.takewhile(lambda image: not ends(image), found)

    def _size(self, read: int) -> int:
        return min(self._useful(read), self._largest)

    def _useful(self, read: int) -> int:
        if self._limit is None:
            return 3 * read or self._first
        wanted = self._limit + 1 - self._given  # the one more shows whether the last is alone in its second
        if not read:
            return wanted if self._listing.exact else wanted + min(wanted, self._spare)
        if wanted <= 0:  # a second that does not end
            return read
        if not self._given:
            return 2 * read
        return min(math.ceil(wanted * read / self._given), 2 * read)
