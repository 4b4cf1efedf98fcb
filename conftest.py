"""Give the examples of modules, README and guides their clients.

An example that mentions `client` finds a `Client` of dept-a's alice on a fresh in-memory cloud under that name, and
that cloud under `cloud`.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.doctest import DoctestItem

EXAMPLE_NAMES = {"client": "hyperx_client", "cloud": "hyperx_cloud"}


@pytest.fixture(autouse=True)
def _example_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    if not isinstance(request.node, DoctestItem):
        return
    source = "".join(example.source for example in request.node.dtest.examples)
    for name, fixture in EXAMPLE_NAMES.items():
        if name in source:
            doctest_namespace[name] = request.getfixturevalue(fixture)
        else:
            doctest_namespace.pop(name, None)
