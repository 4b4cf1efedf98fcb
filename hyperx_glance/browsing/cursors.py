"""Cursors: places between two images of a sorted list, as opaque texts that any process can read for years.

    >>> from hyperx_glance import Image, ImageQuery
    >>> from hyperx_glance.browsing.cursors import Place, read, written
    >>> from hyperx_glance.browsing.sorting import Sorting
    >>> query, order = ImageQuery(), Sorting(["name"])
    >>> cursor = written(Place(beside=("debian", "7c1"), near=("7c1",)), query, order)
    >>> read(cursor, query, order).beside
    ('debian', '7c1')
    >>> read(cursor, query, order.reversed())
    Traceback (most recent call last):
    hyperx_glance.errors.InvalidRequestError: cursor: belongs to another query, or was changed. Hint: ...

A cursor grants no rights: it is a place to begin, and Glance decides what the caller sees there. So it needs no secret.
Its checksum, which covers the query too, detects mistakes.
"""

import base64
import hashlib
import json
from typing import Annotated

from pydantic import Field

from hyperx_glance import arguments
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.texts import field_name, say

NEAR = 6
"""How many images near a place a cursor names; while one of them exists, Glance finds the place."""
_CHECKSUM_BYTES = 9
_LONGEST_CURSOR = 16 * 1024
_VERSION = "1"


class Place(Shape):
    """The place right behind an image of a list, or right before it if the image is ``included``.

    If ``backwards``, the list is read from its end. ``beside`` has the values that order the image. ``near`` has the
    ids of images that were passed, the nearest last; ``ended`` has the numbers of the query's listings that end before
    this place.
    """

    backwards: bool = False
    included: bool = False
    beside: tuple[str, ...]
    near: Annotated[tuple[str, ...], Field(max_length=NEAR)] = ()
    ended: tuple[int, ...] = ()

    def turned(self) -> "Place":
        """Return the same place, looking the other way."""
        return Place(backwards=not self.backwards, included=not self.included, beside=self.beside)


def written(place: Place, query: ImageQuery, order: Sorting) -> str:
    """Return the cursor of a place in the list of a query, whose order is ``order``."""
    return _packed(place.model_dump_json(exclude_defaults=True).encode(), query, order)


def read(cursor: str, query: ImageQuery, order: Sorting) -> Place:
    """Return the place of a cursor; raise `InvalidRequestError` if it was not written for this query."""
    try:
        place = _read(cursor, query, order)
        order.read(place.beside)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(
            say("cursor-of-another-query", field=field_name("cursor")), hint=say("begin-without-a-cursor")
        ) from error
    return place


def _read(cursor: str, query: ImageQuery, order: Sorting) -> Place:
    if len(cursor) > _LONGEST_CURSOR:
        raise ValueError("too long")
    packed = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    content = packed[_CHECKSUM_BYTES:]
    if _packed(content, query, order) != cursor:  # another checksum, or unused bits that are set
        raise ValueError("the checksum differs")
    place = Place.model_validate_json(content)
    if any(arguments.reference(image_id) for image_id in place.near):
        raise ValueError("not an id")
    return place


def _packed(content: bytes, query: ImageQuery, order: Sorting) -> str:
    return base64.urlsafe_b64encode(_checksum(content, query, order) + content).decode().rstrip("=")


def _checksum(content: bytes, query: ImageQuery, order: Sorting) -> bytes:
    """Return the checksum of a place and a query. Neither the order of sets nor the size of a page changes it."""
    criteria = query.model_dump(mode="json", exclude={"limit", "sort", "size", "cursor"}, exclude_defaults=True)
    criteria = {name: sorted(value) if isinstance(value, list) else value for name, value in criteria.items()}
    question = json.dumps([_VERSION, order.parameter, criteria], sort_keys=True)
    return hashlib.sha256(question.encode() + b"\0" + content).digest()[:_CHECKSUM_BYTES]
