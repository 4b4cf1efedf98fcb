"""What OpenStack can do only since some release, as far as this library has to know: the one table.

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
    """Say since which release OpenStack can do something, what that is, and what this library does without.

    ``lost`` is the first release that could not do it, where older ones could.
    """

    since: str
    what: str
    without: str
    lost: str = ""


CAPABILITIES: Final[Mapping[Name, Capability]] = {
    "limits-shown": Capability(
        "2026.1",
        "Keystone shows an administrator the image limits of every department.",
        "It asks with a token for the whole system. Without a role on the system those limits are None, and not set.",
    ),
    "formats-checked": Capability(
        "2025.1",
        "Glance checks that data is of the format that its record declares, and safe.",
        "It looks at the data itself. What it did not look at, with preflight=False, it streams or refuses.",
    ),
    "hybrid-isos": Capability(
        "2026.1",
        "Glance takes ISOs that boot from a memory stick too, as those of most distributions do.",
        "It tells that as the reason, and how to make a plain ISO of such a file.",
        lost="2025.1",
    ),
    "lengthless-imports": Capability(
        "2026.1",
        "Glance imports from servers that do not announce the length of a file.",
        "It streams; with transfer='import' it fails, and says that streaming works.",
    ),
    "unsafe-told": Capability(
        "2026.2",
        "Glance says that it refused data for being unsafe.",
        "It looks at the beginning of the data that was refused.",
    ),
    "streams-counted": Capability(
        "2026.2",
        "Glance stops a stream of unknown length at the department's quota.",
        "It stops the stream itself.",
    ),
    "redirects-filtered": Capability(
        "2024.2",
        "Glance's filter for URLs holds for redirects too.",
        "It follows redirects itself, and streams; with transfer='import' it refuses.",
    ),
}


def lacking(release: str) -> frozenset[Name]:
    """Return what a release cannot do yet."""
    return frozenset(name for name, capability in CAPABILITIES.items() if capability.lost <= release < capability.since)
