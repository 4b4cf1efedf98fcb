"""A served cloud in memory that other machines reach: its control needs a token, and its command says what it is."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.memory.serving import KEPT_REQUESTS, Server
from hyperx_glance.testing.timing import scaled
from tests.support.relay import HOST, Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUTO = Exposure(public_url="auto", allowed_hosts=(HOST,))
CONTROLS = [
    ("GET", "/control"),
    ("GET", "/cloud/control/requests"),
    ("GET", "/cloud/control/failures"),
    ("PUT", "/cloud/control"),
    ("PUT", "/another/control"),
    ("POST", "/cloud/control/kill"),
    ("POST", "/cloud/control/nothing"),
    ("GET", "/cloud/control/requests?x"),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(exposure=AUTO) as server:
        yield server


def ask(server: Server, method: str, target: str, **options: Any) -> requests.Response:  # noqa: ANN401 - as requests has them
    return requests.request(method, f"{server.url}{target}", timeout=scaled(20), **options)


@pytest.mark.parametrize(("method", "target"), CONTROLS)
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic TOKEN", "TOKEN", "Bearer TOKENx", "Bearer ä"]
)
def test_control_does_nothing_without_the_token(server: Server, method: str, target: str, authorization: str) -> None:
    cloud = server.clouds["cloud"]
    given = authorization.replace("TOKEN", server.control_token).encode()
    answered = ask(server, method, target, headers={"Authorization": given}, json={"service": "glance"})

    assert (answered.status_code, answered.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer TOKEN" in answered.json()["error"]
    assert server.control_token not in answered.text
    assert server.clouds == {"cloud": cloud}
    assert cloud.glance.running


@pytest.mark.parametrize("kind", ["Bearer", "bearer"])
def test_control_obeys_with_the_token(server: Server, kind: str) -> None:
    headers = {"Authorization": f"{kind} {server.control_token}"}

    assert ask(server, "PUT", "/second/control", headers=headers).status_code == 204
    assert ask(server, "GET", "/control", headers=headers).json() == {"clouds": ["cloud", "second"]}
    assert ask(server, "POST", "/cloud/control/kill", headers=headers, json={"service": "glance"}).ok
    assert not server.clouds["cloud"].glance.running


def test_each_server_has_its_own_token_and_one_on_loopback_has_none() -> None:
    with Server(exposure=AUTO) as first, Server(exposure=AUTO) as second, Server() as usual:
        assert len({first.control_token, second.control_token, usual.control_token}) == 3
        assert len(first.control_token) >= 40
        assert ask(usual, "GET", "/control").json() == {"clouds": ["cloud"]}


def test_a_file_of_the_server_has_the_url_at_which_the_caller_reaches_it(server: Server) -> None:
    headers = {"Authorization": f"Bearer {server.control_token}"}
    with Relay(server.port) as relay:
        body = {"name": "a raw", "size": 4}
        url = requests.post(
            f"http://{relay.place}/cloud/control/download", json=body, headers=headers, timeout=scaled(20)
        ).json()["url"]
        assert url == f"http://{relay.place}/cloud/files/a%20raw"
        assert requests.get(url, timeout=scaled(20)).content == bytes(4)


def test_data_that_looks_like_the_servers_own_url_is_not_changed(server: Server) -> None:
    cloud = server.clouds["cloud"]
    image_id = cloud.glance.add_image(owner="dept-a", name=f"{server.url}/cloud/image", status="active")
    token = cloud.session("alice").get_token()
    with Relay(server.port) as relay:
        url = f"http://{relay.place}/cloud/image/v2/images/{image_id}"
        image = requests.get(url, headers={"X-Auth-Token": str(token)}, timeout=scaled(20)).json()
    assert image["name"] == f"{server.url}/cloud/image"


def test_callers_at_several_places_each_get_their_own_urls(server: Server) -> None:
    with Relay(server.port) as one, Relay(server.port) as two:
        for place in (one.place, two.place, f"127.0.0.1:{server.port}", one.place):
            versions = requests.get(f"http://{place}/cloud/image/", timeout=scaled(20)).json()["versions"]
            assert versions[0]["links"][0]["href"] == f"http://{place}/cloud/image/v2/"


def test_the_latest_requests_are_kept_and_older_ones_are_not(server: Server) -> None:
    cloud = server.clouds["cloud"]
    with requests.Session() as session:
        for _ in range(2 * KEPT_REQUESTS + 5):
            session.get(f"{server.url}/cloud/image/", timeout=scaled(20))
        session.get(f"{server.url}/cloud/image/v2/images/last", timeout=scaled(20))
    assert KEPT_REQUESTS <= len(cloud.requests) <= 2 * KEPT_REQUESTS
    assert cloud.requests[-1].path == "/v2/images/last"


def test_the_command_says_who_can_use_it_and_the_token(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", "--host", HOST, "--public-url", "auto"]
    with subprocess.Popen(
        [*command, "--tls", str(ca_file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            warning, token = process.stderr.readline(), process.stderr.readline()
            lines = [process.stdout.readline() for _ in range(11)]
            entry = yaml.safe_load("".join(lines))["clouds"]["admin"]
            url = entry["auth"]["auth_url"].removesuffix("/cloud/identity/v3")
            assert entry["cacert"] == str(ca_file)
            assert warning == f'Everyone who can reach {url} can use this cloud: every password is "secret".\n'
            headers = {"Authorization": f"Bearer {token.removeprefix('Control token: ').strip()}"}
            answered = requests.get(f"{url}/control", headers=headers, verify=str(ca_file), timeout=scaled(20))
            assert answered.json() == {"clouds": ["cloud"]}
        finally:
            process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=scaled(10))
    assert (logged, process.returncode) == ("", 0)


def test_a_server_on_loopback_is_not_at_other_addresses() -> None:
    with Server() as server, pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, server.port))
    with Server(exposure=Exposure(host="0.0.0.0", public_url="auto")) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert ask(server, "GET", "/cloud/image/").ok
        elsewhere = requests.get(f"http://{HOST}:{server.port}/cloud/image/", timeout=scaled(20))
        assert elsewhere.status_code == 403
        assert "not to 127.0.0.2" in elsewhere.json()["error"]
