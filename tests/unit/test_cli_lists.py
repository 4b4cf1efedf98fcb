"""Lists are tables for people, in their language, and stable values for programs."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.command import Run, debian, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud


__all__ = ["debian", "fake", "openstack"]


# ----------------------------------------------------------------- list


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "|" in line]


TITLES = {
    "zh": ["编号", "名称", "创建日期", "格式", "大小", "状态", "所有者", "密码启用", "说明"],
    "en": ["Id", "Name", "Created", "Format", "Size", "State", "Owner", "Password enabled", "Description"],
}


@pytest.mark.parametrize(("language", "yes"), [("zh", "是"), ("en", "yes")])
def test_people_get_the_consoles_columns(openstack: Callable[..., Run], debian: str, language: str, yes: str) -> None:
    run = openstack(f"hyperx image list --language {language}")

    assert (run.status, run.err) == (0, "")
    titles, row = cells(run.out)
    assert titles == TITLES[language]
    assert row[:2] == [debian, "debian"]
    assert re.fullmatch(r"2026-11-2[345] \d\d:\d\d", row[2])
    assert row[3:] == ["QCOW2", "700.0 MiB", "ACTIVE", "dept-a", yes, "稳定版"]


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_TW.UTF-8", "LANG": "C"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN.GB18030"}, "zh"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": ""}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "OS_HYPERX_LANGUAGE": "zh"}, "zh"),
        ({"LC_ALL": "zh_CN.UTF-8", "OS_HYPERX_LANGUAGE": "en"}, "en"),
    ],
)
@pytest.mark.usefixtures("debian")
def test_a_table_speaks_the_language_of_the_locale(
    openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cells(openstack("hyperx image list").out)[0] == TITLES[language]


def test_an_unknown_language_is_refused_with_those_that_exist(
    openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_HYPERX_LANGUAGE", "fr")

    run = openstack("hyperx image list")
    assert (run.status, run.out, run.err) == (1, "", "OS_HYPERX_LANGUAGE: must be one of en, zh\n")
    assert openstack("hyperx image list --language en").status == 0


def test_a_long_list_is_in_one_language(openstack: Callable[..., Run], debian: str) -> None:
    chinese, english = (
        cells(openstack(f"hyperx image list --long --language {language}").out)[1] for language in ("zh", "en")
    )

    assert {"镜像", "私有", "就绪"} <= set(chinese)
    assert {"image", "private", "ready"} <= set(english)
    assert debian in chinese


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

    assert openstack("hyperx image list -f json --language zh").json() == [expected]
    (row,) = csv.DictReader(io.StringIO(openstack("hyperx image list -f csv --language zh").out))
    assert row == {key: str(value) for key, value in expected.items()} | {"password_enabled": "true"}
    assert openstack("hyperx image list -f value -c name -c size").out == f"debian {700 << 20}\n"
    (read,) = yaml.safe_load(openstack("hyperx image list -f yaml").out)
    assert read == expected
    shell = openstack("hyperx image show debian -f shell").out.splitlines()
    assert {'password_enabled="true"', 'tags="linux,stable"', 'properties="my_key=my value"', 'checksum=""'} <= {*shell}


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("output", ["csv", "value", "shell", "json", "yaml", "table"])
def test_no_format_speaks_python_or_hides_chinese(openstack: Callable[..., Run], output: str) -> None:
    command = "list" if output == "csv" else "show debian"
    shown = openstack(f"hyperx image {command} -f {output}").out

    assert "稳定版" in shown
    assert not re.search(r"\bNone\b|\bTrue\b|\bFalse\b|\['", shown)


def test_programs_ask_for_no_names(openstack: Callable[..., Run], debian: str, fake: InMemoryCloud) -> None:
    fake.glance.add_image(owner="dept-b", visibility="community", status="active", name=f"not {debian}")
    openstack("hyperx image list -f json")

    assert not [request.path for request in fake.requests if "projects" in request.path]


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("name", ["名称", "name", "Name"])
@pytest.mark.parametrize("output", ["table", "csv"])
def test_columns_have_either_name_in_every_format(openstack: Callable[..., Run], name: str, output: str) -> None:
    run = openstack(f"hyperx image list -f {output} -c {name} --sort-column {name}")

    assert run.status == 0
    assert "debian" in run.out
    assert "700" not in run.out


@pytest.mark.parametrize(("word", "found"), [("所有", True), ("私有", True), ("公共", False), ("精选", False)])
def test_views_have_their_chinese_names(openstack: Callable[..., Run], debian: str, word: str, found: bool) -> None:  # noqa: FBT001 - a case
    assert openstack(f"hyperx image list --view {word} -f value -c id").out == (f"{debian}\n" if found else "")


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
        ("--disk-format QCOW2", True),
        ("--disk-format Raw", False),
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
    assert openstack("hyperx image list --disk-format iso -f value -c id").out == f"{disc}\n"
    assert openstack("hyperx image list --kind image -f value -c id").out == f"{debian}\n"
    assert {image["id"] for image in openstack("hyperx image list --kind any -f json").json()} == {disc, debian}


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("criteria", ["", "--view 所有", "--kind image", "--kind iso", "--kind any", "--tag linux"])
def test_a_list_has_as_many_images_as_its_summary(
    openstack: Callable[..., Run], fake: InMemoryCloud, criteria: str
) -> None:
    fake.glance.add_image(name="disc", status="active", disk_format="iso", visibility="private")

    listed = openstack(f"hyperx image list {criteria} -f json").json()
    counted = openstack(f"hyperx image summary {criteria} -f json").json()
    assert counted[0] == {"by": "total", "value": "", "images": len(listed)}
    assert len(listed) == {"": 2, "--view 所有": 2, "--kind any": 2}.get(criteria, 1)


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
    assert told.startswith("Next page: --cursor=")
    second = openstack(f"{command} {told.removeprefix('Next page: ')}")
    (told,) = second.err.splitlines()
    again = openstack(f"{command} --page-size 1 {told.removeprefix('Previous page: ')}")

    assert (first.out, second.out, again.out) == ("debian\nkylin\n", "ubuntu\n", "kylin\n")
    assert [line.partition(":")[0] for line in again.err.splitlines()] == ["Previous page", "Next page"]
    assert "another query" in openstack(f"hyperx image list {told.removeprefix('Previous page: ')}").err
    assert "a page has a size" in openstack("hyperx image list --limit 3 --page-size 2").err
