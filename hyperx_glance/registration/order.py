"""What is known of one registration, and where it takes place."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from hyperx_glance.cloud.departments import Department
from hyperx_glance.models.quotas import Usage
from hyperx_glance.quotas.room import MIB
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.waiting.pace import Pace


def in_mib(size: int) -> int:
    """Give bytes in MiB, rounded up."""
    return -(-size // MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Describe one registration.

    ``url`` is the real one, credentials included, and so never shown; None where a resumed record does not tell it, or
    where the data is a ``file``. ``packed`` is what it is packed with there; ``checksum`` is of the packed data then.
    ``obstacle`` says why this cloud's Glance is not to import it by itself; "" where it may.
    ``size`` is bytes, None where nobody knows; ``room`` what the department's images may take, None where nobody tells.
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
    obstacle: str = ""
    keep_failed: bool = False

    @property
    def algorithm(self) -> str | None:
        """Of which algorithm a checksum is wanted."""
        return self.checksum.partition(":")[0] if self.checksum else None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Hold the moment, on a clock, at which the waiting ends."""

    clock: Callable[[], float]
    end: float = math.inf

    @classmethod
    def after(cls, pace: Pace, timeout: float | None) -> "Deadline":
        """Give the moment ``timeout`` seconds from now, None `Pace.deadline`."""
        return cls(pace.clock, pace.clock() + (pace.deadline if timeout is None else timeout))

    @property
    def left(self) -> float:
        """Seconds until then, 0 when it has passed."""
        return max(0.0, self.end - self.clock())

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return self.clock() >= self.end
