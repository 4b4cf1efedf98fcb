"""Launches on a real Nova: lost responses, killed callers, races, and failures of Nova itself."""

from __future__ import annotations

import base64
import email
import gzip
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # libpass has no types

from hyperx_glance import (
    HyperxGlanceError,
    Launch,
    LaunchFailedError,
    LaunchRequest,
    Pace,
    QuotaExceededError,
    ServiceUnavailableError,
    Settings,
)
from hyperx_glance.testing.timing import scaled
from tests.support import launches
from tests.support.clouds import PATIENT, unique
from tests.support.interference import Interference
from tests.support.lossy_proxy import Fate, LossyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message

    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

pytestmark = pytest.mark.usefixtures("_servers_removed")

ROUNDS = 2
DEPARTMENT = "dept-a"


@pytest.fixture
def alice(client: ClientFactory) -> Client:
    return client("alice")


@pytest.fixture
def proxy(local_cloud: LocalCloud) -> Iterator[LossyProxy]:
    with LossyProxy(local_cloud.url("nova")) as proxy:
        yield proxy


def ask(**fields: object) -> LaunchRequest:
    return LaunchRequest.model_validate({"name": unique("web"), "flavor": "m1.tiny", **fields})


def expected_names(request: LaunchRequest) -> list[str]:
    if request.count == 1:
        return [request.name]
    return [f"{request.name}-{number}" for number in range(1, request.count + 1)]


# ----------------------------------------------------------------- one or many


def test_ten_servers_by_one_request(local_cloud: LocalCloud, proxy: LossyProxy) -> None:
    request = ask(count=10)
    launch = proxy.client(local_cloud.session("alice"), PATIENT).launch(launches.put_image(local_cloud), request)
    assert proxy.creations == 1
    assert [server.name for server in launch.servers] == expected_names(request)
    assert {(server.status, server.flavor, server.fault) for server in launch.servers} == {("ACTIVE", "m1.tiny", None)}
    assert len({server.addresses["net1"] for server in launch.servers}) == 10
    assert len({server.id for server in launch.servers}) == 10


def test_fifteen_servers_by_five_launches_at_once(local_cloud: LocalCloud, alice: Client) -> None:
    launch_at_once(local_cloud, alice, callers=5, count=3)


def launch_at_once(local_cloud: LocalCloud, alice: Client, *, callers: int, count: int) -> None:
    image_id = launches.put_image(local_cloud)
    requests = [ask(count=count) for _ in range(callers)]
    with ThreadPoolExecutor(callers) as pool:
        done = list(pool.map(lambda request: alice.launch(image_id, request), requests))
    for launch, request in zip(done, requests, strict=True):
        assert [server.name for server in launch.servers] == expected_names(request)
        assert {server.status for server in launch.servers} == {"ACTIVE"}
    existing = launches.servers(local_cloud)
    assert len(existing) == callers * count
    assert {server["id"] for server in existing} == {server.id for launch in done for server in launch.servers}
    assert len({server["name"] for server in existing}) == callers * count


def test_several_networks(local_cloud: LocalCloud, alice: Client) -> None:
    with _network(local_cloud, "10.98.0.0/24") as name:
        launch = alice.launch(launches.put_image(local_cloud), ask(networks=("net1", name)))
        assert set(launch.servers[0].addresses) == {"net1", name}
        launch.cancel()


# ----------------------------------------------------------------- never twice


@pytest.mark.parametrize("fate", ["cut_early", "cut_late", "bad_gateway", "gateway_timeout"])
def test_a_lost_answer_makes_no_server_twice(local_cloud: LocalCloud, proxy: LossyProxy, fate: Fate) -> None:
    image_id = launches.put_password_image(local_cloud)
    for _ in range(ROUNDS):
        lose_an_answer(local_cloud, proxy, image_id, fate)


def lose_an_answer(local_cloud: LocalCloud, proxy: LossyProxy, image_id: str, fate: Fate) -> None:
    request = ask(count=3)
    before = proxy.creations
    proxy.fates.append(fate)
    launch = proxy.client(local_cloud.session("alice"), PATIENT).launch(image_id, request)
    assert proxy.creations == before + 1
    assert proxy.answered.acquire(timeout=scaled(30))
    assert [(server.name, server.status) for server in launch.servers] == [
        (name, "ACTIVE") for name in expected_names(request)
    ]
    assert len(launches.servers(local_cloud)) == 3
    assert launch.admin_password is not None
    launch.cancel()
    assert launches.servers(local_cloud) == []


