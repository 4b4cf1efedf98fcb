"""The local cloud keeps its promises to tests, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import importlib.metadata
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openstack
import pytest
from keystoneauth1.exceptions import ConnectFailure
from openstack.config import OpenStackConfig

from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.local import LocalCloudError, databases, releases
from hyperx_glance.testing.local.layout import ENTRIES, SERVICES, Layout
from hyperx_glance.testing.timing import scaled
from tests.support.devstack import check_names, run_script
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.local

PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
PATCH_TYPE = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
NEW_IMAGE = {"name": "n", "disk_format": "raw", "container_format": "bare"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


def request(  # noqa: PLR0917 - read as: alice, POST, glance, path, body
    cloud: LocalCloud, user: str, method: str, service: str, path: str, body: object = None
) -> tuple[int, Any]:
    """Return status and JSON of one request; an image's patch gets its own media type."""
    response = cloud.session(user).request(
        cloud.url(service) + path,
        method,
        json=body,
        headers=PATCH_TYPE if method == "PATCH" else None,
        raise_exc=False,
    )
    is_json = response.headers.get("Content-Type", "").startswith("application/json") and response.content
    return response.status_code, response.json() if is_json else response.text


def create_image(cloud: LocalCloud, user: str = "alice") -> str:
    status, image = request(cloud, user, "POST", "glance", "/v2/images", NEW_IMAGE)
    assert status == 201, image
    return str(image["id"])


def import_status(cloud: LocalCloud, method: dict[str, str]) -> int:
    image_id = create_image(cloud)
    status, _ = request(cloud, "alice", "POST", "glance", f"/v2/images/{image_id}/import", {"method": method})
    request(cloud, "alice", "DELETE", "glance", f"/v2/images/{image_id}")
    return status


@pytest.mark.parametrize("service", SERVICES)
def test_web_pages_reach_no_service(cloud: LocalCloud, service: str) -> None:
    """A page could log in as anybody, since every password is known, and let Glance read what is on loopback."""
    place = urlsplit(cloud.url(service)).netloc
    foreign = [
        {"Host": "page.example"},
        {"Host": f"page.example:{urlsplit(cloud.url(service)).port}"},
        {"Host": place, "Origin": "https://page.example"},
        {"Host": place, "Origin": "null"},
        {"Host": place, "Sec-Fetch-Site": "cross-site"},
    ]
    for headers in foreign:
        connection = http.client.HTTPConnection(place, timeout=scaled(20))
        with contextlib.closing(connection):
            connection.request("POST" if service == "keystone" else "GET", "/v3/auth/tokens", headers=headers)
            answer = connection.getresponse()
            assert (answer.status, list(json.load(answer))) == (403, ["error"]), headers
    connection = http.client.HTTPConnection(place, timeout=scaled(20))
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": f"localhost:{urlsplit(cloud.url(service)).port}"})
        assert connection.getresponse().status < 400


