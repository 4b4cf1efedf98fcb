from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import logging
import lzma
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from openstackclient import shell

from hyperx_glance import DepartmentQuota, LaunchProgress, Phase, Progress, QuotaLimits, cli
from hyperx_glance.cli import commands
from hyperx_glance.cli.progress import launch_progress, registration_progress
from hyperx_glance.quotas.resources import FIELDS
from hyperx_glance.testing import InMemoryCloud
from tests import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
TREE = Path(__file__).with_name("cli-tree.txt")
COMMANDS = """\
hyperx deployment metadefs
hyperx deployment protections
hyperx doctor
hyperx flavor list
hyperx image capture
hyperx image create
hyperx image delete
hyperx image disable
hyperx image enable
hyperx image launch
hyperx image list
hyperx image save
hyperx image set
hyperx image show
hyperx image tags
hyperx iso create
hyperx iso list
hyperx quota set
hyperx quota show
hyperx server password reset
""".splitlines()
URL = "http://files.example/disk.qcow2"


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        return json.loads(self.out)


@pytest.fixture
def fake() -> Iterator[InMemoryCloud]:
    with InMemoryCloud() as cloud:
        yield cloud


@pytest.fixture
def openstack(
    fake: InMemoryCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Run]]:
    """Run the openstack command in this process: ``openstack("image list", user="bob")``."""
    handlers = list(logging.getLogger().handlers)

    def run(line: str, user: str = "alice") -> Run:
        for key, value in fake.auth(user).items():
            monkeypatch.setenv(f"OS_{key.upper()}", value)
        monkeypatch.setenv("OS_IDENTITY_API_VERSION", "3")
        capsys.readouterr()
        status = shell.main(shlex.split(line))
        logging.getLogger().handlers[:] = handlers
        return Run(status, *capsys.readouterr())

    monkeypatch.setenv("COLUMNS", "400")
    yield run
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def debian(fake: InMemoryCloud) -> str:
    return fake.glance.add_image(
        name="debian",
        status="active",
        disk_format="qcow2",
        container_format="bare",
        size=700 << 20,
        visibility="private",
        created_at="2026-11-24T08:00:00+00:00",
        tags=["linux", "stable"],
        description="稳定版",
        hyperx_password_enabled="true",
        my_key="my value",
    )


# ----------------------------------------------------------------- the tree


def parser_of(command: str) -> argparse.ArgumentParser:
    (entry,) = entry_points(group="openstack.hyperx.v1", name=command.replace(" ", "_"))
    parser: argparse.ArgumentParser = entry.load()(None, None).get_parser(f"openstack {command}")
    return parser


def described(command: str) -> str:
    """Write a command with its own arguments; those of cliff's formats come and go with its releases."""
    lines = [command]
    for group in parser_of(command)._action_groups:
        if group.title not in ("positional arguments", "options"):
            continue
        for action in group._group_actions:
            if isinstance(action, argparse._HelpAction):
                continue
            names = ", ".join(action.option_strings) or str(action.metavar)
            choices = f" {{{','.join(map(str, action.choices))}}}" if action.choices else ""
            lines.append(f"    {names}{choices}")
    return "\n".join(lines)


def test_the_tree_is_as_written() -> None:
    """Change tests/unit/cli-tree.txt by hand: people's scripts depend on it."""
    found = sorted(entry.name.replace("_", " ") for entry in entry_points(group="openstack.hyperx.v1"))

    assert found == COMMANDS
    assert "\n".join(map(described, COMMANDS)) + "\n" == TREE.read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_is_in_the_guide(command: str) -> None:
    parser = parser_of(command)

    assert parser.description
    assert f"openstack {command}" in (ROOT / "docs" / "guide" / "command-line.rst").read_text()
    assert command in parser.format_help()


# ----------------------------------------------------------------- list


def test_people_get_the_consoles_columns(openstack: Callable[..., Run], debian: str) -> None:
    run = openstack("hyperx image list")

    assert (run.status, run.err) == (0, "")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in run.out.splitlines() if "|" in line]
    assert lines[0] == ["名称", "创建日期", "格式", "大小", "状态", "所有者", "密码启用", "说明"]
    assert lines[1][0] == "debian"
    assert re.fullmatch(r"2026-11-2[345] \d\d:\d\d", lines[1][1])
    assert lines[1][2:] == ["QCOW2", "700.0 MiB", "ACTIVE", "dept-a", "是", "稳定版"]
    assert debian not in run.out