def test_a_request_that_nova_never_got_is_told_with_its_launch_id(local_cloud: LocalCloud, proxy: LossyProxy) -> None:
    proxy.fates.append("drop")
    hurried = Settings(pace=Pace(clock=lambda: time.monotonic() * 5))
    with pytest.raises(ServiceUnavailableError, match="502") as caught:
        proxy.client(local_cloud.session("alice"), hurried).launch(
            launches.put_image(local_cloud), ask(launch_id="launch-of-mine")
        )
    assert caught.value.launch_id == "launch-of-mine"
    assert launches.servers(local_cloud) == []


def test_without_a_connection_it_is_sent_again(local_cloud: LocalCloud) -> None:
    """Nova's port refuses while the request is first sent: the only case in which it may be sent twice."""
    image_id = launches.put_image(local_cloud)
    request = ask(count=2)
    with LossyProxy(local_cloud.url("nova")) as proxy:
        client = proxy.client(local_cloud.session("alice"), PATIENT)
        session = client.cloud.session
        send = session.request
        sent = 0

        def refused_once(url: str, method: str, **options: Any) -> Any:  # noqa: ANN401  # passes all on
            nonlocal sent
            if method != "POST" or not url.endswith("/servers"):
                return send(url, method, **options)
            sent += 1
            nobody = "http://127.0.0.1:9/servers"  # the discard port: nothing listens
            return send(nobody if sent == 1 else url, method, **options)

        session.request = refused_once  # type: ignore[method-assign, assignment]  # the network's part
        launch = client.launch(image_id, request)
        assert (sent, proxy.creations) == (2, 1)
    assert [server.name for server in launch.servers] == expected_names(request)
    assert len(launches.servers(local_cloud)) == 2


CALLER = """
import json, sys
from hyperx_glance import LaunchRequest
from tests.support.clouds import PATIENT
from tests.support.lossy_proxy import client_behind
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
auth, url, image_id, request = json.loads(sys.argv[1])
auth.pop("region_name", None)
session = Session(v3.Password(**auth))
client_behind(url, session, PATIENT).launch(image_id, LaunchRequest(**request))
"""


@pytest.mark.parametrize("moment", ["received", "answered"])
def test_the_servers_of_a_killed_caller_are_found(local_cloud: LocalCloud, proxy: LossyProxy, moment: str) -> None:
    image_id = launches.put_image(local_cloud)
    for _ in range(ROUNDS):
        kill_a_caller(local_cloud, proxy, image_id, moment)


def start_caller(local_cloud: LocalCloud, proxy: LossyProxy, image_id: str, launch_id: str) -> subprocess.Popen[str]:
    """Launch three servers in a process of their own."""
    request = {"name": unique("web"), "flavor": "m1.tiny", "count": 3, "launch_id": launch_id}
    arguments = json.dumps([local_cloud.auth("alice"), proxy.url, image_id, request])
    return subprocess.Popen([sys.executable, "-c", CALLER, arguments], stderr=subprocess.PIPE, text=True)


def kill_a_caller(local_cloud: LocalCloud, proxy: LossyProxy, image_id: str, moment: str) -> None:
    """Kill -9 a caller that has just sent its request; find its servers by the id that it was given."""
    launch_id = unique("launch")
    proxy.fates.append("hold" if moment == "received" else "cut_late")
    caller = start_caller(local_cloud, proxy, image_id, launch_id)
    try:
        assert (proxy.received if moment == "received" else proxy.answered).acquire(timeout=scaled(60))
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.communicate()
    assert caller.returncode == -signal.SIGKILL
    found = proxy.client(local_cloud.session("alice"), PATIENT).find_launch(launch_id)
    assert found.count == 3
    assert [server.status for server in found.wait().servers] == ["ACTIVE"] * 3
    assert len(launches.servers(local_cloud)) == 3
    found.cancel()
    assert launches.servers(local_cloud) == []


