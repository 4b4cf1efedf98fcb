"""The last step of a registration: compare the data of a ready image with its checksum.

>>> wrong = "sha256:" + "0" * 64
>>> client.register(NewImage(name="debian", url="https://files.example/debian-12.qcow2", checksum=wrong))
Traceback (most recent call last):
hyperx_glance.errors.ChecksumMismatchError: The data of image ... is sha256:..., not sha256:0000...
>>> client.count()
0
"""

import contextlib
import hashlib
import logging

from hyperx_glance.cloud.cloud import image_of, image_path
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
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import Phase, UrlProblem, glance_key
from hyperx_glance.waiting.pace import attempts

_LOG = logging.getLogger(__name__)


class Verification:
    """Verification of one record's data."""

    def __init__(self, record: RegistrationRecord, journal: Journal) -> None:
        self._record = record
        self._context = record.context
        self._order = record.order
        self._journal = journal

    def run(self, image: Image, end: Deadline, *, digest: str | None) -> Image:
        """Return the image if its checksum is verified or none is wanted; ``digest`` is of the uploaded data."""
        wanted = self._order.checksum
        if wanted is None:
            return self._noting_conversion(image)
        if verified(image, wanted) and self._trusts(image, wanted):
            return image
        algorithm = wanted.partition(":")[0]
        try:
            actual = digest or self._digest(image, algorithm, end)
        except NotAllowedError as error:
            raise self._unreadable(error) from error
        except NotFoundError:
            self._read()  # raises if the record is gone, and not only its data
            raise
        if actual == wanted:
            return image if recorded_checksum(image, algorithm) == wanted else self._marked(image)
        if digest is None and self._converted(image):
            before = ", ".join(filter(None, (self._source(image), wanted)))
            after = f"{image.disk_format}, {image.size} bytes, {actual}"
            problem = say("glance-converted-it", before=before, after=after)
            raise self._record.reject(failures.unverifiable(self._record.image_id, problem))
        raise self._record.reject(ChecksumMismatchError(image_id=self._record.image_id, expected=wanted, actual=actual))

    def _trusts(self, image: Image, wanted: str) -> bool:
        """Check whether the record is trusted: another department may have written that its data was verified."""
        shown = recorded_checksum(image, wanted.partition(":")[0]) == wanted
        return shown or image.owner == self._context.cloud.project_id

    def _read(self) -> Image:
        image, _ = self._record.read(phase=self._journal.last.phase)
        return image

    def _unreadable(self, error: NotAllowedError) -> HyperxGlanceError:
        if self._read().glance_status == "deactivated":
            self._record.ended = True
            error.add_note(say("disabled-before-it-was-verified", image=self._record.image_id))
            return error
        return self._record.reject(
            failures.unverifiable(self._record.image_id, say("glance-hides-its-data"), explanation=error.explanation)
        )

    def _digest(self, image: Image, algorithm: str, end: Deadline) -> str:
        """Return the checksum of data that another process has uploaded."""
        if self._order.packed:
            return self._read_again(image, end)
        return recorded_checksum(image, algorithm) or self._hashed(algorithm, end)

    def _read_again(self, image: Image, end: Deadline) -> str:
        """Read the packed data again: the publisher's checksum is of the packed data, Glance's of the unpacked."""
        order, settings = self._order, self._context.settings
        if order.url is None and order.file is None:
            why = say("packed-data-not-given-again", packed=order.packed)
            raise self._record.reject(failures.unverifiable(self._record.image_id, why))
        algorithm, value = kept_digest(image)
        if not algorithm:
            why = say("no-digest-to-compare")
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
            unverifiable = failures.unverifiable(self._record.image_id, error.message, explanation=error.explanation)
            raise self._record.reject(unverifiable) from error
        assert isinstance(opened, Unpacked)  # it was packed
        if stored.hexdigest() != value:
            why = say("source-changed")
            raise self._record.reject(failures.unverifiable(self._record.image_id, why))
        return opened.digest or ""

    def _hashed(self, algorithm: str, end: Deadline) -> str:
        """Hash the data itself, because Glance stores no digest of this algorithm."""
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
        """Check whether an import plug-in converted the data (glance/async_/flows/plugins/).

        The order of a resumed record has the format of the image; only the URL shows the original format.
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

    def _source(self, image: Image) -> str:
        """Return the format and the size of the source, as far as they are known to differ from the image's."""
        order = self._order
        known_format = "" if order.disk_format == image.disk_format and order.size is None else order.disk_format
        return ", ".join(filter(None, (known_format, f"{order.size} bytes" if order.size is not None else "")))

    def _noting_conversion(self, image: Image) -> Image:
        """Record in the image what its source was, if an import plug-in of Glance has changed the data.

        Neither Glance's API nor its record shows the plug-ins of a deployment; only the result does.
        """
        order = self._order
        changed = image.disk_format != order.disk_format or order.size not in (None, image.size)
        if order.url is None or order.packed or not changed:
            return image
        return self._written(image, "converted_from", self._source(image))

    def _marked(self, image: Image) -> Image:
        """Record in the image that the data was verified.

        If this cannot be written, the image stays as it is, and resuming it verifies it again.
        """
        return self._written(image, "checksum_verified", "true")

    def _written(self, image: Image, field: str, value: str) -> Image:
        """Add a property to the image; doing so twice has the same effect, and the image is good without."""
        pace = self._context.settings.pace
        patch = [{"op": "add", "path": f"/{glance_key(field)}", "value": value}]
        with self._record.writing(phase=Phase.READY):
            try:
                for attempt in attempts(pace):
                    with attempt:
                        answer = self._context.cloud.patch_image(self._record.image_id, patch)
            except NotFoundError as error:
                raise self._record.missing(phase=Phase.READY) from error
            except ServiceUnavailableError:
                raise
            except HyperxGlanceError as error:
                _LOG.warning("%s of image %s could not be recorded: %s", field, self._record.image_id, error)
                return image
        return image_of(answer, self._record.image_id)
