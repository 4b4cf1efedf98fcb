"""The list of a department's servers: what it asks, what goes wrong, and what each server says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    AuthenticationError,
    Client,
    HyperxGlanceError,
    InvalidRequestError,
    NewCapture,
    NotAllowedError,
    NotFoundError,
    PasswordResetError,
    ServiceUnavailableError,
)
from hyperx_glance.cloud.compute import pattern
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import ClientFactory, sent
from tests.support.launches import ask
from tests.support.readers import assert_told
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DETAIL = {"forbidden": {"message": "Policy doesn't allow os_compute_api:servers:detail to be performed.", "code": 403}}


@pytest.fixture
def alice(cloud: InMemoryCloud, client: ClientFactory) -> Client:
    """Connect alice, who has four servers."""
    alice = client()
    alice.launch(make_image(cloud), ask(count=4, networks="none"))
    cloud.requests.clear()
    return alice


def names(client: Client, **criteria: Any) -> list[str]:  # noqa: ANN401  # keywords of the verb
    return [server.name for server in client.servers(**criteria)]


def queries(cloud: InMemoryCloud) -> list[Mapping[str, list[str]]]:
    return [request.query for request in sent(cloud, "GET", "/servers/detail")]


# ----------------------------------------------------------------- requests


def test_no_request_is_sent_before_a_server_is_read(cloud: InMemoryCloud, alice: Client) -> None:
    found = alice.servers()
    assert sent(cloud) == []
    assert next(found).name.startswith("web-")
    assert [request.path for request in sent(cloud)] == ["/v2.1/servers/detail"]


def test_a_limited_list_reads_no_more_than_it_shows(cloud: InMemoryCloud, alice: Client) -> None:
    whole = names(alice)
    cloud.requests.clear()
    first, second = list(alice.servers(limit=2))
    assert queries(cloud) == [{"limit": ["2"]}]
    assert [first.name, second.name, *names(alice, after=second.id, limit=2)] == whole
    assert names(alice, limit=4000) == whole
    assert queries(cloud)[1:] == [{"marker": [second.id], "limit": ["2"]}, {"limit": ["1000"]}]


def test_a_short_limit_of_nova_is_no_end_of_the_list(cloud: InMemoryCloud, alice: Client) -> None:
    whole = names(alice)
    cloud.nova.max_limit = 1
    assert names(alice) == whole
    assert names(alice, limit=3) == whole[:3]


def test_a_name_of_any_length_becomes_a_short_filter(cloud: InMemoryCloud, alice: Client) -> None:
    assert names(alice, name_contains="w" * 5000) == []
    (query,) = queries(cloud)
    assert len(query["name"][0]) < 300


@pytest.mark.parametrize(
    ("part", "expression"),
    [
        ("Web-1", "[wW][eE][bB].*1"),
        ("a  b", "[aA].*[bB]"),
        ("数据", "数据"),
        ("é", ".*"),
        ("[x", ".*[xX]"),
        ("_", ".*"),
    ],
)
def test_a_part_of_a_name_becomes_an_expression_that_every_database_understands(part: str, expression: str) -> None:
    assert pattern(part) == expression


def test_neither_cinder_nor_neutron_is_asked(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image = make_image(cloud)
    client().launch(image, ask(networks="none"))
    client().launch(image, ask(name="on a volume", networks="none", boot_volume_gib=1))
    cloud.kill("cinder")
    cloud.requests.clear()
    assert sorted(names(client())) == ["on a volume", "web"]
    assert {request.service for request in sent(cloud)} <= {"keystone", "nova"}


def test_servers_are_read_one_by_one_if_the_list_with_details_is_for_administrators(
    cloud: InMemoryCloud, alice: Client
) -> None:
    whole = names(alice)
    cloud.fail("nova", "GET", "/servers/detail", status=403, body=DETAIL, times=None)
    assert names(alice) == whole
    assert names(alice, name_contains="WEB-2") == ["web-2"]
    cloud.requests.clear()
    assert names(alice, limit=2) == whole[:2]
    lists = [request for request in sent(cloud, "GET") if request.path.endswith(("/servers", "/detail"))]
    assert len(sent(cloud, "GET")) == len(lists) + 2


# ----------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "criteria",
    [
        {"name_contains": None},
        {"name_contains": 5},
        {"name_contains": "a\x00b"},
        {"name_contains": "\ud800"},
        {"after": ""},
        {"after": "a/b"},
        {"after": 7},
        {"limit": 0},
        {"limit": -1},
        {"limit": True},
        {"limit": 2.5},
        {"limit": "20"},
    ],
    ids=repr,
)
def test_a_wrong_argument_is_refused_before_any_request(
    cloud: InMemoryCloud, alice: Client, criteria: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(criteria))) as caught:
        alice.servers(**criteria)
    assert_told(caught.value)
    assert sent(cloud) == []


def test_a_server_that_nova_never_had_begins_no_page(alice: Client) -> None:
    with pytest.raises(NotFoundError, match="no-such-server") as caught:
        list(alice.servers(after="no-such-server"))
    assert (caught.value.status, caught.value.service) == (400, "compute")
    assert "from the beginning" in caught.value.hint
    assert_told(caught.value)


def test_a_list_that_changes_while_it_is_read_is_an_error(cloud: InMemoryCloud, alice: Client) -> None:
    cloud.nova.max_limit = 1
    found = alice.servers()
    next(found)
    cloud.nova.servers.clear()
    with pytest.raises(ServiceUnavailableError, match="changed while it was read"):
        list(found)


def refused(cloud: InMemoryCloud) -> None:
    cloud.fail("nova", "GET", "/servers", status=403, body=DETAIL, times=None)


def ended(cloud: InMemoryCloud) -> None:
    cloud.fail("nova", "GET", "/servers", status=401, times=None)
    cloud.fail("keystone", "POST", "/auth/tokens", status=401, times=None)


def malformed(cloud: InMemoryCloud) -> None:
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers", status=200, body={"servers": [{"name": "x"}]}, headers=version, times=None)


def failing(cloud: InMemoryCloud) -> None:
    cloud.fail("nova", "GET", "/servers", status=500, times=None)


def missing(cloud: InMemoryCloud) -> None:
    cloud.fail("nova", "GET", "/servers", status=404, times=None)


@pytest.mark.parametrize(
    ("happen", "kind"),
    [
        (refused, NotAllowedError),
        (ended, AuthenticationError),
        (malformed, ServiceUnavailableError),
        (failing, ServiceUnavailableError),
        (missing, ServiceUnavailableError),
        (lambda cloud: cloud.kill("nova"), ServiceUnavailableError),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error_of_nova(
    cloud: InMemoryCloud,
    alice: Client,
    happen: Callable[[InMemoryCloud], None],
    kind: type[HyperxGlanceError],
) -> None:
    happen(cloud)
    with pytest.raises(kind) as caught:
        list(alice.servers())
    assert_told(caught.value)


# ----------------------------------------------------------------- what each server says


@pytest.mark.parametrize(
    ("changes", "capture", "password"),
    [
        ({}, "", ""),
        ({"status": "PAUSED"}, "", "is not running"),
        ({"status": "SHUTOFF"}, "", "is not running"),
        ({"status": "BUILD"}, "it must be one of", "is not running"),
        ({"status": "ERROR"}, "it must be one of", "is not running"),
        ({"task_state": "image_snapshot"}, "is busy: image_snapshot", "is busy: image_snapshot"),
        ({"locked": True}, "", "is locked"),
        ({"image": ""}, "has no disk", ""),
        ({"image": None}, "has no disk", ""),
    ],
)
def test_a_server_says_what_the_verbs_would_say(
    cloud: InMemoryCloud, alice: Client, changes: dict[str, Any], capture: str, password: str
) -> None:
    record = json.loads(cloud.session("alice").get("/servers/detail", **NEWER).content)["servers"][0]
    renamed = {"task_state": "OS-EXT-STS:task_state"}
    record |= {renamed.get(key, key): value for key, value in changes.items()}
    version = {"OpenStack-API-Version": "compute 2.67"}
    cloud.fail("nova", "GET", "/servers/detail", status=200, body={"servers": [record]}, headers=version)
    (server,) = alice.servers()
    for said, part in ((server.why_not_capture, capture), (server.why_not_reset_password, password)):
        assert part in said if part else said == ""
        assert not said or said.endswith(".")
    if capture:
        cloud.fail("nova", "GET", f"/servers/{server.id}", status=200, body={"server": record}, headers=version)
        with pytest.raises(HyperxGlanceError) as caught:
            alice.capture(server.id, NewCapture(name="never"))
        assert server.why_not_capture.startswith(caught.value.message)


NEWER: dict[str, Any] = {"endpoint_filter": {"service_type": "compute"}, "microversion": "2.67"}


@pytest.mark.parametrize(
    ("explanation", "message"),
    [
        ("Instance 7 is in an invalid state for 'changePassword'", "The server is locked"),
        ("Cannot 'changePassword' instance 7 while it is in vm_state stopped", "The server is not running"),
        ("Cannot 'changePassword' instance 7 while it is in task_state image_snapshot", "is busy: image_snapshot"),
        ("QEMU guest agent is not enabled", "does not accept a password"),
    ],
)
def test_a_refused_password_says_what_is_in_the_way(
    cloud: InMemoryCloud, alice: Client, explanation: str, message: str
) -> None:
    server = next(alice.servers())
    body = {"conflictingRequest": {"code": 409, "message": explanation}}
    cloud.fail("nova", "POST", f"/servers/{server.id}/action", status=409, body=body)
    with pytest.raises(PasswordResetError, match=message) as caught:
        alice.reset_password(server.id)
    assert caught.value.hint
    assert_told(caught.value)
