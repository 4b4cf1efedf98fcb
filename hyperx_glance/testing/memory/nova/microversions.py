"""Which microversion a request to the in-memory Nova asks for."""

from __future__ import annotations

import re

from hyperx_glance.testing.memory.wire import Call, Refused

NEWEST = (2, 104)


def parsed_version(version: str) -> tuple[int, int]:
    """Read "2.96" as (2, 96)."""
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)


def microversion(call: Call) -> tuple[int, int]:
    """Read the microversion that a request asks for."""
    asked = call.headers.get("x-openstack-nova-api-version", "")
    match = re.search(r"compute\s+(\S+)", call.headers.get("openstack-api-version", ""))
    asked = match.group(1) if match else asked
    if asked == "latest":
        return NEWEST
    if asked and not re.fullmatch(r"[1-9]\d*\.(0|[1-9]\d*)", asked):
        words = f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        raise Refused(400, words)
    return parsed_version(asked or "2.1")
