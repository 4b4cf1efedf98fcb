"""Lists of services, page by page. No image is lost or returned twice while other images are deleted.

>>> from hyperx_glance.cloud import pages
>>> ids = [hyperx_cloud.glance.add_image(owner="dept-a", name=f"debian-{number}") for number in range(3)]
>>> found = pages.read(cloud, [("sort", "name:asc")], size=lambda read: 2)
>>> [image.name for image in found]
['debian-0', 'debian-1', 'debian-2']
"""

import logging
import math
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_plus

import pydantic
from pydantic import JsonValue

from hyperx_glance.arguments import LARGEST_PAGE
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
from hyperx_glance.texts import say, word

LOG = logging.getLogger(__name__)

REMEMBERED = 2 * LARGEST_PAGE
_SMALL_BYTES = 64 * 1024
"""The size up to which a page is parsed at once: a console's page of 20 images has 30 KB."""
_LOST_MARKER = (400, 403, 404)
_MARKERS = re.compile(r"[?&]marker=([^&#]+)")


class MarkersLostError(Exception):
    """Raised if none of the images behind which a list could continue still exists."""


class _Page(NamedTuple):
    images: Iterable[Image]
    following: str | None


class _End(Shape):
    """The part of a page behind its images."""

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

    ``size`` returns the size of the next page for the number of images that were read. ``remembered`` is the number of
    ids that are kept, to continue if the last images of a page are deleted. ``behind`` has ids of images, the nearest
    last: the list begins behind the nearest that still exists, and returns none of them; if none exists,
    `MarkersLostError` is raised. ``may_be_emptied`` means that the policy may hide the first images of the list and
    show others.

    A page begins behind the last image but one, so it shows the last image again. Glance first cuts the page, then
    leaves out images that its policy hides, and sends no ``next`` with a page that is empty then
    (glance/api/v2/images.py, index). The list would seem to end there. With the last image in sight, a page is never
    empty, and ``next`` is reliable. Only the marker of ``next`` is used, since it repeats only one of several tags
    (ResponseSerializer.index). If Glance never sends more than one image (api_limit_max), pages cannot overlap.

    A database that ignores case finds an image with the tags "Linux" and "linux" twice for one tag. Glance cuts the
    page before it joins the two, and then sends no ``next``, since the page is not full.
    """
    tags = frozenset(value for key, value in parameters if key == "tag")
    recent: deque[str] = deque(behind, maxlen=remembered)
    passed: set[str] = set()
    marker, asked, read = (behind[-1] if behind else None), size(0), 0
    single, singly = True, False  # whether each page so far has had one image at most; whether none can have more
    while True:
        marker, (images, following) = _page_behind(
            cloud, parameters, marker, asked, recent, complete=read == len(recent), begun=read > 0
        )
        seen, before, number, rows = set(recent), read, 0, 0
        if following in passed and following not in seen:
            raise _stuck(following)
        for image in images:
            number += 1
            rows += _rows(image, tags)
            if image.id not in seen:
                seen.add(image.id)
                recent.append(image.id)
                read += 1
                yield image
        fresh, single = read > before, single and number <= 1
        following = following or (recent[-1] if number < asked <= rows else None)
        if following is None or (not fresh and following in seen and asked < LARGEST_PAGE):
            if following is None and (number or asked >= LARGEST_PAGE or (not read and not may_be_emptied)):
                return
            asked = LARGEST_PAGE  # the policy may have emptied the page, or hide a page's worth of images: look further
        elif fresh and following == recent[-1] and len(recent) > 1 and not singly:
            passed.add(following)
            marker, asked = recent[-2], min(size(read) + 1, LARGEST_PAGE)
        elif (
            single
            and not (fresh or singly)
            and len(recent) > 1
            and following == recent[-1]
            and _sends_one_at_a_time(cloud, parameters, recent)
        ):
            singly, marker = True, following
        elif not fresh and (following in passed or following in seen):
            raise _stuck(following)
        else:
            passed.add(following)
            marker, asked = following, size(read)


def _rows(image: Image, asked: Collection[str]) -> int:
    """Return how often a database may find an image that has all these tags."""
    if not asked:
        return 1
    tags = [_alike(tag) for tag in image.tags]
    return math.prod(max(1, tags.count(_alike(tag))) for tag in asked)


def _alike(tag: str) -> str:
    """Return what equal tags have in common for a database that ignores case, accents and spaces at the end."""
    parts = unicodedata.normalize("NFKD", tag.strip())
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def _sends_one_at_a_time(cloud: Cloud, parameters: Sequence[tuple[str, str]], recent: Sequence[str]) -> bool:
    """Check whether Glance sends single images, and not the policy hides the others.

    Behind the last image but two there are two that the caller may see, and at the beginning of the list as well.
    """
    marker = recent[-3] if len(recent) > 2 else None
    try:
        return len(list(_page(cloud, parameters, marker, LARGEST_PAGE).images)) == 1
    except (InvalidRequestError, NotAllowedError, NotFoundError):
        return False  # that image has been deleted


def _stuck(following: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        say("list-does-not-continue", image=following), service="image", hint=say("check-get-image")
    )


def _no_list(service: Service, error: NotFoundError) -> ServiceUnavailableError:
    """Return an error that says that the list is missing; a `NotFoundError` would be about an entry of the list."""
    return not_understood(service, "has-no-such-list", status=error.status)


def _changed(service: Service, error: HyperxGlanceError) -> ServiceUnavailableError:
    """Return the error for a marker that was deleted, for which Nova answers 400 and Cinder 404."""
    message = say("list-changed", service=word("service", service))
    return ServiceUnavailableError(message, hint=say("try-again"), **error.answer())


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
    """Read the page behind a marker, or behind an earlier image if the marker's image has been deleted meanwhile.

    If ``complete``, ``recent`` has all ids that were read, so that the list can be read again from its beginning. Each
    attempt goes back twice as far; before the list has ``begun``, one image further.
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
                    say("images-deleted-too-fast"), service="image", hint=say("try-again")
                ) from error
            else:
                raise MarkersLostError from error