def test_ctrl_c_leaves_the_servers_and_says_the_launch_id(local_cloud: LocalCloud, proxy: LossyProxy) -> None:
    launch_id = unique("launch")
    caller = start_caller(local_cloud, proxy, launches.put_image(local_cloud), launch_id)
    try:
        assert proxy.answered.acquire(timeout=scaled(60))
    finally:
        caller.send_signal(signal.SIGINT)
        _, said = caller.communicate(timeout=scaled(60))
    assert caller.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in said
    assert f"launch {launch_id}" in said.splitlines()[-1]
    found = proxy.client(local_cloud.session("alice"), PATIENT).find_launch(launch_id).wait()
    assert [server.status for server in found.servers] == ["ACTIVE"] * 3


# ----------------------------------------------------------------- quota


def test_twenty_launches_at_once_against_room_for_five(
    local_cloud: LocalCloud, alice: Client, client: ClientFactory
) -> None:
    admin = client("admin")
    image_id = launches.put_image(local_cloud)
    admin.set_quota(DEPARTMENT, instances=5)
    try:
        done, refused = race(alice, image_id, 20)
    finally:
        admin.set_quota(DEPARTMENT, instances=60)
    assert len(done) <= 5
    assert {type(error) for error in refused} == {QuotaExceededError}
    existing = launches.servers(local_cloud)
    assert {server["id"] for server in existing} == {server.id for launch in done for server in launch.servers}
    assert {server["status"] for server in existing} <= {"ACTIVE"}


def test_installers_at_once_against_room_for_few_volumes(
    local_cloud: LocalCloud, alice: Client, client: ClientFactory
) -> None:
    admin = client("admin")
    iso = launches.put_image(local_cloud, "installer.iso")
    admin.set_quota(DEPARTMENT, volumes=4)
    try:
        done, refused = race(alice, iso, 6)
    finally:
        admin.set_quota(DEPARTMENT, volumes=None)
    assert len(done) <= 2
    assert {type(error) for error in refused} == {QuotaExceededError}
    assert {error.resource for error in refused if isinstance(error, QuotaExceededError)} == {"volumes"}
    assert len(launches.servers(local_cloud)) == len(done)
    assert len(launches.volumes(local_cloud)) == 2 * len(done)


def race(client: Client, image_id: str, count: int) -> tuple[list[Launch], list[HyperxGlanceError]]:
    """Launch as many servers at once, each by a launch of its own."""

    def attempt(_: int) -> Launch | HyperxGlanceError:
        try:
            return client.launch(image_id, ask())
        except HyperxGlanceError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        results = list(pool.map(attempt, range(count)))
    return (
        [result for result in results if isinstance(result, Launch)],
        [result for result in results if isinstance(result, HyperxGlanceError)],
    )


def test_nova_s_own_refusal_is_read(local_cloud: LocalCloud, alice: Client, client: ClientFactory) -> None:
    """Another one takes the room between the look and the request: Nova answers 403."""
    admin = client("admin")
    image_id = launches.put_image(local_cloud)
    Interference(alice).before("POST", "^/servers$", lambda: admin.set_quota(DEPARTMENT, instances=1, cores=1))
    try:
        with pytest.raises(QuotaExceededError) as caught:
            alice.launch(image_id, ask(count=2))
    finally:
        admin.set_quota(DEPARTMENT, instances=60, cores=60)
    error = caught.value
    assert (error.resource, error.limit, error.used, error.requested) == ("instances", 1, 0, 2)
    assert (error.exceeded, error.status) == (("instances", "cores"), 403)
    assert launches.servers(local_cloud) == []


def test_no_room_for_ports_is_a_quota_too(local_cloud: LocalCloud, alice: Client) -> None:
    session = local_cloud.session("admin")
    path = f"/v2.0/quotas/{alice.project_id}"
    network = {"service_type": "network"}
    session.put(path, json={"quota": {"port": 0}}, endpoint_filter=network)
    try:
        with pytest.raises(QuotaExceededError, match="ports"):
            alice.launch(launches.put_image(local_cloud), ask())
    finally:
        session.delete(path, endpoint_filter=network)
    assert launches.servers(local_cloud) == []


# ----------------------------------------------------------------- failures