def processes_of(directory: Path) -> list[str]:
    """Return the command lines, all of which name the directory, of the cloud's living processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            command = (path / "cmdline").read_bytes()
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            named = b"supervisor" in command or b"local cloud" in command
            if str(directory).encode() in command and named and state not in "ZX":
                found.append(f"{path.name}: {command!r}")
    return found


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def assert_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen()


# What is in it


def own_release() -> str:
    """Return the release that this environment pins."""
    return releases.name(importlib.metadata.version("nova"))


def test_the_release_is_found_out(cloud: LocalCloud) -> None:
    assert cloud.release == own_release()


def test_every_service_is_healthy_in_its_own_process_on_its_own_port(cloud: LocalCloud) -> None:
    states = cloud.status()
    assert {state.name for state in states} == set(SERVICES)
    assert all(state.healthy for state in states), states
    assert len({state.port for state in states}) == len({state.pid for state in states}) == 6


@pytest.mark.parametrize(
    ("user", "project", "role"),
    [
        ("admin", "admin", "admin"),
        ("alice", "dept-a", "member"),
        ("arthur", "dept-a", "member"),
        ("rita", "dept-a", "reader"),
        ("bob", "dept-b", "member"),
        ("carol", "dept-c", "member"),
    ],
)
def test_users_have_their_department_and_role(cloud: LocalCloud, user: str, project: str, role: str) -> None:
    session = cloud.session(user)
    assert session.auth is not None
    access = session.auth.get_access(session)  # type: ignore[attr-defined]  # of identity plug-ins, which ours is
    assert access.project_name == project
    assert role in access.role_names
    assert access.service_catalog.url_for(service_type="image", region_name="RegionOne") == cloud.url("glance")
    assert ("admin" in access.role_names) == (user == "admin")
    assert session is cloud.session(user)
    assert session.timeout == scaled(60)


def test_openstacksdk_connects_with_auth_and_with_the_environment(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    keywords: dict[str, Any] = {"load_yaml_config": False, "load_envvars": False, **cloud.auth("bob")}
    with openstack.connect(**keywords) as connection:
        bob = connection.current_user_id
    for name, value in cloud.environment("alice").items():
        monkeypatch.setenv(name, value)
    with openstack.connect(load_yaml_config=False) as connection:
        assert connection.config.region_name == "RegionOne"
        assert connection.current_user_id not in (None, bob)


def test_limits_of_images_and_servers(cloud: LocalCloud) -> None:
    _, answer = request(cloud, "admin", "GET", "keystone", "/v3/registered_limits")
    limits = {limit["resource_name"]: limit["default_limit"] for limit in answer["registered_limits"]}
    assert limits == {
        "image_size_total": 1000,
        "image_stage_total": 1000,
        "image_count_total": 100000,
        "image_count_uploading": 100,
    }
    assert {limit["region_id"] for limit in answer["registered_limits"]} == {"RegionOne"}
    _, usage = request(cloud, "bob", "GET", "glance", "/v2/info/usage")
    assert usage["usage"]["image_size_total"] == {"limit": 1000, "usage": 0}
    for user in ("alice", "bob"):
        _, answer = request(cloud, user, "GET", "nova", "/v2.1/limits")
        absolute = answer["limits"]["absolute"]
        assert absolute["maxTotalInstances"] == absolute["maxTotalCores"] == 60
        assert absolute["maxTotalRAMSize"] == 200000


def test_flavors_and_network(cloud: LocalCloud) -> None:
    _, answer = request(cloud, "alice", "GET", "nova", "/v2.1/flavors/detail")
    flavors = {
        flavor["name"]: (flavor["ram"], flavor["disk"], flavor["OS-FLV-EXT-DATA:ephemeral"], flavor["vcpus"])
        for flavor in answer["flavors"]
    }
    assert flavors == {"m1.tiny": (512, 1, 1, 1), "m1.small": (2048, 20, 0, 1)}
    _, answer = request(cloud, "bob", "GET", "neutron", "/v2.0/networks")
    (network,) = answer["networks"]
    assert network["name"] == "net1"
    assert network["shared"]
    assert len(network["subnets"]) == 1


def test_servers_are_reached_by_routers_and_floating_addresses(cloud: LocalCloud) -> None:
    def made(user: str, kind: str, **fields: object) -> dict[str, Any]:
        status, answer = request(cloud, user, "POST", "neutron", f"/v2.0/{kind}s", {kind: fields})
        assert status == 201, answer
        return dict(answer[kind])

    outside = made("admin", "network", name="outside", **{"router:external": True})["id"]
    made("admin", "subnet", network_id=outside, ip_version=4, cidr="198.51.100.0/24")
    inside = made("alice", "network", name="inside")["id"]
    subnet = made("alice", "subnet", network_id=inside, ip_version=4, cidr="10.0.0.0/24")["id"]
    router = made("alice", "router", external_gateway_info={"network_id": outside})["id"]
    attached = f"/v2.0/routers/{router}/add_router_interface"
    assert request(cloud, "alice", "PUT", "neutron", attached, {"subnet_id": subnet})[0] == 200
    port = made("alice", "port", network_id=inside)
    address = made("alice", "floatingip", floating_network_id=outside, port_id=port["id"])
    assert address["router_id"] == router
    assert address["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert address["floating_ip_address"].startswith("198.51.100.")


def test_glance_keeps_what_was_downloaded_in_its_cache(cloud: LocalCloud) -> None:
    path = f"/v2/images/{create_image(cloud)}"
    session, url = cloud.session("alice"), cloud.url("glance") + path + "/file"
    assert session.put(url, data=bytes(5000), headers={"Content-Type": "application/octet-stream"}).status_code == 204

    def kept() -> list[int]:
        _, answer = request(cloud, "admin", "GET", "glance", "/v2/cache")
        return [image["size"] for image in answer["cached_images"] if image["image_id"] in path]

    assert kept() == []
    assert len(session.get(url).content) == 5000
    assert kept() == [5000]
    assert request(cloud, "alice", "DELETE", "glance", path)[0] == 204
    assert kept() == []


def test_stores_and_import_methods(cloud: LocalCloud) -> None:
    _, answer = request(cloud, "alice", "GET", "glance", "/v2/info/stores")
    assert {store["id"]: "default" in store for store in answer["stores"]} == {"fast": True, "slow": False}
    _, answer = request(cloud, "alice", "GET", "glance", "/v2/info/import")
    methods = {"glance-direct", "web-download", "copy-image", "glance-download"}
    assert set(answer["import-methods"]["value"]) == methods


def test_a_member_may_only_delete_the_featured_flag(cloud: LocalCloud) -> None:
    featured = {"hyperx_featured": "true"}
    status, _ = request(cloud, "alice", "POST", "glance", "/v2/images", NEW_IMAGE | featured)
    assert status == 403
    path = f"/v2/images/{create_image(cloud)}"
    add = [{"op": "add", "path": "/hyperx_featured", "value": "true"}]
    assert request(cloud, "alice", "PATCH", "glance", path, add)[0] == 403
    assert request(cloud, "admin", "PATCH", "glance", path, add)[0] == 200
    replace = [{"op": "replace", "path": "/hyperx_featured", "value": "false"}]
    assert request(cloud, "alice", "PATCH", "glance", path, replace)[0] == 403
    other = [{"op": "add", "path": "/anything", "value": "else"}]
    status, image = request(cloud, "alice", "PATCH", "glance", path, other)
    assert (status, image["hyperx_featured"], image["anything"]) == (200, "true", "else")
    remove = [{"op": "remove", "path": "/hyperx_featured"}]
    status, image = request(cloud, "alice", "PATCH", "glance", path, remove)
    assert status == 200
    assert "hyperx_featured" not in image


def test_a_reader_reads_only(cloud: LocalCloud) -> None:
    image_id = create_image(cloud)
    assert request(cloud, "rita", "POST", "glance", "/v2/images", NEW_IMAGE)[0] == 403
    assert request(cloud, "rita", "GET", "glance", f"/v2/images/{image_id}")[0] == 200
    assert request(cloud, "bob", "GET", "glance", f"/v2/images/{image_id}")[0] == 404


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://127.0.0.1:22/x", 400),
        ("http://10.0.0.1/x", 400),
        ("http://169.254.169.254/x", 400),
        ("http://127.0.0.1:9/x", 202),
        ("http://127.0.0.1:40000/x", 202),
    ],
)
def test_import_filter_lets_loopback_through_and_refuses_port_22(cloud: LocalCloud, url: str, status: int) -> None:
    assert import_status(cloud, {"name": "web-download", "uri": url}) == status


def test_an_upload_of_unknown_length_arrives(cloud: LocalCloud) -> None:
    path = f"/v2/images/{create_image(cloud)}"
    session, url = cloud.session("alice"), cloud.url("glance") + path + "/file"
    octets = {"Content-Type": "application/octet-stream"}
    response = session.put(url, data=(bytes(1000) for _ in range(7)), headers=octets)
    assert response.status_code == 204
    # The connection stays open, even after a body that Glance did not read.
    response = session.put(url, data=(bytes(1000) for _ in range(7)), headers=octets, raise_exc=False)
    assert response.status_code == 409
    _, image = request(cloud, "alice", "GET", "glance", path)
    assert (image["status"], image["size"]) == ("active", 7000)
    assert cloud.database("glance").stat().st_size > 0


@pytest.mark.parametrize(
    "start_of_body",
    ["Content-Length: 1000\r\n\r\n" + "x" * 100, "Transfer-Encoding: chunked\r\n\r\n64\r\n" + "x" * 100 + "\r\n"],
    ids=["known length", "chunked"],
)
def test_an_upload_that_breaks_off_leaves_no_half_image(cloud: LocalCloud, start_of_body: str) -> None:
    path = f"/v2/images/{create_image(cloud)}"
    head = (
        f"PUT {path}/file HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
        f"X-Auth-Token: {cloud.session('alice').get_token()}\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(cloud.url("glance").rpartition(":")[2]))) as connection:
        connection.sendall((head + start_of_body).encode())
        until(lambda: request(cloud, "alice", "GET", "glance", path)[1]["status"] == "saving")
    until(lambda: request(cloud, "alice", "GET", "glance", path)[1]["status"] == "queued")


def test_a_server_a_snapshot_of_it_and_a_new_start_of_nova(cloud: LocalCloud) -> None:
    image_id = create_image(cloud)
    url, octets = cloud.url("glance") + f"/v2/images/{image_id}/file", {"Content-Type": "application/octet-stream"}
    assert cloud.session("alice").put(url, data=bytes(512), headers=octets).status_code == 204
    _, answer = request(cloud, "alice", "GET", "nova", "/v2.1/flavors")
    flavor_id = next(flavor["id"] for flavor in answer["flavors"] if flavor["name"] == "m1.tiny")
    _, answer = request(cloud, "alice", "GET", "neutron", "/v2.0/networks?name=net1")
    networks = [{"uuid": answer["networks"][0]["id"]}]
    server = {"name": "s", "imageRef": image_id, "flavorRef": flavor_id, "networks": networks}
    _, answer = request(cloud, "alice", "POST", "nova", "/v2.1/servers", {"server": server})
    path = f"/v2.1/servers/{answer['server']['id']}"
    until(lambda: request(cloud, "alice", "GET", "nova", path)[1]["server"]["status"] == "ACTIVE")

    assert request(cloud, "alice", "POST", "nova", f"{path}/action", {"createImage": {"name": "snapshot"}})[0] == 202

    def snapshots() -> list[tuple[str, int]]:
        _, answer = request(cloud, "alice", "GET", "glance", "/v2/images?name=snapshot")
        return [(image["status"], image["size"]) for image in answer["images"]]

    until(lambda: snapshots() == [("active", 512)])
    cloud.restart("nova")
    assert request(cloud, "alice", "GET", "nova", path)[1]["server"]["status"] == "ACTIVE"
    assert request(cloud, "alice", "DELETE", "nova", path)[0] == 204
    until(lambda: request(cloud, "alice", "GET", "nova", path)[0] == 404)


# Failures on request


def test_kill_refuses_and_restart_brings_the_same_back(cloud: LocalCloud) -> None:
    image_id, url = create_image(cloud), cloud.url("glance")
    cloud.kill("glance")
    with pytest.raises(ConnectFailure):
        request(cloud, "alice", "GET", "glance", "/v2/images")
    problems = {state.name: state.problem for state in cloud.status()}
    assert problems.pop("glance") == "killed"
    assert set(problems.values()) == {None}
    cloud.restart("glance")
    assert cloud.url("glance") == url
    assert request(cloud, "alice", "GET", "glance", f"/v2/images/{image_id}")[0] == 200


def test_restart_of_keystone_keeps_tokens_and_passwords(cloud: LocalCloud) -> None:
    assert request(cloud, "alice", "GET", "glance", "/v2/images")[0] == 200
    cloud.restart("keystone")
    assert request(cloud, "alice", "GET", "glance", "/v2/images")[0] == 200
    assert request(cloud, "admin", "GET", "keystone", "/v3/users")[0] == 200


def test_a_death_is_told_and_can_be_mended(cloud: LocalCloud) -> None:
    (pid,) = (state.pid for state in cloud.status() if state.name == "placement")
    assert pid is not None
    os.kill(pid, signal.SIGSEGV)

    def problem() -> str | None:
        return next(state.problem for state in cloud.status() if state.name == "placement")

    until(lambda: problem() == "ended by itself, by signal SIGSEGV")
    cloud.restart("placement")
    assert problem() is None


def test_a_service_that_would_leave_this_machine_is_refused_and_told(cloud: LocalCloud) -> None:
    elsewhere = {"method": {"name": "web-download", "uri": "http://198.51.100.1/disk.raw"}}  # TEST-NET-2: nobody's
    refused = "glance of the local cloud: socket.connect to ('198.51.100.1', 80) was refused"

    def let_glance_try() -> None:
        with LocalCloud(cloud.directory) as joined:
            image_id = create_image(joined)
            request(joined, "alice", "POST", "glance", f"/v2/images/{image_id}/import", elsewhere)
            until(lambda: refused in joined.logs("glance", 500))
            request(joined, "alice", "DELETE", "glance", f"/v2/images/{image_id}")

    with cloud.configured("glance", {"import_filtering_opts": {"allowed_hosts": "[198.51.100.1]"}}):
        with pytest.raises(LocalCloudError, match=re.escape(refused)):
            let_glance_try()

        told = cloud.refused_connections()
    assert told
    assert all("web_download.py" in attempt for attempt in told)
    assert cloud.refused_connections() == []


def test_configured_changes_options_and_then_changes_them_back(cloud: LocalCloud) -> None:
    download = {"name": "web-download", "uri": "http://127.0.0.1:9/x"}
    with cloud.configured("glance", {"DEFAULT": {"enabled_import_methods": "[glance-direct]"}}):
        assert import_status(cloud, download) == 400
        assert request(cloud, "alice", "GET", "glance", "/v2/info/stores")[0] == 200
    assert import_status(cloud, download) == 202


def test_configured_removes_options_and_changes_policies(cloud: LocalCloud) -> None:
    public = NEW_IMAGE | {"visibility": "public"}
    without_protection = {"DEFAULT": {"property_protection_file": None}}
    with cloud.configured("glance", without_protection, policies={"publicize_image": ""}):
        featured = NEW_IMAGE | {"hyperx_featured": "true"}
        assert request(cloud, "alice", "POST", "glance", "/v2/images", featured)[0] == 201
        assert request(cloud, "alice", "POST", "glance", "/v2/images", public)[0] == 201
    assert request(cloud, "alice", "POST", "glance", "/v2/images", public)[0] == 403


def test_a_configuration_that_fails_is_told_with_the_log_and_taken_back(cloud: LocalCloud) -> None:
    broken = cloud.configured("glance", {"DEFAULT": {"enabled_backends": "fast:nonsense"}})
    with pytest.raises(LocalCloudError, match=r"(?s)glance.*ended by itself.*log ends with:\n.*nonsense"):
        broken.__enter__()
    assert all(state.healthy for state in cloud.status())
    assert "Traceback" in cloud.logs("glance", lines=2000)
    assert len(cloud.logs("glance", lines=3).splitlines()) == 3


def test_a_taken_port_is_told_with_the_log(cloud: LocalCloud) -> None:
    cloud.kill("cinder")
    port = int(cloud.url("cinder").rpartition(":")[2])
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with pytest.raises(LocalCloudError, match=rf"(?s)cinder.*127\.0\.0\.1.*{port}.*Address already in use"):
            cloud.restart("cinder")
    cloud.restart("cinder")


def test_names_that_do_not_exist_are_told_with_those_that_do(cloud: LocalCloud) -> None:
    with pytest.raises(LocalCloudError, match="unknown service: swift; valid services: cinder, glance, keystone"):
        cloud.kill("swift")
    with pytest.raises(LocalCloudError, match="unknown user: mallory; valid users: admin, alice"):
        cloud.auth("mallory")
    with pytest.raises(LocalCloudError, match="unknown service: swift"):
        LocalCloud(options={"swift": {}})
    with pytest.raises(LocalCloudError, match="only glance and keystone can use a database server, not nova"):
        LocalCloud(databases={"nova": "mysql+pymysql://localhost/nova"})
    with pytest.raises(LocalCloudError, match=r"call start\(\) first"):
        LocalCloud().url("glance")
    with pytest.raises(LocalCloudError, match="at least one host"):
        LocalCloud(hosts=0)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"profile": "large"}, "unknown profile: large; valid profiles: default, devstack"),
        ({"ports": {"swift": 8080}}, "unknown service: swift"),
        ({"ports": {"glance": 99999}}, "invalid port: 99999"),
        ({"ports": {"glance": 9292, "nova": 9292}}, "2 services cannot share port 9292"),
        ({"address": "localhost"}, "not an IPv4 address: localhost"),
        ({"address": "0.0.0.0"}, "use one address of this machine"),
    ],
)
def test_an_impossible_configuration_is_refused_at_once(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(LocalCloudError, match=message):
        LocalCloud(**choice)


def test_fixed_ports_and_another_address_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address, directory = "127.0.0.2", tmp_path / "cloud"
    ports = {"keystone": free_port(address), "glance": free_port(address)}
    with LocalCloud(directory, ports=ports, address=address) as cloud:
        assert cloud.auth()["auth_url"] == f"http://{address}:{ports['keystone']}/v3"
        assert cloud.url("glance") == f"http://{address}:{ports['glance']}"
        _, answer = request(cloud, "admin", "GET", "keystone", "/v3/endpoints")
        assert {urlsplit(endpoint["url"]).hostname for endpoint in answer["endpoints"]} == {address}
        create_image(cloud)
        cloud.restart("glance")
        # A caller with the same choice, or none, joins it; one with another choice gets an error.
        for same in ({"ports": ports}, {"address": address}, {}):
            with LocalCloud(directory, **same) as joined:
                assert joined.url("glance") == cloud.url("glance")
        for other, message in (
            ({"ports": {"glance": 1}}, rf"with glance on port {ports['glance']}, not 1"),
            ({"address": "127.0.0.3"}, "with address 127.0.0.2, not 127.0.0.3"),
            ({"hosts": 2}, "with hosts 1, not 2"),
            ({"profile": "devstack"}, "with profile default, not devstack"),
        ):
            with pytest.raises(LocalCloudError, match=message):
                LocalCloud(directory, **other).start()
        # A second cloud cannot have them, and makes nothing before it says so.
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(LocalCloudError, match=rf"glance cannot use port {ports['glance']} of 127\.0\.0\.2"):
            LocalCloud(ports={"glance": ports["glance"]}, address=address).start()
        with pytest.raises(LocalCloudError, match=r"keystone cannot use port 0 of 198\.51\.100\.1"):
            LocalCloud(address="198.51.100.1").start()
        assert list(tmp_path.iterdir()) == [directory]
    # A requested port goes to no other service, even if another had it before.
    moved = {"nova": ports["glance"]}
    with LocalCloud(directory, ports=moved, address=address) as cloud:
        assert cloud.url("nova") == f"http://{address}:{ports['glance']}"
        assert cloud.url("keystone") == f"http://{address}:{ports['keystone']}"
        assert all(state.healthy for state in cloud.status())


def test_processes_are_named_after_their_services(cloud: LocalCloud) -> None:
    for state in cloud.status():
        process = Path(f"/proc/{state.pid}")
        command = (process / "cmdline").read_bytes().rstrip(b"\0").decode()
        assert command == f"local cloud: {state.name} in {cloud.directory}"
        assert (process / "comm").read_text() == f"local-{state.name}\n"


# Nothing stays


def test_two_clouds_at_once_and_nothing_left_of_them(cloud: LocalCloud) -> None:
    clouds = [
        LocalCloud(hosts=2),
        LocalCloud(options={"glance": {"DEFAULT": {"enabled_import_methods": "[copy-image]"}}}),
    ]
    threads = [threading.Thread(target=each.start) for each in clouds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = [(each.directory, {state.port for state in each.status()}) for each in clouds]
    try:
        two_hosts, without_download = clouds
        assert both[0][0] != both[1][0]
        assert len(both[0][1] | both[1][1] | {state.port for state in cloud.status()}) == 18
        assert all(processes_of(directory) for directory, _ in both)
        download = {"name": "web-download", "uri": "http://127.0.0.1:9/x"}
        assert import_status(without_download, download) == 400
        assert import_status(two_hosts, download) == 202
        # A hypervisor's node keeps its id, so Nova starts again in the same place.
        two_hosts.restart("nova")
        _, answer = request(two_hosts, "admin", "GET", "nova", "/v2.1/os-hypervisors")
        assert {host["hypervisor_hostname"] for host in answer["hypervisors"]} == {"host1", "host2"}
        _, answer = request(two_hosts, "admin", "GET", "placement", "/resource_providers")
        assert len(answer["resource_providers"]) == 2
    finally:
        for each in clouds:
            each.stop()
    for directory, ports in both:
        assert processes_of(directory) == []
        assert not directory.exists()
        for port in ports:
            assert_port_is_free(port)


def test_leaving_the_with_block_tells_of_a_death(cloud: LocalCloud) -> None:
    def let_placement_die() -> None:
        with LocalCloud(cloud.directory) as joined:
            (pid,) = (state.pid for state in joined.status() if state.name == "placement")
            assert pid is not None
            os.kill(pid, signal.SIGABRT)
            until(lambda: not all(state.healthy for state in joined.status()))

    message = r"(?s)placement of the local cloud: ended by itself, by signal SIGABRT.*log ends with:\n.*placement"
    with pytest.raises(LocalCloudError, match=message):
        let_placement_die()
    # The with block joined a cloud that ran, so the cloud keeps running.
    cloud.restart("placement")


def test_a_start_that_fails_tells_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cloud = LocalCloud(options={"keystone": {"token": {"provider": "nonsense"}}})
    with pytest.raises(LocalCloudError, match=r"(?s)keystone of the local cloud: ended by itself.*nonsense"):
        cloud.start()
    assert list(tmp_path.iterdir()) == []
    assert processes_of(tmp_path) == []
    assert not cloud.is_running


def run_python(code: str, temporary: Path) -> subprocess.Popen[bytes]:
    """Run code that uses a LocalCloud in a Python of its own, its temporary directories below `temporary`."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": PACKAGE_ROOT, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


