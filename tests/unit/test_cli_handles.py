"""One command begins a launch, registration or capture, and another continues it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Client, NewImage, cli
from tests import samples
from tests.support.command import URL, Run, debian, fake, openstack
from tests.support.interference import interrupt
from tests.test_surface import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["debian", "fake", "openstack"]

ELSEWHERE = {
    "availability_zones": "openstack availability zone list",
    "close": "the end of a command",
    "count": "the first line of image summary",
    "from_session": "a command has a connection",
    "images": "image list",
    "key_pairs": "openstack keypair list",
    "networks": "openstack network list",
    "owner_name": "a column",
    "regions": "openstack region list",
    "servers": "openstack server list",
    "why_not": "what a refused command says",
}
"""What does the work of the verbs that no command calls by their names."""


def test_every_verb_has_its_command() -> None:
    code = "".join(path.read_text() for path in Path(cli.__path__[0]).glob("*.py"))
    called = {verb for verb in VERBS if re.search(rf"\.{verb}\(", code)}

    assert set(VERBS) - called == set(ELSEWHERE) - called
    assert set(ELSEWHERE) <= set(VERBS)


# ----------------------------------------------------------------- launches


@pytest.mark.usefixtures("debian")
class TestLaunches:
    def test_one_that_nobody_waited_for_is_taken_up(self, openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
        fake.nova.build_polls = 3
        run = openstack(
            "hyperx image launch debian web --flavor m1.tiny --count 2 --launch-id order-2026-7 --no-wait -f json"
        )
        begun = run.json()
        assert run.err == "openstack hyperx launch wait order-2026-7\n"
        assert [server["status"] for server in begun["servers"]] == ["BUILD", "BUILD"]
        assert begun["admin_password"]

        waited = openstack("hyperx launch wait order-2026-7 -f json")
        assert waited.err.splitlines()[-1] == "order-2026-7: 2 of 2 active"
        assert [server["status"] for server in waited.json()["servers"]] == ["ACTIVE", "ACTIVE"]
        assert waited.json()["admin_password"] is None, "it is kept nowhere"
        ids = [server["id"] for server in begun["servers"]]
        assert openstack("hyperx launch show order-2026-7 -f value -c servers").out == f"{','.join(ids)}\n"

    def test_all_of_the_department_are_listed_the_newest_first(self, openstack: Callable[..., Run]) -> None:
        assert openstack("hyperx launch list -f json").json() == []
        for name in ("launch-1", "launch-2"):
            openstack(f"hyperx image launch debian {name} --flavor m1.tiny --launch-id {name}")

        listed = openstack("hyperx launch list -f json").json()
        assert [(launch["launch_id"], launch["count"], len(launch["servers"])) for launch in listed] == [
            ("launch-2", 1, 1),
            ("launch-1", 1, 1),
        ]
        assert openstack("hyperx launch list -f value -c launch_id", user="bob").out == ""

    def test_cancelling_asks_and_deletes(self, openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
        openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-2026-8")

        kept = openstack("hyperx launch cancel order-2026-8", typed="no\n")
        assert kept.status == 1
        assert "Delete order-2026-8 for good?" in kept.err
        run = openstack("hyperx launch cancel order-2026-8 20200101T000000Z-0123456789abcdef", typed="y\n")
        assert run.status == 1
        assert "No server belongs to launch 20200101T000000Z-0123456789abcdef" in run.err
        assert openstack("hyperx launch list -f json").json() == []

    def test_cancelling_names_servers_that_are_deleted_softly(
        self, openstack: Callable[..., Run], fake: InMemoryCloud
    ) -> None:
        fake.nova.soft_delete = True
        openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-2026-8")
        run = openstack("hyperx launch cancel order-2026-8 --yes")
        assert run.status == 0
        assert "web will be deleted by themselves" in run.err

    def test_control_c_while_cancelling_goes_on_with_cancelling(
        self, openstack: Callable[..., Run], fake: InMemoryCloud
    ) -> None:
        openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-2026-8")

        fake.before("nova", "DELETE", "/servers/", interrupt, times=1)
        run = openstack("hyperx launch cancel order-2026-8 --yes")

        assert run.status == 130
        assert run.err.endswith("To continue: openstack hyperx launch cancel order-2026-8\n")

    @pytest.mark.parametrize("image", ["debian", "plain"])
    def test_the_password_of_what_goes_on_is_told(
        self, openstack: Callable[..., Run], fake: InMemoryCloud, image: str
    ) -> None:
        fake.glance.add_image(name="plain", status="active", disk_format="qcow2", container_format="bare", size=1)
        fake.nova.build_polls = 1000

        run = openstack(f"hyperx image launch {image} web --flavor m1.tiny --timeout 0.1")

        assert run.status == 1
        assert "(0 of 1 active, 1 building, 0 failed). The launch continues" in run.err
        told = re.findall("^Administrator's password: .{12,}$", run.err, re.MULTILINE)
        assert len(told) == (1 if image == "debian" else 0)

    def test_the_password_of_what_may_have_been_made_is_told(
        self, openstack: Callable[..., Run], fake: InMemoryCloud
    ) -> None:
        fake.before("nova", "POST", "/servers$", interrupt, times=1)
        run = openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-2026-8")

        assert run.status == 130
        assert run.err.startswith("Administrator's password: ")
        assert run.err.endswith("To continue: openstack hyperx launch wait order-2026-8\n")

    def test_the_password_of_what_is_gone_is_not(self, openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
        fake.nova.faults.append("No valid host was found.")

        run = openstack("hyperx image launch debian web --flavor m1.tiny --on-failure delete")

        assert "Everything that the launch had made is deleted." in run.err
        assert "password" not in run.err

    def test_a_failure_says_how_to_clean_up(self, openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
        fake.nova.faults.append("No valid host was found.")
        run = openstack("hyperx image launch debian web --flavor m1.tiny --count 2 --launch-id order-2026-9")

        assert run.status == 1
        assert "`openstack hyperx launch cancel order-2026-9` deletes all of them." in run.err


# ----------------------------------------------------------------- registrations


class TestRegistrations:
    @pytest.fixture(autouse=True)
    def _served(self, fake: InMemoryCloud) -> None:
        fake.glance.downloads[URL] = samples.data("disk.qcow2")

    def test_one_that_nobody_waited_for_is_taken_up(self, openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
        fake.glance.import_polls = 5
        begun = openstack(f"hyperx image create later --url {URL} --no-wait -f json")
        image_id = begun.json()["id"]
        assert begun.json()["state"] == "INACTIVE"
        assert begun.err == f"openstack hyperx registration resume {image_id}\n"

        (listed,) = openstack("hyperx registration list -f json").json()
        assert (listed["id"], listed["name"], listed["url"]) == (image_id, "later", URL)
        assert openstack("hyperx registration list --older-than 3600 -f json").json() == []
        shown = openstack(f"hyperx registration show {image_id} -f json").json()
        assert (shown["id"], shown["phase"]) == (image_id, "downloading")
        done = openstack("hyperx registration resume later -f json").json()
        assert (done["id"], done["state"], done["phase"]) == (image_id, "ACTIVE", "ready")
        assert openstack("hyperx registration list -f json").json() == []

    def test_one_is_cancelled(self, openstack: Callable[..., Run], fake: InMemoryCloud, debian: str) -> None:
        fake.glance.imports_stall = True
        image_id = openstack(f"hyperx image create later --url {URL} --no-wait --protected -f value -c id").out.strip()

        run = openstack("hyperx registration cancel later debian --yes")
        assert run.status == 1
        assert (
            f"Image {debian} is registered. Hint: To delete it, use `openstack hyperx image delete {debian}`."
            in run.err
        )
        assert fake.glance.image(image_id) is None
        assert fake.glance.image(debian) is not None

    def test_the_command_to_continue_is_printed_if_glance_becomes_unreachable(
        self, openstack: Callable[..., Run], fake: InMemoryCloud
    ) -> None:
        fake.glance.import_polls = 5
        fake.fail("glance", "GET", "/v2/images/[^/]+$", status=503, times=None, skip=2)

        run = openstack(f"hyperx image create later --url {URL}")

        (image_id,) = fake.glance.images
        assert run.status == 1
        assert run.err.endswith(f"\nTo continue: openstack hyperx registration resume {image_id}\n")

    def test_no_wait_is_refused_if_this_machine_streams_the_data(
        self, openstack: Callable[..., Run], tmp_path: Path
    ) -> None:
        for source in f"--file {tmp_path / 'disk'}", f"--url {URL} --transfer stream":
            run = openstack(f"hyperx image create later {source} --no-wait")
            assert (run.status, run.out) == (1, "")
            assert "--transfer stream" in run.err
        assert openstack("hyperx registration list -f json").json() == []

    def test_a_file_is_needed_again(self, openstack: Callable[..., Run], fake: InMemoryCloud, tmp_path: Path) -> None:
        path = tmp_path / "disk.qcow2"
        path.write_bytes(samples.data("disk.qcow2"))
        client = Client.from_session(fake.session("alice"))
        lost = client.start_registration(NewImage(name="lost", file=path)).image_id  # and here the program dies

        without = openstack("hyperx registration resume lost")
        assert f"image {lost} was registered from a file" in without.err
        assert openstack(f"hyperx registration resume lost --file {path} -f value -c state").out == "ACTIVE\n"


# ----------------------------------------------------------------- captures


class TestCaptures:
    @pytest.fixture
    def server(self, openstack: Callable[..., Run], fake: InMemoryCloud, debian: str) -> str:
        openstack(f"hyperx image launch {debian} web --flavor m1.tiny")
        return str(fake.nova.server("web").id)

    def test_one_that_nobody_waited_for_is_taken_up(self, openstack: Callable[..., Run], server: str) -> None:
        begun = openstack(f"hyperx image capture {server} golden --capture-id order-2026-1 --no-wait -f json")
        assert begun.err == "openstack hyperx capture resume order-2026-1\n"
        assert (begun.json()["capture_id"], begun.json()["server"]) == ("order-2026-1", server)

        shown = openstack("hyperx capture show order-2026-1 -f json").json()
        assert shown["server"] == server
        done = openstack("hyperx capture resume order-2026-1 -f json").json()
        assert (done["name"], done["state"], done["captured_from"]) == ("golden", "ACTIVE", server)

    def test_one_is_cancelled(self, openstack: Callable[..., Run], server: str) -> None:
        openstack(f"hyperx image capture {server} golden --capture-id order-2026-2 --no-wait")

        assert openstack("hyperx capture cancel order-2026-2 --yes").status == 0
        assert openstack("hyperx image list golden -f json").json() == []


# ----------------------------------------------------------------- looking


def test_a_url_is_looked_at(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")

    report = openstack(f"hyperx check-url {URL} -f json").json()
    assert (report["disk_format"], report["size"]) == ("qcow2", len(samples.data("disk.qcow2")))
    assert report["status"] == 200
    declared = openstack(f"hyperx check-url {URL} --disk-format vmdk -f json")
    assert (declared.status, declared.json()["problem"]) == (1, "wrong_format")
    assert openstack("hyperx check-url http://127.0.0.1/a").status == 1
    assert list(fake.glance.images.values()) == []


@pytest.mark.parametrize(
    ("data", "problem", "said"),
    [
        (None, "http_status", "The server answers 404: there is no file."),
        (b"<!DOCTYPE html><title>Log in</title>", "html", "The URL leads to an HTML page, not to a file."),
        (b"", "empty", "The file is empty."),
        (b"nothing that is known", "unknown_format", "The format of the file cannot be determined."),
        (b"PK\3\4", "packed", "The file is packed: it is zip data."),
        (samples.data("backed.qcow2"), "unsafe_image", "The image is dangerous to open: it refers to a backing file."),
        (
            lzma.compress(b"nothing that is known"),
            "unknown_format",
            "The format of the file cannot be determined.",
        ),
        (gzip.compress(b"PK\3\4", mtime=0), "packed", "The file is packed twice: its gzip data holds zip data."),
        (
            bz2.compress(samples.data("backed.qcow2")),
            "unsafe_image",
            "The image is dangerous to open: it refers to a backing file.",
        ),
        (lzma.compress(bytes(1000))[:-40], "truncated", "The xz data ends too early."),
        (gzip.compress(bytes(1000), mtime=0)[:10] + b"\xff" * 20, "corrupt", "The gzip data is damaged."),
    ],
)
def test_a_url_that_cannot_be_registered_is_status_1(
    openstack: Callable[..., Run], fake: InMemoryCloud, data: bytes | None, problem: str, said: str
) -> None:
    fake.glance.downloads[URL if data is not None else f"{URL}.old"] = data or b""

    run = openstack(f"hyperx check-url {URL} -f json")

    assert run.status == 1
    assert run.err.endswith(f"This URL cannot be registered. {said}\n")
    assert (run.json()["problem"], run.json()["warnings"][0]) == (problem, said)
    assert openstack(f"hyperx image create a --url {URL}").status == 1


@pytest.mark.parametrize(
    "data",
    [samples.data("disk.qcow2"), samples.data("installer.iso"), lzma.compress(samples.data("disk.qcow2"))],
    ids=["disk", "ISO", "packed disk"],
)
def test_a_url_that_can_be_registered_is_status_0(
    openstack: Callable[..., Run], fake: InMemoryCloud, data: bytes
) -> None:
    fake.glance.downloads[URL] = data

    run = openstack(f"hyperx check-url {URL} -f json")

    assert (run.status, run.err, run.json()["problem"]) == (0, "", None)
    assert "Problem" not in openstack(f"hyperx check-url {URL}").out


def test_departments(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    own = {"id": fake.departments["dept-a"], "name": "dept-a"}

    assert openstack("hyperx department list -f json").json() == [own]
    assert own in openstack("hyperx department list -f json", user="admin").json()
    assert "名称" in openstack("hyperx department list --language zh").out


def test_a_summary_counts(openstack: Callable[..., Run], fake: InMemoryCloud, debian: str) -> None:
    fake.glance.add_image(name="disc", status="active", disk_format="iso", visibility="private")

    counted = {(row["by"], row["value"]): row["images"] for row in openstack("hyperx image summary -f json").json()}
    assert counted["total", ""] == 2
    assert (counted["kind", "image"], counted["kind", "iso"]) == (1, 1)
    assert counted["owner", fake.departments["dept-a"]] == 2
    assert counted["tag", "stable"] == 1
    assert openstack("hyperx image summary debian -f value").out.startswith("total  1\n")
    table = openstack("hyperx image summary --language zh").out
    assert all(word in table for word in ("合计", "私有", "类别", "dept-a", "QCOW2"))
    assert debian not in table


@pytest.mark.usefixtures("debian")
def test_servers_of_an_image(openstack: Callable[..., Run]) -> None:
    launched = openstack("hyperx image launch debian web --flavor m1.tiny -f json").json()

    (server,) = openstack("hyperx image servers debian -f json").json()
    assert (server["id"], server["name"], server["through"]) == (launched["servers"][0]["id"], "web", "image")
    assert "| dept-a " in openstack("hyperx image servers debian").out
    assert re.search(r"\| dept-a \| 镜像 +\|", openstack("hyperx image servers debian --language zh").out)
