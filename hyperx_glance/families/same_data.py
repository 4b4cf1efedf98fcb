"""Whether a record holds the data that a release brings: a version never changes.

Checksums of one algorithm decide, then Glance's digest, for which a file is hashed, and otherwise the stored URLs.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from hyperx_glance.models.record import kept_digest, recorded_checksum
from hyperx_glance.models.url_text import stored_url
from hyperx_glance.registration import checking
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.opening import open_source
from hyperx_glance.vocabulary import glance_key

if TYPE_CHECKING:
    from hyperx_glance.cloud.context import Context
    from hyperx_glance.models.image import Image
    from hyperx_glance.models.registering import NewImage, NewIso
    from hyperx_glance.registration.order import RegistrationOrder


class Comparison:
    """The comparison of one release with records; what was read for it is read once."""

    def __init__(self, context: Context, new: NewImage | NewIso, order: RegistrationOrder) -> None:
        self._context = context
        self._new = new
        self._order = order
        self._published: str | None = None

    def agrees(self, image: Image) -> bool | None:
        """Return whether a record has the same data; None if that cannot be said before the record is ready."""
        ours, theirs = self._wanted(), image.glance_property(glance_key("checksum_wanted")).lower()
        algorithm = ours.partition(":")[0]
        if ours and algorithm == theirs.partition(":")[0]:
            return ours == theirs
        packed = bool(image.glance_property(glance_key("packed")))
        shown = None if packed or not ours else recorded_checksum(image, algorithm)
        if shown is not None:
            return shown == ours
        if self._new.file is not None:
            return self._file_agrees(image, theirs)
        return bool(image.url) and stored_url(self._new.url or "").url == stored_url(image.url).url

    def _wanted(self) -> str:
        if self._new.checksum_url is None:
            return self._new.checksum or ""
        if self._published is None:
            self._published = checking.checksum(self._context, self._order, self._new.checksum_url) or ""
        return self._published

    def _file_agrees(self, image: Image, theirs: str) -> bool | None:
        """Hash the file as Glance did, which has the unpacked data, or as the record's checksum was computed."""
        algorithm, digest = kept_digest(image)
        if algorithm:
            return self._hashed(algorithm) == digest
        algorithm, _, digest = theirs.partition(":")
        if algorithm in ("md5", "sha256", "sha512"):
            return self._hashed(algorithm, as_it_is=True) == digest
        return None if image.size is None and not image.url else False

    def _hashed(self, algorithm: str, *, as_it_is: bool = False) -> str:
        assert self._new.file is not None  # the caller has looked
        digest = hashlib.new(algorithm, usedforsecurity=False)
        settings = self._context.settings
        packed = "" if as_it_is or self._new.unpack is False else None
        opened = open_source(None, LocalFile(self._new.file), settings.url_policy, packed=packed)
        with contextlib.closing(opened) as source:
            for piece in source.pieces():
                digest.update(piece)
        return digest.hexdigest()
