r"""What the first bytes of a file say.

>>> from hyperx_glance.urls.contents import examine
>>> examine(b"<!DOCTYPE html><html>", whole=True).html
True
>>> examine(b"QFI\xfb" + bytes([0, 0, 0, 3]) + bytes(600), whole=True).disk_format
'qcow2'

The formats, and the checks for what makes an image dangerous, are oslo.utils', which Glance, Nova and Cinder use too.
"""

import re
from dataclasses import dataclass

from hyperx_glance.urls.addresses import rejected
from hyperx_glance.vocabulary import IMAGE_FORMATS, ISO_FORMAT, UrlProblem

HEAD_BYTES = 128 * 1024
"""Enough for every format's mark: an ISO's comes last, at 32 KiB."""
# Possessive and atomic, or a few comments take a minute of backtracking.
_HTML = re.compile(rb"(?is)^(\xef\xbb\xbf)?\s*+(?:<!--(?>.*?-->)\s*+)*+<(!doctype\s+html|html|head|body|script)\b")
_PLOOP = (b"WithoutFreeSpace", b"WithouFreSpacExt")
_COMPRESSED = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
}  # fmt: skip
_DANGERS = {
    "backing_file": "it names a backing file",
    "data_file": "it keeps its data in another file",
    "unknown_features": "it has features that nobody knows",
    "mbr": "its partition table is malformed",
    "descriptor": "its descriptor names other files or a variant that OpenStack does not take",
}


@dataclass(frozen=True, slots=True)
class Content:
    """Tell what the first bytes are; ``disk_format`` is None where they say nothing, ``dangers`` is a sentence part."""

    disk_format: str | None = None
    detected: tuple[str, ...] = ()
    dangers: str = ""
    html: bool = False
    empty: bool = False
    compression: str = ""


def examine(head: bytes, *, whole: bool) -> Content:
    """Read the first bytes of a file; ``whole`` when there are no more."""
    if not head:
        return Content(empty=True)
    if _HTML.match(head[:4096]):
        return Content(html=True)
    if head.startswith(_PLOOP):
        return Content("ploop", ("ploop",))
    compression = next((name for mark, name in _COMPRESSED.items() if head.startswith(mark)), "")
    found, dangers = _inspect(head, whole=whole)
    match sorted(found):
        case []:
            return Content(compression=compression)
        case ["gpt", "iso"]:
            # ISOs for memory sticks carry a partition table as well (glance/location.py, set_data).
            return Content(ISO_FORMAT, found, dangers)
        case ["gpt"]:
            return Content("raw", found, dangers)
        case [name]:
            return Content(name, found, dangers)
    return Content(found[0], found, dangers or "it can be read in several formats")


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
        except Exception:  # noqa: BLE001, S112  # as oslo's own wrapper: a parser that trips over foreign bytes says no
            continue
        found.append(name)
        if not inspector.complete:
            continue  # what it would check comes later in the file: Glance will
        try:
            inspector.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            dangers += [_DANGERS.get(check, check) for check in error.failures]
        except format_inspector.ImageFormatError as error:
            dangers.append(str(error))
    return tuple(found), " and ".join(dangers)


def judge(content: Content, *, url: str, declared: str | None, content_type: str = "") -> str:
    """Give the disk format to register; ``declared`` None takes what the bytes positively say."""
    if content.empty:
        raise rejected(UrlProblem.EMPTY, "The file is empty.", url)
    if content.html or (content.disk_format is None and content_type in ("text/html", "application/xhtml+xml")):
        raise rejected(UrlProblem.HTML, "The URL leads to an HTML page, not to a file.", url)
    found = content.disk_format
    if declared == ISO_FORMAT and found != ISO_FORMAT:
        raise rejected(
            UrlProblem.WRONG_FORMAT,
            f"The file is no ISO but {_described(content)}.",
            url,
            hint="Register disk images with NewImage." if found else "",
        )
    if found == ISO_FORMAT and declared != ISO_FORMAT:
        raise rejected(UrlProblem.WRONG_FORMAT, "The file is an ISO.", url, hint="Register it with NewIso.")
    if declared is None and found is None:
        raise rejected(
            UrlProblem.UNKNOWN_FORMAT, f"The file's format cannot be told: it is {_described(content)}.", url
        )
    if found is not None and found not in (*IMAGE_FORMATS, ISO_FORMAT):
        raise rejected(UrlProblem.WRONG_FORMAT, f"The file is {found}, which cannot be registered.", url)
    # Only these have no mark, so that bytes that say nothing fit them.
    if declared is not None and found != declared and not (found is None and declared in ("raw", "ploop")):
        raise rejected(UrlProblem.WRONG_FORMAT, f"The file is not {declared} but {_described(content)}.", url)
    if content.dangers:
        raise rejected(UrlProblem.UNSAFE_IMAGE, f"The image is dangerous to open: {content.dangers}.", url)
    return declared or found or ""


def _described(content: Content) -> str:
    return content.disk_format or (f"{content.compression} data" if content.compression else "of no known format")
