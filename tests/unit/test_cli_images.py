"""The image, ISO and capture commands send what their options say and print the result."""

from __future__ import annotations

import hashlib
import lzma
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from hyperx_glance.models.stored import stored
from hyperx_glance.texts import say
from tests import samples
from tests.support.command import URL, Run, debian, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hyperx_glance.testing import InMemoryCloud


__all__ = ["debian", "fake", "openstack"]


# ----------------------------------------------------------------- show, create, set, delete


def test_show(openstack: Callable[..., Run], debian: str) -> None:
    by_name, by_id = openstack("hyperx image show debian -f json"), openstack(f"hyperx image show {debian} -f json")

    assert by_name.json() == by_id.json()
    shown = by_name.json()
    assert (shown["kind"], shown["category"], shown["phase"]) == ("image", "private", "ready")
    assert shown["properties"] == {"my_key": "my value"}
    assert shown["tags"] == ["linux", "stable"]
    assert shown["checksum"] is None
    table = openstack("hyperx image show debian --language zh").out
    assert all(text in table for text in ("字段", "值", "my_key=my value", "密码启用", "私有"))
    assert "None" not in table
    assert "校验和" not in table, "what says nothing is left out"
    assert "MD5" in openstack("hyperx image show debian -c checksum").out, "unless somebody asks for it"


@pytest.mark.parametrize("form", ["json", "yaml", "value", "table"])
def test_the_reason_of_a_failure_is_in_the_language_of_the_table(
    openstack: Callable[..., Run], fake: InMemoryCloud, form: str
) -> None:
    reason = say("no-such-department", name="ops")
    fake.glance.add_image(owner="dept-a", name="failed", status="queued", hyperx_failure=stored(reason))

    shown = openstack(f"hyperx image show failed --language zh -c failure -f {form}").out

    assert (reason.in_language("zh") if form == "table" else reason) in shown
    assert "no-such-department" not in shown


