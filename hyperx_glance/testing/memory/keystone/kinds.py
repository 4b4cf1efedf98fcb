"""The kinds of objects of the in-memory Keystone: their names, required fields, and unique fields."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from hyperx_glance.testing.memory.wire import Record, Refused

Check = Callable[[object], str | None]
"""A check that returns the problem of a value, in jsonschema's words, or None."""


def text(longest: int = 0, *, nullable: bool = False) -> Check:
    """Make the check of a string that is not blank."""
    kinds = "'string', 'null'" if nullable else "'string'"

    def check(value: object) -> str | None:
        if value is None and nullable:
            return None
        if not isinstance(value, str):
            return f"{value!r} is not of type {kinds}"
        if longest and not value:
            return f"{value!r} should be non-empty"
        if longest and len(value) > longest:
            return f"{value!r} is too long"
        if longest and not re.search(r"\S", value):
            return rf"{value!r} does not match '[\\S]+'"
        return None

    return check


def flag(value: object) -> str | None:
    """Check a flag (keystone/api/validation/parameter_types.py, boolean)."""
    words = ["true", "True", "TRUE", "false", "False", "FALSE"]
    if isinstance(value, bool) or value in words:
        return None
    return f"{value!r} is not of type 'boolean'"


def one_of(*words: str) -> Check:
    """Make the check of a word."""
    return lambda value: None if value in words else f"{value!r} is not one of {list(words)!r}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """The names and rules of one kind of objects."""

    member: str
    collection: str
    checks: Mapping[str, Check]
    required: tuple[str, ...] = ("name",)
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    filters: tuple[str, ...] = ("name",)
    prefix: str = ""
    in_domain: bool = False
    """Whether each belongs to a domain, and its name is unique there."""
    unique: bool = True
    word: str = ""

    @property
    def called(self) -> str:
        """The name of one in errors."""
        return self.word or self.member


_DESCRIPTION: Final = text(nullable=True)
_ID: Final = text(nullable=True)

KINDS: Final = {
    kind.collection: kind
    for kind in (
        Kind(
            "project",
            "projects",
            {"name": text(64), "description": _DESCRIPTION, "enabled": flag, "domain_id": _ID, "parent_id": _ID},
            defaults={"description": "", "enabled": True, "is_domain": False, "tags": (), "options": {}},
            filters=("name", "domain_id", "parent_id", "enabled", "is_domain"),
            in_domain=True,
        ),
        Kind(
            "user",
            "users",
            {
                "name": text(255),
                "enabled": flag,
                "password": _ID,
                "description": _DESCRIPTION,
                "default_project_id": _ID,
            },
            defaults={"enabled": True, "options": {}, "password_expires_at": None},
            filters=("name", "domain_id", "enabled"),
            in_domain=True,
        ),
        Kind(
            "group",
            "groups",
            {"name": text(64), "description": _DESCRIPTION},
            defaults={"description": ""},
            filters=("name", "domain_id"),
            in_domain=True,
        ),
        Kind(
            "role",
            "roles",
            {"name": text(255), "description": _DESCRIPTION},
            defaults={"domain_id": None, "description": None, "options": {}},
        ),
        Kind(
            "domain",
            "domains",
            {"name": text(64), "description": _DESCRIPTION, "enabled": flag},
            defaults={"description": "", "enabled": True, "tags": (), "options": {}},
            filters=("name", "enabled"),
        ),
        Kind(
            "region",
            "regions",
            {"id": text(255), "description": _DESCRIPTION, "parent_region_id": _ID},
            required=(),
            defaults={"description": "", "parent_region_id": None},
            filters=("parent_region_id",),
            unique=False,
        ),
        Kind(
            "service",
            "services",
            {"type": text(255), "name": text(255), "description": _DESCRIPTION, "enabled": flag},
            required=("type",),
            defaults={"enabled": True},
            filters=("type", "name"),
            unique=False,
        ),
        Kind(
            "endpoint",
            "endpoints",
            {"interface": one_of("admin", "internal", "public"), "service_id": text(255), "url": text(225)},
            required=("interface", "service_id", "url"),
            defaults={"enabled": True, "region_id": None},
            filters=("service_id", "interface", "region_id"),
            unique=False,
        ),
        Kind(
            "endpoint_group",
            "endpoint_groups",
            {"name": text(255), "description": _DESCRIPTION},
            required=("name", "filters"),
            defaults={"description": None},
            prefix="/OS-EP-FILTER",
            unique=False,
            word="Endpoint Group",
        ),
        Kind(
            "credential",
            "credentials",
            {"type": text(255)},
            ("blob", "type"),
            defaults={"project_id": None},
            unique=False,
            filters=("type", "user_id"),
        ),
    )
}


def checked(kind: Kind, body: object, *, creating: bool) -> Record:
    """Return the description of one thing in a request's body; refuse values that its schema does not allow."""
    if not isinstance(body, dict) or kind.member not in body:
        raise Refused(400, f"{kind.member!r} is a required property")
    given = body[kind.member]
    if not isinstance(given, dict):
        raise _invalid(kind.member, given, f"{given!r} is not of type 'object'")
    for key in kind.required if creating else ():
        if key not in given:
            raise _invalid(kind.member, given, f"{key!r} is a required property")
    if not given and not creating:
        raise _invalid(kind.member, given, f"{given!r} should be non-empty")
    for key, check in kind.checks.items():
        wrong = check(given[key]) if key in given else None
        if wrong:
            raise _invalid(key, given[key], wrong)
    return dict(given)


def _invalid(key: str, value: object, reason: str) -> Refused:
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")
