"""The text of URLs: parsing, writing in ASCII, and taking out what may be a secret.

    >>> from hyperx_glance.models.url_text import stored_url
    >>> stored_url("https://alice:secret@files.example/debian.qcow2?X-Amz-Signature=abc&v=12")
    StoredUrl(url='https://files.example/debian.qcow2?v=12', stripped=True)

Pure functions: whether a URL may be read, and what is there, is found out by `hyperx_glance.sources.urls`.
"""

import itertools
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit, urlunsplit

from hyperx_glance.texts import say

_HARMLESS_PARAMETERS = frozenset({
    "v", "ver", "version", "release", "rel", "build", "revision", "edition", "variant", "flavor", "channel", "branch",
    "arch", "architecture", "platform", "os", "distro", "lang", "language", "format", "fmt", "type", "file", "filename",
    "name", "image", "date", "download", "dl", "raw",
})  # fmt: skip
"""Parameters that say which file is meant. Names of secrets cannot be listed: the next service invents another one."""
_LONGEST_VALUE = 64
_PLAIN_VALUE = re.compile(r"[\w.~+/ -]*")
_RANDOM_WORD = re.compile(r"[0-9A-Za-z]{21}")
"""Longer than any word that says which file is meant, and shorter than keys are."""
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]*)(:\d*)?", re.ASCII)
_PATH_PARAMETER = re.compile(r";([^/;=]*)=([^/;]*)")
_WORD = re.compile(r"\S+")
_URL = re.compile(r"https?(?::|%(?:25)*3a)(?:[/\\]|%(?:25)*(?:2f|5c))", re.IGNORECASE)
"""The beginning of a URL, or of what a lenient reader takes for one."""
_SEPARATOR = re.compile(r"[:/\\]")
_BEFORE_WORD = "([{<\"'"
_END_OF_SENTENCE = ".,;:!?)]}>\"'"
_MOST_ENCODINGS = 10
"""Percent-encoding within percent-encoding; deeper nesting counts as a hidden @."""
_UNCLEAR = "a URL"
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f]")


# ----------------------------------------------------------------- parsing and writing


def ascii_place(place: str) -> str:
    """Write server and port of a URL as HTTP sends them; raise `UnicodeError` if the name cannot be written."""
    if place.isascii():
        return place
    name, colon, port = place.partition(":")
    return name.encode("idna").decode() + colon + port


