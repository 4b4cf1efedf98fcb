"""What the matrix found, for people: grouped, the most frequent kind first, with one example each."""

from __future__ import annotations

import collections
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.resilience.matrix import Finding


def report(found: Sequence[Finding]) -> str:
    groups: dict[tuple[str, str, str], list[Finding]] = collections.defaultdict(list)
    for finding in found:
        where = re.sub(r":\d+: .*", "", finding.detail) if finding.kind.startswith("escaped") else ""
        groups[finding.kind, finding.cell.verb, where].append(finding)
    lines = []
    for (kind, verb, where), group in sorted(groups.items(), key=lambda item: -len(item[1])):
        requests = collections.Counter(str(finding.cell.request) for finding in group)
        faults = collections.Counter(finding.cell.fault for finding in group)
        lines += [
            f"{len(group):5} {kind} {where}| {verb}",
            f"      requests: {', '.join(f'{name} ({number})' for name, number in requests.most_common(4))}",
            f"      faults: {', '.join(f'{name} ({number})' for name, number in faults.most_common(6))}",
            f"      e.g. {group[0].cell}\n           {group[0].detail:.700}",
        ]
    return "\n".join(lines)
