"""From a query to what Glance is asked, and to the test for what Glance cannot tell.

    >>> from hyperx_glance.filters import Viewer, listings
    >>> from hyperx_glance.models.browsing import ImageQuery
    >>> alice = Viewer(project_id="d1", is_administrator=False)
    >>> for listing in listings(ImageQuery(view="public", os_distro="ubuntu"), alice):
    ...     print(listing.parameters)
    (('visibility', 'public'), ('os_distro', 'ubuntu'))
    (('visibility', 'community'), ('os_distro', 'ubuntu'))

Pure functions. Glance has no "or" and no "not": a query that needs "or" is several listings, which never share an
image; "not" is evaluated here. What Glance filtered is checked again here, because databases differ in what they call
equal (MySQL's usual collation takes "Ubuntu" for "ubuntu").
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from typing import NamedTuple

from hyperx_glance import vocabulary
from hyperx_glance.errors import InvalidRequestError, NotAllowedError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image, is_volume_snapshot
from hyperx_glance.vocabulary import Category, Kind, Side, State, View

Test = Callable[[Image], bool]
Parameters = tuple[tuple[str, str], ...]
SortKey = tuple[object, ...]

LARGEST_NUMBER = 2**63 - 1
"""Glance's sizes are big integers; a larger bound is an error 500 in SQLite."""
GONE = ("deleted", "pending_delete")
"""Listings can show records in these states; they are no images any more."""

