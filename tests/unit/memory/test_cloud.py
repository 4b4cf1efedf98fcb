"""The in-memory cloud: its ways in, the requests that it records, the failures that tests request."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import openstack
import pytest
import requests
import requests_mock
from keystoneauth1 import exceptions as keystone_exceptions

from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import NoAnswer, Recorded, Reply, Silence
from tests.unit.memory.asking import RAW, ask, image, names, new_image, nova, patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance import Client
    from tests.support.file_server import FileServer


@pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning")  # openstacksdk warns of itself
def test_openstacksdk_works_inside_the_with_block(cloud: InMemoryCloud) -> None:
    cloud.glance.add_image(name="one")

    with cloud:
        connection = openstack.connect(load_envvars=False, load_yaml_config=False, **cloud.auth("alice"))  # type: ignore[arg-type]  # plain keywords
        found = [image.name for image in connection.image.images()]
        flavors = [flavor.name for flavor in connection.compute.flavors()]

    assert found == ["one"]
    assert flavors == ["m1.small", "m1.tiny"]
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{cloud.glance.url}/", timeout=2)


def test_other_hosts_stay_real_inside_the_with_block(cloud: InMemoryCloud, file_server: FileServer) -> None:
    url = file_server.serve("/a.raw", b"real")

    with cloud:
        assert requests.get(url, timeout=5).content == b"real"


def test_a_session_reaches_nothing_but_its_cloud(cloud: InMemoryCloud) -> None:
    other = InMemoryCloud()
    other.glance.add_image(name="other")

    assert names(cloud) == []
    with pytest.raises(requests_mock.exceptions.NoMockAddress):
        cloud.session("alice").get("http://files.example.org/", authenticated=False)


def test_a_wrong_password_and_a_foreign_department_are_refused(cloud: InMemoryCloud) -> None:
    for change in ({"password": "wrong"}, {"project_name": "dept-b"}):
        options = {**cloud.auth("alice"), **change}
        connection = openstack.connect(load_envvars=False, load_yaml_config=False, **options)  # type: ignore[arg-type]  # plain keywords
        with cloud, pytest.raises(openstack.exceptions.SDKException, match="HTTP 401"):
            connection.authorize()


def test_an_expired_token_is_renewed_by_keystoneauth(cloud: InMemoryCloud) -> None:
    session = cloud.session("alice")
    session.get("/v2/images", endpoint_filter={"service_type": "image"})
    cloud.keystone.expire_tokens()

    assert session.get("/v2/images", endpoint_filter={"service_type": "image"}).status_code == 200
    assert [request.status for request in cloud.requests if request.service == "glance"] == [200, 401, 200]


def test_sixteen_threads_share_one_session(cloud: InMemoryCloud) -> None:
    session = cloud.session("alice")
    ids = []

    def create() -> None:
        for _ in range(5):
            answer = session.post("/v2/images", json=RAW, endpoint_filter={"service_type": "image"})
            ids.append(answer.json()["id"])

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == 80
    assert (
        len([request for request in cloud.requests if request.method == "POST" and request.service == "glance"]) == 80
    )


def test_requests_are_recorded_in_order(cloud: InMemoryCloud) -> None:
    session = cloud.session("rita")
    session.get("/v2/images?tag=a&tag=b&limit=2", endpoint_filter={"service_type": "image"})
    session.post("/v2/images", json=RAW, endpoint_filter={"service_type": "image"}, raise_exc=False)

    login, listing, refused = cloud.requests
    assert (login.service, login.method, login.path, login.status) == ("keystone", "POST", "/v3/auth/tokens", 201)
    assert listing.query == {"tag": ["a", "b"], "limit": ["2"]}
    assert (listing.user, listing.project, listing.path, listing.status) == ("rita", "dept-a", "/v2/images", 200)
    assert (refused.body, refused.status) == (RAW, 403)


def test_answers_carry_request_id_and_date(cloud: InMemoryCloud) -> None:
    cloud.nova.skew_seconds = 3600

    for service in ("image", "compute", "network", "block-storage", "identity"):
        answer = ask(cloud, "alice", "GET", service, "/nowhere")
        assert answer.headers["x-openstack-request-id"].startswith("req-")
    here = ask(cloud, "alice", "GET", "image", "/v2/images").headers["Date"]
    ahead = nova(cloud, "alice", "GET", "/limits").headers["Date"]
    assert here.split(":")[0] != ahead.split(":")[0]


def test_errors_are_html_unless_json_is_accepted(cloud: InMemoryCloud) -> None:
    page = image(cloud, "alice", "GET", "/images/nosuch")
    as_json = image(cloud, "alice", "GET", "/images/nosuch", headers={"Accept": "application/json"})

    assert page.text.startswith("<html>")
    assert "No image found with ID nosuch<br /><br />" in page.text
    assert as_json.json()["message"].startswith("No image found with ID nosuch")


def test_the_fixtures_belong_together(hyperx_cloud: InMemoryCloud, hyperx_client: Client) -> None:
    hyperx_cloud.glance.add_image(name="seen", status="active")

    assert [image.name for image in hyperx_client.images()] == ["seen"]
    assert hyperx_client.project_id == hyperx_cloud.departments["dept-a"]


def test_recorded_bodies_are_json(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)
    patched(cloud, image_id, ("add", "/foo", "1"))

    assert json.loads(json.dumps(cloud.requests[-1].body)) == [{"op": "add", "path": "/foo", "value": "1"}]


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize("silence", ["refused", "reset", "timeout"])
def test_an_interceptor_decides_what_a_request_comes_to(silence: Silence, handled: bool) -> None:  # noqa: FBT001
    cloud = InMemoryCloud()
    seen: list[Recorded] = []

    def lose_creations(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        seen.append(request)
        if request.method != "POST" or request.service != "glance":
            return handle()
        if handled:
            handle()
        raise NoAnswer(silence)

    cloud.intercept(lose_creations)
    with pytest.raises(
        keystone_exceptions.ConnectTimeout if silence == "timeout" else keystone_exceptions.ConnectFailure
    ):
        image(cloud, "alice", "POST", "/images", RAW)
    cloud.intercept(None)

    assert [(each.method, each.user, each.status) for each in seen] == [("POST", "", None), ("POST", "alice", None)]
    assert [each.status for each in cloud.requests] == [201, None]
    assert len(image(cloud, "alice", "GET", "/images").json()["images"]) == handled


def test_an_interceptor_answers_what_it_likes() -> None:
    cloud = InMemoryCloud()

    def brew(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        return handle() if request.service == "keystone" else Reply(418, b"tea", {"Date": "never"})

    cloud.intercept(brew)
    answer = image(cloud, "alice", "GET", "/images")

    assert (answer.status_code, answer.content, answer.headers["Date"]) == (418, b"tea", "never")
    assert cloud.requests[-1].status == 418
