"""List installed packages with a licence that an Apache-2.0 program may not depend on; exit with 1 if there are any.

python tests/packages/licences.py
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distribution, distributions

COMPATIBLE = re.compile(r"(0BSD|Apache|BSD|ISC|MIT|Mozilla|MPL|PSF|Python Software)\b", re.IGNORECASE)
"""Permissive licences, and Mozilla's, which asks something only of who changes its files."""


def licence(package: Distribution) -> str:
    """Return a package's licence: an SPDX expression, or in older metadata a classifier or a text's first line."""
    said = package.metadata.json
    classified = [str(each).rpartition(" :: ")[2] for each in said.get("classifier", ()) if "License ::" in each]
    texts = [said.get("license_expression"), *classified, said.get("license")]
    return next((str(text).splitlines()[0] for text in texts if text and text != "OSI Approved"), "none")


def problems() -> list[str]:
    """Return what is wrong with the licences of all that is installed, ours included."""
    found = [
        f"{package.name}: {licence(package)}" for package in distributions() if not COMPATIBLE.match(licence(package))
    ]
    own = distribution("hyperx-glance")
    if licence(own) != "Apache-2.0" or not any(file.name == "LICENSE" for file in own.files or ()):
        found.append("hyperx-glance: no licence expression, or no LICENSE")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