def test_programs_get_plain_stable_values(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    expected = {
        "id": debian,
        "name": "debian",
        "created_at": "2026-11-24T08:00:00Z",
        "disk_format": "qcow2",
        "size": 700 << 20,
        "state": "ACTIVE",
        "owner": fake.departments["dept-a"],
        "password_enabled": True,
        "description": "稳定版",
    }

    assert openstack("hyperx image list -f json").json() == [expected]
    (row,) = csv.DictReader(io.StringIO(openstack("hyperx image list -f csv").out))
    assert row == {key: str(value) for key, value in expected.items()}
    assert openstack("hyperx image list -f value -c name -c size").out == f"debian {700 << 20}\n"
    (read,) = yaml.safe_load(openstack("hyperx image list -f yaml").out)
    assert read == expected
    assert 'password_enabled="True"\n' in openstack("hyperx image show debian -f shell").out


def test_programs_ask_for_no_names(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    fake.glance.add_image(owner="dept-b", visibility="community", status="active", name=f"not {debian}")
    openstack("hyperx image list -f json")

    assert not [request.path for request in fake.requests if "projects" in request.path]


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("name", ["名称", "name"])
@pytest.mark.parametrize("output", ["table", "csv"])
def test_columns_have_either_name_in_every_format(openstack: Callable[..., Run], name: str, output: str) -> None:
    run = openstack(f"hyperx image list -f {output} -c {name} --sort-column {name}")

    assert run.status == 0
    assert "debian" in run.out
    assert "700" not in run.out


def test_long_and_empty_lists(openstack: Callable[..., Run], debian: str) -> None:
    assert debian in openstack("hyperx image list --long").out
    assert openstack("hyperx image list nothing -f json").json() == []
    assert openstack("hyperx image list nothing").status == 0


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ("debian 稳定", True),
        ("ubuntu", False),
        ("--view private --state ACTIVE --disk-format qcow2 --disk-format raw", True),
        ("--view public", False),
        ("--tag linux --tag stable --any-tag stable --any-tag old --no-tag old", True),
        ("--tag linux --tag old", False),
        ("--name debian --owner dept-a --name-contains EBI --description-contains 定", True),
        ("--password-enabled --no-protected --bootable --hidden both", True),
        ("--no-password-enabled", False),
        ("--hidden yes", False),
        ("--property my_key='my value'", True),
        ("--property my_key=other", False),
        ("--min-size 700M --max-size 1GiB", True),
        ("--min-size 734003201", False),
        ("--created-after 2026-11-24T08:00 --created-before 2026-11-24T16:00+08:00", True),
        ("--created-after 2026-11-25", False),
        ("--kind iso", False),
        ("--kind any --limit 1 --sort name --sort=-created_at", True),
    ],
)
def test_criteria(openstack: Callable[..., Run], debian: str, criteria: str, found: bool) -> None:  # noqa: FBT001 - a case
    run = openstack(f"hyperx image list {criteria} -f value -c id")

    assert (run.status, run.out) == (0, f"{debian}\n" if found else "")


