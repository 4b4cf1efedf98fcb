"""The order of one registration, the ways that are open for its data, and its deadline: pure functions.

>>> from hyperx_glance.cloud.departments import Department
>>> from hyperx_glance.registration.order import RegistrationOrder, open_ways
>>> order = RegistrationOrder(
...     image_id="7c1", url="https://u:p@files.example/a", disk_format="raw", department=Department("1", "a")
... )
>>> open_ways(order, "auto")
(<Way.STREAM: 'stream'>,)
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from hyperx_glance.cloud.departments import Department
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.models.quotas import Usage
from hyperx_glance.quotas.room import MIB
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.urls import Found
from hyperx_glance.texts import NO_TEXT, Text, field_name, say
from hyperx_glance.waiting.pace import Pace

Transfer = Literal["auto", "import", "stream"]


class Way(StrEnum):
    """How the data gets into a record."""

    IMPORT = "import"
    """Glance imports it, as this process asked."""
    STREAM = "stream"
    """This process uploads it, past Glance's import plug-ins and into one store."""
    STAGE = "stage"
    """This process uploads it into Glance's staging area, from which Glance imports it."""
    FOLLOW = "follow"
    """Another process has started it, or it has ended."""


_OF_URLS = {"auto": (Way.IMPORT, Way.STREAM), "import": (Way.IMPORT,), "stream": (Way.STREAM,)}
_OF_FILES = {"auto": (Way.STREAM,), "import": (Way.STAGE, Way.STREAM), "stream": (Way.STREAM,)}


def in_mib(size: int) -> int:
    """Return bytes as MiB, rounded up."""
    return -(-size // MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationOrder:
    """Parameters of one registration.

    ``url`` is the real one, with its credentials, and is therefore never shown. It is None if the data is a ``file``,
    or if a resumed record does not hold it. ``packed`` names the compression; ``checksum`` is then of the packed data.
    ``size`` is bytes, None if unknown. ``room`` is the usage of the department's image storage, None if unknown.
    ``ways`` are open for the data, the best one first.
    """

    image_id: str
    url: str | None = field(repr=False)
    disk_format: str
    department: Department
    size: int | None = None
    room: Usage | None = None
    checksum: str | None = None
    stores: tuple[str, ...] = ()
    file: LocalFile | None = field(default=None, repr=False)
    packed: str = ""
    packed_size: int | None = None
    ways: tuple[Way, ...] = ()
    keep_failed: bool = False

    @property
    def algorithm(self) -> str | None:
        """The algorithm of the checksum, None if there is no checksum."""
        return self.checksum.partition(":")[0] if self.checksum else None

    def completed(
        self, found: Found, *, checksum: str | None, ways: tuple[Way, ...], room: Usage | None
    ) -> "RegistrationOrder":
        """Return the order, completed with the facts that were found."""
        return dataclasses.replace(
            self,
            disk_format=found.disk_format,
            size=found.size,
            packed=found.packed,
            packed_size=found.packed_size,
            checksum=checksum,
            ways=ways,
            room=room,
        )


def open_ways(asked: RegistrationOrder, transfer: Transfer, *, obstacle: Text = NO_TEXT) -> tuple[Way, ...]:
    """Return the ways that are open, the best one first; raise `InvalidRequestError` if there is none.

    ``obstacle`` says why Glance cannot import the data that was found; no text if it can, or if nothing was read yet.
    Streaming fills one store, so data for several stores is staged instead. Whether this Glance has a staging area for
    users is not known here. A file that is not staged is streamed for every ``transfer``.
    """
    offered = (_OF_URLS if asked.file is None else _OF_FILES)[transfer]
    if len(asked.stores) > 1:
        offered = tuple(dict.fromkeys(Way.STAGE if way is Way.STREAM else way for way in offered))
    if asked.url is not None and "@" in urlsplit(asked.url).netloc:
        obstacle = say("glance-does-not-log-in")  # it takes user and password for a part of the host's name
    if obstacle and offered == (Way.IMPORT,):
        problem = say("stream-it-instead", obstacle=obstacle)
        raise InvalidRequestError(say("wrong-field", field=field_name("url"), problem=problem))
    return tuple(way for way in offered if not (obstacle and way is Way.IMPORT))


@dataclass(frozen=True, slots=True)
class Deadline:
    """Moment on a clock at which the waiting ends."""

    clock: Callable[[], float]
    end: float = math.inf

    @classmethod
    def after(cls, pace: Pace, timeout: float | None) -> "Deadline":
        """Return the moment ``timeout`` seconds from now, None for `Pace.deadline`."""
        return cls(pace.clock, pace.clock() + (pace.deadline if timeout is None else timeout))

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 if it has passed."""
        return max(0.0, self.end - self.clock())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.clock() >= self.end
