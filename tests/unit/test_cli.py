"""The command tree is as written, errors are a sentence with an exit status, and Ctrl-C cleans up."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import DepartmentQuota
from hyperx_glance.cli import options
from hyperx_glance.quotas.resources import FIELDS
from tests import samples
from tests.support.command import URL, Run, debian, fake, openstack
from tests.support.interference import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import InMemoryCloud


__all__ = ["debian", "fake", "openstack"]

ROOT = Path(__file__).parents[2]
TREE = Path(__file__).with_name("cli-tree.txt")
COMMANDS = """\
hyperx capture cancel
hyperx capture resume
hyperx capture show
hyperx check-url
hyperx department list
hyperx deployment leave
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
hyperx image servers
hyperx image set
hyperx image show
hyperx image summary
hyperx image tags
hyperx iso create
hyperx iso list
hyperx launch cancel
hyperx launch list
hyperx launch show
hyperx launch wait
hyperx quota set
hyperx quota show
hyperx registration cancel
hyperx registration list
hyperx registration resume
hyperx registration show
hyperx server password reset
""".splitlines()


# ----------------------------------------------------------------- the tree


def parser_of(command: str) -> argparse.ArgumentParser:
    (entry,) = entry_points(group="openstack.hyperx.v1", name=command.replace(" ", "_"))
    parser: argparse.ArgumentParser = entry.load()(None, None).get_parser(f"openstack {command}")
    return parser


def own_actions(command: str) -> Iterator[argparse.Action]:
    """Iterate over a command's own arguments; those of cliff's formats come and go with its releases."""
    for group in parser_of(command)._action_groups:  # noqa: SLF001 - argparse has no other way
        if group.title in ("positional arguments", "options"):
            for action in group._group_actions:  # noqa: SLF001
                if not isinstance(action, argparse._HelpAction):  # noqa: SLF001
                    yield action


def described(command: str) -> str:
    """Write a command with its own arguments."""
    lines = [command]
    for action in own_actions(command):
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


def words(text: str) -> set[str]:
    """Return the words of a name or a help text, without those that say nothing."""
    return set(re.findall("[a-z]+", text.lower())) - {"a", "an", "the", "of", "this", "these", "its", "value", "exact"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_of_its_own_that_says_more_than_its_name(command: str) -> None:
    helps: dict[str, str] = {}
    for action in own_actions(command):
        name = ", ".join(action.option_strings) or str(action.metavar)
        assert action.help, name
        assert action.help not in helps, (name, helps[action.help])
        assert words(action.help) - words(f"{name} {action.metavar}"), (name, action.help)
        helps[action.help] = name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_accepts_a_language(command: str) -> None:
    assert "--language {en,zh}" in described(command)


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
def test_a_value_refused_by_the_models_exits_with_status_1(
    openstack: Callable[..., Run], fake: InMemoryCloud, line: str
) -> None:
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
def test_an_invalid_argument_exits_with_status_2(openstack: Callable[..., Run], line: str) -> None:
    with pytest.raises(SystemExit) as raised:
        openstack(line)

    assert raised.value.code == 2


def test_control_c_cancels_a_registration_cleanly(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    fake.glance.imports_stall = True

    fake.before("glance", "GET", "/v2/images/[^/]+$", interrupt, times=1, skip=2)

    run = openstack(f"hyperx image create new --url {URL} --no-preflight --disk-format qcow2")

    assert (run.status, run.out) == (130, "")
    assert run.err.endswith("Cancelled.\n")
    assert "Traceback" not in run.err
    assert [image for image in fake.glance.images.values() if not image.deleted] == []


@pytest.mark.usefixtures("debian")
def test_control_c_leaves_a_launch_and_tells_its_id(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.nova.build_polls = 1000

    fake.before("nova", "GET", "/servers/detail", interrupt, times=1, skip=3)

    run = openstack("hyperx image launch debian web --flavor m1.tiny --launch-id my-launch-1")

    assert run.status == 130
    assert "launch my-launch-1" in run.err
    assert "Administrator's password: " in run.err, "it is kept nowhere"
    assert run.err.endswith("To continue: openstack hyperx launch wait my-launch-1\n")


def test_control_c_leaves_a_registration_that_was_resumed(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    fake.glance.imports_stall = True
    image_id = openstack(f"hyperx image create later --url {URL} --no-wait -f value -c id").out.strip()

    fake.before("glance", "GET", "/v2/images/[^/]+$", interrupt, times=1, skip=4)
    run = openstack(f"hyperx registration resume {image_id}")

    assert run.status == 130
    assert run.err.endswith(f"To continue: openstack hyperx registration resume {image_id}\n")
    assert fake.glance.image(image_id) is not None


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10K", 10240), ("1.5GiB", 3 << 29), ("2tb", 2 << 40)])
def test_sizes(text: str, value: int) -> None:
    assert options.size(text) == value


def test_other_commands_import_nothing_of_ours() -> None:
    program = """
import argparse, importlib, sys
from importlib.metadata import entry_points
from openstackclient import shell
importlib.import_module("hyperx_glance.cli.plugin").build_option_parser(argparse.ArgumentParser())
for entry in entry_points(group="openstack.hyperx.v1"):
    entry.load()
print(*sorted(name for name in sys.modules if name.startswith(("hyperx_glance", "pydantic"))))
"""
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout

    ours = ("hyperx_glance", "hyperx_glance.cli", "hyperx_glance.cli.entries", "hyperx_glance.cli.plugin")
    assert tuple(imported.split()) == ours


def test_help_names_every_command(openstack: Callable[..., Run]) -> None:
    assert [f"  {command}" for command in COMMANDS] == openstack("help hyperx").out.splitlines()[1:]
    told = openstack("help hyperx image delete").out
    assert "hyperx image delete [-h]" in told
    assert "for good" in told


def test_quotas_are_shown_for_each_resource() -> None:
    assert tuple(field for field in DepartmentQuota.model_fields if field not in ("department", "notes")) == FIELDS