@pytest.fixture
def huge_flavor(local_cloud: LocalCloud) -> Iterator[str]:
    """Make a flavor whose disk no host has."""
    session = local_cloud.session("admin")
    flavor = {"name": unique("huge"), "ram": 512, "disk": 900_000, "vcpus": 1}
    answer = session.post("/flavors", json={"flavor": flavor}, endpoint_filter=launches.COMPUTE)
    yield str(flavor["name"])
    session.delete(f"/flavors/{answer.json()['flavor']['id']}", endpoint_filter=launches.COMPUTE)


def test_no_valid_host(local_cloud: LocalCloud, alice: Client, huge_flavor: str) -> None:
    image_id = launches.put_image(local_cloud)
    fail_twice(local_cloud, alice, image_id, "No valid host was found", flavor=huge_flavor)


def test_a_failed_volume(local_cloud: LocalCloud, alice: Client) -> None:
    """Data that Cinder takes for dangerous: a qcow2 that says it is raw."""
    image_id = launches.put_image(local_cloud, "disk.qcow2", {"disk_format": "raw"})
    fail_twice(local_cloud, alice, image_id, "[Vv]olume|Block Device", boot_volume_gib=1)


def fail_twice(local_cloud: LocalCloud, alice: Client, image_id: str, fault: str, **fields: object) -> None:
    """See servers end in ERROR: kept to be looked at, and deleted with all that was made."""
    with pytest.raises(LaunchFailedError, match=fault) as caught:
        alice.launch(image_id, ask(count=2, **fields))
    assert [server.status for server in caught.value.servers] == ["ERROR", "ERROR"]  # type: ignore[attr-defined]
    assert len(launches.servers(local_cloud)) == 2
    alice.find_launch(caught.value.launch_id).cancel()
    assert launches.servers(local_cloud) == []
    with pytest.raises(LaunchFailedError, match=fault):
        alice.launch(image_id, ask(count=2, on_failure="delete", **fields))
    assert launches.servers(local_cloud) == []
    assert launches.volumes(local_cloud) == []


def test_a_failed_network_leaves_the_good_servers_or_none(local_cloud: LocalCloud, alice: Client) -> None:
    image_id = launches.put_image(local_cloud)
    with _network(local_cloud, "10.98.1.0/29", last="10.98.1.3") as name:  # the gateway has .1: two addresses are left
        with pytest.raises(LaunchFailedError, match="1 of 3 servers") as caught:
            alice.launch(image_id, ask(count=3, networks=(name,)))
        assert len(caught.value.servers) == 1
        statuses = sorted(server["status"] for server in launches.servers(local_cloud))
        assert statuses == ["ACTIVE", "ACTIVE", "ERROR"]
        alice.find_launch(caught.value.launch_id).cancel()
        with pytest.raises(LaunchFailedError):
            alice.launch(image_id, ask(count=3, networks=(name,), on_failure="delete"))
        assert launches.servers(local_cloud) == []


class _network:  # noqa: N801  # a context manager
    """Make a network for a while."""

    def __init__(self, local_cloud: LocalCloud, cidr: str, *, last: str | None = None) -> None:
        self.session = local_cloud.session("admin")
        self.filter = {"service_type": "network"}
        self.cidr, self.last = cidr, last

    def __enter__(self) -> str:
        name = unique("net")
        body = {"network": {"name": name, "shared": True}}
        answer = self.session.post("/v2.0/networks", json=body, endpoint_filter=self.filter)
        self.network_id = answer.json()["network"]["id"]
        subnet: dict[str, Any] = {"network_id": self.network_id, "cidr": self.cidr, "ip_version": 4}
        if self.last:
            subnet["allocation_pools"] = [{"start": self.last.rpartition(".")[0] + ".2", "end": self.last}]
        self.session.post("/v2.0/subnets", json={"subnet": subnet}, endpoint_filter=self.filter)
        return name

    def __exit__(self, *_: object) -> None:
        """Delete it; ports of servers that were just deleted may linger for a moment."""
        for _attempt in range(50):
            path = f"/v2.0/networks/{self.network_id}"
            if self.session.delete(path, endpoint_filter=self.filter, raise_exc=False).status_code == 204:
                return
            time.sleep(0.2)
        raise AssertionError("the network is still in use")


def test_cancel_during_the_build_leaves_no_volume(local_cloud: LocalCloud, alice: Client) -> None:
    iso = launches.put_image(local_cloud, "installer.iso")
    for delay in (0, 0.5, 1.5):
        launch = alice.launch(iso, ask(count=2), wait=False)
        time.sleep(delay)
        launch.cancel()
        assert launches.tagged(local_cloud, launch.launch_id) == []
        assert launches.volumes(local_cloud) == []


