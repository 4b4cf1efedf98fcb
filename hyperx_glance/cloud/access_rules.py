"""The access rules of an application credential, which each service enforces for itself.

>>> from hyperx_glance.cloud.access_rules import covers
>>> covers("/v2/images/*", "/v2/images/7c1/file"), covers("/v2/images/**", "/v2/images/7c1/file")
(False, True)

A service answers 401 to a request that no rule allows, as it does if a token has expired
(keystonemiddleware/auth_token/__init__.py, validate_allowed_request).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hyperx_glance.errors import NotAllowedError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OLDER_TYPES = {"block-storage": ("volumev3", "block-store", "volumev2", "volume")}
"""Other names of a type of service, which a catalogue and its rules may use."""
_WILDCARDS = re.compile(r"(\*\*)|(\{[^}]*\}|\*)")
_ID = re.compile(r"(?<=/)(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/|$)")


def covers(pattern: str, path: str) -> bool:
    """Check whether the path of a rule covers the path of a request, as keystonemiddleware does."""
    expression, end = "", 0
    for found in _WILDCARDS.finditer(pattern):
        expression += re.escape(pattern[end : found.start()]) + (".*" if found[1] else "[^/]+")
        end = found.end()
    return re.fullmatch(expression + re.escape(pattern[end:]), path) is not None


def missing_rule(
    rules: Sequence[Mapping[str, object]], catalogue: Sequence[str], service: str, method: str, url: str
) -> NotAllowedError | None:
    """Return the error for a refused request that no rule allows; None if that is not the cause.

    ``catalogue`` has the types of services, one of which a rule must name.
    """
    path, types = urlsplit(url).path, (service, *_OLDER_TYPES.get(service, ()))
    if any(
        rule.get("service") in types and rule.get("method") == method and covers(str(rule.get("path")), path)
        for rule in rules
    ):
        return None
    listed = next((kind for kind in catalogue if kind in types), service)
    return NotAllowedError(
        say("no-access-rule", type=listed, method=method, path=_ID.sub("*", path)),
        hint=say("add-the-access-rule"),
        service=service,
        status=401,
    )
