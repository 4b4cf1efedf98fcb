"""Reading the images of a query: one listing of Glance or several, in one order.

    >>> from hyperx_glance.browsing import lists
    >>> from hyperx_glance.browsing.sorting import Sorting
    >>> from hyperx_glance.cloud.context import Context
    >>> from hyperx_glance.cloud.departments import Departments
    >>> image_id = hyperx_cloud.glance.add_image(owner="dept-a", name="debian", status="active")
    >>> context = Context(cloud, Departments(cloud), Settings())
    >>> [image.name for image in lists.ordered(context, ImageQuery(view="private"), Sorting(["name"]))]
    ['debian']

Lists are lazy: a page is requested when the previous page is used up, and none after the iterator is closed.
"""

import dataclasses
import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from hyperx_glance.browsing import filters
from hyperx_glance.browsing.filters import Listing, Viewer
from hyperx_glance.browsing.matching import Test
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.cloud import pages, statuses
from hyperx_glance.cloud.context import Context
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image, with_share_status
from hyperx_glance.vocabulary import State

FIRST_PAGE = 12
"""The size of the first page, of all listings together, if it is not known how many images will be used."""
SPARE = 24
"""How many more images than wanted are requested at first, by all listings together, if some will not match."""
SAME_SECOND = 2000
"""How many images of one second are held back to be sorted."""


def ordered(
    context: Context,
    query: ImageQuery,
    order: Sorting,
    *,
    beyond: Test | None = None,
    behind: Sequence[str] = (),
    ended: set[int] | None = None,
    private: bool = False,
) -> Iterator[Image]:
    """Check the query now, and return an iterator over the matching images in this order.

    If the list was read up to some place before, only images ``beyond`` that place match. ``behind`` has the ids of
    images at that place, the nearest last: the list begins behind the nearest that still exists; if none exists,
    `pages.MarkersLostError` is raised. ``ended`` has the numbers of the listings that end before that place; those that
    end now are added.
    """
    viewer = _viewer(context, query)
    return _ordered(context, query, order, viewer, beyond=beyond, behind=behind, ended=ended, private=private)


def _ordered(
    context: Context,
    query: ImageQuery,
    order: Sorting,
    viewer: Viewer,
    *,
    beyond: Test | None,
    behind: Sequence[str],
    ended: set[int] | None,
    private: bool,
) -> Iterator[Image]:
    listings = _listings(context, query, order, viewer, private=private)
    if not listings:
        return
    found = []
    for number, listing in enumerate(listings):
        over = ended is not None and number in ended
        reading = _Reading(context, query, listing, among=len(listings), beyond=beyond, over=over)
        rows = reading.rows(order, behind=behind)
        rows = rows if ended is None else _noted(rows, number, ended)
        found.append(in_order(rows, reading.matches, order))
    merged = found[0] if len(found) == 1 else _merged(found, order)
    yield from itertools.islice(merged, query.limit)


def _noted(rows: Iterator[Image], number: int, ended: set[int]) -> Iterator[Image]:
    yield from rows
    ended.add(number)


def unordered(context: Context, query: ImageQuery, *, private: bool = False) -> Iterator[Image]:
    """Iterate over the matching images, one listing after the other; without a limit in whole pages.

    If ``private``, public and community images are left out.
    """
    order = Sorting(query.sort)
    for listing in _listings(context, query, order, _viewer(context, query), private=private):
        reading = _Reading(context, query, listing)
        yield from filter(reading.matches, reading.rows(order, whole=query.limit is None))


def check(context: Context, query: ImageQuery) -> None:
    """Raise if the caller may not ask this query."""
    filters.check(query, is_administrator=context.cloud.is_administrator)


def _viewer(context: Context, query: ImageQuery) -> Viewer:
    """Return the caller; raise if the caller may not ask this query."""
    access = context.cloud.access  # once: keystoneauth reads when the token expires each time
    filters.check(query, is_administrator=access.is_administrator)
    return Viewer(access.project_id, access.is_administrator)


