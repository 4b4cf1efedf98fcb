"""The commands of image families, and --family in place of an image, wherever it stands in the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import samples
from tests.support.command import URL, Run, fake, openstack
from tests.unit.test_cli import COMMANDS, parser_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["fake", "openstack"]


@pytest.fixture
def releases(fake: InMemoryCloud, openstack: Callable[..., Run]) -> list[str]:
    """Release two versions, and return their ids, the older first."""
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    ids = []
    for version in ("12.9", "12.10"):
        run = openstack(
            f"hyperx image release debian-12 --name 'Debian 12' --release-version {version} --url {URL} -f value -c id"
        )
        assert run.status == 0, run.err
        ids.append(run.out.strip())
    return ids


def test_a_release_and_its_family_are_shown(openstack: Callable[..., Run], releases: list[str]) -> None:
    older, newer = releases

    (family,) = openstack("hyperx family list -f json").json()
    assert (family["name"], family["latest"], family["releases"]) == ("debian-12", newer, 2)
    shown = openstack("hyperx family show debian-12 -f json").json()
    assert [each["id"] for each in shown] == [newer, older]
    assert [each["name"] for each in shown] == ["Debian 12", "Debian 12 (12.9)"]
    table = openstack("hyperx family show debian-12 --language zh").out
    assert "当前" in table
    assert "版本号" in table


@pytest.mark.parametrize(
    "line",
    [
        "image launch --family debian-12 web --flavor m1.tiny",
        "image launch web --flavor m1.tiny --family debian-12",
        "image launch web --family debian-12 --flavor m1.tiny",
    ],
)
def test_the_latest_is_launched_wherever_the_option_stands(
    openstack: Callable[..., Run], releases: list[str], line: str
) -> None:
    run = openstack(f"hyperx {line} -f json")

    assert run.status == 0, run.err
    assert run.json()["image_id"] == releases[1]
    assert run.json()["servers"][0]["name"] == "web"


def test_the_name_of_an_image_is_given_as_before(openstack: Callable[..., Run], releases: list[str]) -> None:
    run = openstack("hyperx image launch 'Debian 12' --flavor m1.tiny web -f json")

    assert (run.status, run.json()["image_id"]) == (0, releases[1]), run.err


def test_each_command_takes_the_latest_of_a_family(
    openstack: Callable[..., Run], releases: list[str], tmp_path: object
) -> None:
    newer = releases[1]
    assert openstack("hyperx image show --family debian-12 -f value -c id").out.strip() == newer
    assert openstack("hyperx image servers --family debian-12 -f json").json() == []
    assert openstack(f"hyperx image save --family debian-12 --file {tmp_path}/disk.qcow2").status == 0
    assert openstack("hyperx flavor list --family debian-12 -f json").json()[0]["fits"] is True
    set_ = openstack("hyperx image set --family debian-12 --description 'rolled out' -f json").json()
    assert [each["id"] for each in set_] == [newer]
    assert openstack("hyperx image disable --family debian-12").status == 0
    assert openstack(f"hyperx image show {newer} -f value -c state").out.strip() == "INACTIVE"
    assert openstack("hyperx image delete --family debian-12 --yes").status == 0
    assert openstack("hyperx family list -f value -c releases").out.strip() == "1"


def test_every_command_that_takes_an_image_takes_a_family() -> None:
    """A registration that is not finished is of no family yet, and an offer is no release of the own department."""
    without = ("hyperx image accept", "hyperx image decline")
    taking = {
        command.removeprefix("hyperx ")
        for command in COMMANDS
        if " <image>" in parser_of(command).format_usage() and command not in without and "registration" not in command
    }
    with_family = {command for command in taking if "--family <family>" in parser_of(f"hyperx {command}").format_help()}

    assert taking == with_family
    assert {"image show", "image launch", "image delete", "image deprecate", "flavor list"} <= taking


@pytest.mark.parametrize(
    "line",
    [
        "image show debian --family debian-12",
        "image delete debian --family debian-12 --yes",
        "image launch debian web --family debian-12 --flavor m1.tiny",
        "flavor list --image debian --family debian-12",
    ],
)
def test_an_image_and_a_family_are_one_too_many(openstack: Callable[..., Run], releases: list[str], line: str) -> None:
    run = openstack(f"hyperx {line}")

    assert run.status == 1
    assert "either an image or a family" in run.err
    assert releases


@pytest.mark.parametrize("line", ["image show", "image delete", "image launch --family debian-12 --flavor m1.tiny"])
def test_without_either_the_command_says_what_is_missing(openstack: Callable[..., Run], line: str) -> None:
    with pytest.raises(SystemExit) as raised:
        openstack(f"hyperx {line}")

    assert raised.value.code == 2


def test_a_bad_build_is_rolled_back_and_reinstated(openstack: Callable[..., Run], releases: list[str]) -> None:
    older, newer = releases
    run = openstack(f"hyperx image deprecate --family debian-12 --replacement {older} --obsolete-at 2999-01-31 -f json")

    assert run.status == 0, run.err
    assert (run.json()["id"], run.json()["lifecycle"], run.json()["replacement"]) == (newer, "deprecated", older)
    assert openstack("hyperx image show --family debian-12 -f value -c id").out.strip() == older
    assert "已弃用" in openstack(f"hyperx image show {newer} --language zh").out
    listed = openstack("hyperx image list --lifecycle deprecated --hidden both -f value -c id")
    assert listed.out.strip() == newer
    assert openstack(f"hyperx image reinstate {newer} -f value -c lifecycle").out.strip() == "current"


def test_a_family_is_retired(openstack: Callable[..., Run], releases: list[str]) -> None:
    plan = openstack("hyperx family retire debian-12 --keep 1 --delete --dry-run -f json").json()
    assert [(each["version"], each["action"]) for each in plan] == [("12.10", "kept"), ("12.9", "deprecated")]
    openstack("hyperx family retire debian-12 --keep 1")
    again = openstack("hyperx family retire debian-12 --keep 1 --delete-after 30 --delete -f json").json()
    assert [each["action"] for each in again] == ["kept", "kept"]
    table = openstack("hyperx family retire debian-12 --keep 1 --delete --language zh").out
    assert "已删除" in table
    assert "这是最新版本" in table
    assert releases


def test_a_family_of_another_department_is_named(
    openstack: Callable[..., Run], fake: InMemoryCloud, releases: list[str]
) -> None:
    owner = fake.departments["dept-a"]
    openstack(f"hyperx image set {releases[1]} --category public")

    refused = openstack("hyperx image show --family debian-12", user="bob")
    assert refused.status == 1
    assert "--family-owner" in refused.err
    shown = openstack(f"hyperx image show --family debian-12 --family-owner {owner} -f value -c id", user="bob")
    assert shown.out.strip() == releases[1]


def test_wrong_arguments_name_the_options(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    fake.glance.downloads[URL] = samples.data("disk.qcow2")
    run = openstack(f"hyperx image release 'debian 12' --name d --url {URL} --release-version '1 2' --keep 0")
    assert run.status == 1
    assert "--release-version: must have 1 to 64" in run.err
    assert "--keep: must be" in run.err
    late = openstack(
        "hyperx image deprecate 7c1e4b20-0000-4000-8000-000000000000 --at 2999-01-02 --obsolete-at 2999-01-01"
    )
    assert "--obsolete-at: must not be earlier than --at" in late.err
