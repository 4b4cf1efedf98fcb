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

from hyperx_glance.errors import LocalFileError, UrlRejectedError
from hyperx_glance.sources.addresses import hint_for, rejected
from hyperx_glance.sources.inspectors import inspecting_quietly
from hyperx_glance.texts import NO_TEXT, Text, say
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
    "tar": "tar -xf",
    "WIM": "7z x",
}
_DANGERS = {
    "backing_file": "danger-backing-file",
    "data_file": "danger-data-file",
    "unknown_features": "danger-unknown-features",
    "mbr": "danger-partition-table",
    "descriptor": "danger-descriptor",
}
"""The codes of the clauses for the checks of oslo.utils."""
_PLAIN_DANGERS = ("backing_file", "data_file")
"""Checks to whose clauses oslo's own reason adds nothing."""
_FILE_HINTS = {
    UrlProblem.HTML: "download-the-file-itself",
    UrlProblem.EMPTY: "get-the-empty-file-again",
    UrlProblem.UNSAFE_IMAGE: "make-a-self-contained-image",
    UrlProblem.PACKED: "unpack-and-use",
    UrlProblem.UNKNOWN_FORMAT: "specify-the-format",
    UrlProblem.WRONG_FORMAT: "specify-the-actual-format",
    UrlProblem.CHANGED: "wait-for-its-writers",
    UrlProblem.TRUNCATED: "get-the-file-again",
    UrlProblem.CORRUPT: "get-the-file-again",
}
"""The codes of the hints."""


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
    """Judgement of the first bytes; ``disk_format`` is None if unknown.

    ``dangers`` are clauses of a sentence. ``explanation`` is what oslo.utils says about them; it quotes nothing of the
    file.
    """

    disk_format: str | None = None
    detected: tuple[str, ...] = ()
    dangers: tuple[Text, ...] = ()
    explanation: str = ""
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
    found, dangers, explanation = _inspect(head, whole=whole)
    match sorted(found):
        case []:
            return Content(packed=packed)
        case ["gpt", "iso"]:
            # ISOs for memory sticks carry a partition table as well (glance/location.py, set_data).
            return Content(ISO_FORMAT, found, dangers, explanation)
        case ["gpt"]:
            return Content("raw", found, dangers, explanation, packed=packed)
        case [name]:
            return Content(name, found, dangers, explanation)
    return Content(found[0], found, dangers or (say("danger-several-formats"),), explanation)


@inspecting_quietly()
def _inspect(head: bytes, *, whole: bool) -> tuple[tuple[str, ...], tuple[Text, ...], str]:
    from oslo_utils.imageutils import format_inspector  # noqa: PLC0415  # a tenth of a second that browsing does not need

    found: list[str] = []
    failed: dict[str, object] = {}
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
            failed |= error.failures
        except format_inspector.ImageFormatError as error:
            failed["format"] = error
    dangers = dict.fromkeys(say(_DANGERS.get(check, "danger-safety-check")) for check in failed)
    reasons = (str(reason) for check, reason in failed.items() if check not in _PLAIN_DANGERS)
    return tuple(found), tuple(dangers), ", ".join(reasons)


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
        raise refused(UrlProblem.EMPTY, say("file-is-empty"))
    if content.html or (content.disk_format is None and content_type in ("text/html", "application/xhtml+xml")):
        page = say("url-is-a-page") if file is None else say("file-is-a-page")
        raise refused(UrlProblem.HTML, page)
    found = content.disk_format
    if content.packed and found in (None, "raw"):
        # Registered as "raw", it would become ready, but no server could boot from it.
        twice = say("file-is-packed-twice", packed=packed, content=content.packed)
        message = twice if packed else say("file-is-packed", packed=content.packed)
        raise refused(UrlProblem.PACKED, message, hint=_way_to_unpack(content.packed, served=file is None))
    if declared == ISO_FORMAT and found != ISO_FORMAT:
        raise refused(
            UrlProblem.WRONG_FORMAT,
            say("file-is-not-an-iso", actual=_described(content)),
            hint=say("register-it-as-an-image") if found else NO_TEXT,
        )
    if found == ISO_FORMAT and declared != ISO_FORMAT:
        raise refused(UrlProblem.WRONG_FORMAT, say("file-is-an-iso"), hint=say("register-it-as-an-iso"))
    if declared is None and found is None:
        raise refused(UrlProblem.UNKNOWN_FORMAT, say("format-unknown"))
    if found is not None and found not in (*IMAGE_FORMATS, ISO_FORMAT):
        raise refused(UrlProblem.WRONG_FORMAT, say("format-not-accepted", actual=found))
    # Only these formats have no signature, so unknown bytes match them.
    if declared is not None and found != declared and not (found is None and declared in ("raw", "ploop")):
        message = say("file-is-of-another-format", declared=declared, actual=_described(content))
        raise refused(UrlProblem.WRONG_FORMAT, message)
    if content.dangers:
        message = say("image-is-dangerous", dangers=content.dangers)
        raise refused(UrlProblem.UNSAFE_IMAGE, message, explanation=content.explanation)
    return declared or found or ""


def is_page(head: bytes) -> bool:
    """Check whether the first bytes of a file are those of an HTML page."""
    return bool(_HTML.match(head[:4096]))


def packed_into(head: bytes) -> str:
    """Return the compression or archive format of a file by its first bytes; "" if there is none."""
    return next((name for name, mark in _PACKED if mark.match(head)), "")


def _way_to_unpack(kind: str, *, served: bool) -> Text:
    if kind == "OVA":
        return say("unpack-the-ova-and-serve" if served else "unpack-the-ova-and-use")
    return say("unpack-with-and-serve" if served else "unpack-with-and-use", tool=_UNPACKERS[kind])


def refusal(
    source: Opened, problem: UrlProblem, message: Text, *, hint: Text = NO_TEXT
) -> UrlRejectedError | LocalFileError:
    """Return the error for an opened source."""
    if source.file is None:
        return rejected(problem, message, source.url, hint=hint)
    return file_rejected(problem, message, source.file, hint=hint)


def file_rejected(
    problem: UrlProblem, message: Text, file: str, *, hint: Text = NO_TEXT, explanation: str = ""
) -> LocalFileError:
    """Return the error for a file of this machine."""
    hint = hint or hint_for(problem, _FILE_HINTS)
    return LocalFileError(message, file=file, reason=problem, hint=hint, explanation=explanation)


def _described(content: Content) -> str | Text:
    return content.disk_format or say("unknown-format")