START = "from hyperx_glance.testing import LocalCloud; cloud = LocalCloud().start(); print('up', flush=True); input()"


def test_a_killed_caller_leaves_nothing(tmp_path: Path) -> None:
    with run_python(START, tmp_path) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"up\n"
        assert len(processes_of(tmp_path)) == 7
        caller.kill()
    until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_start_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with run_python(START, tmp_path) as caller:
        until(lambda: len(processes_of(tmp_path)) == 7)
        caller.send_signal(number)
        _, errors = caller.communicate()
        assert caller.returncode == -number
        if number is signal.SIGINT:
            # Ctrl-C comes back when all is gone.
            assert errors.rstrip().endswith(b"KeyboardInterrupt")
            assert processes_of(tmp_path) == []
    until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()))


def test_a_killed_supervisor_takes_the_services_with_it(tmp_path: Path) -> None:
    cloud = LocalCloud(tmp_path).start()
    os.kill(json.loads((tmp_path / "cloud.json").read_text())["pid"], signal.SIGKILL)
    until(lambda: not processes_of(tmp_path))
    cloud.stop()
    # A directory that was given keeps logs and data until it is removed; what is not the cloud's stays.
    assert (tmp_path / "logs" / "glance.log").stat().st_size > 0
    (tmp_path / "mine").touch()
    cloud.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# The command


