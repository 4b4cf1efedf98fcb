"""In-memory clouds behind HTTP, as another process sees them."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

import openstack
import pytest
import requests
import yaml
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import Client, NewImage, Settings, UrlPolicy
from hyperx_glance.testing.memory.serving import Server
from hyperx_glance.testing.timing import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack")  # of itself

RAW = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
USERS = {"admin", "alice", "arthur", "bob", "carol", "rita"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def connect(server: Server, user: str = "alice", name: str = "cloud") -> Any:  # noqa: ANN401 - openstacksdk has no types
    auth = server.clouds[name].auth(user)
    region = auth.pop("region_name")
    return openstack.connect(load_envvars=False, load_yaml_config=False, auth=auth, region_name=region)


def control(server: Server, what: str, **body: object) -> requests.Response:
    return requests.post(f"{server.url}/cloud/control/{what}", json=body, timeout=5)


def test_openstacksdk_finds_all_services(server: Server) -> None:
    cloud = connect(server)

    image = cloud.image.create_image(**RAW, data=b"data", wait=True)
    assert [each.name for each in cloud.image.images()] == ["disk"]
    assert cloud.image.download_image(image.id).content == b"data"
    assert [flavor.name for flavor in cloud.compute.flavors()] == ["m1.small", "m1.tiny"]
    assert [network.name for network in cloud.network.networks()] == ["net1"]
    assert list(cloud.block_storage.volumes()) == []
    assert [project.name for project in connect(server, "admin").identity.projects(name="dept-a")] == ["dept-a"]


def test_links_lead_back_to_the_server(server: Server) -> None:
    cloud = server.clouds["cloud"]
    for number in range(3):
        cloud.glance.add_image(name=str(number), status="active")
    headers = {"X-Auth-Token": connect(server).session.get_token()}

    versions = requests.get(f"{server.url}/cloud/image/", timeout=5).json()["versions"]
    assert versions[0]["links"][0]["href"] == f"{server.url}/cloud/image/v2/"
    page = requests.get(f"{server.url}/cloud/image/v2/images?limit=2", headers=headers, timeout=5).json()
    rest = requests.get(f"{server.url}/cloud/image{page['next']}", headers=headers, timeout=5).json()
    assert [image["name"] for image in (*page["images"], *rest["images"])] == ["2", "1", "0"]


def test_a_stream_without_a_length_is_taken_and_the_connection_goes_on(server: Server) -> None:
    image_id = server.clouds["cloud"].glance.add_image(**RAW)
    http = requests.Session()
    http.headers["X-Auth-Token"] = connect(server).session.get_token()
    url = f"{server.url}/cloud/image/v2/images/{image_id}"
    octets = {"Content-Type": "application/octet-stream"}

    sent = http.put(f"{url}/file", data=iter([b"one", b"two"]), headers=octets, timeout=5)
    assert sent.status_code == 204, sent.text
    assert http.get(url, timeout=5).json()["size"] == 6
    again = http.put(f"{url}/file", data=iter([b"one", b"two"]), headers=octets, timeout=5)
    assert again.status_code == 409
    assert http.get(f"{url}/file", headers={"Range": "bytes=2-3"}, timeout=5).content == b"et"


def test_the_http_controls_set_the_same_state_as_python(server: Server) -> None:
    image_id = control(server, "image", owner="dept-a", name="set", status="active", os_distro="debian").json()["id"]
    control(server, "download", url="http://files.example/a.raw", base64=base64.b64encode(b"data").decode())
    control(server, "download", url="http://files.example/b.raw", status=404)
    control(server, "user", name="dora", department="dept-d", role="member")
    control(server, "quota", department="dept-d", instances=1)
    control(server, "set", service="nova", build_polls=7)
    cloud = server.clouds["cloud"]

    found = cloud.glance.image(image_id)
    assert found is not None
    assert found.properties == {"os_distro": "debian"}
    assert cloud.glance.downloads == {"http://files.example/a.raw": b"data", "http://files.example/b.raw": 404}
    assert connect(server, "dora").current_project_id == cloud.departments["dept-d"]
    assert cloud.nova.limits_of(cloud.departments["dept-d"])["instances"] == 1
    assert cloud.nova.build_polls == 7


def test_failures_are_asked_for_by_http(server: Server) -> None:
    headers = {"X-Auth-Token": connect(server).session.get_token()}
    control(server, "fail", service="glance", method="GET", path="/images$", status=503, headers={"Retry-After": "0"})
    control(server, "cut", service="glance", method="GET", path="/info/import$")

    refused = requests.get(f"{server.url}/cloud/image/v2/images", headers=headers, timeout=5)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "0")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{server.url}/cloud/image/v2/info/import", headers=headers, timeout=5)
    seen = requests.get(f"{server.url}/cloud/control/requests", timeout=5).json()["requests"]
    assert [(each["service"], each["path"], each["status"]) for each in seen[-2:]] == [
        ("glance", "/v2/images", 503),
        ("glance", "/v2/info/import", None),
    ]


def test_several_clouds_do_not_see_each_other_and_are_reset(server: Server) -> None:
    assert requests.put(f"{server.url}/second/control", timeout=5).status_code == 204
    assert requests.get(f"{server.url}/control", timeout=5).json() == {"clouds": ["cloud", "second"]}
    connect(server, name="second").image.create_image(**RAW)

    assert list(connect(server).image.images()) == []
    assert len(list(connect(server, name="second").image.images())) == 1
    requests.put(f"{server.url}/second/control", timeout=5)
    assert list(connect(server, name="second").image.images()) == []
    assert set(yaml.safe_load(server.clouds_yaml())["clouds"]) == USERS | {f"second-{user}" for user in USERS}
    assert requests.get(f"{server.url}/nowhere/image/v2/images", timeout=5).status_code == 404


def test_the_command_prints_clouds_yaml_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(1 + len(USERS) * 9)]
        assert set(yaml.safe_load("".join(lines))["clouds"]) == USERS
        clouds = tmp_path / "clouds.yaml"
        clouds.write_text("".join(lines))
        try:
            environment = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(clouds)}
            program = "import openstack; print([f.name for f in openstack.connect(cloud='rita').compute.flavors()])"
            told = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", program],
                env=environment,
                capture_output=True,
                text=True,
                timeout=scaled(30),
                check=False,
            )
            assert told.stdout == "['m1.small', 'm1.tiny']\n", told.stderr
        finally:
            process.send_signal(signal.SIGTERM)
        rest, logged = process.communicate(timeout=scaled(10))
    assert (rest, logged, process.returncode) == ("", "", 0)


def test_a_port_that_is_taken_is_said(server: Server) -> None:
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", "--port", str(server.port)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=scaled(20), check=False)

    assert (told.returncode, told.stdout) == (2, "")
    assert str(server.port) in told.stderr


def test_a_server_terminated_after_its_first_line_exits_cleanly() -> None:
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "clouds:\n"
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=scaled(10))
    assert (logged, process.returncode) == ("", 0)


def test_an_interrupt_never_meets_the_web_server_in_the_middle_of_its_work() -> None:
    """An exception in the middle of a queue of Python can lose a wake-up, after which a thread never ends."""
    server = Server()
    running: list[str] = []

    def interrupt() -> None:
        try:
            requests.get(f"{server.url}/nowhere", timeout=5)
            main = sys._current_frames()[threading.main_thread().ident or 0]  # noqa: SLF001 - there is no other way
            running.extend(frame.f_code.co_filename for frame, _ in traceback.walk_stack(main))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=interrupt)
    visitor.start()
    with pytest.raises(KeyboardInterrupt):
        server.run()
    server.close()
    visitor.join()

    assert any("web_server" in name for name in running)
    assert not any("cheroot" in name for name in running)


def test_a_killed_service_refuses_until_it_is_restarted(server: Server) -> None:
    assert control(server, "kill", service="glance").status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{server.url}/cloud/image/", timeout=5)
    assert control(server, "restart", service="glance").status_code == 200
    assert requests.get(f"{server.url}/cloud/image/", timeout=5).status_code == 300


def test_a_served_cloud_imports_no_client_of_clouds() -> None:
    """It starts in half a second because of that."""
    program = (
        "import sys, hyperx_glance.testing.memory.serving as _; "
        "heavy = {'keystoneauth1', 'openstack', 'oslo_utils', 'pydantic', 'requests', 'tenacity'}; "
        "print(sorted(heavy & {*sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_the_profile_of_devstack_is_served_under_its_names() -> None:
    with Server(profile="devstack") as server:
        clouds = yaml.safe_load(server.clouds_yaml())["clouds"]
        assert {"devstack", "devstack-alt", "devstack-admin", "devstack-system-admin", "alice"} <= set(clouds)
        assert clouds["devstack"]["auth"]["username"] == "demo"
        assert clouds["devstack-system-admin"]["auth"]["system_scope"] == "all"
        cloud = server.clouds["cloud"]
        assert [flavor.name for flavor in cloud.nova.flavors.values()][-1] == "m1.xlarge"
        (image,) = cloud.glance.images.values()
        assert (image.name, image.visibility, image.status) == ("cirros-0.6.3-x86_64-disk", "public", "active")


def test_client_of_another_process_registers_a_file_of_the_server(server: Server) -> None:
    url = control(server, "download", name="a disk.raw", size=4096).json()["url"]
    trusting = Settings(url_policy=UrlPolicy(trusted_hosts=("127.0.0.1",)))
    auth: dict[str, Any] = {**server.clouds["cloud"].auth("alice")}
    del auth["region_name"]
    client = Client.from_session(Session(v3.Password(**auth)), settings=trusting)

    image = client.register(NewImage(name="disk", url=url, disk_format="raw"))

    assert url == f"{server.url}/cloud/files/a%20disk.raw"
    assert (image.size, image.url) == (4096, url)
    assert requests.head(url, timeout=5).headers["Content-Length"] == "4096"
    assert requests.get(f"{server.url}/cloud/files/other", timeout=5).status_code == 404


def test_file_of_the_server_can_be_an_error(server: Server) -> None:
    refused = control(server, "download", name="refused", status=403).json()["url"]
    server.clouds["cloud"].glance.downloads[f"{server.url}/cloud/files/broken"] = OSError("broken")

    assert requests.get(refused, timeout=5).status_code == 403
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/cloud/files/broken", timeout=5)
    assert control(server, "download", name="", size=1).status_code == 400


@pytest.mark.parametrize(
    ("what", "body", "told"),
    [
        ("fail", {"service": "glnce", "method": "GET", "path": "/images$", "status": 500}, "Did you mean 'glance'?"),
        (
            "fail",
            {"service": "glance", "method": "GET", "path": "/imagse$", "status": 500},
            "Did you mean '/v2/images'?",
        ),
        ("cut", {"service": "glance", "method": "get", "path": "/images$"}, "Did you mean 'GET'?"),
        ("cut", {"service": "glance", "method": "GET", "path": "/images$", "times": 0}, "times must be"),
        ("kill", {"service": "glnce"}, "Did you mean 'glance'?"),
        ("set", {"service": "glnce", "import_polls": 2}, "Did you mean 'glance'?"),
        ("image", {"status": "activ"}, "Did you mean 'active'?"),
        ("quota", {"department": "dept-typo", "instances": 1}, "There is no department 'dept-typo'."),
        ("quota", {"department": "dept-a", "instnces": 1}, "Did you mean 'instances'?"),
        ("user", {"name": "eve", "department": "dept-new", "role": "membr"}, "Did you mean 'member'?"),
    ],
)
def test_control_refuses_what_can_never_happen(server: Server, what: str, body: dict[str, Any], told: str) -> None:
    answer = control(server, what, **body)

    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert "dept-new" not in server.clouds["cloud"].departments


def test_control_tells_the_failures_that_did_not_happen() -> None:
    def plan() -> None:
        with Server() as server:
            control(server, "fail", service="glance", method="GET", path="/images$", status=500)
            told = requests.get(f"{server.url}/cloud/control/unused", timeout=5).json()
            assert told == {"unused_failures": ["fail('glance', 'GET', '/images$', status=500)"]}

    with pytest.raises(AssertionError, match="never happened: fail"):
        plan()
