"""The order of images, for Glance and for sorting here.

>>> from hyperx_glance.browsing.sorting import Sorting
>>> Sorting(["-created_at"]).parameter
'created_at:desc,id:asc'
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import total_ordering
from typing import NamedTuple

from hyperx_glance.models.image import Image
from hyperx_glance.vocabulary import glance_key

SortKey = tuple[object, ...]


class Column(NamedTuple):
    """A column of `Image` to sort by."""

    name: str
    descending: bool


@total_ordering
class _Backwards:
    """A string that sorts in descending order."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.text == other.text

    def __lt__(self, other: "_Backwards") -> bool:
        return other.text < self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Sorting:
    """An order of images, for Glance and for sorting here.

    The API shows whole seconds, but the database sorts by microseconds. So the API does not show the order of images of
    one second; ``neighbours`` is the test for them, and here they are sorted by the other columns. The id is always the
    last column, so no two images are equal.
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

    def reversed(self) -> "Sorting":
        """Return the order that has the same images the other way round."""
        return Sorting([name if descending else f"-{name}" for name, descending in self.columns])

    @property
    def parameter(self) -> str:
        """The value of Glance's parameter ``sort``."""
        return ",".join(f"{glance_key(name)}:{'desc' if descending else 'asc'}" for name, descending in self.columns)

    def key(self, image: Image) -> SortKey:
        """Return the key by which an image is sorted."""
        return tuple(_sortable(getattr(image, name), descending=descending) for name, descending in self.columns)

    # ------------------------------------------------------------- the place of an image, written down

    @property
    def begins_with_time(self) -> bool:
        """Whether the first column is a time, which Glance can filter by."""
        return self.columns[0].name.endswith("_at")

    def written(self, image: Image) -> tuple[str, ...]:
        """Return the sorting values of an image as strings for a cursor."""
        values = [getattr(image, name) for name, _ in self.columns]
        return tuple(value.isoformat() if isinstance(value, datetime) else value or "" for value in values)

    def read(self, texts: Sequence[str]) -> SortKey:
        """Return the key for strings from `written`; raise ValueError for other strings."""
        return tuple(
            _sortable(_value(name, text), descending=descending)
            for (name, descending), text in zip(self.columns, texts, strict=True)
        )

    def plain(self, key: SortKey) -> list[str | float]:
        """Return the values of a key as a database would compare them in the directions of the columns."""
        values: list[str | float] = []
        for (_, descending), value in zip(self.columns, key, strict=True):
            match value:
                case _Backwards():
                    values.append(value.text)
                case float():  # a time
                    values.append(-value if descending else value)
                case str():
                    values.append(value)
        return values

    def together(self, key: SortKey, other: SortKey) -> bool:
        """Check whether the API hides the order of two images: they are equal up to the first time, or everywhere."""
        times = [number for number, (name, _) in enumerate(self.columns) if name.endswith("_at")]
        shared = times[0] + 1 if times else len(self.columns)
        return key[:shared] == other[:shared]


def _neighbours(names: Sequence[str]) -> Callable[[Image, Image], bool] | None:
    """Return the test for neighbours whose order is hidden, equal up to the first time; None if no column is a time."""
    times = [number for number, name in enumerate(names) if name.endswith("_at")]
    if not times:
        return None
    *shared, column = names[: times[0] + 1]

    def neighbours(image: Image, other: Image) -> bool:
        time, other_time = getattr(image, column), getattr(other, column)
        if time is not None and other_time is not None and time.second != other_time.second:
            return False  # each time has its own zone object from pydantic, so comparing whole times is slow
        return time == other_time and all(getattr(image, name) == getattr(other, name) for name in shared)

    return neighbours


def _value(name: str, text: str) -> str | datetime | None:
    if not name.endswith("_at"):
        return text
    time = datetime.fromisoformat(text) if text else None
    if time is not None and time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time


def _sortable(value: str | datetime | None, *, descending: bool) -> object:
    if isinstance(value, str):
        return _Backwards(value) if descending else value
    seconds = value.timestamp() if value else 0.0
    return -seconds if descending else seconds