def command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "hyperx_glance.testing.local", *arguments],
        env=os.environ | {"PYTHONPATH": PACKAGE_ROOT, "XDG_STATE_HOME": str(directory / "state")},
        cwd=directory,
        text=True,
        capture_output=True,
        check=False,
        timeout=240,
    )


def test_the_command_from_up_to_down(tmp_path: Path) -> None:
    # A directory with files named like services, and a path too long for a Unix socket's address.
    directory = tmp_path / ("long" * 25)
    directory.mkdir()
    (directory / "keystone.py").write_text("raise SystemExit('not this one')")
    home = directory / "state" / "hyperx-glance" / "local-cloud"
    assert command(directory, "status").returncode == 1
    try:
        # The second and the third find it running.
        with ThreadPoolExecutor() as pool:
            first, second = pool.map(lambda verb: command(directory, verb), ["up", "up"])
        assert first.returncode == second.returncode == 0, first.stderr + second.stderr
        processes = processes_of(home)
        assert len(processes) == 7
        third = command(directory, "up")
        assert first.stdout == second.stdout == third.stdout
        assert processes_of(home) == processes
        status = command(directory, "status")
        assert status.returncode == 0
        release, *services = status.stdout.splitlines()
        assert release == f"OpenStack {own_release()}"
        assert [line.split()[-1] for line in services] == ["healthy"] * 6
        environment = command(directory, "env", "--user", "alice").stdout
        assert "export OS_USERNAME=alice\n" in environment
        assert "export OS_PROJECT_NAME=dept-a\n" in environment
        assert "glance listens after" in command(directory, "logs", "glance", "--lines", "500").stdout
        # A test run can use the cloud that is up; it runs on afterwards.
        with LocalCloud(home) as joined:
            image_id = create_image(joined)
        assert processes_of(home) == processes
        # Data and ports outlive a pause.
        assert command(directory, "down", "--keep").returncode == 0
        assert processes_of(home) == []
        assert command(directory, "up").stdout == first.stdout
        with LocalCloud(home) as joined:
            assert request(joined, "alice", "GET", "glance", f"/v2/images/{image_id}")[0] == 200
    finally:
        down = command(directory, "down")
    assert (down.returncode, down.stdout) == (0, "The local cloud is down.\n")
    assert processes_of(home) == []
    assert not home.exists()
    assert command(directory, "down").stdout == "No local cloud was running.\n"


