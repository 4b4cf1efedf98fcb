"""State, seed and delays of a served cloud: by requests, and by the options of the command."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from hyperx_glance import NewImage, Settings, UrlPolicy, connect
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import NoAnswer
from hyperx_glance.testing.memory.serving import Server
from hyperx_glance.testing.timing import scaled
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance import Client

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def client(server: Server, user: str = "alice", name: str = "cloud") -> Client:
    settings = Settings(url_policy=UrlPolicy(trusted_hosts=("127.0.0.1",)))
    auth: Any = server.clouds[name].auth(user)
    return connect(**auth, settings=settings)


def saved(server: Server) -> bytes:
    answer = requests.get(f"{server.url}/cloud/control/state", timeout=scaled(5))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.content


def load(server: Server, document: bytes, name: str = "cloud") -> requests.Response:
    url = f"{server.url}/{name}/control/state"
    return requests.put(url, data=document, headers=JSON, timeout=scaled(20))


# ------------------------------------------------------------- state


def test_a_saved_cloud_comes_back_with_its_images_and_its_tokens(server: Server) -> None:
    alice = client(server)
    control = f"{server.url}/cloud/control/download"
    url = requests.post(control, json={"name": "a.raw", "size": 4096}, timeout=5).json()["url"]
    image = alice.register(NewImage(name="disk", url=url, disk_format="raw"))
    document = saved(server)
    alice.delete(image)
    assert list(alice.images()) == []

    assert load(server, document).status_code == 204

    assert [found.name for found in alice.images()] == ["disk"]  # with the token of before
    assert server.clouds["cloud"].glance.images[image.id].data == bytes(4096)


def test_a_state_makes_a_cloud_on_another_server_with_its_own_addresses(server: Server) -> None:
    control = f"{server.url}/cloud/control/download"
    url = requests.post(control, json={"name": "a.raw", "size": 4096}, timeout=5).json()["url"]
    elsewhere = "http://files.example/b.raw"
    requests.post(control, json={"url": elsewhere, "status": 404}, timeout=5)

    with Server(names=()) as other:
        assert load(other, saved(server), "copy").status_code == 204

        moved = url.replace(f"{server.url}/cloud/", f"{other.url}/copy/")
        assert list(other.clouds["copy"].glance.downloads) == [elsewhere, moved]
        image = client(other, name="copy").register(NewImage(name="disk", url=moved, disk_format="raw"))
        assert image.size == 4096


@pytest.mark.parametrize("document", [b"", b"{}", b"[" * 1000, b'{"hyperx_glance": "0.0.1"}', b"\xff"])
def test_what_is_no_state_is_refused_and_nothing_changes(server: Server, document: bytes) -> None:
    cloud = server.clouds["cloud"]

    for name in ("cloud", "new"):
        answer = load(server, document, name)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("This ")
        assert "\n" not in answer.json()["error"]

    assert server.clouds == {"cloud": cloud}


def test_a_state_must_be_json_and_not_endless(server: Server) -> None:
    url = f"{server.url}/cloud/control/state"
    assert requests.put(url, data=saved(server), timeout=5).status_code == 415
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=scaled(5))
    connection.putrequest("PUT", "/cloud/control/state")
    for name, value in (JSON | {"Content-Length": str((256 << 20) + 1)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_state_as_large_as_that_of_100_000_images_is_loaded_again(server: Server) -> None:
    glance = server.clouds["cloud"].glance
    image_id = glance.add_image(name="big", status="active")
    glance.images[image_id].data = bytes(60 << 20)

    assert load(server, saved(server), "other").status_code == 204

    assert server.clouds["other"].glance.images[image_id].data == glance.images[image_id].data


def test_a_state_that_cannot_be_saved_or_loaded_again_is_not_given(server: Server) -> None:
    cloud = server.clouds["cloud"]
    data = bytes(100 << 20)
    for name in "ab":
        cloud.glance.images[cloud.glance.add_image(name=name, status="active")].data = data
    answer = requests.get(f"{server.url}/cloud/control/state", timeout=scaled(20))
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(" bytes; at most 268435456 can be loaded.")

    cloud.glance.converter = lambda disk_format, data: (disk_format, data)
    answer = requests.get(f"{server.url}/cloud/control/state", timeout=scaled(20))
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("glance.converter is a function.")


def test_a_server_begins_with_a_state_and_a_reset_goes_back_to_it() -> None:
    content = InMemoryCloud(profile="devstack")
    content.glance.add_image(owner="demo", name="disk", status="active")

    with Server(state=content.state()) as server:
        client(server, "demo").delete(next(iter(client(server, "demo").images(name="disk"))))
        requests.put(f"{server.url}/cloud/control", timeout=5)

        assert "disk" in [image.name for image in client(server, "demo").images()]
        assert "devstack" in yaml.safe_load(server.clouds_yaml())["clouds"]


# ------------------------------------------------------------- the command


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", *options]


def served(*options: str) -> str:
    """Return the token of the first request to a new process."""
    with subprocess.Popen(command(*options), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        auth_url = next(line.split()[-1] for line in lines if "auth_url" in line).strip("'\"")
        identity = {"methods": ["password"], "password": {"user": ALICE}}
        body = {"auth": {"identity": identity}}
        token = requests.post(f"{auth_url}/auth/tokens", json=body, timeout=scaled(10)).headers["X-Subject-Token"]
        process.send_signal(signal.SIGINT)
    return token


ALICE = {"name": "alice", "password": "secret", "domain": {"id": "default"}}


def test_processes_with_the_same_seed_give_the_same_token() -> None:
    assert served("--seed", "5") == served("--seed", "5") != served("--seed", "6")


def test_a_process_begins_with_a_state(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(InMemoryCloud(seed=5).state())

    assert served("--state", str(tmp_path / "state.json")) == served("--seed", "5")


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (None, [], "No such file"),
        (b"{}", [], "This is no state of a cloud in memory."),
        (b'{"hyperx_glance": "0.0.1"}', [], "This state was saved by version '0.0.1'"),
        (b"", ["--seed", "1"], "A state has a profile and a seed of its own"),
        (b"", ["--profile", "devstack"], "A state has a profile and a seed of its own"),
    ],
)
def test_a_bad_state_is_told_in_one_line_before_anything_starts(
    tmp_path: Path, content: bytes | None, options: list[str], words: str
) -> None:
    if content is not None:
        (tmp_path / "state.json").write_bytes(content)

    path = str(tmp_path / "state.json")
    done = subprocess.run(command("--state", path, *options), capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


# ------------------------------------------------------------- delays


def test_an_answer_is_delayed_and_what_it_tells_is_done_at_once(server: Server) -> None:
    alice = client(server)
    alice.images()  # logs in
    token = {"X-Auth-Token": server.clouds["cloud"].session("alice").get_token()}
    asked = {"service": "glance", "method": "POST", "path": "/v2/images$", "seconds": 30}
    assert requests.post(f"{server.url}/cloud/control/delay", json=asked, timeout=5).status_code == 200

    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{server.url}/cloud/image/v2/images", json={"name": "late"}, headers=token, timeout=0.2)

    cloud = server.clouds["cloud"]
    until(lambda: [image.name for image in list(cloud.glance.images.values())] == ["late"], seconds=5)
    assert requests.get(f"{server.url}/cloud/control/unused", timeout=5).json() == {"unused_failures": []}


def test_delays_last_as_long_as_asked_and_add_up() -> None:
    cloud = InMemoryCloud()
    token = {"x-auth-token": str(cloud.session("alice").get_token())}
    cloud.delay("glance", "GET", "/v2/images$", seconds=0.05, times=2)
    cloud.delay("glance", "GET", "/v2/images$", seconds=0.05, skip=1)
    cloud.cut("glance", "GET", "/v2/images$", handled=False, skip=1)

    def elapsed() -> float:
        start = time.monotonic()
        cloud.answer("GET", f"{cloud.glance.url}/v2/images", token, None)
        return time.monotonic() - start

    assert elapsed() >= 0.05
    start = time.monotonic()
    with pytest.raises(NoAnswer):  # a failure is late, too
        elapsed()
    assert time.monotonic() - start >= 0.1
    assert cloud.unused_failures == []


@pytest.mark.parametrize("end", ["reset", "load", "close"])
def test_a_delay_ends_with_its_cloud(end: str) -> None:
    with Server() as server:
        document = saved(server)
        token = {"X-Auth-Token": server.clouds["cloud"].session("alice").get_token()}
        server.clouds["cloud"].delay("glance", "GET", "/v2/images$", seconds=600)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{server.url}/cloud/image/v2/images", headers=token, timeout=0.2)
        start = time.monotonic()
        if end == "reset":
            requests.put(f"{server.url}/cloud/control", timeout=5)
        if end == "load":
            load(server, document)
    assert time.monotonic() - start < scaled(5)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"seconds": -1},
        {"seconds": 601},
        {"seconds": "1"},
        {"seconds": None},
        {"seconds": True},
        {"seconds": 1, "times": 0},
        {"seconds": 1, "skip": -1},
        {"seconds": 1, "status": 500},
        {"seconds": 1, "path": "("},
        {"seconds": 1, "path": "/imagse$"},
        {"seconds": 1, "service": "swift"},
        {"seconds": 1, "method": "BREW"},
    ],
)
def test_a_delay_that_cannot_be_is_refused(server: Server, asked: dict[str, object]) -> None:
    place = {"service": "glance", "method": "GET", "path": "/v2/images$"}

    answer = requests.post(f"{server.url}/cloud/control/delay", json=place | asked, timeout=5)

    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
    assert server.clouds["cloud"].unused_failures == []
