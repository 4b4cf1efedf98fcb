"""Every table fits 80, 100 and 140 columns in both languages, and says which columns it leaves out."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

import pytest

from hyperx_glance.cli.fitting import Heading, fitted, wrapped
from tests import samples
from tests.support.command import URL, Run, Terminal, debian, fake, openstack
from tests.unit.test_cli import COMMANDS, parser_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["debian", "fake", "openstack"]

WIDTHS = (80, 100, 140)
LONG = "Ubuntu-24.04-服务器-with-everything-that-a-department-needs"
STARTED = f"image create later-{{n}} --url {URL} --no-wait -c id -f value"
RELEASED = f"image release debian-{{n}} --release-version 2026.11 --name '{LONG}' --url {URL}"
CAPTURED = f"image capture '{LONG}' golden --capture-id captured-{{n}} --no-wait"
TABLES: dict[str, tuple[str, ...]] = {
    "capture resume": (CAPTURED, "capture resume captured-{n}"),
    "capture show": (CAPTURED, "capture show captured-{n}"),
    "check-url": (f"check-url {URL} --disk-format vmdk",),
    "department list": ("department list",),
    "deployment leave": ("deployment leave --dry-run",),
    "doctor": ("doctor --probe",),
    "family list": (RELEASED, "family list"),
    "family retire": (RELEASED, "family retire debian-{n} --keep 1 --dry-run"),
    "family show": (RELEASED, "family show debian-{n}"),
    "flavor list": ("flavor list --image large",),
    "image capture": (f"image capture '{LONG}' golden-{{n}}",),
    "image create": (f"image create '{LONG}' --url {URL} --description '{'说明。' * 60}' --tag '{LONG}'",),
    "image deprecate": (RELEASED, "image deprecate --family debian-{n} --replacement large"),
    "image launch": (f"image launch {LONG} web-{{n}} --flavor m1.tiny --count 2",),
    "image list": ("image list --long --view all",),
    "image reinstate": (RELEASED, "image reinstate --family debian-{n}"),
    "image release": (f"image release debian-12 --release-version {{n}} --name '{LONG}' --url {URL} --tag '{LONG}'",),
    "image servers": (f"image servers {LONG}",),
    "image set": (
        f"image set {LONG} large --os-name '{LONG}' --description '{'word ' * 60}' --tag a --category public",
    ),
    "image share": ("image share large {bob} {carol}",),
    "image shares": ("image share large {bob} {carol}", "image shares large"),
    "image unshare": ("image share large {bob} {carol}", "image unshare large {bob}"),
    "image show": (f"image show {LONG}",),
    "image summary": ("image summary",),
    "image tags": ("image tags",),
    "iso create": ("iso create disc-{n} --url http://files.example/disc.iso",),
    "iso release": ("iso release disc-{n} --name disc-{n} --url http://files.example/disc.iso",),
    "iso list": ("iso list",),
    "launch list": ("launch list",),
    "launch show": ("launch show order-2026-1",),
    "launch wait": ("launch wait order-2026-1",),
    "quota set": ("quota set dept-a --images 5",),
    "quota show": ("quota show",),
    "registration list": (STARTED, "registration list"),
    "registration resume": (STARTED, "registration resume later-{n}"),
    "registration show": (STARTED, "registration show later-{n}"),
    "server password reset": (f"server password reset '{LONG}'",),
}
"""The commands that print tables; the last line of each is drawn."""


@pytest.fixture
def furnished(fake: InMemoryCloud, openstack: Callable[..., Run]) -> InMemoryCloud:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    fake.glance.downloads["http://files.example/disc.iso"] = samples.data("installer.iso")
    common: dict[str, Any] = {"status": "active", "container_format": "bare", "size": 20 << 20, "owner": "dept-a"}
    fake.glance.add_image(
        name=LONG, disk_format="qcow2", description=f"{'稳定版，可用于生产环境。' * 9} {LONG}", tags=[LONG, "稳定"],
        hyperx_password_enabled="true", hyperx_os_name="Ubuntu 24.04 LTS (Noble Numbat)", architecture="x86_64",
        **common,
    )  # fmt: skip
    fake.glance.add_image(name="large", disk_format="qcow2", min_ram=1024, **common)
    fake.glance.add_image(name=f"{LONG}.iso", disk_format="iso", **common)
    launched = openstack(f"hyperx image launch {LONG} '{LONG}' --flavor m1.tiny --launch-id order-2026-1")
    assert launched.status == 0, launched.err
    return fake


def width(line: str) -> int:
    """Count the columns of a line on a terminal: two for a Chinese character."""
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in line)


def titles(table: str) -> list[str]:
    return [title.strip() for title in table.splitlines()[1].strip("|").split("|")]


def test_every_command_with_a_table_is_drawn() -> None:
    drawing = {command for command in COMMANDS if "--max-width" in parser_of(command).format_help()}

    assert {f"hyperx {command}" for command in TABLES} == drawing


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_table_is_no_wider_than_its_terminal(
    openstack: Callable[..., Run], furnished: InMemoryCloud, command: str, language: str
) -> None:
    *before, line = TABLES[command]
    furnished.glance.imports_stall = command in ("registration list", "registration show")
    if command == "doctor":
        furnished.glance.import_methods = []  # so that it has something to say
    user = "admin" if command == "quota set" else "alice"

    names = {"bob": furnished.departments["dept-b"], "carol": furnished.departments["dept-c"]}

    def drawn(columns: int) -> Run:
        for earlier in before:
            openstack(f"hyperx {earlier.format(n=columns, **names)}")
        run = openstack(
            f"hyperx {line.format(n=columns, **names)} --language {language} --max-width {columns}", user=user
        )
        assert run.out.startswith("+-"), run.err
        return run

    every = titles(drawn(10_000).out)
    for columns in WIDTHS:
        run = drawn(columns)
        assert max(map(width, run.out.splitlines())) <= columns, run.out
        left_out = [title for title in every if title not in titles(run.out)]
        told = re.search("(?:left out to fit the width: |省略的列：)(.*?)[.。]", run.err)
        assert left_out == (re.split(", |、", told[1]) if told else [])
        for title in left_out:
            assert titles(openstack(f"hyperx {line.format(n=columns, **names)} --max-width {columns} -c '{title}'").out)


@pytest.mark.usefixtures("furnished")
def test_a_terminal_is_fitted_and_a_pipe_is_not(openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    piped = openstack("hyperx image list").out
    assert max(map(width, piped.splitlines())) > 200

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    told = openstack("hyperx image list").err
    assert max(map(width, terminal.getvalue().splitlines())) <= 100
    assert told == (
        "Columns left out to fit the width: Created, Password enabled, Description."
        " Name columns with -c, or allow a greater --max-width.\n"
    )


@pytest.mark.usefixtures("furnished")
def test_an_id_is_never_broken_and_a_named_column_never_left_out(openstack: Callable[..., Run]) -> None:
    ids = openstack("hyperx image list -f value -c id").out.split()

    narrow = openstack("hyperx image list --max-width 80")
    assert all(f"| {each} |" in narrow.out for each in ids)
    named = openstack("hyperx image list --max-width 80 -c id -c name -c created_at -c size -c description")
    assert titles(named.out) == ["Id", "Name", "Created", "Size", "Description"]
    assert named.err == ""


@pytest.mark.usefixtures("furnished")
def test_the_ids_of_launched_servers_are_not_broken(openstack: Callable[..., Run]) -> None:
    launched = openstack(f"hyperx image launch {LONG} web --flavor m1.tiny --count 2 -f value -c servers").out

    narrow = openstack("hyperx launch list --max-width 80").out

    assert all(server_id in narrow for server_id in launched.strip().split(","))
    assert "Launch" in titles(narrow)


@pytest.mark.usefixtures("furnished")
def test_a_narrow_dry_run_lists_the_properties(openstack: Callable[..., Run]) -> None:
    dry_run = openstack("hyperx deployment leave --dry-run --max-width 80").out

    assert titles(dry_run) == ["Image", "Name", "Left"]


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("output", ["json", "yaml", "value", "csv"])
def test_programs_get_every_column_whatever_the_width(openstack: Callable[..., Run], output: str) -> None:
    line = f"hyperx image list --long -f {output}"

    assert openstack(f"{line} --max-width 80") == openstack(line)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Debian 12, hardened", ["Debian 12,", "hardened"]),
        ("稳定版，可用于生产", ["稳定版，可", "用于生产"]),
        ("稳定版和可，用于", ["稳定版和", "可，用于"]),
        ("debian-12-generic-amd64", ["debian-12-", "generic-", "amd64"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
        ("稳定abcdefghijklm", ["稳定abcdef", "ghijklm"]),
        ("one\ntwo", ["one", "two"]),
        ("", [""]),
        ("a    b          c", ["a    b", "c"]),
    ],
)
def test_text_is_wrapped_where_a_reader_would(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10).split("\n") == lines


def test_the_columns_that_matter_most_are_kept() -> None:
    fields = ("id", "name", "created_at", "size", "state")
    headings = [Heading.of(field, field.upper()) for field in fields]
    row = ["7" * 36, "debian", "2026-11-24 16:00", "700.0 MiB", "ACTIVE"]

    shown, _, left_out = fitted(headings, [row], 80)

    assert (shown, left_out) == (["ID", "NAME", "SIZE", "STATE"], ["CREATED_AT"])


def test_empty_columns_are_left_out_first() -> None:
    headings = [Heading.of(field, field.upper()) for field in ("id", "name", "ram_mib", "reason")]

    shown, _, left_out = fitted(headings, [["7" * 36, "m1.tiny", 512, ""], ["8" * 36, "m1.small", 2048, ""]], 62)

    assert (shown, left_out) == (["ID", "NAME", "RAM_MIB"], ["REASON"])


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("doctor --language zh", ["检查", "级别", "结果", "处理建议"]),
        (f"check-url {URL} --language zh", ["字段", "值"]),
        (
            "flavor list --image large --language zh",
            ["编号", "名称", "处理器", "内存 (MiB)", "磁盘 (GiB)", "适用", "原因"],
        ),
        ("quota show --language zh", ["资源", "已用", "上限", "剩余"]),
    ],
)
def test_tables_with_sentences_have_titles_in_both_languages(
    openstack: Callable[..., Run], line: str, expected: list[str]
) -> None:
    assert titles(openstack(f"hyperx {line}").out) == expected


def test_resources_have_titles_in_both_languages(openstack: Callable[..., Run]) -> None:
    english, chinese = (openstack(f"hyperx quota show --language {language}").out for language in ("en", "zh"))

    assert re.search(r"\| Memory \(MiB\) +\|", english)
    assert not re.search("[a-z]_[a-z]", english)
    assert "镜像总大小 (MiB)" in chinese
