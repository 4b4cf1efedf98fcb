"""The one reader of services' responses: a response of another shape than the expected one is the service's error.

    >>> from hyperx_glance.cloud.answers import Shape, parsed
    >>> class Flavor(Shape):
    ...     id: str
    ...     ram: int
    >>> parsed(Flavor, "compute", b'{"id": "1", "ram": 512, "disk": 1}')
    Flavor(id='1', ram=512)
    >>> parsed(Flavor, "compute", b'{"id": "1", "ram": null}')
    Traceback (most recent call last):
    hyperx_glance.errors.ServiceUnavailableError: The compute service sent an invalid Flavor (ram). Hint: ...

pydantic alone reads JSON. It refuses too deep JSON, for which Python's own reader raises `RecursionError`.
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

from hyperx_glance.errors import ServiceUnavailableError
from hyperx_glance.models.url_text import scrub
from hyperx_glance.texts import say, visible, word

LONGEST_BODY = 64 * 1024
"""The number of bytes of an error's body that are read; the useful sentence is near its beginning."""
LONGEST_TEXT = 1000
"""The length in characters to which the messages of services are cut."""
_LONGEST_DATE = 64
_YEARS = range(2000, 2200)
"""Times outside these years are ignored, because they break time arithmetic."""
_ENTITY = re.compile(r"&#?\w{1,31};")
_TAG = re.compile(r"<([^<>]*)>")
_HIDDEN = ("head", "h1", "script", "style")
"""Elements that Glance and proxies write around the useful sentence."""
_Model = TypeVar("_Model", bound=BaseModel)


class Shape(BaseModel):
    """Base class for the part of a response that a verb uses; other keys are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)


def cleaned(text: str, *secrets: str) -> str:
    """Return a service's message in the only form in which it may be shown.

    That is one line of limited length, without control characters, ``secrets`` and the secrets of URLs.
    """
    # Invisible characters first, because they may be in the middle of a secret.
    line = " ".join(visible(text[:LONGEST_BODY]).split())
    for secret in filter(None, secrets):
        forms = secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, errors="replace")
        for form in filter(None, (" ".join(form.split()) for form in forms)):
            line = line.replace(form, "...")
    return scrub(line)[:LONGEST_TEXT]


ServiceText = Annotated[str, pydantic.AfterValidator(cleaned)]
"""A message for people in a service's response."""


def parsed(shape: type[_Model], service: str, content: bytes) -> _Model:
    """Parse a response; raise `ServiceUnavailableError` if it has another shape."""
    try:
        return shape.model_validate_json(content)
    except pydantic.ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
        if mistakes[0]["type"] == "json_invalid":
            raise not_understood(service, "sent-invalid-json") from error
        # A location may contain keys that a service made up.
        places = sorted({cleaned(".".join(map(str, mistake["loc"])))[:60] or "as a whole" for mistake in mistakes})
        name = shape.__name__.lstrip("_")
        raise not_understood(service, "sent-an-invalid-shape", shape=name, places=places[:3]) from error


def not_understood(
    service: str, code: str, *, status: int | None = None, connected: bool = True, **values: object
) -> ServiceUnavailableError:
    """Return the error for an invalid response; ``code`` is that of the sentence with the service and the values."""
    return ServiceUnavailableError(
        say(code, service=word("service", service), **values),
        connected=connected,
        service=service,
        status=status,
        hint=say("check-the-catalogue"),
    )


def server_time(date: str | None) -> datetime | None:
    """Parse the ``Date`` header of a response; return None if it is not a time."""
    try:
        time = parsedate_to_datetime((date or "")[:_LONGEST_DATE])
    except (ArithmeticError, LookupError, TypeError, ValueError):  # email.utils raises all of them for invalid strings
        return None
    # "-0000" means UTC in an unknown zone, which the standard library returns without a zone.
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware if aware.year in _YEARS else None


# ----------------------------------------------------------------- the messages of errors


def explanation(body: bytes, *secrets: str, is_json: bool) -> str:
    """Return the useful sentence of an error's body, as `cleaned` shows it; "" if there is none.

    Glance sends an HTML document with the sentence after the h1, Nova and Cinder send JSON with one key, Neutron sends
    JSON of its own, and proxies send anything. Each step takes linear time, and the body is cut first.
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
    return cleaned(text, *secrets)


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
