"""Releases of image families: their ids, their order, and their names.

>>> from hyperx_glance.models.releases import release_id, version_order
>>> release_id("d1", "debian-12", "12.9", 0)
'...'
>>> sorted(["12.10", "12.9", "12.10~rc1"], key=version_order)
['12.9', '12.10~rc1', '12.10']

A record is a release only if its id is the one that `release_id` returns for its own owner, family and version. Nova
and Cinder copy an image's properties to the snapshots of its servers and volumes, and anybody may write them into a
record of their own, but Glance takes an id only once (docs/decisions, 110).
"""

import re
import uuid
from collections.abc import Iterable
from datetime import datetime

from hyperx_glance.models.image import Image
from hyperx_glance.models.record import glance_keys
from hyperx_glance.texts import NO_TEXT, Text, say
from hyperx_glance.vocabulary import Lifecycle, glance_key

MOST_IDS = 64
"""The ids of one version. Glance never takes the id of a deleted image again, so each failed release uses up one."""
LONGEST_TITLE = 252
"""The longest name and version together, since Glance takes 255 characters, and the version is in parentheses."""
MARKS = ("deprecated_at", "obsolete_at", "replacement")
"""The fields that a deprecation writes."""
_NAMESPACE = uuid.UUID("b66982e0-bc8c-4be8-b6fa-2a36dc5d3d0c")
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]{0,63}")
_PARTS = re.compile(r"([0-9]+)|(~)|([^0-9~]+)")
_RELEASE_NAME = glance_key("release_name")
_BEFORE_THE_END, _END, _NUMBER, _LETTERS = range(4)


def is_release_word(value: object) -> Text:
    """Accept the name of a family, or a version: 1 to 64 letters, digits and "._+~-", a letter or a digit first."""
    if not isinstance(value, str):
        return say("must-be-some-string")
    return NO_TEXT if _WORD.fullmatch(value) else say("must-be-a-release-word")


def release_id(project_id: str, family: str, version: str, number: int) -> str:
    """Return an id of a version; ``number`` counts the ids that were used up before."""
    return str(uuid.uuid5(_NAMESPACE, f"{project_id}/{family}/{version}#{number}"))


def is_of(image: Image, project_id: str, family: str, version: str) -> bool:
    """Check whether a record that has an id of this version is this version, and not somebody else's record."""
    return (image.owner, image.family, image.version) == (project_id, family, version)


def is_release(image: Image) -> bool:
    """Check whether a record was made by a release, whether or not it is released by now; a copy was not."""
    if not (_WORD.fullmatch(image.family) and _WORD.fullmatch(image.version)):
        return False
    numbers = range(MOST_IDS)
    return any(image.id == release_id(image.owner, image.family, image.version, number) for number in numbers)


def is_released(image: Image) -> bool:
    """Check whether a record is a release that was published."""
    return image.released_at is not None and is_release(image)


def version_order(version: str) -> tuple[tuple[int, int | str], ...]:
    """Return the key of the natural order: digits are numbers; "~" sorts before the end, as in Debian."""
    parts: list[tuple[int, int | str]] = []
    for digits, tilde, letters in _PARTS.findall(version):
        parts.append((_NUMBER, int(digits)) if digits else (_BEFORE_THE_END, "") if tilde else (_LETTERS, letters))
    return (*parts, (_END, ""))


def newest_first(releases: Iterable[Image]) -> list[Image]:
    """Sort releases of one family: the greatest version first."""

    def place(image: Image) -> tuple[object, ...]:
        released_at = image.released_at.timestamp() if image.released_at else 0.0
        return version_order(image.version), released_at, image.id

    return sorted(releases, key=place, reverse=True)


def is_candidate(image: Image, time: datetime) -> bool:
    """Check whether a release can be the latest: it is current, and servers can be launched from it."""
    return image.glance_status == "active" and image.lifecycle_at(time) is Lifecycle.CURRENT


def greatest_of(releases: Iterable[Image], time: datetime) -> Image | None:
    """Return the release that is the latest when names have settled."""
    return next(iter(newest_first(image for image in releases if is_candidate(image, time))), None)


def latest_of(releases: Iterable[Image], time: datetime) -> Image | None:
    """Return the latest of the releases of one family: hidden ones do not count while another is shown."""
    found = list(releases)
    return greatest_of((image for image in found if not image.hidden), time) or greatest_of(found, time)


def is_marked(image: Image) -> bool:
    """Check whether an image is deprecated or obsolete, or will be."""
    return not {glance_key(name) for name in MARKS}.isdisjoint(glance_keys(image))


def plain_name(image: Image) -> str:
    """Return the name of a release while it is the latest."""
    return image.glance_property(_RELEASE_NAME) or image.name


def versioned_name(name: str, version: str) -> str:
    """Return the name of a release that is not the latest."""
    return f"{name} ({version})"
