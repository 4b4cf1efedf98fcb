"""Give the examples of modules, README and guides what they talk about.

Besides ``hyperx_glance`` they find, each on a fresh in-memory cloud: ``hyperx_cloud`` (that cloud), ``cloud_auth``
(alice's keywords for `connect`), ``session`` (hers), ``client`` (hers) and ``cloud`` (the client's border).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.doctest import DoctestItem

import hyperx_glance

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDS_A_CLOUD = re.compile(r"\b(hyperx_cloud|cloud_auth|session|client|cloud)\b")


@pytest.fixture(autouse=True)
def _example_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> Iterator[None]:
    if not isinstance(request.node, DoctestItem):
        yield
        return
    doctest_namespace["hyperx_glance"] = hyperx_glance
    source = "".join(example.source for example in request.node.dtest.examples)
    if not NEEDS_A_CLOUD.search(source):
        yield
        return
    hyperx_cloud = request.getfixturevalue("hyperx_cloud")
    with hyperx_cloud:
        client = request.getfixturevalue("hyperx_client")
        doctest_namespace.update(
            hyperx_cloud=hyperx_cloud,
            cloud_auth=hyperx_cloud.auth("alice"),
            session=hyperx_cloud.session("alice"),
            client=client,
            cloud=client.cloud,
        )
        yield
    doctest_namespace.clear()
