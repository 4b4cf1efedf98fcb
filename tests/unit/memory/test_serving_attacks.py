"""Served in-memory clouds under attack: by web pages, and by requests that would hold or break the process."""

from __future__ import annotations

import http.client
import json
import random
import re
import string
import threading
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests

from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory.serving import Server
from hyperx_glance.testing.memory.wire import LARGEST_JSON
from hyperx_glance.testing.timing import scaled
from hyperx_glance.testing.web_server import LARGEST_BODY
from tests.unit.memory.asking import boot, nova

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEP = '{"a":' * 100_000
FOREVER = "^(a+)+$"
PATHS = (
    "/cloud/identity/v3",
    "/cloud/image/v2/images",
    "/cloud/compute/v2.1/servers",
    "/cloud/network/v2.0/networks",
    "/cloud/volume/v3",
    "/cloud/control/requests",
    "/control",
    "/nowhere",
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def ask(
    server: Server, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | bytes | None = None
) -> tuple[int, str]:
    """Send a request with exactly these headers, ``Host`` included."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=scaled(20))
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = {"Host": f"127.0.0.1:{server.port}", **(headers or {})}
        data = body.encode() if isinstance(body, str) else body
        if data is not None and "Transfer-Encoding" not in given:
            given = {"Content-Length": str(len(data)), **given}
        for name, value in given.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def control(server: Server, what: str, body: object) -> requests.Response:
    data = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    return requests.post(f"{server.url}/cloud/control/{what}", data=data, headers=headers, timeout=scaled(20))


def login(server: Server) -> str:
    """Return a new token of alice's."""
    user = {"name": "alice", "domain": {"id": "default"}, "password": "secret"}
    scope = {"project": {"name": "dept-a", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    answer = requests.post(f"{server.url}/cloud/identity/v3/auth/tokens", json=body, timeout=scaled(20))
    return answer.headers["X-Subject-Token"]


# ----------------------------------------------------------------- web pages


def foreign_hosts(port: int) -> list[str]:
    """Names that an attacker could point to loopback, and hosts that a parser could take for its own."""
    draw = random.Random(11)
    names = ["".join(draw.choices(string.ascii_lowercase + ".-", k=draw.randint(1, 30))) for _ in range(50)]
    own = ["127.0.0.1.page.example", "localhost.page.example", "127.0.0.2", "127.1", "2130706433", "0.0.0.0", "[::2]"]
    odd = [
        f"page.example#127.0.0.1:{port}",
        "page.example@127.0.0.1",
        "127.0.0.1:1:2",
        "localhost,page.example",
        "[::1",
    ]
    return [*names, *own, *odd, "::1", "", f"page.example:{port}"]


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_was_rebound_to_loopback_reaches_nothing(server: Server, path: str) -> None:
    for host in foreign_hosts(server.port):
        status, text = ask(server, "GET", path, {"Host": host})
        assert (status, list(json.loads(text))) == (403, ["error"]), host
    assert not server.clouds["cloud"].requests


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost:1", "[::1]:8080"])
def test_its_own_hosts_reach_it_through_any_port(server: Server, host: str) -> None:
    assert ask(server, "GET", "/control", {"Host": host})[0] == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "anything"},
    ],
    ids=str,
)
def test_a_web_page_of_another_origin_reaches_nothing(
    server: Server, path: str, method: str, headers: dict[str, str]
) -> None:
    body = "{}" if method in ("POST", "PUT", "PATCH") else None

    status, _ = ask(server, method, path, {"Content-Type": "text/plain", **headers}, body)

    assert status == 403
    assert list(server.clouds) == ["cloud"]
    assert not server.clouds["cloud"].requests


def test_a_page_of_its_own_origin_and_an_address_that_somebody_typed_reach_it(server: Server) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}

    assert ask(server, "GET", "/control", own)[0] == 200
    assert ask(server, "GET", "/control", {"Sec-Fetch-Site": "none"})[0] == 200


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=json", "text/json",
     "text/plain; application/json", "application/jsonp", "application/json-patch+json"],
)  # fmt: skip
def test_control_reads_json_only_where_it_is_called_so(server: Server, media_type: str) -> None:
    body = '{"service": "glance"}'

    status, text = ask(server, "POST", "/cloud/control/kill", {"Content-Type": media_type}, body)

    assert status == 415
    assert "application/json" in json.loads(text)["error"]
    assert server.clouds["cloud"].glance.running
    good = ask(server, "POST", "/cloud/control/kill", {"Content-Type": "Application/JSON; charset=utf-8"}, body)
    assert good == (200, "{}")


@pytest.mark.parametrize(
    "url",
    ["http://page.example/", "http://127.0.0.1.page.example/", "http://127.0.0.1@page.example/", "//page.example",
     "http://page.example#@127.0.0.1/", "http://127.0.0.1:x/", "ftp://127.0.0.1/", "http://[::1", "", "page.example",
     "http://user:password@127.0.0.1/", 1, None, ["http://127.0.0.1"], "http://127.0.0.1\\@page.example/"],
)  # fmt: skip
def test_no_service_gets_an_address_elsewhere(server: Server, url: object) -> None:
    before = server.clouds["cloud"].glance.url

    answer = control(server, "set", {"service": "glance", "url": url})

    assert answer.status_code == 400
    assert server.clouds["cloud"].glance.url == before


