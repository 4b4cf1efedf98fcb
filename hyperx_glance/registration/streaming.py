"""Uploads through this process: constant memory, exact progress, and the checksum on the way.

>>> image = client.register(NewImage(name="debian", file=folder / "debian-12.qcow2"))
>>> image.size == (folder / "debian-12.qcow2").stat().st_size
True
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator

from hyperx_glance import removal
from hyperx_glance.cloud.cloud import image_path
from hyperx_glance.cloud.context import Context
from hyperx_glance.errors import ChecksumMismatchError, HyperxGlanceError, QuotaExceededError, ServiceUnavailableError
from hyperx_glance.models.record import is_being_uploaded, is_staged
from hyperx_glance.quotas.room import MIB
from hyperx_glance.registration.failures import IS_HYBRID, IS_UNSAFE
from hyperx_glance.registration.order import RegistrationOrder, in_mib
from hyperx_glance.sources.contents import Opened, examine
from hyperx_glance.sources.opening import open_source
from hyperx_glance.sources.unpacking import Unpacked
from hyperx_glance.sources.urls import check
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import ISO_FORMAT
from hyperx_glance.waiting.pace import answered

UPLOAD_ANSWER_SECONDS = 600
"""After the last byte, Glance may have to finish the write to its store."""
SHORTEST_SECONDS = 0.1
"""A timeout of 0 would mean no timeout."""


class TransferStopped(Exception):  # noqa: N818  # internal: it stands for the real one inside requests
    """Raised inside the body of an upload to end it."""


class Upload:
    """Body of one PUT: reads from the source, counts, hashes, and stops at the limit.

    An exception inside is kept in ``failure``: requests would take some exceptions for its own.
    """

    def __init__(
        self,
        source: Opened,
        order: RegistrationOrder,
        on_bytes: Callable[[int, int], None],
        *,
        deadline: float | None = None,
    ) -> None:
        self.failure: BaseException | None = None
        self.ended = False
        self.sent = 0
        self.size = source.size
        self._source = source
        self._pieces = self._checked(source.pieces(deadline=deadline))
        self._order = order
        self._on_bytes = on_bytes
        algorithm = order.algorithm
        # usedforsecurity: the publisher chose the algorithm, and builds for FIPS refuse md5 otherwise.
        self._hash = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None

    @property
    def digest(self) -> str | None:
        """The checksum of the data as it was read, before it is unpacked, as "algorithm:hex"."""
        if isinstance(self._source, Unpacked):
            return self._source.digest
        return f"{self._order.algorithm}:{self._hash.hexdigest()}" if self._hash else None

    @property
    def bytes_read(self) -> int:
        """The number of bytes that were read, before they are unpacked."""
        return self._source.bytes_read if isinstance(self._source, Unpacked) else self.sent

    def _checked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Hold back the last piece until the checksum matches, so that a wrong image never becomes ready."""
        held = b""
        for piece in pieces:
            if self._hash:
                self._hash.update(piece)
            if held:
                yield held
            held = piece
        wanted, actual = self._order.checksum, self.digest
        if wanted is not None and actual is not None and actual != wanted:
            raise ChecksumMismatchError(image_id=self._order.image_id, expected=wanted, actual=actual)
        if held:
            yield held

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the pieces. With a read method, urllib3 would send 16 KiB at a time (util/request.py)."""
        while not self.ended:
            try:
                piece = self._next()
            except BaseException as error:
                self.failure = error
                raise TransferStopped from error
            if piece:
                yield piece

    def _next(self) -> bytes:
        piece = next(self._pieces, b"")
        self.ended = not piece
        self.sent += len(piece)
        self._check_room()
        self._on_bytes(self.sent, self.bytes_read)
        return piece

    def _check_room(self) -> None:
        """Stop at the remaining quota: without a length, or for another department, Glance accepts any amount."""
        room, size = self._order.room, max(self.sent, self.size or 0) * max(1, len(self._order.stores))
        if room is None or room.remaining is None or size <= room.remaining * MIB:
            return
        raise QuotaExceededError(
            say(
                "data-exceeds-the-quota",
                image=self._order.image_id,
                department=self._order.department.name,
                left=room.remaining,
            ),
            department=self._order.department.name,
            resource="image_size_mib",
            limit=room.limit,
            used=room.used,
            requested=in_mib(size),
        )


class SizedUpload(Upload):
    """Body that announces its length, so that Glance checks quota and completeness; requests calls len()."""

    def __len__(self) -> int:
        return self.size or 0


def body_of(
    source: Opened, order: RegistrationOrder, on_bytes: Callable[[int, int], None], *, deadline: float | None = None
) -> Upload:
    """Return the body for an opened source, with its length if known."""
    return (Upload if source.size is None else SizedUpload)(source, order, on_bytes, deadline=deadline)


def upload(
    context: Context, order: RegistrationOrder, on_bytes: Callable[[int, int], None], *, staged: bool, seconds: float
) -> str | None:
    """Stream the URL or file into the record; return the digest of the data if a checksum is wanted.

    If it is to be ``staged``, Glance keeps it for an import, and the record is not ready afterwards.

    Wait for the source for at most ``seconds``, and then for Glance's response to the complete data for at most as long
    again.
    """
    policy, network = context.settings.url_policy, context.settings.network
    deadline = network.clock() + seconds
    seconds = max(seconds, SHORTEST_SECONDS)
    first = min(seconds, policy.timeout_seconds)
    opened = open_source(
        order.url,
        order.file,
        policy,
        packed=order.packed,
        algorithm=order.algorithm,
        seconds=first,
        network=network,
    )
    with contextlib.closing(opened) as source:
        check(source, order.disk_format)
        head, whole = source.head(), source.whole
        body = body_of(source, order, on_bytes, deadline=deadline)
        headers = {"Content-Type": "application/octet-stream"}
        if order.stores and not staged:
            headers["x-image-meta-store"] = order.stores[0]
        try:
            path = image_path(order.image_id, "stage" if staged else "file")
            timeout = min(UPLOAD_ANSWER_SECONDS, seconds)
            context.cloud.upload("image", path, body, headers=headers, timeout=timeout)
        except TransferStopped:
            pass
        except HyperxGlanceError as error:
            arrived = isinstance(error, ServiceUnavailableError) and _arrived(context, order, body)
            if body.failure is None and not arrived:
                if not staged:  # Glance looks at staged data only when it imports it
                    _explain(error, head, order, whole=whole)
                raise
        except BaseException:  # such as Ctrl-C, which interrupts the upload as well
            removal.let_glance_notice(context.cloud, context.settings.pace, order.image_id)
            raise
    if body.failure is not None:  # raised here and not above, to keep its cause
        removal.let_glance_notice(context.cloud, context.settings.pace, order.image_id)
        raise body.failure
    return body.digest


_REASONS = re.compile("safety|match|inspection")
"""Words of Glance's text when it refuses data (glance/location.py, ImageProxy.set_data)."""


def _explain(error: HyperxGlanceError, head: bytes, order: RegistrationOrder, *, whole: bool) -> None:
    """Add the reason for refused data to an error of Glance, whose 415 had none before 2026.2.

    The beginning of the data was checked before. So it is either an ISO with a partition table, or there is a danger
    that the beginning does not show. A refused import may leave its data, and then each upload ends in 500.
    """
    if not answered(error, 415, 500) or _REASONS.search(error.explanation):
        return
    content = examine(head, whole=whole)
    if order.disk_format == ISO_FORMAT and "gpt" in content.detected:
        error.message = say(IS_HYBRID)
    elif error.status == 415 and content.detected:
        error.message = say(IS_UNSAFE, format=order.disk_format)


def _arrived(context: Context, order: RegistrationOrder, body: Upload) -> bool:
    """Check whether the data of an upload whose response was lost has arrived, or is being written to the store."""
    if not body.ended:
        return False
    image = context.cloud.image(order.image_id)
    return is_being_uploaded(image) or is_staged(image) or image.glance_status == "active"
