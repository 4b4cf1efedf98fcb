"""Counts of images by their fields, in one pass.

>>> from hyperx_glance.models.image import Image
>>> from hyperx_glance.browsing.summary import summarized
>>> found = summarized([Image(id="42", disk_format="iso", size=5, tags=("linux",)), Image(id="43", disk_format="raw")])
>>> found.total, found.bytes, found.by_format, found.by_tag
(2, 5, {'iso': 1, 'raw': 1}, {'linux': 1})

No image is kept in memory, only one number for each value that occurs.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from hyperx_glance.models.image import Image
from hyperx_glance.models.results import Summary
from hyperx_glance.vocabulary import Category, Kind, State


class Counted(NamedTuple):
    """What is counted of an image; an index has it without the whole image."""

    size: int | None
    category: Category
    kind: Kind
    state: State
    disk_format: str
    os_name: str
    owner: str
    tags: tuple[str, ...]


def summarized(images: Iterable[Image | Counted]) -> Summary:
    """Count the images by each field."""
    total = size = 0
    categories = Counter[Category](dict.fromkeys(Category, 0))
    kinds = Counter[Kind](dict.fromkeys(Kind, 0))
    states = Counter[State](dict.fromkeys(State, 0))
    formats, systems, tags, owners = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for image in images:
        total += 1
        size += image.size or 0
        categories[image.category] += 1
        kinds[image.kind] += 1
        states[image.state] += 1
        formats[image.disk_format] += 1
        systems[image.os_name] += 1
        owners[image.owner] += 1
        tags.update(set(image.tags))
    return Summary(
        total=total,
        bytes=size,
        by_category=dict(categories),
        by_kind=dict(kinds),
        by_state=dict(states),
        by_format=_most_first(formats),
        by_os=_most_first(systems),
        by_tag=_most_first(tags),
        by_owner=_most_first(owners),
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
