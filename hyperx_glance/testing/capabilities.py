"""The table of OpenStack features that only some releases have, and that this library has to know.

>>> CAPABILITIES["streams-counted"].since, sorted(lacking("2025.2"))
('2026.2', ['hybrid-isos', 'lengthless-imports', 'limits-shown', 'streams-counted', 'unsafe-told'])
>>> "hybrid-isos" in lacking("2024.1")  # whose Glance looks at nothing
False

The in-memory cloud plays an older release by it, tests of real ones hold it against what they see, and the page on
compatibility is made of it.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Name = Literal[
    "limits-shown",
    "formats-checked",
    "hybrid-isos",
    "lengthless-imports",
    "unsafe-told",
    "streams-counted",
    "redirects-filtered",
]
NEWEST: Final = "2026.2"


class Capability(NamedTuple):
    """A feature of OpenStack, the release that introduced it, and what this library does without it.

    ``lost`` is the first release without it, if older releases had it.
    """

    since: str
    what: str
    without: str
    lost: str = ""


CAPABILITIES: Final[Mapping[Name, Capability]] = {
    "limits-shown": Capability(
        "2026.1",
        "Keystone shows an administrator the image limits of every department.",
        "The library asks with a token for the whole system. Without a role there, those limits are None and not set.",
    ),
    "formats-checked": Capability(
        "2025.1",
        "Glance checks that data is of the format that its record declares, and safe.",
        "The library looks at the data itself. With preflight=False, it streams or refuses the data.",
    ),
    "hybrid-isos": Capability(
        "2026.1",
        "Glance takes ISOs that can also boot from a memory stick. Most distributions have such ISOs.",
        "The library's error says so, and how to make a plain ISO from such a file.",
        lost="2025.1",
    ),
    "lengthless-imports": Capability(
        "2026.1",
        "Glance imports from servers that do not announce the length of a file.",
        "The library streams. With transfer='import' it fails, and says that streaming works.",
    ),
    "unsafe-told": Capability(
        "2026.2",
        "If Glance refuses data because it is unsafe, Glance says so.",
        "The library looks at the beginning of the refused data.",
    ),
    "streams-counted": Capability(
        "2026.2",
        "Glance stops a stream of unknown length at the department's quota.",
        "The library stops the stream itself.",
    ),
    "redirects-filtered": Capability(
        "2024.2",
        "Glance uses its filter for URLs on redirects too.",
        "The library follows redirects itself, and streams. With transfer='import' it refuses.",
    ),
}


def lacking(release: str) -> frozenset[Name]:
    """Return the features that a release lacks."""
    return frozenset(name for name, capability in CAPABILITIES.items() if capability.lost <= release < capability.since)
