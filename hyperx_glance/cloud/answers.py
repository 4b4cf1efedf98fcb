"""The one reader of services' answers: it knows the shape that it wants, and every other one is the service's error.

    >>> from hyperx_glance.cloud.answers import Shape, parsed
    >>> class Flavor(Shape):
    ...     id: str
    ...     ram: int
    >>> parsed(Flavor, "compute", b'{"id": "1", "ram": 512, "disk": 1}')
    Flavor(id='1', ram=512)
    >>> parsed(Flavor, "compute", b'{"id": "1", "ram": null}')
    Traceback (most recent call last):
    hyperx_glance.errors.ServiceUnavailableError: What answers for the compute service is not understood: ...

JSON is read by pydantic alone: it refuses what is nested too deep, where Python's own reader raises `RecursionError`.
"""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, TypeVar
from urllib.parse import quote

import pydantic
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from hyperx_glance.errors import ServiceUnavailableError, visible
from hyperx_glance.models.url_text import scrub

LONGEST_BODY = 64 * 1024
"""No more of an error's body is looked at: what a service has to say stands near its beginning."""
LONGEST_TEXT = 1000
"""What a service says to people is cut to so many characters."""
_LONGEST_DATE = 64
_YEARS = range(2000, 2200)
"""A clock beyond them is no clock, and its times break the arithmetic of times."""
_ENTITY = re.compile(r"&#?\w{1,31};")
_TAG = re.compile(r"<([^<>]*)>")
_HIDDEN = ("head", "h1", "script", "style")
"""What Glance and proxies write around the sentence that says something."""
_Model = TypeVar("_Model", bound=BaseModel)


class Shape(BaseModel):
    """Be an answer, or a part of one, as far as a verb needs it; every other key is passed over."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)


def said(text: str, *secrets: str) -> str:
    """Return what a service says to people as it may be shown: nothing that a service says is shown in another way.

    It becomes one line without control characters, ``secrets`` and the secrets of its URLs, cut where it is too long.
    """
    # First what nobody sees, which may stand in the middle of a secret.
    line = " ".join(visible(text[:LONGEST_BODY]).split())
    for secret in filter(None, secrets):
        forms = secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, errors="replace")
        for form in filter(None, (" ".join(form.split()) for form in forms)):
            line = line.replace(form, "...")
    return scrub(line)[:LONGEST_TEXT]


Told = Annotated[str, pydantic.AfterValidator(said)]
"""What a service says to people, as a part of an answer."""


def parsed(shape: type[_Model], service: str, content: bytes) -> _Model:
    """Read an answer; one of another shape is the service's error."""
    try:
        return shape.model_validate_json(content)
    except pydantic.ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
        if mistakes[0]["type"] == "json_invalid":
            raise not_understood(service, "no JSON") from error
        # Keys that a service made up may stand in a location.
        places = sorted({said(".".join(map(str, mistake["loc"])))[:60] or "the whole" for mistake in mistakes})
        raise not_understood(service, f"another {shape.__name__.lstrip('_')}, in {', '.join(places[:3])}") from error


def not_understood(
    service: str, what: str, *, status: int | None = None, connected: bool = True
) -> ServiceUnavailableError:
    """Make the error for an answer of another shape."""
    return ServiceUnavailableError(
        f"What answers for the {service} service is not understood: {what}.",
        connected=connected,
        service=service,
        status=status,
        hint="See that the catalogue's URL leads to the service itself, in a version this library knows.",
    )


def server_time(date: str | None) -> datetime | None:
    """Read the ``Date`` header of an answer; None where it tells no time."""
    try:
        time = parsedate_to_datetime((date or "")[:_LONGEST_DATE])
    except (ArithmeticError, LookupError, TypeError, ValueError):  # as email.utils raises them for wild texts
        return None
    # "-0000" means UTC of an unknown zone, which the standard library gives without one.
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware if aware.year in _YEARS else None


# ----------------------------------------------------------------- errors in services' words


def explanation(body: bytes, *secrets: str, is_json: bool) -> str:
    """Return the useful sentence of an error's body, as `said` shows it; "" if there is none.

    Glance answers an HTML document with the sentence after the h1, Nova and Cinder JSON with one key, Neutron JSON of
    its own, proxies anything. Every step takes time in proportion to the length of the body, which is cut first.
    """
    text = body[:LONGEST_BODY].decode(errors="replace")
    if "\0" in text:  # binary data
        return ""
    if is_json:
        text = _first_sentence(text)
    elif "<" in text:
        text = _without_markup(text)
    # Nova escapes quotes even in JSON; a "&reg" without semicolon is the middle of a URL.
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return said(text, *secrets)


def _first_sentence(text: str) -> str:
    try:
        found: object = from_json(text, allow_partial="trailing-strings")  # it may have been cut
    except ValueError:
        return text
    while isinstance(found, Mapping | list):
        if isinstance(found, Mapping):
            found = found.get("message") or found.get("error") or next(iter(found.values()), "")
        else:
            found = found[0] if found else ""
    return "" if found is None else str(found)


def _without_markup(page: str) -> str:
    kept: list[str] = []
    hidden = ""
    for position, part in enumerate(_TAG.split(page)):
        if position % 2 == 0:
            kept += [] if hidden else [part]
            continue
        name = (part.split(None, 1) or [""])[0].lower()
        if not hidden and name in _HIDDEN:
            hidden = name
        elif hidden and name == f"/{hidden}":
            hidden = ""
    return " ".join(kept)