def test_a_service_gets_another_address_on_the_same_machine(server: Server) -> None:
    url = "http://localhost:9/image"

    assert control(server, "set", {"service": "glance", "url": url}).status_code == 200
    assert server.clouds["cloud"].glance.url == url


# ----------------------------------------------------------------- what would hold the process


def test_a_regular_expression_that_python_would_never_finish_holds_nobody(server: Server) -> None:
    for what, more in ("fail", {"status": 503}), ("cut", {}):
        asked = {"service": "glance", "method": "GET", "path": FOREVER.replace("^", "^/v2/images/"), **more}
        assert control(server, what, asked).status_code == 200

    assert ask(server, "GET", f"/cloud/image/v2/images/{'a' * 5000}!")[0] in (401, 404)
    assert ask(server, "GET", "/control")[0] == 200
    assert ask(server, "GET", "/cloud/image/v2/images/a")[0] == 503
    with pytest.raises(OSError, match="without response"):
        ask(server, "GET", "/cloud/image/v2/images/a")


@pytest.mark.parametrize("key", ["name", "ip", "ip6"])
@pytest.mark.parametrize("pattern", ["^(a+)+$", r"([0-9.:a-f]+)+x", "(.*)*x", "(a|a)*x"])
def test_a_filter_of_servers_that_python_would_never_finish_holds_nobody(
    cloud: InMemoryCloud, key: str, pattern: str
) -> None:
    source = cloud.glance.add_image(status="active", size=1, disk_format="raw", container_format="bare")
    assert boot(cloud, name="a" * 200 + "!", imageRef=source).status_code == 202

    assert nova(cloud, "alice", "GET", f"/servers?{key}={quote(pattern)}").json()["servers"] == []
    assert nova(cloud, "alice", "GET", f"/servers?{key}={quote(f'(?={pattern})')}").status_code == 400


@pytest.mark.parametrize(
    "path", ["[", "(?=a)", r"(a)\1", "a" * 100_000, "((((a{9999}){9999}){9999}){9999})", 1, None, ["a"], {}]
)
def test_an_invalid_regular_expression_is_refused_at_once(server: Server, path: object) -> None:
    answer = control(server, "fail", {"service": "glance", "method": "GET", "path": path, "status": 500})

    assert answer.status_code == 400
    assert len(answer.json()["error"]) < 300


@pytest.mark.parametrize("text", [DEEP, "[" * 100_000, "[" * 300 + "]" * 300], ids=["objects", "lists", "closed"])
def test_json_that_is_nested_too_deeply_is_refused(server: Server, text: str) -> None:
    headers = {"Content-Type": "application/json", "X-Auth-Token": login(server)}
    paths = {
        "/cloud/control/fail": "POST",
        "/cloud/control/set": "POST",
        "/cloud/identity/v3/auth/tokens": "POST",
        "/cloud/image/v2/images": "POST",
        "/cloud/volume/v3/volumes": "POST",
        "/cloud/compute/v2.1/servers": "POST",
        "/cloud/network/v2.0/networks": "POST",
    }
    for path, method in paths.items():
        status, told = ask(server, method, path, headers, text)
        assert (status, "nested too deeply" in told) == (400, True), path
    for kind in "text/plain", "application/octet-stream":
        assert ask(server, "POST", "/cloud/compute/v2.1/servers", {**headers, "Content-Type": kind}, text)[0] == 400
    assert ask(server, "GET", "/cloud/control/requests")[0] == 200


def written(cloud: InMemoryCloud) -> Iterator[tuple[str, str, str]]:
    """Yield every route of every service that writes, with some path that it takes."""
    for service in cloud.keystone.services:
        for route in service.routes():
            if route.method in ("POST", "PUT", "PATCH"):
                yield service.type, route.method, re.sub(r"\([^()]*\)", uuid.uuid4().hex, route.pattern)


def test_no_route_of_any_service_breaks_on_nested_json(cloud: InMemoryCloud) -> None:
    session = cloud.session("admin")
    for service, method, path in written(cloud):
        root = session.get_endpoint(service_type=service)
        assert root is not None
        for text in DEEP[:5000], '{"image":' * 150 + "1" + "}" * 150:
            answer = session.request(
                f"{'/'.join(root.split('/')[:3])}{path}",
                method,
                data=text,
                headers={"Content-Type": "application/json"},
                raise_exc=False,
                authenticated=True,
            )
            assert answer.status_code < 500 or text.startswith('{"image"'), (method, path)
    assert not cloud.failures


