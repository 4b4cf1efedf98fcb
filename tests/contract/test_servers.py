"""The list of a department's servers, on both clouds."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.exceptions import HttpError

from hyperx_glance import Client, ConflictError, NewCapture, NotFoundError, PasswordResetError
from tests.support import launches
from tests.support.clouds import unique
from tests.support.launches import ask
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clouds import ClientFactory, CloudUnderTest

NO_NETWORK = {"networks": "none"}


@pytest.fixture(autouse=True)
def _nothing_left(cloud: CloudUnderTest) -> Iterator[None]:
    yield
    for server in launches.servers(cloud):  # whatever is locked
        with suppress(HttpError):
            launches.act(cloud, server["id"], {"unlock": None})
    launches.remove_servers(cloud)


def names(client: Client, **criteria: Any) -> list[str]:  # noqa: ANN401  # keywords of the verb
    return [server.name for server in client.servers(**criteria)]


def test_servers_of_everybody_s_making_are_listed_the_newest_first(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, image = client("alice"), launches.put_image(cloud)
    launch = alice.launch(image, ask(name="ours", **NO_NETWORK))
    until(lambda: launch.progress().active == 1)
    server_id = launches.boot(cloud, "theirs", image)
    on_volume = alice.launch(image, ask(name="on a volume", boot_volume_gib=1, **NO_NETWORK))
    found = list(client("arthur").servers())
    assert [server.name for server in found if server.id != server_id] == ["on a volume", "ours"]
    theirs = next(server for server in found if server.id == server_id)
    assert (theirs.name, theirs.status, theirs.flavor, theirs.image_id) == ("theirs", "ACTIVE", launches.SMALL, image)
    assert theirs.created_at is not None
    assert {server.why_not_capture for server in found} == {""}
    assert {server.why_not_reset_password for server in found} == {""}
    assert [server.image_id for server in found if server.id == on_volume.servers[0].id] == [None]
    times = [server.created_at for server in found if server.created_at]
    assert times == sorted(times, reverse=True)
    assert names(client("bob")) == []
    assert names(client("admin")) == []


def test_a_list_is_read_in_parts_each_behind_the_last_server_of_the_one_before(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice, image = client("alice"), launches.put_image(cloud)
    alice.launch(image, ask(count=5, **NO_NETWORK))
    whole = [server.id for server in alice.servers()]
    assert len(whole) == 5
    parts, last = [], None
    while part := [server.id for server in alice.servers(after=last, limit=2)]:
        parts.append(part)
        last = part[-1]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert list(itertools.chain(*parts)) == whole
    with pytest.raises(NotFoundError) as caught:
        list(alice.servers(after=unique("nothing")))
    assert caught.value.hint


def test_servers_are_found_by_a_part_of_their_names(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice, image = client("alice"), launches.put_image(cloud)
    for name in ("Web.1", "web-10", "数据库 A", "a+b*", "100%_[x]"):
        alice.launch(image, ask(name=name, **NO_NETWORK))
    for part, found in {
        "WEB": {"Web.1", "web-10"},
        "b.1": {"Web.1"},
        "-1": {"web-10"},
        "数据": {"数据库 A"},
        "库 a": {"数据库 A"},
        "A+B*": {"a+b*"},
        "*": {"a+b*"},
        "%_[": {"100%_[x]"},
        "[": {"100%_[x]"},
        ".*": set(),
        "x" * 3000: set(),
    }.items():
        assert set(names(alice, name_contains=part)) == found, part
    assert len(names(alice, name_contains="e", limit=1)) == 1


def test_a_server_says_why_it_cannot_be_captured_or_take_a_password(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    alice = client("alice")
    (server,) = alice.launch(launches.put_image(cloud), ask(**NO_NETWORK)).servers
    rita = next(iter(client("rita").servers()))
    assert "read-only" in rita.why_not_capture
    assert "read-only" in rita.why_not_reset_password

    launches.act(cloud, server.id, {"lock": None})
    (locked,) = alice.servers()
    assert (locked.why_not_capture, locked.why_not_reset_password[:22]) == ("", "The server is locked. ")
    with pytest.raises(PasswordResetError, match="The server is locked"):
        alice.reset_password(server.id)
    assert alice.capture(server.id, NewCapture(name="of a locked server")).state == "ACTIVE"
    launches.act(cloud, server.id, {"unlock": None})

    launches.stop(cloud, server.id)
    (stopped,) = alice.servers()
    assert stopped.why_not_capture == ""
    assert stopped.why_not_reset_password == "The server is not running. Start the server, then try again."

    launches.act(cloud, server.id, {"os-resetState": {"state": "error"}}, "admin")
    (broken,) = alice.servers()
    assert (broken.status, broken.why_not_reset_password[:26]) == ("ERROR", "The server is not running.")
    with pytest.raises(ConflictError) as caught:
        alice.capture(server.id, NewCapture(name="never"))
    assert broken.why_not_capture.startswith(str(caught.value.message))
