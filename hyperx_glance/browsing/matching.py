"""The tests of a query for images: one for each criterion, even if Glance evaluates it, and the quick search.

>>> from hyperx_glance.browsing.matching import all_of, fold, tests_of
>>> from hyperx_glance.models.browsing import ImageQuery
>>> from hyperx_glance.models.image import Image
>>> all_of(tests_of(ImageQuery(name_contains="DEB")))(Image(id="7c1", name="debian"))
True
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from hyperx_glance import vocabulary
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import NAME_OF_KEY, Image
from hyperx_glance.models.record import GONE, is_volume_snapshot
from hyperx_glance.models.times import Time
from hyperx_glance.vocabulary import BY_NAME, FIELDS, Stored

Test = Callable[[Image], bool]

LONG_WORD = 8
"""The number of characters from which a word of the quick search is looked for in ids."""


def is_listed(query: ImageQuery) -> Test:
    """Return the test for every view: an image exists, and is a snapshot or hidden only if the query asks for that."""
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


def tests_of(query: ImageQuery) -> list[Test]:
    """Return one test for each criterion, even if Glance evaluates it."""
    tests = [equals(name, value) for name, value in zip(_EQUAL, _equal(query), strict=True) if value is not None]
    if query.formats is not None:
        tests.append(is_one_of("disk_format", query.formats))
    tests += _tag_tests(query)
    tests += [_holds(key, value) for key, value in query.properties.items()]
    for name in CONTAINED:
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


CONTAINED = tuple(name.removesuffix("_contains") for name in ImageQuery.model_fields if name.endswith("_contains"))
_EQUAL = tuple(
    name
    for name in ImageQuery.model_fields
    if name in BY_NAME.keys() - {"tags", "owner", "hidden"} | {"kind", "state", "lifecycle"}
)
_equal = attrgetter(*_EQUAL)


def all_of(tests: Sequence[Test]) -> Test:
    """Return the test that an image passes if it passes all of these."""
    if len(tests) == 1:
        return tests[0]

    def matches(image: Image) -> bool:
        for test in tests:  # noqa: SIM110  # all() makes a generator for each image
            if not test(image):
                return False
        return True

    return matches


def equals(name: str, value: object) -> Test:
    """Return the test that a field has this value."""
    return lambda image: getattr(image, name) == value


def is_one_of(name: str, values: frozenset[str]) -> Test:
    """Return the test that a field has one of these values."""
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


_TIMES = frozenset(name for name, field in Image.model_fields.items() if field.annotation == Time | None)


def needs_glance(key: str, value: str) -> bool:
    """Check whether only Glance knows if a property has a value: fields hide absence, and odd texts."""
    name = NAME_OF_KEY.get(key)
    return name is not None and (not value or BY_NAME[name].stored is Stored.FLAG or name in _TIMES)


def _holds(key: str, value: str) -> Test:
    """Return the test for a property, which is a field of `Image` or one of its other properties.

    Flags were read as booleans, and times as times, so the texts of times and other values of flags are compared only
    by Glance.
    """
    name = NAME_OF_KEY.get(key)
    if name is None:
        return lambda image: (image.model_extra or {}).get(key) == value
    if name in _TIMES:
        return lambda _: True
    return equals(name, value == "true" if BY_NAME[name].stored is Stored.FLAG else value)


def _within(name: str, least: int | None, most: int | None) -> Test:
    def test(image: Image) -> bool:
        number = getattr(image, name)
        return number is not None and (least is None or number >= least) and (most is None or number <= most)

    return test


def _during(name: str, after: datetime | None, before: datetime | None) -> Test:
    def test(image: Image) -> bool:
        time: datetime | None = getattr(image, name)
        return time is not None and (after is None or time >= after) and (before is None or time <= before)

    return test


# ----------------------------------------------------------------- search


def fold(text: str) -> str:
    """Return a string without differences in case, width and compatibility form."""
    return unicodedata.normalize("NFKC", text).casefold()


def searched(search: str, names: Mapping[str, str]) -> Test | None:
    """Return the test of the quick search, or None if the search is empty.

    Every word must occur somewhere, or be the beginning of the state or, if it is long, of the id.
    Shorter words would match random ids.
    """
    words = fold(search).split()
    if not words:
        return None

    def found(image: Image) -> bool:
        texts = haystack(image, names.get(image.owner, ""))
        return all(word in texts or _begins(image, word) for word in words)

    return found


def haystack(image: Image, *more: str) -> str:
    """Return what the quick search looks at, folded.

    The newline keeps a word from matching across two strings. Folding all of them at once is fast.
    """
    return fold("\n".join((*_searched(image), *more, *image.tags)))


_searched = attrgetter(*(field.name for field in FIELDS if field.searched and field.name != "tags"))


def _begins(image: Image, word: str) -> bool:
    return image.state.lower().startswith(word) or (len(word) >= LONG_WORD and image.id.lower().startswith(word))
