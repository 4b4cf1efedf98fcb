"""The checks of the in-memory Nova's schemas (nova/api/validation/parameter_types.py)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping, Sequence

from hyperx_glance.testing.memory.wire import Call, Record, Refused

# nova/api/validation/parameter_types.py, boolean.
YES = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
NO = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")


def invalid(key: str, value: object, reason: str) -> Refused:
    """Return the refusal of a value that a schema does not allow."""
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")


def check_name(name: object) -> None:
    """Refuse a name that is not a string, is empty or too long, or has blanks around it."""
    if not isinstance(name, str):
        raise invalid("name", name, f"{name!r} is not of type 'string'")
    if not name:
        raise invalid("name", name, f"{name!r} should be non-empty")
    if len(name) > 255:
        raise invalid("name", name, f"{name!r} is too long")
    if name != name.strip():
        words = "The name must be: printable characters. Can not start or end with whitespace."
        raise Refused(400, f"An invalid 'name' value was provided. {words}")


def check_count(key: str, count: object) -> None:
    """Refuse a value that is not a positive number."""
    if not re.fullmatch("[0-9]+", str(count)):
        raise invalid(key, count, f"{count!r} does not match '^[0-9]*$'")
    if str(count) == "0":
        raise invalid(key, count, f"{count} is less than the minimum of 1")


def check_number(key: str, value: object, *, least: int, most: int) -> None:
    """Refuse a value that is not a whole number between two bounds."""
    if isinstance(value, bool) or not re.fullmatch("[0-9]+", str(value)):
        if isinstance(value, int) and not isinstance(value, bool):
            raise invalid(key, value, f"{value} is less than the minimum of {least}")
        raise invalid(key, value, f"{value!r} does not match '^[0-9]+$'")
    if int(str(value)) < least:
        raise invalid(key, value, f"{value} is less than the minimum of {least}")
    if int(str(value)) > most:
        raise invalid(key, value, f"{value} is greater than the maximum of {most}")


def check_access(body: Record) -> None:
    """Refuse invalid addresses for access; write those of IPv6 as Nova does."""
    for key, version in (("accessIPv4", 4), ("accessIPv6", 6)):
        text = body.get(key)
        if not text:
            continue
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            address = None
        if address is None or address.version != version:
            raise invalid(key, text, f"{text!r} is not a 'ipv{version}'")
        body[key] = str(address)


def check_metadata(metadata: object) -> None:
    """Refuse metadata values that are not short strings."""
    if not isinstance(metadata, Mapping):
        raise invalid("metadata", metadata, f"{metadata!r} is not of type 'object'")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid(key, value, f"{value!r} is not of type 'string'")
        if len(value) > 255:
            raise invalid(key, value, f"{value!r} is too long")
        if not re.fullmatch(r"[a-zA-Z0-9\-_:. ]{1,255}", key):
            raise invalid("metadata", metadata, f"{key!r} does not match any of the regexes")


def check_tags(tags: object) -> None:
    """Refuse too many tags, and tags that are too long or contain a comma or slash."""
    if not isinstance(tags, list):
        raise invalid("tags", tags, f"{tags!r} is not of type 'array'")
    if len(tags) > 50:
        raise invalid("tags", tags, f"{tags} is too long")
    for position, tag in enumerate(tags):
        if len(tag) > 60:
            raise invalid(str(position), tag, f"{tag!r} is too long")
        if not tag or "," in tag or "/" in tag:
            raise invalid(str(position), tag, f"{tag!r} does not match '^[^,/]*$'")


def check_user_data(user_data: str | None) -> None:
    """Refuse user data that is too long or not base64."""
    if not user_data:
        return
    if len(user_data) > 65535:
        raise invalid("user_data", user_data, f"{user_data!r} is too long")
    try:
        base64.b64decode(user_data)  # ignores characters that are not base64 (nova/api/validation/validators.py)
    except binascii.Error:
        raise invalid("user_data", user_data, f"{user_data!r} is not a 'base64'") from None


def enveloped(call: Call, key: str) -> Record:
    """Return the value of the only key of a request's body."""
    found = call.member(key)
    if not isinstance(found, dict):
        raise invalid(key, found, f"{found!r} is not of type 'object'")
    document: Record = found
    return document


def check_keys(key: str, body: Record, *, allowed: Sequence[str], required: Sequence[str] = ()) -> None:
    """Refuse keys that a schema does not know, and the absence of required keys."""
    for each in body:
        if each not in allowed:
            raise invalid(key, body, f"Additional properties are not allowed ({each!r} was unexpected)")
    for each in required:
        if each not in body:
            raise invalid(key, body, f"{each!r} is a required property")


def check_limit(call: Call, *more: str) -> None:
    """Refuse a page size that is not a number, and other keys of the query that are none."""
    for key in ("limit", *more):
        for value in call.values(key):
            if not re.fullmatch("[0-9]+", value):
                raise wrong_query(key, value, f"{value!r} does not match '^[0-9]*$'")


def wrong_query(key: str, value: str, reason: str) -> Refused:
    """Return the refusal of a query parameter."""
    return Refused(400, f"Invalid input for query parameters {key}. Value: {value}. {reason}")