CANCELLER = """
import json, os, signal, sys
from tests.support.clouds import PATIENT
from tests.support.interference import Interference
from tests.support.lossy_proxy import client_behind
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
auth, url, launch_id, method, path = json.loads(sys.argv[1])
auth.pop("region_name", None)
client = client_behind(url, Session(v3.Password(**auth)), PATIENT)
launch = client.find_launch(launch_id)
Interference(client).before(method, path, lambda: os.kill(os.getpid(), signal.SIGKILL))
launch.cancel()
"""


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/metadata"), ("DELETE", "/servers/"), ("DELETE", "/volumes/")], ids="".join
)
def test_the_leftovers_of_a_killed_cancellation_are_found_and_deleted(
    local_cloud: LocalCloud, alice: Client, method: str, path: str
) -> None:
    iso = launches.put_image(local_cloud, "installer.iso")
    launch = alice.launch(iso, ask(count=2, keep_volumes=True))
    order = json.dumps([local_cloud.auth("alice"), local_cloud.url("nova"), launch.launch_id, method, path])
    killed = subprocess.run([sys.executable, "-c", CANCELLER, order], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(launches.volumes(local_cloud)) == 4
    assert len(launches.tagged(local_cloud, launch.launch_id)) == (0 if path == "/volumes/" else 2)
    alice.find_launch(launch.launch_id).cancel()
    assert launches.servers(local_cloud) == []
    assert launches.volumes(local_cloud) == []


# ----------------------------------------------------------------- passwords


def multipart() -> bytes:
    message = MIMEMultipart("mixed")
    message.attach(MIMEText("#!/bin/sh\necho 你好\n", "x-shellscript", "utf-8"))
    message.attach(MIMEText("#cloud-config\npackages: [git]\n", "cloud-config"))
    return message.as_bytes()


@pytest.mark.parametrize(
    ("user_data", "own"),
    [
        (None, []),
        ("#cloud-config\npackages: [git]\n", ["text/cloud-config"]),
        ("#!/bin/sh\necho 你好\n", ["text/x-shellscript"]),
        (multipart(), ["text/x-shellscript", "text/cloud-config"]),
        (gzip.compress(b"#!/bin/sh\n" + b"echo hello\n" * 9000), ["text/x-shellscript"]),
    ],
    ids=["none", "cloud-config", "script", "multipart", "gzip"],
)
def test_the_guest_reads_the_password_beside_the_caller_s_data(
    local_cloud: LocalCloud, alice: Client, user_data: str | bytes | None, own: list[str]
) -> None:
    launch = alice.launch(launches.put_password_image(local_cloud), ask(user_data=user_data), wait=False)
    assert launch.admin_password is not None
    stored = read_user_data(local_cloud, launch)
    if stored.startswith(b"\x1f\x8b"):
        stored = gzip.decompress(stored)
    message = email.message_from_bytes(stored)
    parts = [part for part in message.walk() if not part.is_multipart()] if own else []
    assert [part.get_content_type() for part in parts] == [*own, "text/cloud-config"] if own else not parts
    if "text/x-shellscript" in own:
        assert payload(parts[0]).startswith(b"#!/bin/sh\necho ")
    if "text/cloud-config" in own:
        assert yaml.safe_load(payload(parts[-2])) == {"packages": ["git"]}
    config = yaml.safe_load(payload(parts[-1]) if own else stored)
    (user,) = config["chpasswd"]["users"]
    assert (user["name"], user["type"]) == ("debian", "hash")
    assert sha512_crypt.verify(launch.admin_password.get_secret_value(), user["password"])
    launch.cancel()


def read_user_data(local_cloud: LocalCloud, launch: Launch) -> bytes:
    """Read the stored user data as an administrator: Nova shows it to nobody else."""
    answer = local_cloud.session("admin").get(
        f"/servers/{launch.servers[0].id}", endpoint_filter=launches.COMPUTE, microversion=launches.NEWEST
    )
    server: Mapping[str, Any] = answer.json()["server"]
    return base64.b64decode(server["OS-EXT-SRV-ATTR:user_data"])


def payload(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found
