"""From a query to parameters for Glance, and to tests for what Glance cannot filter.

    >>> from hyperx_glance.browsing.filters import Viewer, listings
    >>> from hyperx_glance.browsing.sorting import Sorting
    >>> from hyperx_glance.models.browsing import ImageQuery
    >>> alice = Viewer(project_id="d1", is_administrator=False)
    >>> for listing in listings(ImageQuery(view="public", os_distro="ubuntu"), alice, Sorting(["name"])):
    ...     print(listing.parameters)
    (('visibility', 'public'), ('os_distro', 'ubuntu'))
    (('visibility', 'community'), ('os_distro', 'ubuntu'))

Pure functions. Glance has no "or" and no "not". A query that needs "or" becomes several listings, which never share an
image; "not" is evaluated here. Images that Glance has filtered are tested again here, because databases differ in what
is equal (in MySQL's usual collation, "Ubuntu" equals "ubuntu").
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hyperx_glance import vocabulary
from hyperx_glance.arguments import LARGEST_PAGE
from hyperx_glance.browsing.matching import (
    CONTAINED,
    Test,
    all_of,
    equals,
    is_listed,
    is_one_of,
    needs_glance,
    searched,
    tests_of,
)
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.errors import InvalidRequestError, NotAllowedError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import ACTIVE
from hyperx_glance.texts import field_name, say
from hyperx_glance.vocabulary import FIELDS, Category, Kind, ShareStatus, State, Stored, View, glance_key

Parameters = tuple[tuple[str, str], ...]

_VIEWS_OF_MEMBERS = {View.SHARED: "view-shared-for-administrators", View.OFFERED: "view-offered-for-administrators"}
"""The lists of images of other departments, and why administrators have none of them."""
LARGEST_NUMBER = 2**63 - 1
"""Glance's sizes are big integers; a larger bound causes an error 500 with SQLite."""

PRIVATE_PAGE = 150
"""How many private images of a department are read at once: most departments have fewer."""
MOST_TAGS = 8
MOST_LISTINGS = 32
"""With more tags or listings, the images are tested here: a request costs as much as some thirty images."""

