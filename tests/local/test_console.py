"""The console on real services: the command and its content, a file, progress in a second process, and the end."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.console import Console
from hyperx_glance.testing.console.content import CONTENT
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.waiting import until
from tests.unit.console.test_command import ALICE, names, running
from tests.unit.console.visitors import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

QCOW2 = samples.data("disk.qcow2")
OCTETS = {"Content-Type": "application/octet-stream"}


def test_the_command_shows_a_cloud_with_images_and_leaves_nothing() -> None:
    token = f"HYPERX_CONSOLE_TEST={uuid.uuid4().hex}"
    name, _, value = token.partition("=")
    os.environ[name] = value  # all processes of the cloud inherit it
    began = time.monotonic()
    try:
        with running() as (started, url, _):
            wire = Wire(url)
            seen = names(wire, 10, ALICE)
            passed = time.monotonic() - began
            quota = wire.ask("GET", "/api/quota")[1]
            started.terminate()
            rest, _ = started.communicate(timeout=scaled(60))
    finally:
        del os.environ[name]

    assert started.returncode == 0, rest
    assert passed < scaled(60)  # some ten on an idle machine
    assert seen >= {entry.fields["name"] for entry in CONTENT if entry.user == "admin"}
    assert quota["images"]["used"] >= 1
    running_still = subprocess.run(
        ["grep", "-l", "-a", token, *map(str, Path("/proc").glob("[0-9]*/environ"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert running_still.stdout == ""


@pytest.fixture
def wires(local_cloud: LocalCloud) -> Iterator[tuple[Wire, Wire]]:
    """Yield the browsers of two consoles of the cloud, with alice logged in."""
    with Console.of(local_cloud) as first, Console.of(local_cloud) as second:
        made = Wire(first.url), Wire(second.url)
        for wire in made:
            assert wire.ask("POST", "/api/login", ALICE)[0] == 200
        yield made


def test_a_file_is_uploaded_followed_by_another_console_and_saved(wires: tuple[Wire, Wire]) -> None:
    first, second = wires
    size = 16 << 20
    data = QCOW2.ljust(size, b"\0")
    _, ticket = first.ask("POST", "/api/uploads", {"kind": "image", "name": "console upload", "size": size})
    headers = {**OCTETS, "Content-Length": str(size)}

    with first.sending("PUT", f"/api/uploads/{ticket['id']}", headers) as sending:
        sending.send(data[: size // 2])
        until(lambda: second.ask("GET", f"/api/images/{ticket['id']}")[0] == 200)
        with second.sending("GET", f"/api/events?image={ticket['id']}", {}) as following:
            answer = following.getresponse()
            sending.send(data[size // 2 :])
            stored = sending.getresponse()
            assert stored.status == 201, stored.read()
            events = answer.read().decode()
    with second.sending("GET", f"/api/images/{ticket['id']}/file", {}) as saving:
        assert saving.getresponse().read() == data

    phases = [json.loads(line[6:]).get("phase") for line in events.splitlines() if line.startswith("data: ")]
    assert phases[-2:] == ["ready", None]
    assert phases[0] in ("registered", "storing", "downloading")


def test_a_url_is_registered_launched_captured_and_deleted(wires: tuple[Wire, Wire], file_server: FileServer) -> None:
    first, second = wires
    url = file_server.serve("/console.qcow2", QCOW2)
    _, report = first.ask("POST", "/api/url-reports", {"url": url})
    status, started = first.ask("POST", "/api/images", {"kind": "image", "name": "console url", "url": url})
    assert (status, report["disk_format"]) == (202, "qcow2"), started
    with second.sending("GET", f"/api/events?image={started['id']}", {}) as following:
        assert '"phase": "ready"' in following.getresponse().read().decode()

    path = f"/api/images/{started['id']}"
    _, form = first.ask("GET", f"{path}/form")
    flavor = next(each["name"] for each in form["flavors"] if each["fits"])
    status, launched = first.ask("POST", f"{path}/servers", {"name": "console", "flavor": flavor})
    assert status == 201, launched
    with second.sending("GET", f"/api/events?launch={launched['launch_id']}", {}) as following:
        assert '"active": 1' in following.getresponse().read().decode()
    (launch,) = [each for each in second.ask("GET", "/api/launches")[1] if each["launch_id"] == launched["launch_id"]]
    server = launch["servers"][0]["id"]
    status, capture = first.ask("POST", f"/api/servers/{server}/captures", {"name": "console capture"})
    assert status == 202, capture
    with second.sending("GET", f"/api/events?image={capture['image_id']}", {}) as following:
        assert '"phase": "ready"' in following.getresponse().read().decode()
    assert len(first.ask("POST", f"/api/servers/{server}/password", {})[1]["admin_password"]) == 20
    assert [each["id"] for each in first.ask("GET", f"{path}/servers")[1]["servers"]] == [server]
    assert first.ask("DELETE", path)[0] == 200
    assert first.ask("DELETE", f"/api/launches/{launched['launch_id']}")[0] == 202
    with first.sending("GET", f"/api/events?launch={launched['launch_id']}", {}) as following:
        assert "event: gone" in following.getresponse().read().decode()