def test_isos_have_a_list_of_their_own(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    disc = fake.glance.add_image(name="disc", status="active", disk_format="iso", visibility="private")

    assert openstack("hyperx iso list -f value -c id").out == f"{disc}\n"
    assert openstack("hyperx image list -f value -c id").out == f"{debian}\n"
    assert {image["id"] for image in openstack("hyperx image list --kind any -f json").json()} == {disc, debian}


@pytest.mark.usefixtures("debian")
def test_tags(openstack: Callable[..., Run]) -> None:
    assert openstack("hyperx image tags -f json").json() == [
        {"tag": "linux", "images": 1},
        {"tag": "stable", "images": 1},
    ]


def test_a_list_is_turned_page_by_page(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    for name in ("debian", "kylin", "ubuntu"):
        fake.glance.add_image(owner="dept-a", name=name, status="active", disk_format="qcow2", size=1)
    command = "hyperx image list --sort name -f value -c name"

    first = openstack(f"{command} --page-size 2")
    (told,) = first.err.splitlines()
    second = openstack(f"{command} {told.removeprefix('Next page: ')}")
    (told,) = second.err.splitlines()
    again = openstack(f"{command} --page-size 1 {told.removeprefix('Previous page: ')}")

    assert (first.out, second.out, again.out) == ("debian\nkylin\n", "ubuntu\n", "kylin\n")
    assert [line.partition(":")[0] for line in again.err.splitlines()] == ["Previous page", "Next page"]
    assert "another query" in openstack(f"hyperx image list {told.removeprefix('Previous page: ')}").err
    assert "a page has a size" in openstack("hyperx image list --limit 3 --page-size 2").err


# ----------------------------------------------------------------- show, create, set, delete


def test_show(openstack: Callable[..., Run], debian: str) -> None:
    by_name, by_id = openstack("hyperx image show debian -f json"), openstack(f"hyperx image show {debian} -f json")

    assert by_name.json() == by_id.json()
    shown = by_name.json()
    assert (shown["kind"], shown["category"], shown["phase"]) == ("image", "private", "ready")
    assert shown["properties"] == {"my_key": "my value"}
    assert shown["tags"] == ["linux", "stable"]
    assert shown["checksum"] is None
    table = openstack("hyperx image show debian").out
    assert "my_key=my value" in table
    assert "密码启用" in table
    assert "None" not in table


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
    # Progress stands beside the output, a line for each change.
    assert run.err.splitlines()[-1].startswith(Phase.READY.value)


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

    shown = run.json()
    assert (shown["name"], shown["description"], shown["tags"]) == ("debian-12", "", ["x"])
    assert (shown["password_enabled"], shown["properties"]) == (False, {"a": "b"})
    assert len([request for request in fake.requests if request.method == "PATCH"]) == before + 1
    assert openstack(f"hyperx image set {debian} --no-tags -f json").json()["tags"] == []


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


@pytest.mark.usefixtures("debian")
def test_delete_reports_servers(openstack: Callable[..., Run]) -> None:
    launched = openstack("hyperx image launch debian web --flavor m1.tiny -f json").json()

    run = openstack("hyperx image delete debian --report-servers")

    assert run.out.startswith(f"debian: server {launched['servers'][0]['id']} web ACTIVE")


def test_an_image_is_shown_with_what_the_caller_may_do(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.add_image(name="theirs", owner="dept-b", visibility="community", status="active", disk_format="qcow2")

    assert openstack("hyperx image show theirs -f json").json()["allowed"] == ["download", "launch", "publish"]
    assert "可用操作" in openstack("hyperx image show theirs").out


# ----------------------------------------------------------------- flavors


def test_flavors_say_whether_an_image_fits(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.add_image(name="large", status="active", disk_format="qcow2", min_ram=1024, owner="dept-a")

    found = openstack("hyperx flavor list --image large -f json").json()

    assert [(row["name"], row["cores"], row["ram_mib"], row["disk_gib"], row["fits"]) for row in found] == [
        ("m1.small", 1, 2048, 20, True),
        ("m1.tiny", 1, 512, 1, False),
    ]
    reason = "Flavor m1.tiny has 512 MiB of memory; image large needs 1024."
    assert [row["reason"] for row in found] == ["", reason]
    assert found[0]["id"] in fake.nova.flavors
    table = openstack("hyperx flavor list --image large").out
    assert all(text in table for text in ("适用", "是", "否", reason))


def test_flavors_without_an_image_are_listed_the_smallest_first(openstack: Callable[..., Run]) -> None:
    found = openstack("hyperx flavor list -f json").json()

    assert [row["name"] for row in found] == ["m1.tiny", "m1.small"]
    assert set(found[0]) == {"id", "name", "cores", "ram_mib", "disk_gib"}
    assert openstack("hyperx flavor list --image nonsense").status == 1


# ----------------------------------------------------------------- servers, quotas, deployment


def test_launch(openstack: Callable[..., Run], debian: str) -> None:
    run = openstack(
        "hyperx image launch debian web --flavor m1.tiny --count 2 --network net1 --metadata a=b --tag t"
        " --launch-id my-launch-1 -f json"
    )

    assert run.status == 0, run.err
    shown = run.json()
    assert (shown["launch_id"], shown["image_id"]) == ("my-launch-1", debian)
    assert [(server["name"], server["status"]) for server in shown["servers"]] == [
        ("web-1", "ACTIVE"),
        ("web-2", "ACTIVE"),
    ]
    assert len(shown["admin_password"]) >= 12
    assert run.err.splitlines()[-1] == "2 of 2 active"
    assert "BUILD" in openstack("hyperx image launch debian more --flavor m1.tiny --no-network --no-wait").out


@pytest.mark.usefixtures("debian")
def test_passwords(openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed at {prompt}")
    launched = openstack("hyperx image launch debian web --flavor m1.tiny --password-prompt -f json").json()
    server = launched["servers"][0]["id"]
    assert launched["admin_password"] == "typed at Password: "

    reset = openstack(f"hyperx server password reset {server} --password s3cret-of-mine -f json").json()

    assert reset == {"server": server, "password": "s3cret-of-mine"}
    drawn = openstack(f"hyperx server password reset {server} -f value -c password").out.strip()
    assert len(drawn) >= 12


@pytest.mark.usefixtures("debian")
def test_no_password_is_logged(openstack: Callable[..., Run]) -> None:
    run = openstack("--debug hyperx image launch debian web --flavor m1.tiny --password s3cret-of-mine -c launch_id")

    assert run.status == 0
    assert "POST" in run.err, "debugging shows requests"
    assert "s3cret-of-mine" not in run.err


def test_quota(openstack: Callable[..., Run]) -> None:
    rows = openstack("hyperx quota show -f json").json()
    assert [row["resource"] for row in rows] == list(FIELDS)

    run = openstack("hyperx quota set dept-b --images 5 --cores unlimited -f json", user="admin")
    limits = {row["resource"]: (row["limit"], row["remaining"]) for row in run.json()}
    assert (limits["images"], limits["cores"]) == ((5, 5), (None, None))
    assert "无限制" in openstack("hyperx quota show dept-b", user="admin").out
    default = openstack("hyperx quota set dept-b --images default --cores default -f json", user="admin").json()
    assert default == openstack("hyperx quota show dept-b -f json", user="admin").json()
    assert {row["limit"] for row in default if row["resource"] == "images"} == {100000}


def test_quota_of_others_is_refused(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx quota show dept-b")

    assert (run.status, run.out) == (1, "")
    assert "administrators" in run.err


def test_limits_are_those_of_the_library() -> None:
    assert set(FIELDS) == set(QuotaLimits.__annotations__)


def test_doctor(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    run = openstack("hyperx doctor --probe -f json")
    assert run.status == 0
    assert {finding["level"] for finding in run.json()} == {"ok"}

    fake.glance.import_methods = []
    run = openstack("hyperx doctor -f json")
    assert run.status == 0, "warnings are no failure"
    assert {finding["check"] for finding in run.json() if finding["level"] == "warning"} == {"web-download"}
    assert openstack("hyperx doctor --transfer import").status == 1
    assert openstack("hyperx doctor --probe --public-visibility public").status == 1


def test_deployment(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    run = openstack("hyperx deployment protections")
    assert run.out.endswith("[.*]\ncreate = @\nread = @\nupdate = @\ndelete = @\n")
    assert fake.requests == [], "it needs no cloud"

    assert openstack("hyperx deployment metadefs").status == 1
    assert openstack("hyperx deployment metadefs", user="admin").status == 0
    assert list(fake.glance.metadefs.namespaces) == ["OS::HyperX::Image"]


# ----------------------------------------------------------------- errors


def test_an_error_is_a_sentence_a_hint_and_status_1(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx image show no-such-image")

    assert (run.status, run.out) == (1, "")
    assert "no-such-image" in run.err
    assert "Hint:" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    "line",
    [
        "hyperx image list --sort size",
        f"hyperx image create '' --url {URL}",
        "hyperx image create name --url ftp://files.example/disk",
        "hyperx image set missing --property hyperx_featured=true",
        "hyperx image launch missing name --flavor m1.tiny --count 0",
    ],
)
def test_what_the_models_refuse_is_status_1(openstack: Callable[..., Run], fake: InMemoryCloud, line: str) -> None:
    run = openstack(line)

    assert run.status == 1
    assert run.err
    assert {request.method for request in fake.requests if request.service != "keystone"} <= {"GET"}


@pytest.mark.parametrize(
    "line",
    [
        "hyperx image list --min-size much",
        "hyperx image list --created-after tomorrow",
        "hyperx image list --property nonsense",
        "hyperx quota set dept-a --images many",
        "hyperx image launch a b --flavor c --user-data no-such-file",
        "hyperx image launch a b --flavor c --network n --no-network",
        "hyperx image launch a b",
        "hyperx image create name",
    ],
)
def test_what_is_no_argument_is_status_2(openstack: Callable[..., Run], line: str) -> None:
    with pytest.raises(SystemExit) as raised:
        openstack(line)

    assert raised.value.code == 2


def test_control_c_cancels_a_registration_cleanly(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    fake.glance.imports_stall = True

    def interrupt() -> None:
        raise KeyboardInterrupt

    fake.before("glance", "GET", "/v2/images/[^/]+$", interrupt, times=1, skip=2)

    run = openstack(f"hyperx image create new --url {URL} --no-preflight --disk-format qcow2")

    assert (run.status, run.out) == (130, "")
    assert run.err.endswith("Cancelled.\n")
    assert "Traceback" not in run.err
    assert [image for image in fake.glance.images.values() if not image.deleted] == []


@pytest.mark.usefixtures("debian")
def test_control_c_leaves_a_launch_and_tells_its_id(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.nova.build_polls = 1000

    def interrupt() -> None:
        raise KeyboardInterrupt

    fake.before("nova", "GET", "/servers/detail", interrupt, times=1, skip=3)

    run = openstack("hyperx image launch debian web --flavor m1.tiny --launch-id my-launch-1")

    assert run.status == 130
    assert "launch my-launch-1" in run.err


# ----------------------------------------------------------------- progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()

    with registration_progress(terminal) as show:
        show(Progress(phase=Phase.DOWNLOADING, bytes_expected=100, bytes_done=50))
    with launch_progress(terminal) as show_launch:
        show_launch(LaunchProgress(active=1, building=1, failed=1, count=3))

    assert "downloading" in terminal.getvalue()
    assert "1 of 3 active, 1 failed" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()


def test_elsewhere_lines_tell_what_changes() -> None:
    lines = io.StringIO()

    with registration_progress(lines) as show:
        for done in None, *range(1001):
            show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1000, bytes_done=done))
        for _ in range(3):
            show(Progress(phase=Phase.STORING))
    with launch_progress(lines) as show_launch:
        for active in 0, 0, 1, 2:
            show_launch(LaunchProgress(active=active, building=2 - active, failed=0, count=2))

    told = lines.getvalue().splitlines()
    assert told[:3] == ["downloading", "downloading 0 B of 1000 B", "downloading 100 B of 1000 B"]
    assert told[-4:] == ["storing", "0 of 2 active", "1 of 2 active", "2 of 2 active"]
    assert len(told) == 1 + 11 + 1 + 3
    assert "\x1b" not in lines.getvalue()


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10K", 10240), ("1.5GiB", 3 << 29), ("2tb", 2 << 40)])
def test_sizes(text: str, value: int) -> None:
    assert commands.size(text) == value


def test_help_does_not_import_the_library() -> None:
    modules = sorted(f"hyperx_glance.cli.{path.stem}" for path in Path(cli.__path__[0]).glob("[a-z]*.py"))
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    assert not {"hyperx_glance.models", "hyperx_glance.client", "pydantic"} & set(imported.split())


def test_quotas_are_shown_for_each_resource() -> None:
    assert tuple(field for field in DepartmentQuota.model_fields if field != "department") == FIELDS


# ----------------------------------------------------------------- capture


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
    assert done.err.splitlines()[-1].startswith("ready")
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

    def test_what_contradicts_itself_is_refused(self, openstack: Callable[..., Run], tmp_path: Path) -> None:
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