def _listings(context: Context, query: ImageQuery, order: Sorting, viewer: Viewer, *, private: bool) -> list[Listing]:
    """Return the listings of a query; ask Keystone only if the query is about names of departments.

    Glance is asked for its statuses only if the query is about INACTIVE images.
    """
    viewer = dataclasses.replace(viewer, names=names(context, query))
    owners = owners_of(context, query)
    inactive = statuses.inactive(context.cloud, context.settings.pace.clock) if query.state is State.INACTIVE else ()
    return filters.listings(query, viewer, order, owners=owners, inactive=inactive, private=private)


def names(context: Context, query: ImageQuery) -> Mapping[str, str]:
    """Return the names of departments, by id, that the quick search of a query looks at."""
    return context.departments.owner_names() if query.search.strip() else {}


def owners_of(context: Context, query: ImageQuery) -> list[str] | None:
    """Return the ids of the departments that the criterion ``owner`` names; None if it is not given."""
    return None if query.owner is None else context.departments.matching(query.owner)


def _merged(lists: Sequence[Iterator[Image]], order: Sorting) -> Iterator[Image]:
    """Merge sorted lists.

    They share no images. But an image whose visibility changed between two requests may be in two of them. Then its two
    places are neighbours, since the default order uses only values that never change.
    """
    previous = ""
    for match in heapq.merge(*lists, key=order.key):
        if match.id != previous:
            yield match
        previous = match.id


def in_order(
    rows: Iterator[Image], matches: Callable[[Image], bool], order: Sorting, *, most: int = SAME_SECOND
) -> Iterator[Image]:
    """Iterate over the matching rows; sort neighbours by the other columns if the API does not show their order.

    To bound memory, no more than twice ``most`` rows wait to be sorted; then the order is nearly that of the columns.
    Glance cannot create so many images in a second.
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
    """The reader of one listing, which reads only as far as the images are used.

    A request costs Glance as much as some thirty images (`tests/benchmarks`). So a list begins with few images and soon
    reaches the largest page. With a limit, the share of matches so far shows how many images to request, but no page is
    more than twice as large as all pages before it: if the matches are close together, the page would be far too large.
    """

    def __init__(
        self,
        context: Context,
        query: ImageQuery,
        listing: Listing,
        *,
        among: int = 1,
        beyond: Test | None = None,
        over: bool = False,
    ) -> None:
        self._cloud = context.cloud
        self._spare = SPARE // among
        self._largest = context.settings.page_size
        # An empty page of the largest size need not be followed by another (pages.read).
        self._first = listing.first or max(1, FIRST_PAGE // among)
        self._limit = query.limit
        self._listing = listing
        self._beyond = beyond
        self._may_be_emptied = not (listing.alike or over)
        self._given = 0

    @property
    def matches(self) -> Callable[[Image], bool]:
        """The test for images of the listing; with a limit, it also counts the matches."""
        return self._listing.matches if self._limit is None else self._counted

    def _counted(self, image: Image) -> bool:
        counts = self._listing.matches(image) and (self._beyond is None or self._beyond(image))
        self._given += counts
        return counts

    def rows(self, order: Sorting, *, whole: bool = False, behind: Sequence[str] = ()) -> Iterator[Image]:
        """Iterate over the images of the listing until no more can match; if ``whole``, all of them will be read."""
        parameters = (*self._listing.parameters, ("sort", order.parameter))
        size = (lambda _: self._largest) if whole else self._size
        found = pages.read(self._cloud, parameters, size=size, behind=behind, may_be_emptied=self._may_be_emptied)
        ends, status = self._listing.ends, self._listing.share_status
        if status is not None:
            found = (with_share_status(image, status) for image in found)
        return found if ends is None else itertools.takewhile(lambda image: not ends(image), found)

    def _size(self, read: int) -> int:
        return min(self._useful(read), self._largest)

    def _useful(self, read: int) -> int:
        if self._limit is None:
            return 3 * read or self._first
        wanted = self._limit + 1 - self._given  # one more shows whether the last is alone in its second
        if not read and self._listing.exact:
            return wanted
        if not read:
            return max(wanted, self._listing.first or wanted + min(wanted, self._spare))
        if wanted <= 0:  # a second that does not end
            return read
        if not self._given:
            return 2 * read
        return min(math.ceil(wanted * read / self._given), 2 * read)
