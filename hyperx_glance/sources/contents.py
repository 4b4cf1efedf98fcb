r"""The format of a file, by its first bytes.

>>> from hyperx_glance.sources.contents import examine
>>> examine(b"<!DOCTYPE html><html>", whole=True).html
True
>>> examine(b"QFI\xfb" + bytes([0, 0, 0, 3]) + bytes(600), whole=True).disk_format
'qcow2'

The formats, and the checks for what makes an image dangerous, are oslo.utils', which Glance, Nova and Cinder use too.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hyperx_glance.errors import HyperxGlanceError, LocalFileError
from hyperx_glance.sources.addresses import rejected
from hyperx_glance.sources.inspectors import inspecting_quietly
from hyperx_glance.vocabulary import IMAGE_FORMATS, ISO_FORMAT, UrlProblem

HEAD_BYTES = 128 * 1024
"""Enough for the signature of every format: that of an ISO is the last, at 32 KiB."""
# Possessive and atomic; otherwise a few comments cause a minute of backtracking.
_HTML = re.compile(rb"(?is)^(\xef\xbb\xbf)?\s*+(?:<!--(?>.*?-->)\s*+)*+<(!doctype\s+html|html|head|body|script)\b")
_PLOOP = (b"WithoutFreeSpace", b"WithouFreSpacExt")
_PACKED = (
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("lzma", re.compile(rb"\x5d\x00\x00..\xff{8}", re.DOTALL)),
    ("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    ("lz4", re.compile(rb"\x04\x22\x4d\x18")),
    ("lzip", re.compile(rb"LZIP[\x00\x01]")),
    ("lzop", re.compile(rb"\x89LZO\x00\r\n\x1a\n")),
    ("compress", re.compile(rb"\x1f\x9d[\x09-\x10\x89-\x90]")),
    ("zip", re.compile(rb"PK(\x03\x04|\x05\x06|\x07\x08)")),
    ("7z", re.compile(rb"7z\xbc\xaf\x27\x1c")),
    ("rar", re.compile(rb"Rar!\x1a\x07")),
    ("OVA", re.compile(rb"[^\x00]{0,95}\.ovf\x00.{157,252}ustar", re.DOTALL | re.IGNORECASE)),
    ("tar", re.compile(rb".{257}ustar", re.DOTALL)),
    ("WIM", re.compile(rb"MSWIM\x00\x00\x00")),
)
"""Signatures of packed files; no disk begins with one."""
_UNPACKERS = {
    "gzip": "gzip -d",
    "bzip2": "bzip2 -d",
    "xz": "xz -d",
    "lzma": "xz -d",
    "zstd": "zstd -d",
    "lz4": "lz4 -d",
    "lzip": "lzip -d",
    "lzop": "lzop -d",
    "compress": "gzip -d",
    "zip": "unzip",
    "7z": "7z x",
    "rar": "unrar x",
    "OVA": "tar -xf; its disk is the .vmdk file",
    "tar": "tar -xf",
    "WIM": "7z x",
}
_DANGERS = {
    "backing_file": "it refers to a backing file",
    "data_file": "it keeps its data in another file",
    "unknown_features": "it has unknown features ({reason})",
    "mbr": "its partition table is malformed ({reason})",
    "descriptor": "its descriptor refers to other files, or is of a variant that OpenStack does not accept ({reason})",
}
_OTHER_DANGER = "it fails a safety check ({reason})"
"""What the checks of oslo.utils found; ``reason`` is its own text, which quotes nothing of the file."""

_FILE_HINTS = {
    UrlProblem.HTML: "It may be a saved login or download page; download the file itself.",
    UrlProblem.EMPTY: "The file is empty; download or create it again.",
    UrlProblem.UNSAFE_IMAGE: "Make a self-contained image: qemu-img convert.",
    UrlProblem.PACKED: "Unpack it first, and use the disk image or ISO that it contains.",
    UrlProblem.UNKNOWN_FORMAT: 'Specify the format; for a plain disk, disk_format="raw".',
    UrlProblem.WRONG_FORMAT: "Specify the actual format of the file.",
    UrlProblem.CHANGED: "Wait until no process writes to the file.",
    UrlProblem.TRUNCATED: "Download or create the file again.",
    UrlProblem.CORRUPT: "Download or create the file again.",
}


class Opened(Protocol):
    """Opened source of an image: its first bytes, and then all of them, once.

    ``url`` is its URL; otherwise ``file`` is the name of a file of this machine. ``size`` is bytes, None if unknown.
    ``deadline`` is for the next read, and `pieces` sets it; if None, only each single read has a timeout.
    """

    deadline: float | None

    @property
    def url(self) -> str:
        """The URL; "" for a file of this machine."""

    @property
    def file(self) -> str | None:
        """The name of a file of this machine."""

    @property
    def packed(self) -> str:
        """The compression, if the source is unpacked while it is read; otherwise ""."""

    @property
    def packed_size(self) -> int | None:
        """The announced number of packed bytes, None if unknown."""

    @property
    def content_type(self) -> str:
        """The media type that a server announces; otherwise ""."""

    @property
    def size(self) -> int | None:
        """The announced number of bytes, None if unknown."""

    @property
    def whole(self) -> bool:
        """Whether `head` is the whole file."""

    def head(self) -> bytes:
        """Return the first bytes, fewer than `HEAD_BYTES` only if there are no more."""

    def pieces(self, *, deadline: float | None = None) -> Iterator[bytes]:
        """Iterate over all bytes."""

    def interrupt(self) -> None:
        """Wake a thread that waits for data."""

    def close(self) -> None:
        """Stop reading."""


@dataclass(frozen=True, slots=True)
class Content:
    """Judgement of the first bytes; ``disk_format`` is None if unknown, ``dangers`` are clauses of a sentence."""

    disk_format: str | None = None
    detected: tuple[str, ...] = ()
    dangers: str = ""
    html: bool = False
    empty: bool = False
    packed: str = ""


def examine(head: bytes, *, whole: bool) -> Content:
    """Inspect the first bytes of a file; ``whole`` if there are no more."""
    if not head:
        return Content(empty=True)
    if is_page(head):
        return Content(html=True)
    if head.startswith(_PLOOP):
        return Content("ploop", ("ploop",))
    packed = packed_into(head)
    found, dangers = _inspect(head, whole=whole)
    match sorted(found):
        case []:
            return Content(packed=packed)
        case ["gpt", "iso"]:
            # ISOs for memory sticks carry a partition table as well (glance/location.py, set_data).
            return Content(ISO_FORMAT, found, dangers)
        case ["gpt"]:
            return Content("raw", found, dangers, packed=packed)
        case [name]:
            return Content(name, found, dangers)
    return Content(found[0], found, dangers or "it can be read in several formats")


@inspecting_quietly()
def _inspect(head: bytes, *, whole: bool) -> tuple[tuple[str, ...], str]:
    from oslo_utils.imageutils import format_inspector  # noqa: PLC0415  # a tenth of a second that browsing does not need

    found, dangers = [], []
    for name, make in format_inspector.ALL_FORMATS.items():
        if name == "raw":
            continue
        inspector = make()
        try:
            for start in range(0, len(head), 4096):
                inspector.eat_chunk(head[start : start + 4096])
            if whole:
                inspector.finish()
            if not inspector.format_match:
                continue
        except Exception:  # noqa: BLE001, S112  # as oslo's own wrapper: a parser that fails does not match
            continue
        found.append(name)
        if not inspector.complete:
            continue  # the data to check comes later in the file: Glance checks it
        try:
            inspector.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            dangers += [
                _DANGERS.get(check, _OTHER_DANGER).format(reason=reason) for check, reason in error.failures.items()
            ]
        except format_inspector.ImageFormatError as error:
            dangers.append(str(error))
    return tuple(found), " and ".join(dangers)


def judge(
    content: Content,
    *,
    url: str = "",
    declared: str | None,
    content_type: str = "",
    file: str | None = None,
    packed: str = "",
) -> str:
    """Return the disk format to register; if ``declared`` is None, that of the bytes.

    ``file`` is the name of a file of this machine if the bytes are not from a ``url``. ``packed`` is the compression
    from which they were unpacked.
    """
    refused = functools.partial(rejected, url=url) if file is None else functools.partial(file_rejected, file=file)
    if content.empty:
        raise refused(UrlProblem.EMPTY, "The file is empty.")
    if content.html or (content.disk_format is None and content_type in ("text/html", "application/xhtml+xml")):
        page = "The URL leads to an HTML page, not to a file." if file is None else "The file is an HTML page."
        raise refused(UrlProblem.HTML, page)
    found = content.disk_format
    if content.packed and found in (None, "raw"):
        # Registered as "raw", it would become ready, but no server could boot from it.
        twice = f"The file is packed twice: its {packed} data holds {content.packed} data."
        message = twice if packed else f"The file is packed: it is {content.packed} data."
        raise refused(UrlProblem.PACKED, message, hint=_way_to_unpack(content.packed, served=file is None))
    if declared == ISO_FORMAT and found != ISO_FORMAT:
        raise refused(
            UrlProblem.WRONG_FORMAT,
            f"The file is not an ISO; it is {_described(content)}.",
            hint="Register disk images with NewImage." if found else "",
        )
    if found == ISO_FORMAT and declared != ISO_FORMAT:
        raise refused(UrlProblem.WRONG_FORMAT, "The file is an ISO.", hint="Register it with NewIso.")
    if declared is None and found is None:
        raise refused(UrlProblem.UNKNOWN_FORMAT, "The format of the file cannot be determined.")
    if found is not None and found not in (*IMAGE_FORMATS, ISO_FORMAT):
        raise refused(UrlProblem.WRONG_FORMAT, f"The file is {found}, which cannot be registered.")
    # Only these formats have no signature, so unknown bytes match them.
    if declared is not None and found != declared and not (found is None and declared in ("raw", "ploop")):
        raise refused(UrlProblem.WRONG_FORMAT, f"The file is not {declared}; it is {_described(content)}.")
    if content.dangers:
        raise refused(UrlProblem.UNSAFE_IMAGE, f"The image is dangerous to open: {content.dangers}.")
    return declared or found or ""


def is_page(head: bytes) -> bool:
    """Check whether the first bytes of a file are those of an HTML page."""
    return bool(_HTML.match(head[:4096]))


def packed_into(head: bytes) -> str:
    """Return the compression or archive format of a file by its first bytes; "" if there is none."""
    return next((name for name, mark in _PACKED if mark.match(head)), "")


def _way_to_unpack(kind: str, *, served: bool) -> str:
    verb = "serve" if served else "use"
    return f"Unpack it first ({_UNPACKERS[kind]}), and {verb} the disk image or ISO that it contains."


def refusal(source: Opened, problem: UrlProblem, message: str, *, hint: str = "") -> HyperxGlanceError:
    """Return the error for an opened source."""
    if source.file is None:
        return rejected(problem, message, source.url, hint=hint)
    return file_rejected(problem, message, source.file, hint=hint)


def file_rejected(problem: UrlProblem, message: str, file: str, *, hint: str = "") -> LocalFileError:
    """Return the error for a file of this machine."""
    return LocalFileError(message, file=file, reason=problem, hint=hint or _FILE_HINTS.get(problem, ""))


def _described(content: Content) -> str:
    return content.disk_format or "of an unknown format"
