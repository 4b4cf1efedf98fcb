"""What the tests of the doctor share: an examination whose every finding is complete."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from hyperx_glance import Client, Pace, Settings
from tests.support.readers import assert_whole

if TYPE_CHECKING:
    from hyperx_glance import Finding
    from hyperx_glance.testing import InMemoryCloud

READING = [
    "identity",
    "image",
    "compute",
    "network",
    "block-storage",
    "image-version",
    "compute-version",
    "clock-skew",
    "policies",
    "launch-choices",
    "web-download",
    "unified-limits",
    "redirects",
    "department-limits",
    "stuck-imports",
    "lost-places",
    "featured-flag",
    "share-acceptance",
    "inherited-properties",
    "image-formats",
    "server-metadata",
    "own-properties",
]
TRYING = [
    "scratch-record",
    "property-protections",
    "image-policies",
    "publicize",
    "communitize",
    "download-ports",
    "imports",
    "data-check",
    "hybrid-isos",
    "stream-quota",
    "image-limits",
    "image-store",
    "launch-rights",
    "volume-rights",
]
ODD_URL = "http://glance.cloud.test:8080/hyperx-doctor"
PLAIN_URL = "http://glance.cloud.test/hyperx-doctor"


def hurried() -> Pace:
    """Return a pace by whose clock each look is a second later."""
    return Pace(first_interval=0, longest_interval=0, clock=functools.partial(next, itertools.count()))


def connect(fake: InMemoryCloud, user: str, **settings: object) -> Client:
    settings = {"pace": Pace(first_interval=0, longest_interval=0), **settings}
    return Client.from_session(
        fake.session(user),
        region_name="RegionOne",
        settings=Settings(**settings),  # type: ignore[arg-type]  # fields
    )


def examine(fake: InMemoryCloud, user: str = "alice", *, probe: bool = False, **settings: object) -> dict[str, Finding]:
    """Run the doctor; check that every finding is complete."""
    found = connect(fake, user, **settings).doctor(probe=probe)
    assert [finding.check for finding in found] == READING + (TRYING if probe else [])
    for finding in found:
        assert_whole(finding.message)
        assert finding.remedy or finding.level == "ok", finding
        if finding.remedy:
            assert_whole(finding.remedy)
    return {finding.check: finding for finding in found}


def levels(findings: dict[str, Finding]) -> dict[str, str]:
    """Return what is not well."""
    return {check: finding.level for check, finding in findings.items() if finding.level != "ok"}


def errors(findings: dict[str, Finding]) -> set[str]:
    return {check for check, finding in findings.items() if finding.level == "error"}


def scratch_records(fake: InMemoryCloud) -> list[str]:
    return [image.name or "" for image in fake.glance.images.values() if not image.deleted]