def test_up_takes_a_profile_and_ports_and_writes_clouds(tmp_path: Path) -> None:
    keystone, glance = free_port(), free_port()
    home = tmp_path / "cloud"
    order = ["--directory", str(home), "--profile", "devstack", "--ports", f"keystone={keystone},glance={glance}"]
    files = tmp_path / "devstack"
    assert command(tmp_path, "up", "--ports", "glance").returncode == 2
    assert command(tmp_path, "up", "--directory", str(home), "--write-devstack", str(files)).returncode == 2
    assert not home.exists()
    try:
        up = command(tmp_path, "up", *order, "--write-devstack", str(files))
        assert up.returncode == 0, up.stderr
        clouds = home / "clouds.yaml"
        assert f"source {files}/openrc admin admin\n" in up.stdout
        assert f"export OS_CLIENT_CONFIG_FILE={clouds}\n" in up.stdout
        assert "demo" in up.stdout
        config = OpenStackConfig(config_files=[str(clouds)], load_envvars=False)
        assert {"alice", "devstack", "devstack-alt", "devstack-admin"} <= set(config.get_cloud_names())
        with openstack.connection.Connection(config=config.get_one("devstack")) as demo:
            assert demo.image.get_endpoint() == f"http://127.0.0.1:{glance}/v2/"
            namespaces = demo.image.get("/metadefs/namespaces?limit=100").json()["namespaces"]
            assert "OS::Compute::Watchdog" in {each["namespace"] for each in namespaces}
        check_names(files)
        assert run_script(files)[-1] == "10.0.0.0/26"
        assert "OS_USERNAME=demo" in command(tmp_path, "env", "--directory", str(home), "--user", "demo").stdout
    finally:
        command(tmp_path, "down", "--directory", str(home))
    assert not home.exists()


