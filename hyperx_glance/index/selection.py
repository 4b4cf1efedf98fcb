"""From a query to SQL over the index, which finds few images that may match; the query's own test decides.

>>> from hyperx_glance.index.selection import narrowed
>>> from hyperx_glance.models.browsing import ImageQuery
>>> narrowed(ImageQuery(name_contains="DEB"), {})
(['listed', 'instr(haystack, ?)'], ['deb'])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from hyperx_glance.browsing.cursors import Place
from hyperx_glance.browsing.matching import CONTAINED, LONG_WORD, fold
from hyperx_glance.browsing.sorting import Sorting, SortKey
from hyperx_glance.index.store import BETWEEN_TAGS, escaped
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.vocabulary import Category, State, View

Few = Callable[[Sequence[str]], list[int] | None]
_Elsewhere = tuple[list[str], list[State], bool]
_OF_IDS = frozenset("0123456789abcdef-")
"""The characters of a UUID in small letters; Glance takes no other ids."""
_CATEGORIES = {View.FEATURED: Category.FEATURED, View.PUBLIC: Category.PUBLIC}
_DECIDED = frozenset({"view", "kind", "state", "formats", "sort"})
"""The criteria that the conditions of `narrowed` decide by themselves."""


def decides(query: ImageQuery) -> bool:
    """Check whether the conditions of `narrowed` select exactly the images that match, and no record must be read."""
    return all(
        getattr(query, name) == field.default for name, field in ImageQuery.model_fields.items() if name not in _DECIDED
    )


def selected(
    query: ImageQuery, names: Mapping[str, str], order: Sorting | None, place: Place | None, few: Few
) -> tuple[str, list[object]]:
    """Return the SQL that selects the numbers of images behind a place, in order, and its values.

    ``few`` returns the numbers among which the images with some parts in their text are, if they are few.
    """
    words = {word: _elsewhere(word, names) for word in fold(query.search).split()}
    conditions, values = narrowed(query, words)
    numbers = few([*_contained(query), *(word for word, elsewhere in words.items() if not any(elsewhere))])
    if numbers is not None:
        conditions.append("number IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(numbers))
    if order is not None and place is not None:
        condition, more = _behind(order, order.read(place.beside), included=place.included)
        conditions.append(condition)
        values += more
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if order is None:
        return f"SELECT number FROM images{where}", values  # noqa: S608  # conditions of this file
    columns = ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name, descending in order.columns)
    return f"SELECT number FROM images{where} ORDER BY {columns}", values  # noqa: S608  # as above


def narrowed(query: ImageQuery, words: Mapping[str, _Elsewhere]) -> tuple[list[str], list[object]]:
    """Return conditions that every matching image meets, and their values; ``words`` are those of the search."""
    pairs: list[tuple[str, list[object]]] = [("listed", [])]
    if query.view in _CATEGORIES:
        pairs.append(("category = ?", [str(_CATEGORIES[query.view])]))
    if query.state is not None:
        pairs.append(_of_state(query.state))
    if query.kind is not None:
        pairs.append(("kind = ?", [str(query.kind)]))
    if query.formats is not None:
        pairs.append((f"disk_format IN ({_places(query.formats)})", [*query.formats]))
    if query.name is not None:
        pairs.append(("name = ?", [query.name]))
    pairs += [("instr(haystack, ?)", [part]) for part in _contained(query)]
    pairs += [("instr(tags, ?)", [_tag(tag)]) for tag in query.tags]
    pairs += [("NOT instr(tags, ?)", [_tag(tag)]) for tag in query.no_tags]
    if query.any_tags:
        some = " OR ".join(["instr(tags, ?)"] * len(query.any_tags))
        pairs.append((f"({some})", [_tag(tag) for tag in query.any_tags]))
    pairs += [_of_word(word, elsewhere) for word, elsewhere in words.items()]
    return [condition for condition, _ in pairs], [value for _, values in pairs for value in values]


def _contained(query: ImageQuery) -> list[str]:
    return [fold(part) for name in CONTAINED if (part := getattr(query, f"{name}_contains"))]


def _tag(tag: str) -> str:
    return f"{BETWEEN_TAGS}{escaped(tag)}{BETWEEN_TAGS}"


def _of_word(word: str, elsewhere: _Elsewhere) -> tuple[str, list[object]]:
    """Return the condition for a word of the quick search (matching.searched)."""
    pairs: list[tuple[str, list[object]]] = [("instr(haystack, ?)", [word])]
    owners, states, id_begins = elsewhere
    if owners:
        pairs.append((f"owner IN ({_places(owners)})", [*owners]))
    pairs += [_of_state(state) for state in states]
    if id_begins:
        pairs.append(("lower(substr(id, 1, ?)) = ?", [len(word), word]))
    return f"({' OR '.join(condition for condition, _ in pairs)})", [value for _, values in pairs for value in values]


def _elsewhere(word: str, names: Mapping[str, str]) -> _Elsewhere:
    """Return the owners and states that a word names, and whether an id may begin with it."""
    owners = [owner for owner, name in names.items() if word in fold(name)]
    states = [state for state in State if state.lower().startswith(word)]
    return owners, states, len(word) >= LONG_WORD and not set(word) - _OF_IDS


def _of_state(state: State) -> tuple[str, list[object]]:
    return "state = ?", [str(state)]


def _places(values: Sequence[str] | frozenset[str]) -> str:
    return ", ".join("?" * len(values))


def _behind(order: Sorting, key: SortKey, *, included: bool) -> tuple[str, list[object]]:
    """Return the condition for images behind a place: the first column that differs decides."""
    columns = order.columns
    marks = order.plain(key)
    alternatives: list[str] = []
    values: list[object] = []
    for number, (name, descending) in enumerate(columns):
        same = [f"{columns[earlier].name} = ?" for earlier in range(number)]
        alternatives.append(" AND ".join([*same, f"{name} {'<' if descending else '>'} ?"]))
        values += marks[: number + 1]
    if included:
        alternatives.append(" AND ".join(f"{name} = ?" for name, _ in columns))
        values += marks
    return f"({' OR '.join(f'({each})' for each in alternatives)})", values