def _page(cloud: Cloud, parameters: Sequence[tuple[str, str]], marker: str | None, size: int) -> _Page:
    asked = [*parameters, ("limit", str(size))]
    if marker is not None:
        asked.append(("marker", marker))
    return _parsed(cloud.read("image", "/images", params=asked))


def _parsed(content: bytes) -> _Page:
    """Parse a page image by image, without keeping more than one.

    Parsing a thousand images at once takes at least half as long again: they do not fit into the processor's caches,
    and the garbage collector walks through them (docs/decisions/0035). So the page is cut where one record ends and the
    next begins, as Glance writes them (json.dumps in ResponseSerializer.index). In JSON strings, a quote has a
    backslash before it, so the cut is always between records. A small page, and one that looks different, is parsed as
    a whole.
    """
    if len(content) <= _SMALL_BYTES:
        return _parsed_at_once(content)
    begin, last = b'{"images": [{"', content.rfind(b"}]")
    if not content.startswith(begin) or last < 0:
        return _parsed_at_once(content)
    try:
        behind = _End.model_validate_json(b"{" + content[last + 2 :].lstrip(b", "))
    except pydantic.ValidationError:
        return _parsed_at_once(content)
    return _Page(_one_by_one(content, len(begin) - 2, last), _marker(behind.next))


def _one_by_one(content: bytes, start: int, last: int) -> Iterator[Image]:
    """Iterate over the images of the records between the first brace and the last."""
    validated = Image.__pydantic_validator__.validate_json  # as in model_validate_json
    while True:
        # Finding a single byte is many times faster than finding several, and few records contain a second brace.
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
    """Parse a page as a whole, or, if that fails, image by image."""
    try:
        page = _WholePage.model_validate_json(content)
    except pydantic.ValidationError:
        return _parsed_leniently(content)
    return _Page(page.images, _marker(page.next))


def _parsed_leniently(content: bytes) -> _Page:
    try:
        page = _AnyPage.model_validate_json(content)
    except pydantic.ValidationError as error:
        raise not_understood("image", "sent-no-list-of-images") from error
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
        raise ServiceUnavailableError(say("list-without-marker"), service="image")
    return unquote_plus(markers[-1])


# ----------------------------------------------------------------- lists of Nova, Cinder and Neutron


class Listed(Shape):
    """Base class for a record of a list."""

    id: str


_Record = TypeVar("_Record", bound=Listed)


class _Link(Shape):
    rel: str


class ListPage(Shape, Generic[_Record]):
    """Base class for a page; a subclass gets its keys from `collection`."""

    records: tuple[_Record, ...]
    links: tuple[_Link, ...] = ()