@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 1 << 60])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Server, media_type: str, size: int) -> None:
    announced = {"Content-Type": media_type, "Content-Length": str(size)}
    in_chunks = {"Content-Type": media_type, "Transfer-Encoding": "chunked"}
    for path in "/cloud/control/fail", "/cloud/image/v2/images", "/cloud/identity/v3/auth/tokens":
        assert ask(server, "POST", path, announced)[0] == 413
    status, _ = ask(server, "POST", "/cloud/identity/v3/auth/tokens", in_chunks, f"{size:x}\r\n")
    assert status == 413


def test_json_is_bounded_more_than_data_is(server: Server) -> None:
    headers = {"Content-Type": "application/json"}
    blank = b" " * (LARGEST_JSON + 1)
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(blank), blank)

    announced = ask(server, "POST", "/cloud/control/fail", {**headers, "Content-Length": str(LARGEST_JSON + 1)})
    sent = ask(server, "POST", "/cloud/control/fail", {**headers, "Transfer-Encoding": "chunked"}, chunk)
    disguised = ask(server, "POST", "/cloud/identity/v3/auth/tokens", {"Content-Type": "text/plain"}, blank)

    assert (announced[0], sent[0], disguised[0]) == (413, 413, 413)


def test_the_connection_goes_on_after_a_refusal(server: Server) -> None:
    session = requests.Session()
    for _ in range(3):
        page = session.post(f"{server.url}/control", json={}, headers={"Origin": "http://page.example"}, timeout=5)
        chunks = session.post(f"{server.url}/cloud/control/fail", data=iter([b"a", b"b"]), timeout=5)
        good = session.get(f"{server.url}/control", timeout=5)
        assert (page.status_code, chunks.status_code, good.status_code) == (403, 415, 200)


# ----------------------------------------------------------------- what would break it


WRONG = [
    ("set", {"service": "nova", "_keystone": None}),
    ("set", {"service": "nova", "servers": {}}),
    ("set", {"service": "heat", "a": 1}),
    ("set", {"service": "nova", "build_polls": "1"}),
    ("set", {"service": "nova", "build_polls": None}),
    ("set", {"service": "nova", "build_polls": True}),
    ("set", {"service": "nova", "skew_seconds": 1e300}),
    ("set", {"service": "nova", "running": 1}),
    ("set", {"service": "nova", "failures": ["x"]}),
    ("set", {"service": "nova", "faults": [1]}),
    ("set", {"service": "glance", "lookers": []}),
    ("set", {"service": "glance", "ca_file": "/dev/zero"}),
    ("set", {"service": "keystone", "services": []}),
    ("set", {"service": "keystone", "first_endpoints": ["x"]}),
    ("set", {}),
    ("download", {"url": "http://files.example/a"}),
    ("download", {"url": "http://files.example/a", "size": 1 << 50}),
    ("download", {"url": "http://files.example/a", "size": -1}),
    ("download", {"url": "http://files.example/a", "status": 99}),
    ("download", {"url": "http://files.example/a", "base64": "!"}),
    ("download", {"url": "http://[", "size": 1}),
    ("download", {"url": 1, "size": 1}),
    ("fail", {"service": "glance"}),
    ("fail", {"service": "heat", "method": "GET", "path": "", "status": 500}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": "500"}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 1000}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "times": "x"}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "skip": -1}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "body": [1]}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "headers": {"a": "b\r\nc: d"}}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "headers": {"a b": "c"}}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "headers": {"a": 1}}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "headers": ["a"]}),
    ("fail", {"service": "glance", "method": "GET", "path": "", "status": 500, "headers": {"a": "\u4e2d"}}),
    ("cut", {"service": "glance", "method": "GET", "path": "", "late": "1"}),
    ("kill", {"service": ["glance"]}),
    ("kill", {}),
    ("user", {"name": "carol", "department": "dept-a", "role": "king"}),
    ("user", {"name": ["carol"], "department": "dept-a", "role": "member"}),
    ("user", {"name": "carol", "department": "dept-a", "role": "member", "password": 1}),
    ("quota", {"department": "dept-a", "instances": "1"}),
    ("quota", {"department": ["dept-a"], "instances": 1}),
    ("fail", "[]"),
    ("fail", "1"),
    ("fail", "null"),
    ("fail", "{"),
    ("fail", "\x00"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), WRONG, ids=str)
def test_an_invalid_control_request_is_refused_and_breaks_nothing(server: Server, what: str, body: object) -> None:
    answer = control(server, what, body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(f"{server.url}/cloud/image/v2/images", timeout=5).status_code == 401
    assert requests.get(f"{server.url}/cloud/image/v2/images", headers={"X-Auth-Token": login(server)}, timeout=5).ok


def test_many_attackers_at_once_leave_the_cloud_as_it_was(server: Server) -> None:
    attacks = [("POST", f"/cloud/control/{what}", body) for what, body in WRONG]

    def attack(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(30):
            method, path, body = draw.choice(attacks)
            data = body if isinstance(body, str) else json.dumps(body)
            origin = draw.choice(["", "", "http://page.example"])
            status, _ = ask(server, method, path, {"Content-Type": "application/json", "Origin": origin}, data)
            assert status == (403 if origin else 400)

    threads = [threading.Thread(target=attack, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert login(server)
