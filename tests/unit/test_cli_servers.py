"""The flavor, server, quota and deployment commands print what the library returns, and no password in a log."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import Departure, QuotaLimits
from hyperx_glance.cli import words
from hyperx_glance.quotas.resources import FIELDS
from tests.support.command import URL, Run, debian, fake, openstack

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud


__all__ = ["debian", "fake", "openstack"]


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
    assert all(text in table for text in ("Fits", "yes", "no", reason))
    assert "处理器" in openstack("hyperx flavor list --language zh").out


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
    assert run.err.splitlines()[-1] == "web: 2 of 2 active"
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
@pytest.mark.parametrize("name", ["web", "web (1)", "网站-1", "a.b", "web|$", "x" * 255])
def test_a_server_is_named_by_its_name(openstack: Callable[..., Run], name: str) -> None:
    launched = openstack(f"hyperx image launch debian '{name}' --flavor m1.tiny -f json").json()
    openstack("hyperx image launch debian 'web (12) a_b' --flavor m1.tiny --count 2")
    (server,) = launched["servers"]

    reset = openstack(f"hyperx server password reset '{name}' --password s3cret-of-mine -f json")
    assert reset.json() == {"server": server["id"], "password": "s3cret-of-mine"}
    captured = openstack(f"hyperx image capture '{name}' golden --no-wait -f json")
    assert captured.json()["server"] == server["id"]
    captured = openstack(f"hyperx image capture '{name}' golden-2 -f json")
    assert captured.json()["captured_from"] == server["id"]


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("command", ["server password reset {}", "image capture {} golden"])
def test_an_ambiguous_or_unknown_name_of_a_server_changes_nothing(
    openstack: Callable[..., Run], fake: InMemoryCloud, command: str
) -> None:
    ids = sorted(
        openstack("hyperx image launch debian web --flavor m1.tiny -f json").json()["servers"][0]["id"] for _ in "ab"
    )
    before = len(fake.requests)

    run = openstack(f"hyperx {command.format('web')}")
    assert run.status == 1
    assert run.err == f"2 servers are named web. Hint: Use the id: one of {', '.join(ids)}.\n"
    run = openstack(f"hyperx {command.format('we')}")
    assert run.err.startswith("There is no server with the name or id we in this department. Hint: ")
    assert openstack(f"hyperx {command.format(chr(39) * 2)}").err == "<server>: must not be empty\n"
    assert {request.method for request in fake.requests[before:] if request.service == "nova"} == {"GET"}
    assert openstack(f"hyperx {command.format('web')}", user="bob").status == 1, "another department's servers"


@pytest.mark.usefixtures("debian")
def test_a_new_password_that_a_server_may_have_is_told(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    launched = openstack("hyperx image launch debian web --flavor m1.tiny -f json").json()

    fake.cut("nova", "POST", "/action")
    run = openstack(f"hyperx server password reset {launched['servers'][0]['id']}")

    assert run.status == 1
    assert f"Administrator's password: {fake.nova.server('web').admin_pass}\n" in run.err
    assert "No response from" in run.err


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
    table = openstack("hyperx quota show dept-b --language zh", user="admin").out
    assert all(text in table for text in ("无限制", "云硬盘", "剩余"))
    assert "unlimited" in openstack("hyperx quota show dept-b", user="admin").out
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


LEFT = ["hyperx_created_by", "hyperx_url"]


def left_behind(fake: InMemoryCloud, **record: object) -> str:
    fields = {"name": "kylin", "owner": "dept-b", "status": "active", "disk_format": "qcow2", **record}
    properties = {"hyperx_created_by": "somebody", "hyperx_url": URL, "my_key": "1"}
    return fake.glance.add_image(**{**fields, **properties})  # type: ignore[arg-type]  # columns


def test_leaving(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    image_id = left_behind(fake)

    run = openstack("hyperx deployment leave --department dept-b --dry-run -f json", user="admin")
    (row,) = run.json()
    assert (run.status, row["outcome"], row["left"], row["removed"]) == (0, "listed", LEFT, [])
    assert fake.glance.images[image_id].properties.keys() == {*LEFT, "my_key"}

    run = openstack("hyperx deployment leave --department dept-b -f json", user="admin")
    (row,) = run.json()
    assert (run.status, row["outcome"], row["left"], row["removed"]) == (0, "removed", [], LEFT)
    assert (row["image_id"], row["name"], row["owner"]) == (image_id, "kylin", fake.departments["dept-b"])
    assert fake.glance.images[image_id].properties.keys() == {"my_key"}
    assert openstack("hyperx deployment leave -f json", user="admin").json() == []


def test_leaving_says_what_is_left(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    left_behind(fake)
    waiting = left_behind(fake, status="queued", name="waiting")

    run = openstack("hyperx deployment leave", user="bob")
    assert run.status == 1
    assert all(
        text in run.out
        for text in (
            "refused", "skipped", "Property protections refuse", "A registration of this image is under way.", "dept-b",
        )
    )  # fmt: skip
    table = openstack("hyperx deployment leave --language zh", user="bob").out
    assert all(text in table for text in ("处理结果", "被拒绝", "已跳过", "属性保护规则", "注册尚未完成", waiting))


@pytest.mark.parametrize(
    ("typed", "language", "said"), [("y\n", "en", "properties? [y/N]"), ("是\n", "zh", "属性吗？ [y/N]")]
)
def test_leaving_lists_and_asks_first(
    openstack: Callable[..., Run], fake: InMemoryCloud, typed: str, language: str, said: str
) -> None:
    image_id = left_behind(fake, name="kylin\x1b[31m")

    for refused in ("n\n", "\n", ""):
        run = openstack(f"hyperx deployment leave --language {language}", user="admin", typed=refused)
        assert run.status == 1
        assert f"{image_id} kylin\\x1b[31m: hyperx_created_by, hyperx_url" in run.err
        assert said in run.err
        assert {"en": "Nothing was removed.", "zh": "未移除任何属性。"}[language] in run.err
    assert fake.glance.images[image_id].properties.keys() == {*LEFT, "my_key"}

    assert openstack(f"hyperx deployment leave --language {language}", user="admin", typed=typed).status == 0
    assert fake.glance.images[image_id].properties.keys() == {"my_key"}
    assert "[y/N]" not in openstack("hyperx deployment leave", user="admin", typed="n\n").err, "nothing is left"


def test_leaving_does_not_ask_with_yes(openstack: Callable[..., Run], fake: InMemoryCloud) -> None:
    left_behind(fake)

    run = openstack("hyperx deployment leave --yes", user="admin", typed="n\n")

    assert (run.status, "[y/N]" in run.err) == (0, False)


def test_leaving_has_chinese_for_each_of_its_outcomes() -> None:
    outcomes = typing.get_args(Departure.model_fields["outcome"].annotation)

    assert [word for word in outcomes if words.word(word, "zh") == word] == []


def test_leaving_says_what_was_done_even_if_no_department_has_a_name(
    openstack: Callable[..., Run], fake: InMemoryCloud
) -> None:
    image_id = left_behind(fake)
    fake.fail("keystone", "GET", "/projects", status=500, times=None)

    run = openstack("hyperx deployment leave", user="admin")

    assert run.status == 0
    assert all(text in run.out for text in (image_id, fake.departments["dept-b"], "removed"))
