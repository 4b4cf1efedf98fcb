"""Provide the names that the examples of modules and guides use: those of the page "Before you begin".

Its lines are run before each page and each docstring that needs a cloud, as a person would paste them. Docstrings
have no room for it, and find three names more:

``cloud``                      the client's border
``disk_image``, ``iso_image``  ready images of alice's
"""

from __future__ import annotations

import doctest
import functools
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.doctest import DoctestItem

import hyperx_glance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import InMemoryCloud

BEFORE_YOU_BEGIN = Path(__file__).parent.parent / "docs" / "guide" / "before-you-begin.rst"
NEEDS_A_CLOUD = re.compile(r"\b(hyperx_cloud|session|client|cloud|folder|disk_image|iso_image)\b")
READY_IMAGES = {
    "disk_image": hyperx_glance.NewImage(name="debian-12.qcow2", url="https://files.example/debian-12.qcow2"),
    "iso_image": hyperx_glance.NewIso(name="installer.iso", url="https://files.example/installer.iso"),
}


@functools.cache
def _preparation() -> tuple[str, ...]:
    parsed = doctest.DocTestParser().get_examples(BEFORE_YOU_BEGIN.read_text())
    return tuple(example.source for example in parsed)


def prepared() -> dict[str, Any]:
    """Return the names that a session has once the page "Before you begin" has been pasted into it."""
    names: dict[str, Any] = {}
    for source in _preparation():
        exec(compile(source, str(BEFORE_YOU_BEGIN), "single"), names)
    return names


@pytest.fixture(autouse=True)
def _example_names(
    request: pytest.FixtureRequest, doctest_namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    if not isinstance(request.node, DoctestItem):
        yield
        return
    source = "".join(step.source for step in request.node.dtest.examples)
    names: dict[str, Any] = {name: getattr(hyperx_glance, name) for name in hyperx_glance.__all__}
    names["hyperx_glance"] = hyperx_glance
    cloud: InMemoryCloud | None = None
    if NEEDS_A_CLOUD.search(source) and "InMemoryCloud" not in source:
        monkeypatch.setattr(tempfile, "tempdir", str(request.getfixturevalue("tmp_path")))
        names |= prepared()
        client, cloud = names["client"], names["hyperx_cloud"]
        if request.node.path.suffix == ".py":
            names |= {name: client.register(new) for name, new in READY_IMAGES.items() if name in source}
            names["cloud"] = client.cloud
    doctest_namespace.update(names)
    yield
    doctest_namespace.clear()
    if cloud is not None:
        cloud.check()