def ascii_url(url: str) -> str:
    """Write a URL as HTTP sends it: punycode and percent-encoding; Glance's reader fails on anything else."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    place = ascii_place(place)
    safe = "%/:=&?~+!$,;'@()*[]"
    return urlunsplit(
        (parts.scheme.lower(), f"{user}{at}{place}", quote(parts.path, safe=safe), quote(parts.query, safe=safe), "")
    )


def url_parts(url: str) -> SplitResult | None:
    """Split a URL; return None if it is not a URL, or if readers understand its host differently.

    Glance decodes "%3a" in a host and takes what follows for the port (urllib.request.Request). It raises nothing: an
    error's context would quote what it took for the port, which may be half of a password.
    """
    try:
        url.encode()
        parts = urlsplit(url)
        _ = parts.port
        place = ascii_place(parts.netloc.rpartition("@")[2])
    except ValueError:  # UnicodeError of the idna codec is one too
        return None
    return parts if _PLACE.fullmatch(place) else None


def ascii_parts(url: str) -> SplitResult | None:
    """Split a URL as HTTP sends it; return None if it is not a URL."""
    try:
        return url_parts(ascii_url(url))
    except ValueError:
        return None


def http_url(url: str) -> str:
    """Accept http and https URLs with a host; `hyperx_glance.sources.urls` checks where they may lead."""
    parts = url_parts(url)
    if parts is None:
        raise ValueError(say("bad-url-host"))
    valid = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    if not valid or has_spaces(url):
        raise ValueError(say("bad-url-form"))
    if _is_ambiguous(url, parts):
        raise ValueError(say("bad-url-ambiguous"))
    return url


def _is_ambiguous(url: str, parts: SplitResult) -> bool:
    """Check whether readers may differ about where user and password end.

    Browsers take a backslash for a slash. An empty port is the colon of a scheme that was pasted twice. What looks like
    a port may be the beginning of a password with a slash, whose @ is then in the path.
    """
    place = parts.netloc.rpartition("@")[2]
    rest = unicodedata.normalize("NFKC", parts.path + parts.query + parts.fragment)
    return "\\" in url or place.endswith(":") or ("@" in rest and (":" in parts.netloc or "@" in parts.netloc))


def well_formed(url: str) -> bool:
    """Check whether a string is a URL of HTTP or HTTPS that can be sent."""
    try:
        ascii_url(http_url(url))
    except ValueError:
        return False
    return True


def has_spaces(url: str) -> bool:
    """Check whether a string has spaces or control characters, which end a URL in a request."""
    return bool(_UNSAFE.search(url))


# ----------------------------------------------------------------- what may be kept and shown


class StoredUrl(NamedTuple):
    """A URL in the form that may be kept and shown, and whether something was removed from it."""

    url: str
    stripped: bool


def stored_url(url: str) -> StoredUrl:
    """Return a URL with its location and the parameters that are known to be harmless, and without the rest.

    User, password and fragment are removed, and so is every other parameter of query and path. Anything in the path
    before an @ is removed, too: some readers take it for a user and a password. Nothing is kept of a URL that readers
    understand differently.
    """
    parts = url_parts(url)
    # Nothing is kept of another scheme: it may be a user, too ("alice://secret@http://files.example").
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or _is_ambiguous(url, parts):
        return StoredUrl("", stripped=bool(url))
    host = parts.netloc.rpartition("@")[2]
    path = _behind_at(parts.path, more=parts.query + parts.fragment)
    path = _PATH_PARAMETER.sub(lambda found: found[0] if _harmless(found[1], found[2]) else "", path)
    pairs = re.split(r"[&;?]", parts.query)  # servers differ in what they take for an end
    kept = [pair for pair in pairs if not pair or _harmless(*pair.partition("=")[::2])]
    query = parts.query if kept == pairs else "&".join(filter(None, kept))
    stripped = (host, path, kept) != (parts.netloc, parts.path, pairs)
    return StoredUrl(urlunsplit((parts.scheme, host, path, query, "")), stripped=stripped)


def _harmless(name: str, value: str) -> bool:
    text = unquote_plus(value)
    return (
        name.lower() in _HARMLESS_PARAMETERS
        and len(text) <= _LONGEST_VALUE
        and bool(_PLAIN_VALUE.fullmatch(text))
        and not _RANDOM_WORD.search(text)
    )


def _behind_at(path: str, *, more: str) -> str:
    """Return the part of a path that cannot be user and password; ``more`` is what follows the path."""
    segments = path.split("/")
    if _has_at(more):  # the password may have a ? in it
        segments = list(itertools.takewhile(lambda segment: ":" not in _decoded(segment), segments))
    for number in reversed(range(len(segments))):
        if _has_at(segments[number]):
            rest = segments[number].rpartition("@")[2]
            unsure = rest in ("", segments[number]) or ";" in segments[number] or _has_at(rest)
            return "/".join(["", *([] if unsure else [rest]), *segments[number + 1 :]]) or "/"
    return "/".join(segments) or path[:1]


def _has_at(text: str) -> bool:
    return "@" in _decoded(text)


def _decoded(text: str) -> str:
    """Undo what a reader may undo: percent-encoding, however often it was applied, and full-width letters."""
    for _ in range(_MOST_ENCODINGS):
        decoded = unquote(unicodedata.normalize("NFKC", text))
        if decoded == text:
            return text
        text = decoded
    return f"{text}://@"


def scrub(text: str, *known: str) -> str:
    """Remove everything that may be a secret of a URL from a message of a service or a library.

    The message may have been cut short. Each URL gets its stored form, and "a URL" stands for what readers may
    understand differently. A ``known`` URL is found in one piece, even if it has unusual characters.
    """
    for url in known:
        clean = _shown(url)
        text = text.replace(url, clean)
        begin = max(len(text) - len(url), 0)
        starts = (found.start() for found in re.compile("https?://", re.IGNORECASE).finditer(text, begin))
        cut = next((start for start in starts if url.startswith(text[start:])), None)
        text = text if cut is None else text[:cut] + clean
    return _WORD.sub(_shown_word, text)


def _shown_word(found: re.Match[str]) -> str:
    word = found[0].rstrip(_END_OF_SENTENCE)
    end = found[0][len(word) :]
    url = _URL.search(word)
    if url is not None and not _has_at(word[: url.start()]):
        return word[: url.start()] + _shown(word[url.start() :]) + end
    if _has_at(word) and (url is not None or _SEPARATOR.search(_decoded(word))):
        return word[: len(word) - len(word.lstrip(_BEFORE_WORD))] + _UNCLEAR + end
    return found[0]


def _shown(url: str) -> str:
    return stored_url(url).url or _UNCLEAR
