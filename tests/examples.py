"""Give the examples of modules, README and guides what they talk about.

Besides ``hyperx_glance`` and its public names they find, each on a fresh in-memory cloud:

``hyperx_cloud``               that cloud
``cloud_auth``                 alice's keywords for `connect`
``session``, ``client``        hers
``cloud``                      the client's border
``files``                      the URL of each file on a file server
``paths``                      the path of each file on this machine
``disk_image``, ``iso_image``  ready images of hers

Nothing waits, and loopback may be read, which is denied otherwise.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.doctest import DoctestItem

import hyperx_glance
from hyperx_glance import Client, Image, Pace, Settings, UrlPolicy
from tests import samples
from tests.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keystoneauth1.session import Session

    from hyperx_glance.testing import InMemoryCloud


NEEDS_A_CLOUD = re.compile(r"\b(hyperx_cloud|cloud_auth|session|client|cloud|files|disk_image|iso_image)\b")
READY_IMAGES = {"disk_image": "disk.qcow2", "iso_image": "installer.iso"}
SETTINGS = Settings(
    url_policy=UrlPolicy(trusted_hosts=("127.0.0.1",)),
    pace=Pace(first_interval=0, longest_interval=0, deadline=30),
)


@pytest.fixture(autouse=True)
def _example_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> Iterator[None]:
    if not isinstance(request.node, DoctestItem):
        yield
        return
    source = "".join(step.source for step in request.node.dtest.examples)
    names: dict[str, object] = {name: getattr(hyperx_glance, name) for name in hyperx_glance.__all__}
    names["hyperx_glance"] = hyperx_glance
    with ExitStack() as stack:
        if NEEDS_A_CLOUD.search(source) and "InMemoryCloud" not in source:
            hyperx_cloud = request.getfixturevalue("hyperx_cloud")
            if "connect(" in source:
                stack.enter_context(hyperx_cloud)  # `connect` makes a requests session of its own
            names |= _names_on(hyperx_cloud, stack.enter_context(FileServer()))
            names |= {
                name: _upload(hyperx_cloud.session("alice"), file)
                for name, file in READY_IMAGES.items()
                if name in source
            }
        if re.search(r"\bpaths\b", source):
            names["paths"] = _written(request.getfixturevalue("tmp_path"))
        doctest_namespace.update(names)
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


def _written(folder: Path) -> dict[str, Path]:
    paths = {name: folder / name for name in samples.DISK_FORMATS}
    for name, path in paths.items():
        path.write_bytes(samples.data(name))
    return paths


def _upload(session: Session, file: str) -> Image:
    glance = {"service_type": "image"}
    record = {"name": file, "disk_format": samples.DISK_FORMATS[file], "container_format": "bare"}
    path = f"/v2/images/{session.post('/v2/images', json=record, endpoint_filter=glance).json()['id']}"
    data_type = {"Content-Type": "application/octet-stream"}
    session.put(f"{path}/file", data=samples.data(file), headers=data_type, endpoint_filter=glance)
    return Image.model_validate_json(session.get(path, endpoint_filter=glance).content)
