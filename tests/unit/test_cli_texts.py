"""The command line speaks to its users: commands and options, in both languages, and no Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.models import browsing, capturing, editing, launching, registering
from hyperx_glance.quotas.resources import FIELDS as FIELDS_OF_QUOTAS
from hyperx_glance.texts import Audience
from tests.support.command import URL, Run, debian, fake, openstack
from tests.texts.catalogues import entries
from tests.unit.test_cli import TREE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["debian", "fake", "openstack"]

PYTHON = re.compile(r"\b\w+\(|\b[a-z_]+=|\b(?:NewImage|NewIso|NewCapture|ImageChanges|UrlPolicy|None|True|False)\b")
FIELDS = {
    field
    for model in (
        browsing.ImageQuery, capturing.NewCapture, editing.ImageChanges, launching.LaunchRequest,
        registering.NewImage, registering.NewIso,
    )
    for field in model.model_fields
    if "_" in field
}  # fmt: skip
OF_PROGRAMS = re.compile(
    r"(must-|keywords-only|make-clients|query-and|changes-and|page-query|read-it-by|type-of-openstacksdk|cannot-sort)"
)
"""Codes of wrong arguments that only programs can pass."""
OF_THE_COMMAND = {
    "columns-left-out", "next-page", "no-wait-means-glance-reads", "previous-page", "to-continue", "use-url-and-glance",
}  # fmt: skip
"""Codes of sentences that the command line alone says."""
OF_CLOUD_INIT = {
    "add-the-account", "cloud-config-lacks-account", "cloud-config-sets-passwords", "set-passwords-elsewhere",
}  # fmt: skip
"""Codes of sentences about user data, whose keys are in backticks: they are for people who wrote it."""
DD = "dd if=/dev/zero of=FILE bs=512 count=1 conv=notrunc"


def sentences(audience: Audience) -> Iterator[tuple[str, str]]:
    """Iterate over the English sentences for an audience, by code."""
    english = entries("en")
    for code in sorted({code for _, code in english}):
        if not OF_PROGRAMS.match(code):
            yield code, str(english.get((audience.value, code), english["", code]).string)


def test_no_sentence_of_the_command_line_speaks_python() -> None:
    said = {code for code, text in sentences(Audience.COMMAND) if PYTHON.search(text.replace(DD, ""))}

    assert said - OF_THE_COMMAND == set()


def test_no_sentence_for_people_has_python_or_a_command() -> None:
    said = {
        code
        for code, text in sentences(Audience.PERSON)
        if not code.startswith("field.") and (PYTHON.search(text.replace(DD, "")) or "`" in text or " --" in text)
    }

    assert said - OF_THE_COMMAND - OF_CLOUD_INIT == set()


def test_options_in_hints_are_those_of_commands() -> None:
    there = set(re.findall(r"--[a-z-]+", TREE.read_text()))
    there |= {
        "--sort-column",
        "--max-width",
        "--region",
        "--service",
        "--default-limit",
        "--allowed-ports",
        "--only-hosts",
        "--charset",
        "--system",
    }
    """cliff's; what the command line never restricts; a header of a message; openstack's."""
    said = {
        option
        for code, text in sentences(Audience.COMMAND)
        if not code.startswith("field.")
        for option in re.findall(r"--[a-z-]+", text)
    }

    assert len(said) > 15
    assert said <= there


def test_commands_in_hints_are_there() -> None:
    there = {line for line in TREE.read_text().splitlines() if line.startswith("hyperx ")}
    said = {
        found
        for _, text in sentences(Audience.COMMAND)
        for found in re.findall(r"`openstack (hyperx [a-z]+(?: [a-z]+)?)\b", text)
    }

    assert len(said) > 10
    assert said <= there


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("image create a --url http://127.0.0.1/a", "An operator can trust the server: --trusted-host."),
        (f"image create a --no-preflight --url {URL}", "--disk-format: required without preflight"),
        ("check-url http://nowhere.example/a", "resolve it, use `openstack hyperx image create --no-preflight`."),
        ("image create a --url http://nowhere.example/a", "resolve it, use --no-preflight."),
        ("image show nobody", "try `openstack hyperx image list <word> --hidden both`"),
        ("image delete precious", "`openstack hyperx image set precious --no-protected`"),
        ("image delete 'of great value'", "`openstack hyperx image set 'of great value' --no-protected`"),
        (
            "image launch debian web --flavor m1.tiny --launch-id order-26",
            "`openstack hyperx launch show order-26`",
        ),
        ("image save debian --file /nowhere/disk", "--file: must be in an existing folder"),
        ("image list --page-size 0", "--page-size: must be between 1 and 1000 images"),
        ("image set debian --hidden --steward-cloud nowhere", "Hint: Name a cloud of clouds.yaml.\n"),
        ("image launch debian web --flavor m1.tiny --boot-volume 0", "--boot-volume: "),
        ("image launch debian web --flavor m1.tiny --password ''", "--password: must have 1 to 127 printable"),
        ("image launch debian web --flavor m1.tiny --install-disk 5", "the disk of an image is --boot-volume"),
        ("image list --sort size", "--sort: Glance cannot sort by size; use name, disk_format, "),
        ("image set debian --property a=1 --remove-property a", "both name a"),
        ("image launch twins web --flavor m1.tiny", "Use the id: one of "),
    ],
)
@pytest.mark.usefixtures("debian")
def test_errors_and_hints_name_commands_and_options_instead_of_python(
    openstack: Callable[..., Run], fake: InMemoryCloud, line: str, said: str
) -> None:
    for name in "precious", "of great value":
        fake.glance.add_image(name=name, status="active", protected=True)
    twins = [fake.glance.add_image(name="twins", status="active") for _ in range(2)]

    openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-26")

    run = openstack(f"hyperx {line}")

    assert run.status == 1
    assert said in run.err
    assert not PYTHON.search(run.err)
    assert "--sort" in line or not FIELDS & set(re.findall(r"[a-z_]+", run.err)), run.err
    assert said != "Use the id: one of " or all(twin in run.err for twin in twins)


def test_a_variable_of_the_environment_is_named_as_its_option(
    openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERX_PUBLIC_VISIBILITY", "everybody")

    assert openstack("hyperx image set debian --category public").err.startswith("--public-visibility: ")


def test_a_quota_without_limits_names_options(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx quota set dept-a", user="admin")

    limits = ", ".join(f"--{field}".replace("_", "-") for field in FIELDS_OF_QUOTAS)
    assert (run.status, run.err) == (1, f"Name at least one of {limits}\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("image show nobody", "没有名称或编号为 nobody 的镜像。提示：名称必须完全一致"),
        ("image launch debian web --flavor m1.tiny --count 61", "配额不足"),
        ("image launch sleeper web --flavor m1.tiny", "镜像 sleeper 处于 INACTIVE 状态"),
        ("image create a --url ftp://files.example/a", "URL"),
        ("image set theirs --description b", "属于其他部门"),
        ("image delete precious", "`openstack hyperx image set precious --no-protected`"),
        ("image list --page-size 0", "--page-size：必须在 1 到 1000 个镜像之间"),
        ("image launch twins web --flavor m1.tiny", "请使用编号"),
        ("check-url http://nowhere.example/a", "无法解析主机名 nowhere.example"),
        ("quota set dept-a", "请至少指定一项"),
    ],
)
@pytest.mark.usefixtures("debian")
def test_errors_are_chinese_for_users_who_read_chinese(
    openstack: Callable[..., Run], fake: InMemoryCloud, line: str, said: str
) -> None:
    fake.glance.add_image(name="precious", status="active", protected=True)
    fake.glance.add_image(name="sleeper", status="deactivated")
    fake.glance.add_image(name="theirs", status="active", owner=fake.departments["dept-b"], visibility="community")
    _twins = [fake.glance.add_image(name="twins", status="active") for _ in range(2)]

    run = openstack(f"hyperx {line} --language zh", user="admin" if line.startswith("quota") else "alice")

    assert run.status == 1
    assert said in run.err
    named = r"`[^`]*`|--[a-z-]+|<[a-z]+>|https?://\S*|ftp://\S*|req-[0-9a-f-]+|[0-9a-f-]{36}|clouds\.yaml|服务返回的信息：[^（。]*|nowhere.example"
    bare = re.sub(named, " ", run.err)
    names = {"Glance", "nobody", "debian", "sleeper", "twins", "theirs", "dept", "precious"}
    assert set(re.findall(r"[A-Za-z][a-z_]{2,}", bare)) <= names, run.err


def test_a_service_that_is_down_is_reported_in_chinese(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/images", status=503, body="Come back later.", times=None)

    run = openstack("hyperx image list --language zh")

    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("镜像服务处理请求失败。服务返回的信息：Come back later（镜像服务返回 503，请求编号 req-")
    assert "提示：请稍后再试" in run.err


def test_what_a_command_reports_is_chinese(
    openstack: Callable[..., Run], fake: InMemoryCloud, debian: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: {"密码：": "s3cret"}[prompt])
    fake.glance.downloads[URL] = b"<html>" * 100

    launched = openstack(f"hyperx image launch {debian} web --flavor m1.small --password-prompt --language zh")
    used = openstack("hyperx image servers debian --language zh")
    checked = openstack(f"hyperx check-url {URL} --language zh")
    deleted = openstack("hyperx image delete debian --report-servers --language zh")

    assert "s3cret" in launched.out
    assert "| 镜像 " in used.out
    assert "| 网页 " in checked.out
    assert re.fullmatch(r"debian：虚拟机 \S+ web ACTIVE（镜像）\n", deleted.out)


def test_exceeded_quotas_are_named_in_chinese(openstack: Callable[..., Run], debian: str) -> None:
    run = openstack(f"hyperx image launch {debian} web --flavor m1.small --count 61 --language zh")

    assert "超出的配额：虚拟机、处理器" in run.err
