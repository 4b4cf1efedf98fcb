"""Property protections, read as Glance reads them (glance/common/property_utils.py)."""

from __future__ import annotations

import configparser
import functools
import re
from collections.abc import Mapping

from hyperx_glance.deployment import property_protections


@functools.lru_cache(maxsize=4096)
def refused_by_rules(text: str, key: str, operation: str, caller_roles: frozenset[str]) -> bool:
    """Find the first rule that matches a key; the empty string stands for the rules that this library ships."""
    for pattern, rules in _rules(text or property_protections()):
        if re.search(pattern, key):
            roles = {role.strip() for role in rules.get(operation, "").split(",")}
            return not ("@" in roles or roles & caller_roles) or "!" in roles
    return True


@functools.cache
def _rules(text: str) -> list[tuple[str, Mapping[str, str]]]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return [(section, parser[section]) for section in parser.sections()]
