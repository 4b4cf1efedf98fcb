"""Services' lists, page by page: Glance's images, of which none is lost or given twice while others vanish; others'.

>>> from hyperx_glance.cloud import pages
>>> ids = [hyperx_cloud.glance.add_image(owner="dept-a", name=f"debian-{number}") for number in range(3)]
>>> found = pages.read(cloud, [("sort", "name:asc")], size=lambda read: 2)
>>> [image.name for image in found]
['debian-0', 'debian-1', 'debian-2']
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_plus

import pydantic
from pydantic import JsonValue

from hyperx_glance.cloud.answers import Shape, not_understood
from hyperx_glance.cloud.cloud import Cloud, Service
from hyperx_glance.errors import (
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
)
from hyperx_glance.models.image import Image

LOG = logging.getLogger(__name__)

LARGEST_PAGE = 1000
"""Glance gives no more (glance/common/config.py, api_limit_max)."""
REMEMBERED = 2 * LARGEST_PAGE
_LOST_MARKER = (400, 403, 404)
_MARKERS = re.compile(r"[?&]marker=([^&#]+)")


class MarkersLostError(Exception):
    """Tell that no image exists any more behind which a list could go on."""


class _Page(NamedTuple):
    images: Iterable[Image]
    following: str | None


class _End(Shape):
    """What stands behind the images of a page."""

    next: str | None = None


class _WholePage(_End):
    images: tuple[Image, ...]


class _AnyPage(_End):
    images: tuple[JsonValue, ...]


def read(
    cloud: Cloud,
    parameters: Sequence[tuple[str, str]],
    *,
    size: Callable[[int], int] = lambda _: LARGEST_PAGE,
    remembered: int = REMEMBERED,
    behind: Sequence[str] = (),
    may_be_emptied: bool = True,
) -> Iterator[Image]:
    """Read one list of Glance page by page, each image once.

    ``size`` says how many images the next page is asked for, by how many were read. So many ids are ``remembered``, to
    go on when the last images of a page have vanished. ``behind`` are ids of images, the nearest last: the list begins
    behind the nearest that still exists, and gives none of them; where none does, `MarkersLostError` is raised.
    ``may_be_emptied`` tells that the policy may hide the first images of the list and show others.

    A page begins behind the last image but one, so that it shows the last image again. Glance cuts the page, then
    leaves out what its policy hides, and gives no ``next`` with a page that is empty then (glance/api/v2/images.py,
    index): the list would seem to end there. With the last image in sight a page is never empty, and ``next`` tells
    the truth. Of ``next`` itself no more than the marker is used: it repeats but one of several tags
    (ResponseSerializer.index).
    """
    recent: deque[str] = deque(behind, maxlen=remembered)
    passed: set[str] = set()
    marker, asked, read = (behind[-1] if behind else None), size(0), 0
    while True:
        marker, (images, following) = _page_behind(
            cloud, parameters, marker, asked, recent, complete=read == len(recent), begun=read > 0
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
            if not empty or asked >= LARGEST_PAGE or (not read and not may_be_emptied):
                return
            asked = LARGEST_PAGE  # the policy may have emptied the page: look further
        elif fresh and following == recent[-1] and len(recent) > 1:
            passed.add(following)
            marker, asked = recent[-2], min(size(read) + 1, LARGEST_PAGE)
        elif not fresh and following in seen and asked < LARGEST_PAGE:
            asked = LARGEST_PAGE  # the policy hides a page's worth of images: look further
        elif not fresh and (following in passed or following in seen):
            raise _stuck(following)
        else:
            passed.add(following)
            marker, asked = following, size(read)


def _stuck(following: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"Glance's list does not go on behind image {following}.",
        service="image",
        hint="An operator should look at its policy get_image and at its database.",
    )


def _no_list(service: Service, error: NotFoundError) -> ServiceUnavailableError:
    """Say that there is no list: taken for what it says, it would be about what is looked for in the list."""
    return not_understood(service, "it has no such list", status=error.status)


def _changed(service: Service, error: HyperxGlanceError) -> ServiceUnavailableError:
    """Say that the last record of a page is gone, behind which the list should go on; Nova answers 400, Cinder 404."""
    message = f"The list of the {service} service changed while it was read: {error.message}"
    return ServiceUnavailableError(message, hint="Try again.", **error.answer())


def _page_behind(
    cloud: Cloud,
    parameters: Sequence[tuple[str, str]],
    marker: str | None,
    size: int,
    recent: Sequence[str],
    *,
    complete: bool,
    begun: bool,
) -> tuple[str | None, _Page]:
    """Read the page behind a marker, or behind an image further up where the marker's image has vanished meanwhile.

    ``complete`` tells that ``recent`` holds all ids that were read, so that the list can begin anew. Each try is twice
    as far up; before the list has ``begun`` one image.
    """
    back = 2 if begun else 1
    while True:
        try:
            return marker, _page(cloud, parameters, marker, size)
        except (InvalidRequestError, NotAllowedError, NotFoundError) as error:
            back = back * 2 if begun else back + 1
            if marker is None and isinstance(error, NotFoundError):
                raise _no_list("image", error) from error
            if marker is None or error.status not in _LOST_MARKER:
                raise
            if back <= len(recent):
                marker = recent[-back]
            elif recent and marker != recent[0]:
                marker = recent[0]
            elif complete:
                marker = None
            elif begun:
                raise ServiceUnavailableError(
                    "Images vanish faster than Glance's list can be read.", service="image", hint="Try again."
                ) from error
            else:
                raise MarkersLostError from error


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
    begin, last = b'{"images": [{"', content.rfind(b"}]")
    if not content.startswith(begin) or last < 0:
        return _parsed_at_once(content)
    try:
        behind = _End.model_validate_json(b"{" + content[last + 2 :].lstrip(b", "))
    except pydantic.ValidationError:
        return _parsed_at_once(content)
    return _Page(_one_by_one(content, len(begin) - 2, last), _marker(behind.next))


def _one_by_one(content: bytes, start: int, last: int) -> Iterator[Image]:
    """Give the images of the records between the first brace and the last, one at a time."""
    validated = Image.__pydantic_validator__.validate_json  # what model_validate_json calls
    while True:
        # A single byte is found many times faster than several, and few records hold a second brace.
        end = content.find(b"}", start)
        while end != last and not content.startswith(b'}, {"', end):
            end = content.find(b"}", end + 1)
        try:
            image: Image = validated(content[start : end + 1])
        except pydantic.ValidationError:
            yield from _parsed_at_once(content).images
            return
        yield image
        if end == last:
            return
        start = end + 3


def _parsed_at_once(content: bytes) -> _Page:
    """Read a page as a whole, and image by image what cannot be read so."""
    try:
        page = _WholePage.model_validate_json(content)
    except pydantic.ValidationError:
        return _parsed_leniently(content)
    return _Page(page.images, _marker(page.next))


def _parsed_leniently(content: bytes) -> _Page:
    try:
        page = _AnyPage.model_validate_json(content)
    except pydantic.ValidationError as error:
        raise not_understood("image", "no list of images") from error
    found = []
    for record in page.images:
        try:
            found.append(Image.model_validate(record))
        except pydantic.ValidationError as error:
            image_id = record.get("id") if isinstance(record, dict) else None
            LOG.warning("Image %s is left out, because its record cannot be read: %s", image_id, error)
    return _Page(found, _marker(page.next))


def _marker(following: str | None) -> str | None:
    if not following:
        return None
    markers = _MARKERS.findall(following)
    if not markers:
        raise ServiceUnavailableError("Glance's list names a next page without a marker.", service="image")
    return unquote_plus(markers[-1])


# ----------------------------------------------------------------- lists of Nova, Cinder and Neutron


class Listed(Shape):
    """Be one record of a list."""

    id: str


_Record = TypeVar("_Record", bound=Listed)


class _Link(Shape):
    rel: str


class ListPage(Shape, Generic[_Record]):
    """Be one page; a subclass takes its keys from `collection`."""

    records: tuple[_Record, ...]
    links: tuple[_Link, ...] = ()


def collection(name: str) -> Callable[[str], str]:
    """Name the keys of a `ListPage`, as pydantic takes it for ``alias_generator``."""
    return {"records": name, "links": f"{name}_links"}.__getitem__


def listed(
    service: Service, read: Callable[[Mapping[str, object]], ListPage[_Record]], criteria: Mapping[str, object]
) -> Iterator[_Record]:
    """Iterate over a whole list; ``read`` gives the page for some query parameters."""
    passed: set[str] = set()
    asked = criteria
    while True:
        try:
            page = read(asked)
        except NotFoundError as error:
            if not passed:
                raise _no_list(service, error) from error
            raise _changed(service, error) from error
        except InvalidRequestError as error:
            if not passed:
                raise
            raise _changed(service, error) from error
        yield from page.records
        if not page.records or all(link.rel != "next" for link in page.links):
            return
        marker = page.records[-1].id
        if marker in passed:
            raise ServiceUnavailableError(
                f"The list of the {service} service does not go on behind {marker}.",
                service=service,
                hint="An operator should look at the service's database.",
            )
        passed.add(marker)
        asked = {**criteria, "marker": marker}
