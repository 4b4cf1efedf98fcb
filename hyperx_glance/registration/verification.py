"""Whether the data of a ready image is what its checksum promises."""

import contextlib
import hashlib
import logging

from hyperx_glance.cloud.answers import parsed
from hyperx_glance.cloud.cloud import image_path
from hyperx_glance.errors import (
    ChecksumMismatchError,
    HyperxGlanceError,
    NotAllowedError,
    NotFoundError,
    ServiceUnavailableError,
    UrlRejectedError,
)
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import kept_digest, recorded_checksum, verified
from hyperx_glance.registration import failures, streaming
from hyperx_glance.registration.looking import Journal
from hyperx_glance.registration.order import Deadline
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.sources import urls
from hyperx_glance.sources.opening import REJECTED, open_source
from hyperx_glance.sources.unpacking import Unpacked
from hyperx_glance.vocabulary import Phase, UrlProblem, glance_key
from hyperx_glance.waiting.pace import repeated

_LOG = logging.getLogger(__name__)


class Verification:
    """Verify the data of one record."""

    def __init__(self, record: RegistrationRecord, journal: Journal) -> None:
        self._record = record
        self._context = record.context
        self._order = record.order
        self._journal = journal

    def run(self, image: Image, end: Deadline, *, digest: str | None) -> Image:
        """Give the image when its checksum is verified, or where none is wanted; ``digest`` is of what was sent."""
        wanted = self._order.checksum
        if wanted is None or (verified(image, wanted) and self._trusts(image, wanted)):
            return image
        algorithm = wanted.partition(":")[0]
        try:
            actual = digest or self._digest(image, algorithm, end)
        except NotAllowedError as error:
            raise self._unreadable(error) from error
        except NotFoundError:
            self._read()  # raises where the record has gone, and not its data alone
            raise
        if actual == wanted:
            return image if recorded_checksum(image, algorithm) == wanted else self._marked(image)
        if digest is None and self._converted(image):
            raise self._record.reject(
                failures.unverifiable(self._record.image_id, "Glance converted it during the import.")
            )
        raise self._record.reject(ChecksumMismatchError(image_id=self._record.image_id, expected=wanted, actual=actual))

    def _trusts(self, image: Image, wanted: str) -> bool:
        """Tell whether the record's word counts: another department may have written that its data was verified."""
        shown = recorded_checksum(image, wanted.partition(":")[0]) == wanted
        return shown or image.owner == self._context.cloud.project_id

    def _read(self) -> Image:
        image, _ = self._record.read(phase=self._journal.last.phase)
        return image

    def _unreadable(self, error: NotAllowedError) -> HyperxGlanceError:
        if self._read().glance_status == "deactivated":
            self._record.ended = True
            error.add_note(
                f"Image {self._record.image_id} was disabled in the meantime; resume_registration can verify it later."
            )
            return error
        why = f"Glance does not allow its data to be read: {error.message}"
        return self._record.reject(failures.unverifiable(self._record.image_id, why))

    def _digest(self, image: Image, algorithm: str, end: Deadline) -> str:
        """Find the checksum of data that another process has sent."""
        if self._order.packed:
            return self._read_again(image, end)
        return recorded_checksum(image, algorithm) or self._hashed(algorithm, end)

    def _read_again(self, image: Image, end: Deadline) -> str:
        """Read the packed data once more: its own checksum is the publisher's, that of what is in it is Glance's."""
        order, settings = self._order, self._context.settings
        if order.url is None and order.file is None:
            why = f"It was unpacked from {order.packed} data, which was not provided again."
            raise self._record.reject(failures.unverifiable(self._record.image_id, why))
        algorithm, value = kept_digest(image)
        if not algorithm:
            why = "Glance stores no digest of its data that this machine can compute."
            raise self._record.reject(failures.unverifiable(self._record.image_id, why))
        stored = hashlib.new(algorithm, usedforsecurity=False)
        deadline = settings.network.clock() + end.left
        try:
            opened = open_source(
                order.url,
                order.file,
                settings.url_policy,
                packed=order.packed,
                algorithm=order.algorithm,
                network=settings.network,
            )
            with contextlib.closing(opened) as source:
                for piece in source.pieces(deadline=deadline):
                    self._record.stop_if_cancelled(phase=Phase.READY)
                    if end.passed:
                        raise failures.unverified(self._record.image_id, self._journal.last)
                    stored.update(piece)
        except REJECTED as error:
            if end.passed and error.reason == UrlProblem.TIMEOUT:
                raise failures.unverified(self._record.image_id, self._journal.last) from error
            raise self._record.reject(failures.unverifiable(self._record.image_id, error.message)) from error
        assert isinstance(opened, Unpacked)  # it was packed
        if stored.hexdigest() != value:
            why = "Its source now holds different data."
            raise self._record.reject(failures.unverifiable(self._record.image_id, why))
        return opened.digest or ""

    def _hashed(self, algorithm: str, end: Deadline) -> str:
        """Hash the data itself, where Glance keeps no digest of this algorithm."""
        digest = hashlib.new(algorithm, usedforsecurity=False)
        timeout = max(end.left, streaming.SHORTEST_SECONDS)
        path = image_path(self._record.image_id, "file")
        try:
            for piece in self._context.cloud.chunks("image", path, timeout=timeout):
                self._record.stop_if_cancelled(phase=Phase.READY)
                if end.passed:
                    raise failures.unverified(self._record.image_id, self._journal.last)
                digest.update(piece)
        except ServiceUnavailableError as error:
            if end.passed:
                raise failures.unverified(self._record.image_id, self._journal.last) from error
            raise
        return f"{algorithm}:{digest.hexdigest()}"

    def _converted(self, image: Image) -> bool:
        """Tell whether an import plug-in changed the data (glance/async_/flows/plugins/).

        A resumed record has the format that it was given; what it was before, only the URL can tell.
        """
        order = self._order
        if image.disk_format != order.disk_format:
            return True
        if order.size is not None:
            return image.size != order.size
        if order.url is None:
            return False
        try:
            settings = self._context.settings
            found = urls.preflight(order.url, settings.url_policy, declared=image.disk_format, network=settings.network)
        except UrlRejectedError as error:
            return error.reason == UrlProblem.WRONG_FORMAT
        return found.size not in (None, image.size)

    def _marked(self, image: Image) -> Image:
        """Write down that the data was verified, where nothing in the record shows it; twice leaves what once leaves.

        Where the mark cannot be written the image stays as it is: resuming it verifies it again.
        """
        pace = self._context.settings.pace
        patch = [{"op": "add", "path": f"/{glance_key('checksum_verified')}", "value": "true"}]
        with self._record.writing(phase=Phase.READY):
            try:
                answer = repeated(pace, lambda _: self._context.cloud.patch_image(self._record.image_id, patch))
            except NotFoundError as error:
                raise self._record.missing(phase=Phase.READY) from error
            except ServiceUnavailableError:
                raise
            except HyperxGlanceError as error:
                _LOG.warning("image %s is verified, but this could not be recorded: %s", self._record.image_id, error)
                return image
        return parsed(Image, "image", answer.content)