# A parameter of one of these names is not taken for a property: it is read by the API (glance/api/v2/images.py,
# RequestDeserializer.index), by the query builder (glance/db/sqlalchemy/api.py, _make_conditions_from_filters), or
# is an attribute of the model, whatever that is (glance/db/sqlalchemy/models.py, Image).
_NO_PROPERTIES = vocabulary.BASE_KEYS | {
    "limit", "marker", "member_status", "sort", "sort_key", "sort_dir", "tag", "changes-since", "properties",
    "locations", "members", "delete", "get", "items", "iteritems", "keys", "metadata", "next", "registry", "save",
    "to_dict", "update", "values",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Viewer:
    """Know who asks. ``names`` are the departments whose names the caller may know, for the quick search."""

    project_id: str
    is_administrator: bool
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """Describe one list: what Glance is asked, and which of its images count.

    ``exact`` tells that Glance gives little that does not count. ``ends`` recognises an image behind which no image of
    the list counts any more.
    """

    parameters: Parameters
    matches: Test
    exact: bool = True
    ends: Test | None = None


def check(query: ImageQuery, *, is_administrator: bool) -> None:
    """Refuse what nobody, or not this caller, may ask."""
    if query.view is View.EVERYTHING and not is_administrator:
        raise NotAllowedError(
            'The view "everything" is for administrators.', hint='Use the view "all": everything that you can launch.'
        )
    if query.view is View.SHARED and is_administrator:
        raise NotAllowedError(
            'The view "shared" tells an administrator nothing: Glance shows every shared image, members or not.',
            hint='Use the view "everything", with owner= for one department, or ask as a member of the department.',
        )
    for key in query.properties:
        if key in vocabulary.BASE_KEYS:
            raise InvalidRequestError(f"properties: {key} is no property but a column of Glance")


def listings(query: ImageQuery, viewer: Viewer, *, owners: Sequence[str] | None = None) -> list[Listing]:
    """Give the listings that together hold the answer, each image in one of them.

    ``owners`` are the ids of the departments that the criterion ``owner`` names; None where it is not given.
    """
    check(query, is_administrator=viewer.is_administrator)
    if query.limit == 0 or _formats(query) == frozenset():
        return []
    order = Order(query.sort)
    tests = [_listed(query), *_tests(query)]
    search = searched(query.search, viewer.names)
    if search is not None:
        tests.append(search)
    exact = search is None and not _evaluated_here(query)
    pushed, ends = _pushed(query, order)
    found = []
    for branches in itertools.product(_view(query.view, viewer), _hidden(query), _hypervisors(query), _owners(owners)):
        parameters = [pair for branch in branches for pair in branch.parameters]
        if _contradict(parameters):
            continue
        every = [*(test for branch in branches for test in branch.tests), *tests]
        found.append(Listing(_unique([*parameters, *pushed]), _all(every), exact=exact, ends=ends))
    return found


# ----------------------------------------------------------------- what needs several listings


class _Branch(NamedTuple):
    parameters: Parameters = ()
    tests: tuple[Test, ...] = ()


def _view(view: View, viewer: Viewer) -> list[_Branch]:
    own = viewer.project_id
    public = _Branch((("visibility", "public"),), (_is("visibility", "public"),))
    community = _Branch((("visibility", "community"),), (_is("visibility", "community"),))
    # One listing for each visibility, because Glance shows an owner also what is public.
    private = [
        _Branch((("visibility", word), ("owner", own)), (_is("visibility", word), _is("owner", own)))
        for word in ("private", "shared")
        if own
    ]
    match view:
        case View.FEATURED:
            flag = (vocabulary.glance_key("featured_flag"), "true")
            return [_Branch((("visibility", "public"), flag), (_is("category", Category.FEATURED),))]
        case View.PUBLIC:
            return [public._replace(tests=(_is("category", Category.PUBLIC), *public.tests)), community]
        case View.PRIVATE:
            return private
        case View.SHARED:
            shared = (("visibility", "shared"), ("member_status", "accepted"))
            return [_Branch(shared, (_is("visibility", "shared"), lambda image: image.owner != own))]
        case View.ALL if viewer.is_administrator:
            # To an administrator visibility=all shows every department's (_select_images_query).
            return [public, community, *private]
        case View.ALL | View.EVERYTHING:
            return [_Branch((("visibility", "all"),))]


def _hidden(query: ImageQuery) -> list[_Branch]:
    """Ask for hidden images beside the others: Glance gives one or the other (glance/api/v2/images.py, index)."""
    match query.hidden:
        case True:
            return [_Branch((("os_hidden", "true"),))]
        case False:
            return [_Branch()]
    return [_Branch((), (_is("hidden", False),)), _Branch((("os_hidden", "true"),), (_is("hidden", True),))]


def _hypervisors(query: ImageQuery) -> list[_Branch]:
    """Look for a virtualization technology in each of the properties that may name it, the first that does counts."""
    wanted = query.hypervisor
    if not wanted:
        return [_Branch()]
    keys = HYPERVISOR_KEYS

    def decided_by(index: int) -> Test:
        return lambda image: not any(image.glance_property(key) for key in keys[:index])

    return [_Branch(((key, wanted),), (decided_by(index),) if index else ()) for index, key in enumerate(keys)]


HYPERVISOR_KEYS = (vocabulary.glance_key("hypervisor"), "hypervisor_type", "img_hv_type")


def _owners(owners: Sequence[str] | None) -> list[_Branch]:
    """Ask for each department of the name."""
    if owners is None:
        return [_Branch()]
    return [_Branch((("owner", owner),), (_is("owner", owner),)) for owner in owners]


def _contradict(parameters: Sequence[tuple[str, str]]) -> bool:
    """Tell whether nothing can match, such as two owners."""
    return len(dict(parameters)) < len(set(parameters))


def _unique(parameters: Sequence[tuple[str, str]]) -> Parameters:
    """Keep the first value of a key, but every tag: Glance takes one value, and the others are tested here."""
    kept: dict[tuple[str, str], tuple[str, str]] = {}
    for key, value in parameters:
        kept.setdefault((key, value if key == "tag" else ""), (key, value))
    return tuple(kept.values())


# ----------------------------------------------------------------- what Glance evaluates


def _pushed(query: ImageQuery, order: "Order") -> tuple[list[tuple[str, str]], Test | None]:
    """Write as parameters all that Glance can evaluate for every listing of the query."""
    pushed = []
    if query.state is State.ACTIVE:
        pushed.append(("status", "active"))
    pushed += _formats_pushed(_formats(query))
    pushed += [("tag", tag) for tag in sorted(_required_tags(query)) if tag and tag == tag.strip()]
    if query.name:
        # A colon would part an operator from its value (glance/common/utils.py, split_filter_op).
        pushed.append(("name", f"eq:{query.name}" if ":" in query.name else query.name))
    for name in EQUAL_PROPERTIES:
        value = getattr(query, name)
        if value:
            pushed.append((vocabulary.glance_key(name), value))
    pushed += [(key, value) for key, value in sorted(query.properties.items()) if _is_a_property(key)]
    if query.password_enabled:
        pushed.append((vocabulary.glance_key("password_enabled"), "true"))
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


EQUAL_PROPERTIES = ("os_distro", "os_version", "os_type", "architecture", "created_by")


def _is_a_property(key: str) -> bool:
    """Tell whether Glance takes a parameter of this name for a property; "_min" and "_max" make a range of it."""
    return bool(key) and key not in _NO_PROPERTIES and not key.endswith(("_min", "_max"))


def _formats(query: ImageQuery) -> frozenset[str] | None:
    """Give the formats that count; None for any. Images without a format are of the kind image."""
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
    """Give the tags that every match carries; one that must be there at least is as good as all."""
    return query.tags | (query.any_tags if len(query.any_tags) == 1 else frozenset())


def _time_bound(query: ImageQuery, column: str, order: "Order") -> tuple[list[tuple[str, str]], Test | None]:
    """Write a bound of a time as whole seconds, as the API shows times.

    Glance takes one bound of each column (of several parameters of a name the last counts,
    _make_conditions_from_filters). Of two the one is sent that comes first in the order, and the other ends the list.
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
        time = _aware(getattr(image, column))
        return time is not None and ((before is not None and time < before) or (after is not None and time > after))

    return ends


def _seconds(time: datetime, *, up: bool) -> str:
    whole = time.astimezone(UTC).replace(microsecond=0)
    if up and time.microsecond:
        whole += timedelta(seconds=1)
    return whole.isoformat().replace("+00:00", "Z")


# ----------------------------------------------------------------- what is tested here


def _evaluated_here(query: ImageQuery) -> bool:
    """Tell whether Glance gives many images that do not count."""
    return (
        query.state is State.INACTIVE
        or (query.kind is Kind.IMAGE and query.formats is None)
        or len(query.any_tags) > 1
        or bool(query.no_tags or query.name_contains or query.description_contains or query.os_name_contains)
        or query.bootable is not None
        or query.password_enabled is False
        or any(getattr(query, name) == "" for name in ("name", "hypervisor", *EQUAL_PROPERTIES))
        or any(not _is_a_property(key) for key in query.properties)
    )


def _listed(query: ImageQuery) -> Test:
    """Make the test that every image of every view passes: it exists, and is a snapshot or hidden only if asked for."""
    key, snapshot, volumes = vocabulary.SNAPSHOT_KEY, vocabulary.SNAPSHOT_VALUE, vocabulary.VOLUMES_KEY
    wants_snapshots = query.properties.get(key) == snapshot
    wants_volumes = vocabulary.VOLUMES_MARK in query.properties
    hidden = query.hidden

    def listed(image: Image) -> bool:
        properties = image.model_extra or {}
        return (
            image.glance_status not in GONE
            and (hidden is None or image.hidden is hidden)
            and (wants_snapshots or properties.get(key) != snapshot)
            and (wants_volumes or volumes not in properties or not is_volume_snapshot(image))
        )

    return listed


def _tests(query: ImageQuery) -> list[Test]:
    """Make one test for each criterion, whether Glance evaluates it or not."""
    tests: list[Test] = [_is(name, getattr(query, name)) for name in EQUAL_CRITERIA if getattr(query, name) is not None]
    if query.formats is not None:
        tests.append(_in("disk_format", query.formats))
    tests += _tag_tests(query)
    tests += [_holds(key, value) for key, value in query.properties.items()]
    for name in ("name", "description", "os_name"):
        part = fold(getattr(query, f"{name}_contains"))
        if part:
            tests.append(_contains(name, part))
    if query.min_size is not None or query.max_size is not None:
        tests.append(_within("size", query.min_size, query.max_size))
    for word in ("created", "updated"):
        after, before = getattr(query, f"{word}_after"), getattr(query, f"{word}_before")
        if after is not None or before is not None:
            tests.append(_during(f"{word}_at", after, before))
    return tests


EQUAL_CRITERIA = (
    "name", *EQUAL_PROPERTIES, "hypervisor", "password_enabled", "bootable", "protected", "kind", "state",
)  # fmt: skip


def _all(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def matches(image: Image) -> bool:
        for test in tests:  # noqa: SIM110  # all() makes a generator for each image
            if not test(image):
                return False
        return True

    return matches


def _is(name: str, value: object) -> Test:
    return lambda image: getattr(image, name) == value


def _in(name: str, values: frozenset[str]) -> Test:
    return lambda image: getattr(image, name) in values


def _contains(name: str, part: str) -> Test:
    return lambda image: part in fold(getattr(image, name))


def _tag_tests(query: ImageQuery) -> Iterator[Test]:
    wanted, some, unwanted = query.tags, query.any_tags, query.no_tags
    if wanted:
        yield lambda image: wanted.issubset(image.tags)
    if some:
        yield lambda image: not some.isdisjoint(image.tags)
    if unwanted:
        yield lambda image: unwanted.isdisjoint(image.tags)


def _holds(key: str, value: str) -> Test:
    """Test a property, which `Image` holds as a field of its own or among the others.

    Flags were read as booleans: their other texts are for Glance to compare.
    """
    name = _FIELD_OF_KEY.get(key)
    if name is None:
        return lambda image: (image.model_extra or {}).get(key) == value
    if name in _FLAGS:
        return _is(name, value == "true")
    return _is(name, value)


_FIELD_OF_KEY = {vocabulary.glance_key(name): name for name in Image.model_fields}
_FLAGS = ("password_enabled", "bootable")


def _within(name: str, least: int | None, most: int | None) -> Test:
    def test(image: Image) -> bool:
        number = getattr(image, name)
        return number is not None and (least is None or number >= least) and (most is None or number <= most)

    return test


def _during(name: str, after: datetime | None, before: datetime | None) -> Test:
    def test(image: Image) -> bool:
        time = _aware(getattr(image, name))
        return time is not None and (after is None or time >= after) and (before is None or time <= before)

    return test


def _aware(time: datetime | None) -> datetime | None:
    """Take a time that names no zone for UTC, as Glance's are."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


# ----------------------------------------------------------------- search


def fold(text: str) -> str:
    """Make texts alike that differ in case, width or compatibility form only."""
    return unicodedata.normalize("NFKC", text).casefold()


def searched(search: str, names: Mapping[str, str]) -> Test | None:
    """Make the test of the quick search; None where nothing is sought.

    Every word must occur somewhere, or begin the state, or, from 8 characters on, begin the id: shorter ones would find
    random ids.
    """
    words = fold(search).split()
    if not words:
        return None

    def found(image: Image) -> bool:
        # The newline keeps a word from being found across two texts; folding all at once is what makes this fast.
        texts = (
            image.name,
            image.description,
            image.disk_format,
            names.get(image.owner, ""),
            image.os_name,
            image.hypervisor,
            *image.tags,
        )
        haystack = fold("\n".join(texts))
        return all(word in haystack or _begins(image, word) for word in words)

    return found


def _begins(image: Image, word: str) -> bool:
    return image.state.lower().startswith(word) or (len(word) >= 8 and image.id.lower().startswith(word))


# ----------------------------------------------------------------- order


class Column(NamedTuple):
    """Name a column of `Image` to sort by."""

    name: str
    descending: bool


@total_ordering
class _Backwards:
    """Order texts from the last to the first."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.text == other.text

    def __lt__(self, other: "_Backwards") -> bool:
        return other.text < self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Order:
    """Order images: as Glance is told to, and again here.

    The API shows whole seconds, the database orders by microseconds, so that images of one second come in an order that
    nobody can see. ``neighbours`` tells which; here the other columns order them. The id comes last of the columns: no
    two images are equal.
    """

    def __init__(self, sort: Sequence[str]) -> None:
        columns: dict[str, Column] = {}
        for text in (*sort, "id"):
            name = text.removeprefix("-")
            columns.setdefault(name, Column(name, descending=text.startswith("-")))
            if name == "id":
                break
        self.columns = tuple(columns.values())
        self.neighbours = _neighbours(list(columns))

    @property
    def parameter(self) -> str:
        """Give the value of Glance's ``sort``."""
        return ",".join(
            f"{vocabulary.glance_key(name)}:{'desc' if descending else 'asc'}" for name, descending in self.columns
        )

    def key(self, image: Image) -> SortKey:
        """Give what orders an image among others."""
        return tuple(_sortable(getattr(image, name), descending=descending) for name, descending in self.columns)


def _neighbours(names: Sequence[str]) -> Callable[[Image, Image], bool] | None:
    """Make the test for neighbours whose order is not certain: equal up to the first time; None where there is none."""
    times = [number for number, name in enumerate(names) if name.endswith("_at")]
    if not times:
        return None
    *shared, column = names[: times[0] + 1]

    def neighbours(image: Image, other: Image) -> bool:
        time, other_time = getattr(image, column), getattr(other, column)
        if time is not None and other_time is not None and time.second != other_time.second:
            return False  # pydantic gives each time a zone of its own, and to compare such times takes long
        return time == other_time and all(getattr(image, name) == getattr(other, name) for name in shared)

    return neighbours


def _sortable(value: object, *, descending: bool) -> object:
    if isinstance(value, str):
        return _Backwards(value) if descending else value
    seconds = 0.0
    if isinstance(value, datetime):
        seconds = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return -seconds if descending else seconds


# ----------------------------------------------------------------- for the documentation


class Criterion(NamedTuple):
    """Tell for the documentation where a field of `ImageQuery` is evaluated."""

    side: Side
    glance: str
    here: str = ""


_KEY = vocabulary.glance_key
CRITERIA: Mapping[str, Criterion] = {
    "view": Criterion(
        Side.GLANCE,
        "visibility=, owner=, member_status=accepted, hyperx_featured=true; one listing for each visibility",
        'a public image that is featured is not in the view "public"',
    ),
    "kind": Criterion(Side.GLANCE, "iso: disk_format=iso", 'image: Glance has no "other than"'),
    "state": Criterion(Side.GLANCE, "ACTIVE: status=active", 'INACTIVE: Glance has no "other than"'),
    "formats": Criterion(Side.GLANCE, "disk_format=qcow2, disk_format=in:qcow2,raw"),
    "tags": Criterion(Side.GLANCE, "tag=, once for each"),
    "any_tags": Criterion(Side.GLANCE, "a single one: tag=", 'several: Glance has no "or"'),
    "no_tags": Criterion(Side.HERE, "", 'Glance has no "not"'),
    "search": Criterion(Side.HERE, "", "Glance finds no parts of words"),
    "name": Criterion(Side.GLANCE, "name=, with a colon in it name=eq:", "the empty name, which may be null"),
    "os_distro": Criterion(Side.GLANCE, f"{_KEY('os_distro')}=", "the empty text, which may be absent"),
    "os_version": Criterion(Side.GLANCE, f"{_KEY('os_version')}=", "the empty text, which may be absent"),
    "os_type": Criterion(Side.GLANCE, f"{_KEY('os_type')}=", "the empty text, which may be absent"),
    "hypervisor": Criterion(
        Side.GLANCE,
        "one listing each: " + "=, ".join(HYPERVISOR_KEYS) + "=",
        "the empty text, which may be absent",
    ),
    "architecture": Criterion(Side.GLANCE, f"{_KEY('architecture')}=", "the empty text, which may be absent"),
    "owner": Criterion(Side.GLANCE, "owner=, one listing for each department of the name"),
    "created_by": Criterion(Side.GLANCE, f"{_KEY('created_by')}=", "the empty text, which may be absent"),
    "properties": Criterion(
        Side.GLANCE, "key=value", "keys that Glance takes for something else: _min or _max at the end, sort, limit..."
    ),
    "name_contains": Criterion(Side.HERE, "", "Glance finds no parts of words"),
    "description_contains": Criterion(Side.HERE, "", "Glance finds no parts of words"),
    "os_name_contains": Criterion(Side.HERE, "", "Glance finds no parts of words"),
    "password_enabled": Criterion(
        Side.GLANCE, f"true: {_KEY('password_enabled')}=true", "false: absent or any other text"
    ),
    "bootable": Criterion(Side.HERE, "", "true: also where it is absent; false: any other text"),
    "protected": Criterion(Side.GLANCE, "protected=true, protected=false"),
    "hidden": Criterion(Side.GLANCE, "os_hidden=true; one listing each for both"),
    "min_size": Criterion(Side.GLANCE, "size_min="),
    "max_size": Criterion(Side.GLANCE, "size_max="),
    "created_after": Criterion(Side.GLANCE, "created_at=gte:, whole seconds", _ONE_BOUND := "the second bound of two"),
    "created_before": Criterion(Side.GLANCE, "created_at=lt:, whole seconds", _ONE_BOUND),
    "updated_after": Criterion(Side.GLANCE, "updated_at=gte:, whole seconds", _ONE_BOUND),
    "updated_before": Criterion(Side.GLANCE, "updated_at=lt:, whole seconds", _ONE_BOUND),
    "sort": Criterion(Side.GLANCE, "sort=, the id last", "the order of images of the same second"),
    "limit": Criterion(Side.GLANCE, "limit=, one more than wanted", "the end of the list"),
}