def test_create(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")

    run = openstack(
        f"hyperx image create new --url {URL} --no-preflight --disk-format qcow2 --category public --description d"
        " --password-enabled --admin-user root --os-name 'Debian 12' --tag a --tag b --min-disk 1 --min-ram 512"
        " --property k=v --protected -f json"
    )

    assert run.status == 0, run.err
    shown = run.json()
    assert (shown["state"], shown["category"], shown["tags"]) == ("ACTIVE", "public", ["a", "b"])
    assert shown["properties"]["k"] == "v"
    assert (shown["min_disk_gib"], shown["min_ram_mib"], shown["protected"]) == (1, 512, True)
    assert (shown["password_enabled"], shown["admin_user"], shown["os_name"]) == (True, "root", "Debian 12")
    record = fake.glance.image(shown["id"])
    assert record is not None
    assert record.visibility == "community"
    table = openstack(f"hyperx image create short --url {URL} --no-preflight --disk-format qcow2").out
    assert 5 < len(table.splitlines()) < 20
    assert "None" not in table
    # Progress goes to standard error, a line for each change.
    assert run.err.splitlines()[-1].startswith("new: ready")


def test_create_iso(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    url = "http://files.example/disc.iso"
    fake.glance.downloads[url] = samples.data("installer.iso")

    run = openstack(f"hyperx iso create disc --url {url} --no-preflight --no-bootable -f json")

    assert run.status == 0, run.err
    assert (run.json()["kind"], run.json()["bootable"]) == ("iso", False)


def test_public_is_as_the_deployment_says(
    openstack: Callable[..., Run], fake: InMemoryCloud, debian: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.glance.policies["publicize_image"] = "member"
    record = fake.glance.images[debian]

    assert openstack("hyperx image set debian --category public").status == 0
    assert record.visibility == "community"
    assert openstack("hyperx image set debian --category private").status == 0
    monkeypatch.setenv("HYPERX_PUBLIC_VISIBILITY", "public")
    assert openstack("hyperx image set debian --category public").status == 0
    assert record.visibility == "public"


def test_set(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    before = len([request for request in fake.requests if request.method == "PATCH"])

    run = openstack(
        "hyperx image set debian --name debian-12 --description '' --tag x --no-password-enabled --property a=b"
        " --remove-property my_key -f json"
    )

    (shown,) = run.json()
    assert (shown["name"], shown["description"], shown["tags"]) == ("debian-12", "", ["x"])
    assert (shown["password_enabled"], shown["properties"]) == (False, {"a": "b"})
    # See "How many requests" in the guide: an update changes the image with one.
    assert len([request for request in fake.requests if request.method == "PATCH"]) == before + 1
    assert openstack(f"hyperx image set {debian} --no-tags -f json").json()[0]["tags"] == []


def test_set_several_and_show_what_was_changed(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    other = fake.glance.add_image(name="other", status="active", visibility="private", size=1)

    run = openstack("hyperx image set debian missing other --category 公共 --os-name Debian")

    assert run.status == 1
    assert run.err.startswith("missing: ")
    titles, *rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in run.out.splitlines() if "|" in line]
    assert titles == ["Id", "Name", "Category", "Operating system"]
    assert rows == [[debian, "debian", "public", "Debian"], [other, "other", "public", "Debian"]]
    assert {fake.glance.images[each].visibility for each in (debian, other)} == {"community"}


@pytest.mark.usefixtures("debian")
def test_set_prints_nothing_where_every_change_has_failed(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx image set missing gone --category 公共")

    assert (run.status, run.out) == (1, "")
    assert [line.partition(":")[0] for line in run.err.splitlines()] == ["missing", "gone"]
    assert openstack("hyperx image set missing --category 公共 -f json").json() == []


def test_disable_enable_delete_several(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    other = fake.glance.add_image(name="other", status="active", visibility="private", size=1)

    assert openstack("hyperx image disable debian other").status == 0
    assert fake.glance.images[debian].status == fake.glance.images[other].status == "deactivated"
    assert openstack("hyperx image enable debian").status == 0
    assert fake.glance.images[debian].status == "active"

    run = openstack("hyperx image delete other missing debian")
    assert run.status == 1
    assert run.err.startswith("missing: ")
    assert fake.glance.image(other) is fake.glance.image(debian) is None
    assert openstack("hyperx image delete --missing-ok debian").status == 0


def test_an_administrator_names_the_image_of_any_department_by_its_id(
    openstack: Callable[..., Run], debian: str, fake: InMemoryCloud
) -> None:
    fake.glance.images[debian].visibility = "private"

    assert openstack("hyperx image set debian --category featured", user="admin").status == 1
    for line in (
        "set {} --category featured",
        "disable {}",
        "enable {}",
        "launch {} web --flavor m1.tiny",
        "delete {}",
        "delete {} --missing-ok",
    ):
        run = openstack(f"hyperx image {line.format(debian)}", user="admin")
        assert run.status == 0, run.err
    assert fake.glance.image(debian) is None


def test_a_deletion_asks_on_a_terminal(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    refused = openstack("hyperx image delete debian", typed="n\n")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == "Delete debian for good? [y/N] Nothing was deleted.\n"
    assert openstack("hyperx image delete debian", typed="").status == 1, "the end of input is no yes"
    assert "彻底删除 a、b" in openstack("hyperx image delete a b --language zh", typed="\n").err
    assert fake.glance.image(debian) is not None
    assert openstack("hyperx image delete debian", typed="y\n").status == 0
    assert fake.glance.image(debian) is None
    again = openstack("hyperx image delete debian --yes", typed="")
    assert again.status == 1
    assert "[y/N]" not in again.err


@pytest.mark.usefixtures("debian")
def test_delete_reports_servers(openstack: Callable[..., Run]) -> None:
    launched = openstack("hyperx image launch debian web --flavor m1.tiny -f json").json()

    run = openstack("hyperx image delete debian --report-servers")

    assert run.out.startswith(f"debian: server {launched['servers'][0]['id']} web ACTIVE")


def test_servers_that_may_not_be_listed_are_told_on_stderr(
    fake: InMemoryCloud, openstack: Callable[..., Run], debian: str
) -> None:
    fake.fail("nova", "GET", "/servers", status=403, body="You are not authorized.", times=None)

    run = openstack("hyperx image delete debian --report-servers")

    assert (run.status, run.out) == (0, "")
    assert "Servers may be missing" in run.err
    assert debian not in [image.id for image in fake.glance.images.values() if not image.deleted]


def test_an_image_is_shown_with_what_the_caller_may_do(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.add_image(name="theirs", owner="dept-b", visibility="community", status="active", disk_format="qcow2")

    assert openstack("hyperx image show theirs -f json").json()["allowed"] == ["download", "launch"]
    assert "启动" in openstack("hyperx image show theirs --language zh -c 可用操作").out


# ----------------------------------------------------------------- capture


def test_formats_are_read_without_case(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    """Tables print them in capitals."""
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    source = openstack(f"hyperx image create debian --url {URL} --disk-format QCOW2 -f json").json()
    assert source["disk_format"] == "qcow2"
    assert openstack(f"hyperx check-url {URL} --disk-format QCOW2").status == 0
    server = openstack(f"hyperx image launch {source['id']} web --flavor m1.small --boot-volume 1 -f json").json()
    capture = f"hyperx image capture {server['servers'][0]['id']} copy --disk-format QCOW2 -f json"
    assert openstack(capture).json()["disk_format"] == "qcow2"


def test_servers_that_may_be_missing_are_told(openstack: Callable[..., Run], fake: InMemoryCloud, debian: str) -> None:
    fake.kill("cinder")
    listed = openstack("hyperx image servers debian -f json")
    assert (listed.status, listed.json()) == (0, [])
    assert "Servers may be missing: these services could not be asked: block-storage." in listed.err
    in_chinese = openstack("hyperx image servers debian --language zh").err
    assert "无法查询以下服务：块存储" in in_chinese
    deleted = openstack(f"hyperx image delete {debian} --report-servers --yes")
    assert deleted.status == 0
    assert "Servers may be missing" in deleted.err


def test_a_server_is_captured(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    source = fake.glance.add_image(
        name="debian", status="active", disk_format="qcow2", container_format="bare", visibility="private", size=512
    )
    openstack(f"hyperx image launch {source} web --flavor m1.tiny")
    server = fake.nova.server("web")

    done = openstack(f"hyperx image capture {server.id} 'web with nginx' --tag web --property team=blue -f json")

    shown = done.json()
    assert done.status == 0
    assert (shown["name"], shown["state"], shown["tags"]) == ("web with nginx", "ACTIVE", ["web"])
    assert (shown["captured_from"], shown["properties"]["team"]) == (server.id, "blue")
    assert done.err.splitlines()[-1].startswith("web with nginx: ready")
    listed = openstack("hyperx image list --long -f json").json()
    assert {image["name"]: image["captured_from"] for image in listed} == {"debian": "", "web with nginx": server.id}


class TestFiles:
    def test_an_image_is_created_from_a_file_and_saved_again(
        self, openstack: Callable[..., Run], fake: InMemoryCloud, tmp_path: Path
    ) -> None:
        packed = tmp_path / "disk.qcow2.xz"
        packed.write_bytes(lzma.compress(samples.data("disk.qcow2")))
        target = tmp_path / "saved.qcow2"

        created = openstack(f"hyperx image create --file {packed} debian -f json")
        saved = openstack(f"hyperx image save debian --file {target}")

        assert created.json()["disk_format"] == "qcow2"
        assert "storing" in created.err
        assert (saved.status, saved.out) == (0, "")
        assert target.read_bytes() == samples.data("disk.qcow2")
        assert [image.status for image in fake.glance.images.values()] == ["active"]

    def test_nothing_is_saved_to_standard_output(
        self, openstack: Callable[..., Run], capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        """What comes from there would be used before it is verified."""
        with pytest.raises(SystemExit) as ended:
            openstack("hyperx image save debian --file -")

        assert ended.value.code == 2
        assert "write ./-" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_an_iso_with_the_checksum_that_is_listed(
        self, openstack: Callable[..., Run], fake: InMemoryCloud, tmp_path: Path
    ) -> None:
        path = tmp_path / "installer.iso"
        path.write_bytes(samples.data("installer.iso"))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        fake.glance.downloads["http://files.example/SHA256SUMS"] = f"{digest}  installer.iso\n".encode()

        created = openstack(
            f"hyperx iso create --file {path} --checksum-url http://files.example/SHA256SUMS installer -f json"
        )

        assert created.json()["glance_status"] == "active"

    def test_contradictory_arguments_are_refused(self, openstack: Callable[..., Run], tmp_path: Path) -> None:
        packed = tmp_path / "disk.xz"
        packed.write_bytes(lzma.compress(b"x" * 1000))

        for wrong in f"--url {URL} --file {packed}", "", f"--url {URL} --checksum md5:0 --checksum-url {URL}":
            with pytest.raises(SystemExit) as ended:
                openstack(f"hyperx image create {wrong} debian")
            assert ended.value.code == 2
        refused = openstack(f"hyperx image create --file {packed} --no-unpack debian")
        assert refused.status == 1
        assert "packed" in refused.err
        assert "Traceback" not in refused.err


# ----------------------------------------------------------------- steward


@pytest.fixture
def steward(fake: InMemoryCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a cloud of a clouds.yaml whose login is the steward's."""
    auth = {key: value for key, value in fake.auth("admin").items() if key not in ("region_name", "auth_type")}
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"steward": {"auth": auth, "region_name": "RegionOne"}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return "steward"


def test_a_steward_edits_and_names_for_a_member(
    openstack: Callable[..., Run], fake: InMemoryCloud, steward: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = fake.glance.add_image(name="theirs", owner="dept-b", visibility="community", status="active", size=1)

    without = openstack("hyperx image set theirs --description better")
    assert without.status == 1
    assert fake.departments["dept-b"] in openstack("hyperx image list").out

    assert openstack(f"hyperx image set theirs --description better --steward-cloud {steward}").status == 0
    assert fake.glance.images[theirs].properties["description"] == "better"
    monkeypatch.setenv("HYPERX_STEWARD_CLOUD", steward)
    assert "dept-b" in openstack("hyperx image list").out
    assert "edit" in openstack("hyperx image show theirs -f value -c allowed").out.split(",")


def test_an_unknown_steward_is_a_sentence(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx image list --steward-cloud nobody")

    assert (run.status, run.out) == (1, "")
    assert "nobody" in run.err
    assert "Traceback" not in run.err