def test_up_refuses_a_directory_with_other_things_in_it(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    refused = command(tmp_path, "up", "--directory", str(tmp_path))
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_every_file_of_a_cloud_stands_below_a_known_entry(cloud: LocalCloud) -> None:
    assert {path.name for path in cloud.directory.iterdir()} <= set(ENTRIES)


def test_databases_are_made_once_and_anew_after_half_a_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = Layout(tmp_path / "first", {}), Layout(tmp_path / "second", {})
    for layout in (first, second):
        (layout.directory / "databases").mkdir(parents=True)
    calls: list[int] = []

    def fill() -> None:
        with databases.rows(first, "glance") as connection:
            connection.execute("create table images (id)")
        calls.append(len(calls))
        if len(calls) == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        databases.prepare(first, "glance", fill)
    databases.prepare(first, "glance", fill)
    databases.prepare(first, "glance", fill)
    assert calls == [0, 1]
    # The next cloud copies what the first has made.
    databases.prepare(second, "glance", fill)
    assert calls == [0, 1]
    with databases.rows(second, "glance") as connection:
        assert connection.execute("select count(*) from images").fetchone() == (0,)


def test_importing_the_local_cloud_imports_no_service() -> None:
    code = (
        "import sys; from hyperx_glance.testing import LocalCloud; import hyperx_glance.testing.local.supervisor; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    with run_python(code, Path("/tmp")) as python:
        output, _ = python.communicate()
    assert python.returncode == 0
    heavy = {"keystone", "glance", "placement", "neutron", "nova", "cinder", "eventlet", "openstack", "requests_mock"}
    assert set(output.decode().split()) & heavy == set()