def collection(name: str) -> Callable[[str], str]:
    """Return the keys of a `ListPage` as an ``alias_generator`` of pydantic."""
    return {"records": name, "links": f"{name}_links"}.__getitem__


def listed(
    service: Service, read: Callable[[Mapping[str, object]], ListPage[_Record]], criteria: Mapping[str, object]
) -> Iterator[_Record]:
    """Iterate over a whole list; ``read`` returns the page for some query parameters.

    A page is followed by another if it has a link. Neutron first cuts a page, then leaves out what its policy hides. It
    links to the next page only if nothing was left out (neutron/pecan_wsgi/hooks, PolicyHook and QueryParametersHook).
    But each page of a limited list links to the previous one. So such a list ends with an empty page. The policy may
    also hide a whole page in the middle, so the last page is read as well: raise an error if it shows something new.
    """
    passed: set[str] = set()
    seen: set[str] = set()
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
        seen.update(record.id for record in page.records)
        if not page.links:
            return
        if not page.records:
            if any(link.rel == "previous" for link in page.links):
                _check_end(service, read, criteria, seen)
            return
        marker = page.records[-1].id
        if marker in passed:
            raise ServiceUnavailableError(
                say("list-of-a-service-does-not-continue", service=word("service", service), marker=marker),
                service=service,
                hint=say("check-the-database"),
            )
        passed.add(marker)
        asked = {**criteria, "marker": marker}


def _check_end(
    service: Service,
    read: Callable[[Mapping[str, object]], ListPage[_Record]],
    criteria: Mapping[str, object],
    seen: Collection[str],
) -> None:
    last = read({**criteria, "page_reverse": "True"})
    if any(record.id not in seen for record in last.records):
        message = say("list-is-cut", service=word("service", service), shown=len(seen))
        raise ServiceUnavailableError(message, service=service, hint=say("raise-page-limit"))


# ----------------------------------------------------------------- lists of Keystone


class KeystonePage(Shape, Generic[_Record]):
    """Base class for a list of Keystone; a subclass gets its keys from `keystone_collection`."""

    records: tuple[_Record, ...]
    truncated: bool = False


def keystone_collection(name: str) -> Callable[[str], str]:
    """Return the keys of a `KeystonePage` as an ``alias_generator`` of pydantic."""
    return {"records": name, "truncated": "truncated"}.__getitem__


def read_as_far_as_shown(
    cloud: Cloud, shape: type[KeystonePage[_Record]], path: str, criteria: Mapping[str, object] | None = None
) -> tuple[tuple[_Record, ...], bool]:
    """Read a list of Keystone; return its records, and whether these are all.

    Keystone cuts lists at its option ``list_limit``, and says so by ``truncated``. Since 2025.2, lists of projects
    continue behind a marker; before, Keystone ignores it, and begins again. Then ``criteria`` must have a ``limit``: a
    list without one is cut silently at the option ``max_db_limit`` (keystone/resource/backends/sql.py, list_projects).
    """
    found: dict[str, _Record] = {}
    asked = dict(criteria or {})
    while True:
        try:
            page = cloud.get_parsed(shape, "identity", path, params=asked)
        except NotFoundError as error:
            raise (_changed("identity", error) if found else _no_list("identity", error)) from error
        fresh = {record.id: record for record in page.records if record.id not in found}
        found |= fresh
        if not page.truncated or not fresh or "limit" not in asked:
            return tuple(found.values()), not page.truncated
        asked["marker"] = page.records[-1].id


def read_by_name(
    cloud: Cloud,
    shape: type[KeystonePage[_Record]],
    path: str,
    criteria: Mapping[str, object],
    names: Iterable[str],
) -> tuple[_Record, ...]:
    """Read a list of Keystone's limits; if Keystone cuts it, ask for each resource by its name."""
    found, is_whole = read_as_far_as_shown(cloud, shape, path, criteria)
    if is_whole:
        return found
    named: list[_Record] = []
    for name in names:
        found, is_whole = read_as_far_as_shown(cloud, shape, path, {**criteria, "resource_name": name})
        if not is_whole:
            raise cut("identity", len(found))
        named += found
    return tuple(named)


def cut(service: Service, shown: int) -> ServiceUnavailableError:
    """Return the error for a list that a service cuts, and does not continue."""
    message = say("list-is-cut", service=word("service", service), shown=shown)
    return ServiceUnavailableError(message, service=service, hint=say("raise-list-limit"))
