"""Text of strangers cannot drive a terminal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from hyperx_glance.cli.output import printable
from tests.support.command import Run, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["fake", "openstack"]

EVIL = "a\x1b]0;x\x07b\nc\x9b31md\x7fe\u202ef\u200eg\u2066h"
SHOWN = r"a\x1b]0;x\x07b\nc\x9b31md\x7fe\u202ef\u200eg\u2066h"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
USER_ID = "5\u00e9-\u955c\u200d\u50cf\\x1b"
"""Neither an accent, nor Chinese, nor a joiner, nor a backslash is a control character."""


@pytest.fixture
def evil_image(fake: InMemoryCloud) -> str:
    fields = {f"k{EVIL}": EVIL, "hyperx_failure": EVIL, "hyperx_created_by": USER_ID}
    return fake.glance.add_image(
        name=EVIL, status="active", disk_format="qcow2", container_format="bare", owner="dept-a", description=EVIL,
        os_distro=EVIL, tags=[EVIL], **fields,
    )  # fmt: skip


def unquoted(text: str) -> str:
    """Take back the shell format's own quoting."""
    return text.replace("\\\\", "\\")


@pytest.mark.parametrize("form", ["table", "csv", "value"])
@pytest.mark.parametrize("line", ["image list --long", "image tags"])
def test_no_name_in_a_list_drives_a_terminal(
    openstack: Callable[..., Run], evil_image: str, form: str, line: str
) -> None:
    run = openstack(f"hyperx {line} -f {form}")

    assert run.status == 0
    assert not CONTROL.search(run.out)
    assert unquoted(SHOWN) in unquoted(run.out)
    assert evil_image in run.out or line == "image tags"


@pytest.mark.parametrize("form", ["table", "value", "shell"])
def test_nothing_that_an_image_holds_drives_a_terminal(
    openstack: Callable[..., Run], evil_image: str, form: str
) -> None:
    run = openstack(f"hyperx image show {evil_image} -f {form}")

    assert run.status == 0
    assert not CONTROL.search(run.out)
    for text in (SHOWN, evil_image, USER_ID):
        assert unquoted(text) in unquoted(run.out)


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_documents_hold_what_the_service_said(
    openstack: Callable[..., Run], evil_image: str, form: str, read: Callable[[str], dict[str, object]]
) -> None:
    text = openstack(f"hyperx image show {evil_image} -f {form}").out
    shown = read(text)

    assert not CONTROL.search(text)
    assert (shown["name"], shown["tags"], shown["created_by"]) == (EVIL, [EVIL], USER_ID)


def test_a_department_drives_no_terminal(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.keystone.add_department(EVIL)
    fake.keystone.add_user("eve", EVIL, role="member")
    fake.glance.add_image(name="a", status="active", disk_format="raw", container_format="bare", owner=EVIL)

    run = openstack("hyperx image list", user="eve")

    assert SHOWN in run.out
    assert not CONTROL.search(run.out)


def test_messages_of_services_contain_no_terminal_control_characters(
    openstack: Callable[..., Run], fake: InMemoryCloud
) -> None:
    fake.fail("glance", "GET", "/images", status=403, body=EVIL, times=None)
    for line in ("hyperx image list", "hyperx image delete a", "hyperx image show a"):
        run = openstack(line)

        assert (run.status, run.out) == (1, "")
        assert "a]0;xb" in run.err  # an error has no such letters from the first
        assert not CONTROL.search(run.err)


def test_a_server_made_from_an_image_drives_no_terminal(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fields = {"status": "active", "disk_format": "qcow2", "container_format": "bare", "owner": "dept-a"}
    fake.glance.add_image(name="debian", size=1, **fields)
    fake.nova.faults.append(EVIL)
    launched = openstack("hyperx image launch debian 'web\x1b[31m' --flavor m1.tiny --no-wait")
    for run in (launched, openstack("hyperx image delete debian --report-servers")):
        assert run.status == 0
        assert r"web\x1b[31m" in run.out
        assert not CONTROL.search(run.out + run.err)


def test_no_name_in_a_question_drives_a_terminal(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx image delete 'a\x1b[31m'", typed="n\n")

    assert run.status == 1
    assert "Delete a[31m for good?" in run.out + run.err
    assert not CONTROL.search(run.out + run.err)


def test_everything_but_control_characters_stays() -> None:
    for number in range(0x110000):
        letter = chr(number)
        assert printable(letter) == (ascii(letter)[1:-1] if CONTROL.match(letter) or letter == "\n" else letter)
