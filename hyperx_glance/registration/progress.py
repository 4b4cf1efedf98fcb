"""How far one registration has come."""

from collections.abc import Callable

from hyperx_glance.models.image import Image
from hyperx_glance.models.results import Progress
from hyperx_glance.registration.order import Order
from hyperx_glance.vocabulary import Phase


class Journal:
    """Keep the last progress that was seen."""

    def __init__(self, order: Order, clock: Callable[[], float]) -> None:
        self._order = order
        self._clock = clock
        self._started = clock()
        self.sent: int | None = None
        """Bytes that this process has uploaded."""
        self.read: int | None = None
        """Bytes that it has read for that, packed as they were."""
        self.last = Progress(phase=Phase.REGISTERED, bytes_expected=order.size)

    def seen(self, image: Image, *, done: int | None, message: str = "") -> Progress:
        """Note what a look at the record showed."""
        expected = self._order.size if image.size is None else image.size
        return self._note(image.phase, expected, done, message)

    def uploaded(self, sent: int, read: int) -> Progress:
        """Note how much of the data has been uploaded, and how much was read for it."""
        self.sent, self.read = sent, read
        return self._note(Phase.STORING, self._order.size, sent, "")

    @property
    def _to_read(self) -> int | None:
        """How much this process reads: nothing where Glance imports."""
        if self._order.packed:
            return self._order.packed_size
        return None if self.read is None else self._order.size

    def _note(self, phase: Phase, expected: int | None, done: int | None, message: str) -> Progress:
        self.last = Progress(
            phase=phase,
            bytes_expected=expected,
            bytes_done=done,
            bytes_to_read=self._to_read,
            bytes_read=self.read,
            elapsed_seconds=self._clock() - self._started,
            message=message,
        )
        return self.last
