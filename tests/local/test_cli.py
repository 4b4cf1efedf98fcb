"""The real ``openstack`` command against real services."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support.clouds import image_ids, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

OPENSTACK = Path(sys.executable).with_name("openstack")

pytestmark = pytest.mark.usefixtures("client")  # it removes what a test leaves


def environment(cloud: LocalCloud, user: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
    return kept | cloud.environment(user) | {"PYTHONWARNINGS": "ignore", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def openstack(local_cloud: LocalCloud) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, user: str = "alice", status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [OPENSTACK, *arguments], env=environment(local_cloud, user), capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
        return done

    return run


def read(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - whatever was printed
    return json.loads(done.stdout)


def test_the_life_of_an_image(
    openstack: Callable[..., subprocess.CompletedProcess[str]], file_server: FileServer
) -> None:
    name, tag = unique("cli"), unique("tag")
    url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))

    created = openstack(
        "hyperx", "image", "create", name, "--url", url, "--trusted-host", "127.0.0.1", "--tag", tag, "-f", "json"
    )
    assert read(created)["state"] == "ACTIVE"
    assert "ready" in created.stderr
    (listed,) = read(openstack("hyperx", "image", "list", "--tag", tag, "-f", "json"))
    assert (listed["name"], listed["disk_format"]) == (name, "qcow2")
    table = openstack("hyperx", "image", "list", "--tag", tag, "--language", "zh").stdout
    assert "密码启用" in table
    assert "dept-a" in table
    (changed,) = read(openstack("hyperx", "image", "set", name, "--description", "说明", "-f", "json"))
    assert changed["description"] == "说明"
    openstack("hyperx", "image", "disable", name)
    assert openstack("hyperx", "image", "show", name, "-f", "value", "-c", "phase").stdout == "disabled\n"
    openstack("hyperx", "image", "delete", name)
    missing = openstack("hyperx", "image", "show", name, status=1)
    assert "Hint:" in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.needs("formats-checked")
def test_one_command_continues_the_work_that_another_started(
    openstack: Callable[..., subprocess.CompletedProcess[str]], file_server: FileServer
) -> None:
    name, launch_id = unique("cli"), unique("cli-launch")
    held = file_server.hold("/held.qcow2", samples.data("disk.qcow2"), after=4096)
    begun = openstack(
        *("hyperx", "image", "create", name, "--url", held.url, "--trusted-host", "127.0.0.1"),
        *("--no-preflight", "--disk-format", "qcow2", "--no-wait", "-f", "value", "-c", "id"),
    )
    image_id = begun.stdout.strip()
    assert begun.stderr == f"openstack hyperx registration resume {image_id}\n"
    held.wait_until_reached(scaled(60))
    listed = openstack("hyperx", "registration", "list", "-f", "value", "-c", "id", "-c", "phase").stdout
    assert f"{image_id} downloading" in listed.splitlines()
    held.release()
    assert read(openstack("hyperx", "registration", "resume", image_id, "-f", "json"))["state"] == "ACTIVE"

    launch = ("hyperx", "image", "launch", image_id, name, "--flavor", "m1.tiny", "--count", "2", "--no-network")
    openstack(*launch, "--launch-id", launch_id, "--no-wait")
    servers = read(openstack("hyperx", "launch", "wait", launch_id, "-f", "json"))["servers"]
    assert [(server["name"], server["status"]) for server in servers] == [
        (f"{name}-1", "ACTIVE"),
        (f"{name}-2", "ACTIVE"),
    ]
    listed = openstack("hyperx", "launch", "list", "-f", "value", "-c", "launch_id", "-c", "count").stdout
    assert f"{launch_id} 2" in listed.splitlines()
    openstack("hyperx", "launch", "cancel", launch_id)
    assert launch_id not in openstack("hyperx", "launch", "list").stdout


def test_a_server_is_found_by_its_name(
    openstack: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    image, server, path = unique("cli"), f"{unique('网站')} (1|.*)", tmp_path / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    openstack("hyperx", "image", "create", image, "--file", str(path), "--password-enabled")
    launch = ("hyperx", "image", "launch", image, server, "--flavor", "m1.tiny", "--no-network", "-f", "json")
    (first,) = read(openstack(*launch))["servers"]

    assert read(openstack("hyperx", "server", "password", "reset", server, "-f", "json"))["server"] == first["id"]
    captured = read(openstack("hyperx", "image", "capture", server, unique("cli"), "-f", "json"))
    assert captured["captured_from"] == first["id"]

    (second,) = read(openstack(*launch))["servers"]
    refused = openstack("hyperx", "server", "password", "reset", server, status=1).stderr
    assert f"Hint: Use the id: one of {', '.join(sorted([first['id'], second['id']]))}." in refused
    unknown = openstack("hyperx", "image", "capture", server[:-1], unique("cli"), status=1).stderr
    assert unknown.startswith("There is no server with the name or id")


def test_a_person_at_a_terminal_is_asked(
    openstack: Callable[..., subprocess.CompletedProcess[str]], local_cloud: LocalCloud, tmp_path: Path
) -> None:
    name, path = unique("cli"), tmp_path / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    openstack("hyperx", "image", "create", name, "--file", str(path))
    person, terminal = pty.openpty()
    try:
        os.write(person, b"n\n")
        deletion = subprocess.run(
            [OPENSTACK, "hyperx", "image", "delete", name],
            env=environment(local_cloud, "alice"),
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(person)
    assert (deletion.returncode, deletion.stdout) == (1, "")
    assert deletion.stderr == f"Delete {name} for good? [y/N] Nothing was deleted.\n"
    openstack("hyperx", "image", "delete", name, "--yes")


def test_control_c_leaves_no_record(local_cloud: LocalCloud, file_server: FileServer) -> None:
    before = image_ids(local_cloud)
    held = file_server.hold("/slow.raw", b"0" * 1024, after=512)
    line = ["hyperx", "image", "create", unique("cli"), "--url", held.url, "--trusted-host", "127.0.0.1"]
    with subprocess.Popen(
        [OPENSTACK, *line, "--disk-format", "raw", "--no-preflight"],
        env=environment(local_cloud, "alice"),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        held.wait_until_reached(scaled(60))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=scaled(60))
    held.release()

    assert process.returncode == 130
    assert "Cancelled." in told
    assert "Traceback" not in told
    assert image_ids(local_cloud) == before


@pytest.mark.needs("streams-counted")
def test_the_doctors_command(openstack: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert {finding["level"] for finding in read(openstack("hyperx", "doctor", "--probe", "-f", "json"))} == {"ok"}


def test_an_operators_commands(
    openstack: Callable[..., subprocess.CompletedProcess[str]], client: ClientFactory
) -> None:
    assert "[^hyperx_featured$]" in openstack("hyperx", "deployment", "protections").stdout
    openstack("hyperx", "deployment", "metadefs", user="admin")
    client("admin").cloud.delete("image", "/metadefs/namespaces/OS::HyperX::Image")
    rows = {row["resource"]: row for row in read(openstack("hyperx", "quota", "show", "-f", "json"))}
    assert rows["images"]["limit"] > 0
    assert "administrators" in openstack("hyperx", "quota", "show", "dept-b", status=1).stderr
