r"""Publishers' checksum files: SHA256SUMS, SHA512SUMS, MD5SUMS, or a single digest.

>>> from hyperx_glance.sources.checksums import Digests
>>> found = Digests("/debian/12/disk.qcow2")
>>> found.feed(b"SHA256 (disk.qcow2) = " + b"9f" * 32 + b"\n")
>>> found.checksum()
'sha256:9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f'

GNU's form is "<digest>  <name>", or "<digest> *<name>"; BSD's is "SHA256 (<name>) = <digest>". Signatures and
comments are ignored. The length of the digest determines the algorithm. Memory is bounded by one line.
"""

import re

from hyperx_glance.texts import say

LONGEST_LINE = 8192
_ALGORITHMS = {32: "md5", 64: "sha256", 128: "sha512"}
_STRONGEST_FIRST = ("sha512", "sha256", "md5")
_GNU = re.compile(rb"(\\?)([0-9A-Fa-f]{32,128})(?: [ *]|\t)(.+)")
_BSD = re.compile(rb"(\\?)(?:MD5|SHA2?-?(?:256|512)) ?\((.+)\) ?= ?([0-9A-Fa-f]{32,128})", re.IGNORECASE)
_ALONE = re.compile(rb"[0-9A-Fa-f]{32,128}")
_ESCAPED = {b"\\\\": b"\\", b"\\n": b"\n", b"\\r": b"\r"}


class Digests:
    """Digests that a checksum file contains for the file at ``path``, which ends in its name."""

    def __init__(self, path: str) -> None:
        self._path = f"/{path}".encode(errors="surrogateescape")
        self._rest = b""
        self._too_long = False
        self._named: dict[str, set[str]] = {}
        self._alone: dict[str, set[str]] = {}
        self._names = False

    def feed(self, piece: bytes) -> None:
        """Parse the next bytes of the file."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._read(line)
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._too_long = b"", True

    def checksum(self) -> str | None:
        """Return the strongest digest as "algorithm:hex", None if there is none; raise `ValueError` if two differ."""
        self._read(self._rest)
        self._rest = b""
        found = self._named or ({} if self._names else self._alone)
        for algorithm in _STRONGEST_FIRST:
            digests = found.get(algorithm, set())
            if len(digests) > 1:
                several = say("checksum-file-is-ambiguous", count=len(digests), algorithm=algorithm)
                raise ValueError(several)
            if digests:
                return f"{algorithm}:{digests.pop()}"
        return None

    def _read(self, line: bytes) -> None:
        if self._too_long:  # the end of a line whose beginning was discarded
            self._too_long = False
            return
        line = line.strip(b"\r \t")
        if len(line) > LONGEST_LINE:
            return
        if match := _BSD.fullmatch(line):
            escaped, name, digest = match.groups()
        elif match := _GNU.fullmatch(line):
            escaped, digest, name = match.groups()
        elif _ALONE.fullmatch(line):
            self._note(self._alone, line)
            return
        else:
            return
        self._names = True
        if escaped:
            name = re.sub(rb"\\[\\nr]", lambda found: _ESCAPED[found[0]], name)
        name = name.removeprefix(b"./")
        if name and self._path.endswith(b"/" + name):
            self._note(self._named, digest)

    def _note(self, found: dict[str, set[str]], digest: bytes) -> None:
        algorithm = _ALGORITHMS.get(len(digest))
        if algorithm:
            found.setdefault(algorithm, set()).add(digest.decode().lower())
