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
from collections.abc import Mapping

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

    def run(self, image: Image, end: Deadline, *, digest: str | None, staged: int | None = None) -> Image:
        """Return the image if its checksum is verified or none is wanted.

        ``digest`` is of the uploaded data: what was sent is verified, regardless of what Glance has made of it.
        ``staged`` is the number of bytes that this process has staged for an import of Glance, None if it has not.
        """
        wanted = self._order.checksum
        if wanted is None:
            return self._written(image, self._conversion(image, staged))
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
            # If the mark cannot be written, the image stays as it is, and resuming it verifies it again.
            mark = {} if recorded_checksum(image, algorithm) == wanted else {"checksum_verified": "true"}
            return self._written(image, mark | self._conversion(image, staged))
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

    def _conversion(self, image: Image, staged: int | None) -> dict[str, str]:
        """Return what to record of the source, if an import plug-in of Glance has changed the data.

        Neither Glance's API nor its record shows the plug-ins of a deployment; only the result does. It is one exact
        word, since Glance finds nothing else (`staging.converts`).
        """
        order = self._order
        imported = staged is not None or (order.url is not None and not order.packed)
        size = order.size if staged is None else staged
        changed = image.disk_format != order.disk_format or size not in (None, image.size)
        return {"converted_from": order.disk_format} if imported and changed else {}

    def _written(self, image: Image, notes: Mapping[str, str]) -> Image:
        """Add properties to the image; doing so twice has the same effect, and the image is good without."""
        if not notes:
            return image
        pace = self._context.settings.pace
        patch = [{"op": "add", "path": f"/{glance_key(field)}", "value": value} for field, value in notes.items()]
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
                _LOG.warning("image %s is good, but this could not be recorded: %s", self._record.image_id, error)
                return image
        return image_of(answer, self._record.image_id)
