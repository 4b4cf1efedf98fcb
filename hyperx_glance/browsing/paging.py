"""One page of a list, from a cursor on, forwards or backwards.

    >>> for name in ("debian", "kylin", "ubuntu"):
    ...     _ = hyperx_cloud.glance.add_image(owner="dept-a", name=name, status="active")
    >>> first = client.page(size=2, sort=["name"])
    >>> [image.name for image in first.images], first.previous
    (['debian', 'kylin'], None)
    >>> second = client.page(size=2, sort=["name"], cursor=first.next)
    >>> [image.name for image in second.images], second.next
    (['ubuntu'], None)
    >>> [image.name for image in client.page(size=2, sort=["name"], cursor=second.previous).images]
    ['debian', 'kylin']

Each page costs the same. Glance is asked for the images behind a time if the list is sorted by a time, else behind an
image that was seen near the place (docs/decisions/0038).
"""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from hyperx_glance.arguments import USUAL_PAGE
from hyperx_glance.browsing import cursors, lists
from hyperx_glance.browsing.cursors import NEAR, Place
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.pages import MarkersLostError
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.browsing import ImageQuery, PageQuery
from hyperx_glance.models.image import Image
from hyperx_glance.models.results import ImagePage
from hyperx_glance.texts import field_name, say


class Asked(NamedTuple):
    """The page that is asked for."""

    query: ImageQuery
    size: int
    cursor: str | None


def asked(query: ImageQuery, *, size: int, cursor: str | None) -> Asked:
    """Return the page that is asked for, from a query and two arguments, or from a `PageQuery` alone."""
    if isinstance(query, PageQuery):
        if size not in (USUAL_PAGE, query.size) or cursor is not None:
            raise InvalidRequestError(say("page-query-has-its-own", fields=[field_name("size"), field_name("cursor")]))
        return Asked(query, query.size, query.cursor)
    if query.limit is not None:
        raise InvalidRequestError(say("page-has-a-size", field=field_name("limit")))
    return Asked(query, size, cursor)


class Reader(Protocol):
    """A function that reads ``amount`` images behind a place, in the order in which the list is read."""

    def __call__(
        self,
        context: Context,
        query: ImageQuery,
        order: Sorting,
        place: Place | None,
        /,
        *,
        amount: int,
        ended: set[int] | None,
    ) -> list[Image]:
        """Read images; the numbers of listings that end are added to ``ended``."""


def page(context: Context, wanted: Asked, *, reader: Reader | None = None) -> ImagePage:
    """Return the images from the cursor on, with the cursors of the next and the previous page."""
    query, size, cursor = wanted
    forwards = Sorting(query.sort)
    place = None if cursor is None else cursors.read(cursor, query, forwards)
    backwards = place is not None and place.backwards
    order = forwards.reversed() if backwards else forwards

    ended = set() if place is None else set(place.ended)
    found = (reader or behind)(context, query, order, place, amount=size + 1, ended=ended)
    shown, more = found[:size], len(found) > size
    far = _last(shown, found[size], order, place, ended) if more else None
    near = None if place is None else _first(found, order, place, whole=not more)
    previous, following = (far, near) if backwards else (near, far)
    return ImagePage(
        images=tuple(reversed(shown) if backwards else shown),
        next=None if following is None else cursors.written(following, query, forwards),
        previous=None if previous is None else cursors.written(previous, query, forwards),
    )


# ----------------------------------------------------------------- reading


def behind(
    context: Context,
    query: ImageQuery,
    order: Sorting,
    place: Place | None,
    /,
    *,
    amount: int,
    ended: set[int] | None,
    private: bool = False,
) -> list[Image]:
    """Read ``amount`` images behind a place from Glance; if ``private``, without public and community images."""
    query = query.model_copy(update={"limit": amount})
    if place is None:
        return list(lists.ordered(context, query, order, ended=ended, private=private))
    passed = order.read(place.beside)

    def beyond(image: Image) -> bool:
        key = order.key(image)
        return key > passed or (place.included and key == passed)

    def beyond_neighbours(image: Image) -> bool:
        """Use Glance's order, since databases may sort strings differently, unless the API does not show it."""
        return not order.together(order.key(image), passed) or beyond(image)

    if place.near:
        try:
            found = lists.ordered(
                context, query, order, beyond=beyond_neighbours, behind=place.near, ended=ended, private=private
            )
            return list(found)
        except MarkersLostError:
            pass  # the list is read again up to the place
    # One more, since the image beside the place is read again.
    query = query.model_copy(update={"limit": amount + 1, **_bound(query, order, place)})
    found = lists.ordered(context, query, order, beyond=beyond, ended=ended, private=private)
    return list(itertools.islice(found, amount))


def _bound(query: ImageQuery, order: Sorting, place: Place) -> dict[str, datetime]:
    """Return the time bound by which Glance leaves out passed images, if the list is sorted by a time first."""
    name, descending = order.columns[0]
    if not (order.begins_with_time and place.beside[0]):
        return {}
    time = datetime.fromisoformat(place.beside[0])
    bound = f"{name.removesuffix('_at')}_{'before' if descending else 'after'}"
    given: datetime | None = getattr(query, bound)
    nearest = min if descending else max
    return {bound: time if given is None else nearest(given, time)}


# ----------------------------------------------------------------- the places at both ends of a page


def _last(shown: Sequence[Image], following: Image, order: Sorting, place: Place | None, ended: set[int]) -> Place:
    """Return the place behind the last image of the page."""
    apart = not order.together(order.key(shown[-1]), order.key(following))
    near = _near(shown, order, apart=apart, whole=place is None)
    if place is not None and order.neighbours is None:
        near = [*place.near, *near][-NEAR:]
    backwards = place is not None and place.backwards
    beside = order.written(shown[-1])
    return Place(backwards=backwards, beside=beside, near=tuple(near), ended=tuple(sorted(ended)))


def _first(found: Sequence[Image], order: Sorting, place: Place, *, whole: bool) -> Place:
    """Return the place before the first image, looking back."""
    if not found:
        return place.turned()
    apart = not order.together(order.read(place.beside), order.key(found[0]))
    near = _near(found[::-1], order, apart=apart, whole=whole)
    return Place(backwards=not place.backwards, beside=order.written(found[0]), near=tuple(near))


def _near(passed: Sequence[Image], order: Sorting, *, apart: bool, whole: bool) -> list[str]:
    """Return the ids of the last images that are safe markers: Glance then returns everything after them, once.

    The API does not show Glance's order of images of one second. So the images of the last second are safe only if all
    of them were passed (``apart``), and those of the first second only if all of them are here (``whole``).
    """
    if order.begins_with_time:
        return []
    first, last = order.key(passed[0]), order.key(passed[-1])

    def is_safe(image: Image) -> bool:
        key = order.key(image)
        if order.together(key, last):
            return apart
        return whole or order.neighbours is None or not order.together(key, first)

    return [image.id for image in passed if is_safe(image)][-NEAR:]