# Glance does not treat parameters with these names as properties. They are read by the API (glance/api/v2/images.py,
# RequestDeserializer.index) or by the query builder (glance/db/sqlalchemy/api.py, _make_conditions_from_filters), or
# are attributes of the model (glance/db/sqlalchemy/models.py, Image).
_NO_PROPERTIES = vocabulary.BASE_KEYS | {
    "limit", "marker", "member_status", "sort", "sort_key", "sort_dir", "tag", "changes-since", "properties",
    "locations", "members", "delete", "get", "items", "iteritems", "keys", "metadata", "next", "registry", "save",
    "to_dict", "update", "values",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller; ``names`` are the names of departments that the caller may see, for the quick search."""

    project_id: str
    is_administrator: bool
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: the parameters for Glance, and the test for the images that match.

    If ``exact``, most images that Glance returns match. ``first`` is the size of the first page if the whole list is
    expected to be small; None if that is not known. ``ends`` recognises an image behind which no image of the list
    matches.
    """

    parameters: Parameters
    matches: Test
    exact: bool = True
    first: int | None = None
    ends: Test | None = None

    @property
    def alike(self) -> bool:
        """Whether all images have the same owner and visibility, which decide whether Glance's policy shows them."""
        asked = dict(self.parameters)
        return "owner" in asked and asked.get("visibility", "all") != "all"

    @property
    def share_status(self) -> ShareStatus | None:
        """The answer that the caller's department gave to the sharing of all these images, if they are asked for it."""
        status = dict(self.parameters).get("member_status")
        return None if status is None else ShareStatus(status)


def check(query: ImageQuery, *, is_administrator: bool) -> None:
    """Refuse a query that is invalid, or that this caller may not make."""
    if query.view is View.EVERYTHING and not is_administrator:
        raise NotAllowedError(say("view-everything"), hint=say("use-view-all"))
    if query.view in _VIEWS_OF_MEMBERS and is_administrator:
        raise NotAllowedError(say(_VIEWS_OF_MEMBERS[query.view]), hint=say("use-view-everything"))
    for key in query.properties:
        if key in vocabulary.BASE_KEYS:
            raise InvalidRequestError(say("not-a-property", field=field_name("properties"), key=key))


def listings(
    query: ImageQuery,
    viewer: Viewer,
    order: Sorting,
    *,
    owners: Sequence[str] | None = None,
    inactive: Sequence[str] = (),
    private: bool = False,
) -> list[Listing]:
    """Return the listings that together hold the answer of a checked query, each image in one of them.

    ``order`` is the order in which they will be read. ``owners`` are the ids of the departments that the criterion
    ``owner`` names; None if it is not given. ``inactive`` are the statuses of INACTIVE images; none if they are not
    known, so that all images are read. If ``private``, public and community images are left out: they are in an index.
    """
    if query.limit == 0 or _formats(query) == frozenset():
        return []
    tests = [is_listed(query), *tests_of(query)]
    search = searched(query.search, viewer.names)
    if search is not None:
        tests.append(search)
    view = _private_view(query.view, viewer) if private else _view(query.view, viewer)
    choices = [view, _hidden(query), _hypervisors(query), _owners(owners)]
    tagged = _any_tags(query)
    if math.prod(map(len, choices)) * len(tagged) > MOST_LISTINGS:
        tagged = [_Branch()]
    unlike = query.state is State.INACTIVE and not inactive
    some_tag = len(query.any_tags) > 1 and len(tagged) == 1
    exact = search is None and not (unlike or some_tag or _evaluated_here(query))
    pushed, ends = _pushed(query, order, inactive)
    found = []
    for branches in itertools.product(*choices, tagged):
        parameters = [pair for branch in branches for pair in branch.parameters]
        if _contradict(parameters):
            continue
        every = [*(test for branch in branches for test in branch.tests), *tests]
        first = LARGEST_PAGE if query.state is State.INACTIVE and exact else None
        if private:
            first = PRIVATE_PAGE if ("visibility", "private") in parameters else LARGEST_PAGE
        found.append(Listing(_unique([*parameters, *pushed]), all_of(every), exact=exact, first=first, ends=ends))
    return found


# ----------------------------------------------------------------- criteria that need several listings


class _Branch(NamedTuple):
    parameters: Parameters = ()
    tests: tuple[Test, ...] = ()


def _view(view: View, viewer: Viewer) -> list[_Branch]:
    own = viewer.project_id
    public = _Branch((("visibility", "public"),), (equals("visibility", "public"),))
    community = _Branch((("visibility", "community"),), (equals("visibility", "community"),))
    # One listing for each visibility, because with an owner alone Glance also shows public images.
    private = [
        _Branch((("visibility", word), ("owner", own)), (equals("visibility", word), equals("owner", own)))
        for word in ("private", "shared")
        if own
    ]
    match view:
        case View.FEATURED:
            flag = (glance_key("featured_flag"), "true")
            return [_Branch((("visibility", "public"), flag), (equals("category", Category.FEATURED),))]
        case View.PUBLIC:
            return [public._replace(tests=(equals("category", Category.PUBLIC), *public.tests)), community]
        case View.PRIVATE:
            return private
        case View.SHARED | View.OFFERED:
            status = ShareStatus.ACCEPTED if view is View.SHARED else ShareStatus.PENDING
            shared = (("visibility", "shared"), ("member_status", status.value))
            return [_Branch(shared, (equals("visibility", "shared"), lambda image: image.owner != own))]
        case View.ALL if viewer.is_administrator:
            # For an administrator, visibility=all includes the images of every department (_select_images_query).
            return [public, community, *private]
        case View.ALL | View.EVERYTHING:
            return [_Branch((("visibility", "all"),))]


def _private_view(view: View, viewer: Viewer) -> list[_Branch]:
    """Return the part of a view that is neither public nor community."""
    if view in (View.FEATURED, View.PUBLIC):
        return []
    if view is View.ALL and not viewer.is_administrator:
        with_those_of_others = _Branch((("visibility", "shared"),), (equals("visibility", "shared"),))
        return [*_view(View.PRIVATE, viewer)[:1], with_those_of_others]
    return [branch for branch in _view(view, viewer) if dict(branch.parameters)["visibility"] not in EVERYBODYS]


def in_index(query: ImageQuery, names: Mapping[str, str], *, owners: Sequence[str] | None = None) -> Test:
    """Return the test for the images of a query that are public or community: one test for what `listings` splits."""
    tests = [is_one_of("visibility", EVERYBODYS), is_listed(query), *tests_of(query)]
    match query.view:
        case View.FEATURED:
            tests.append(equals("category", Category.FEATURED))
        case View.PUBLIC:
            tests.append(equals("category", Category.PUBLIC))
    if owners is not None:
        tests.append(is_one_of("owner", frozenset(owners)))
    search = searched(query.search, names)
    return all_of(tests if search is None else [*tests, search])


def an_index_helps(query: ImageQuery) -> bool:
    """Check whether a page may have to read many images for few matches, which Glance cannot filter.

    The kind image leaves out few images, and what Glance filters is never older than a request.
    """
    if not an_index_knows(query):
        return False
    return bool(query.search.strip()) or len(query.any_tags) > 1 or _evaluated_here(query, but_kind=True)


def an_index_knows(query: ImageQuery) -> bool:
    """Check whether an index can decide which public images match: it has neither hidden images nor snapshots."""
    return (
        query.view in (View.ALL, View.FEATURED, View.PUBLIC)
        and query.hidden is False
        and query.limit is None
        and not _SNAPSHOT_KEYS & query.properties.keys()
        and not any(needs_glance(key, value) for key, value in query.properties.items())
    )


EVERYBODYS = frozenset({"public", "community"})
_SNAPSHOT_KEYS = {vocabulary.SNAPSHOT_KEY, vocabulary.VOLUMES_MARK}


def _hidden(query: ImageQuery) -> list[_Branch]:
    """Ask for hidden images separately: Glance lists either these or the others (glance/api/v2/images.py, index)."""
    match query.hidden:
        case True:
            return [_Branch((("os_hidden", "true"),))]
        case False:
            return [_Branch()]
    return [_Branch((), (equals("hidden", False),)), _Branch((("os_hidden", "true"),), (equals("hidden", True),))]


def _hypervisors(query: ImageQuery) -> list[_Branch]:
    """Look for a virtualization technology in each property that may name it; the first that an image has counts."""
    wanted = query.hypervisor
    if not wanted:
        return [_Branch()]
    keys = vocabulary.HYPERVISOR_KEYS

    def decided_by(index: int) -> Test:
        return lambda image: not any(image.glance_property(key) for key in keys[:index])

    return [_Branch(((key, wanted),), (decided_by(index),) if index else ()) for index, key in enumerate(keys)]


def _owners(owners: Sequence[str] | None) -> list[_Branch]:
    """Ask for each department with the name."""
    if owners is None:
        return [_Branch()]
    return [_Branch((("owner", owner),), (equals("owner", owner),)) for owner in owners]


def _any_tags(query: ImageQuery) -> list[_Branch]:
    """Ask for each of the tags; the first that an image carries counts.

    A tag that Glance would not find as it is written leaves the others to be tested here, too. A database may find
    "Linux" for "linux" (MariaDB's usual collation), so that each listing is tested for its own tag.
    """
    tags = sorted(query.any_tags)
    if not 1 < len(tags) <= MOST_TAGS or not all(map(_is_found, tags)):
        return [_Branch()]

    def decided_by(index: int) -> Test:
        return lambda image: next((tag for tag in tags if tag in image.tags), None) == tags[index]

    return [_Branch((("tag", tag),), (decided_by(index),)) for index, tag in enumerate(tags)]


def _is_found(tag: str) -> bool:
    """Check whether Glance finds a tag as it is written; it strips what is asked (glance/api/v2/images.py, index)."""
    return bool(tag) and tag == tag.strip()


def _contradict(parameters: Sequence[tuple[str, str]]) -> bool:
    """Check whether nothing can match, for example with two owners."""
    return len(dict(parameters)) < len(set(parameters))


def _unique(parameters: Sequence[tuple[str, str]]) -> Parameters:
    """Keep the first value of a key, but every tag. Glance uses one value; the others are tested here."""
    kept: dict[tuple[str, str], tuple[str, str]] = {}
    for key, value in parameters:
        kept.setdefault((key, value if key == "tag" else ""), (key, value))
    return tuple(kept.values())


# ----------------------------------------------------------------- criteria that Glance evaluates


def _pushed(query: ImageQuery, order: Sorting, inactive: Sequence[str]) -> tuple[list[tuple[str, str]], Test | None]:
    """Return the parameters for everything that Glance can evaluate, the same for every listing of the query."""
    pushed = []
    if query.state is State.ACTIVE:
        pushed.append(("status", ACTIVE))
    elif query.state is State.INACTIVE and inactive:
        pushed.append(("status", f"in:{','.join(inactive)}"))
    pushed += _formats_pushed(_formats(query))
    pushed += [("tag", tag) for tag in sorted(_required_tags(query)) if _is_found(tag)]
    if query.name:
        # A colon would separate an operator from its value (glance/common/utils.py, split_filter_op).
        pushed.append(("name", f"eq:{query.name}" if ":" in query.name else query.name))
    pushed += [(glance_key(name), getattr(query, name)) for name in _TEXTS if getattr(query, name)]
    pushed += [(key, value) for key, value in sorted(query.properties.items()) if _is_a_property(key)]
    pushed += [(glance_key(name), "true") for name in _FLAGS if getattr(query, name)]
    if query.protected is not None:
        pushed.append(("protected", "true" if query.protected else "false"))
    if query.min_size is not None:
        pushed.append(("size_min", str(min(query.min_size, LARGEST_NUMBER))))
    if query.max_size is not None:
        pushed.append(("size_max", str(min(query.max_size, LARGEST_NUMBER))))
    ends = None
    for column in ("created_at", "updated_at"):
        bound, end = _time_bound(query, column, order)
        pushed += bound
        ends = ends or end
    return pushed, ends


def _asked_by(stored: Stored, *, without: str) -> tuple[str, ...]:
    asked = (field.name for field in FIELDS if field.stored is stored and field.name in ImageQuery.model_fields)
    return tuple(name for name in asked if name != without)


_TEXTS = _asked_by(Stored.TEXT, without="hypervisor")
"""Properties that are compared; a virtualization technology may be in other properties, too."""
_FLAGS = _asked_by(Stored.FLAG, without="bootable")
"""Flags that are false if they are absent (docs/decisions, 3)."""


def _is_a_property(key: str) -> bool:
    """Check whether Glance treats a parameter as a property; one that ends in "_min" or "_max" is a range."""
    return bool(key) and key not in _NO_PROPERTIES and not key.endswith(("_min", "_max"))


def _formats(query: ImageQuery) -> frozenset[str] | None:
    """Return the matching formats; None means any. Images without a format are of the kind image."""
    iso = frozenset({vocabulary.ISO_FORMAT})
    match query.kind:
        case Kind.ISO:
            return iso if query.formats is None else query.formats & iso
        case Kind.IMAGE if query.formats is not None:
            return query.formats - iso
    return query.formats


def _formats_pushed(formats: frozenset[str] | None) -> list[tuple[str, str]]:
    if formats is None:
        return []
    return [("disk_format", f"{'in:' if len(formats) > 1 else ''}{','.join(sorted(formats))}")]


def _required_tags(query: ImageQuery) -> frozenset[str]:
    """Return the tags that every match carries; of "any" of one tag, that tag is required."""
    return query.tags | (query.any_tags if len(query.any_tags) == 1 else frozenset())


def _time_bound(query: ImageQuery, column: str, order: Sorting) -> tuple[list[tuple[str, str]], Test | None]:
    """Return the bound of a time in whole seconds, as the API shows times.

    Glance uses one bound for each column, the last (_make_conditions_from_filters). If there are two bounds, the one
    that comes first in the order is sent, and the other ends the list.
    """
    word = column.removesuffix("_at")
    after: datetime | None = getattr(query, f"{word}_after")
    before: datetime | None = getattr(query, f"{word}_before")
    try:
        lower = None if after is None else f"gte:{_seconds(after, up=True)}"
        upper = None if before is None else f"lt:{_seconds(before + timedelta(seconds=1), up=False)}"
    except OverflowError:  # a time at the edge of the calendar: tested here alone
        return [], None
    if lower is None or upper is None:
        bound = lower or upper
        return ([(column, bound)] if bound else []), None
    first = order.columns[0]
    if first.name != column or after is None or before is None:
        return [(column, lower)], None
    if first.descending:
        return [(column, upper)], _beyond(column, before=after)
    return [(column, lower)], _beyond(column, after=before)


def _beyond(column: str, *, before: datetime | None = None, after: datetime | None = None) -> Test:
    def ends(image: Image) -> bool:
        time: datetime | None = getattr(image, column)
        return time is not None and ((before is not None and time < before) or (after is not None and time > after))

    return ends


def _seconds(time: datetime, *, up: bool) -> str:
    whole = time.astimezone(UTC).replace(microsecond=0)
    if up and time.microsecond:
        whole += timedelta(seconds=1)
    return whole.isoformat().replace("+00:00", "Z")


# ----------------------------------------------------------------- criteria that are tested here


def _evaluated_here(query: ImageQuery, *, but_kind: bool = False) -> bool:
    """Check whether Glance may return many images that do not match; ``but_kind`` ignores the kind."""
    return (
        query.lifecycle is not None
        or (query.kind is Kind.IMAGE and query.formats is None and not but_kind)
        or bool(query.no_tags)
        or any(getattr(query, f"{name}_contains") for name in CONTAINED)
        or query.bootable is not None
        or any(getattr(query, name) is False for name in _FLAGS)
        or any(getattr(query, name) == "" for name in ("name", "hypervisor", *_TEXTS))
        or any(not _is_a_property(key) for key in query.properties)
    )
