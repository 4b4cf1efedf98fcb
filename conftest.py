"""Give the examples of modules, README and guides what they talk about.

Besides ``hyperx_glance`` they find, each on a fresh in-memory cloud: ``hyperx_cloud`` (that cloud), ``cloud_auth``
(alice's keywords for `connect`), ``session`` (hers), ``client`` (hers), ``cloud`` (the client's border), and ``files``:
the URL of each file on a file server. Nothing waits, and loopback may be read, which is denied otherwise.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.doctest import DoctestItem

import hyperx_glance
from hyperx_glance import Client, Pace, Settings, UrlPolicy
from tests import samples
from tests.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import InMemoryCloud

collect_ignore = ["docs/conf.py"]
NEEDS_A_CLOUD = re.compile(r"\b(hyperx_cloud|cloud_auth|session|client|cloud|files)\b")
SETTINGS = Settings(
    url_policy=UrlPolicy(trusted_hosts=("127.0.0.1",)),
    pace=Pace(first_interval=0, longest_interval=0, deadline=30),
)


@pytest.fixture(autouse=True)
def _example_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> Iterator[None]:
    if not isinstance(request.node, DoctestItem):
        yield
        return
    doctest_namespace["hyperx_glance"] = hyperx_glance
    with ExitStack() as stack:
        source = "".join(example.source for example in request.node.dtest.examples)
        if NEEDS_A_CLOUD.search(source) and "InMemoryCloud" not in source:
            hyperx_cloud = request.getfixturevalue("hyperx_cloud")
            if "cloud_auth" in source:
                stack.enter_context(hyperx_cloud)  # `connect` makes a requests session of its own
            doctest_namespace.update(_names_on(hyperx_cloud, stack.enter_context(FileServer())))
        yield
    doctest_namespace.clear()


def _names_on(hyperx_cloud: InMemoryCloud, server: FileServer) -> dict[str, object]:
    session = hyperx_cloud.session("alice")
    client = Client.from_session(session, settings=SETTINGS)
    files = {name: server.serve(f"/{name}", samples.data(name)) for name in (*samples.DISK_FORMATS, *samples.DANGEROUS)}
    files["debian-12.qcow2"] = server.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    files["download.html"] = server.page("/download.html")
    return {
        "hyperx_cloud": hyperx_cloud,
        "cloud_auth": {**hyperx_cloud.auth("alice"), "settings": SETTINGS},
        "session": session,
        "client": client,
        "cloud": client.cloud,
        "files": files,
    }
