"""The in-memory cloud: its ways in, its failures on request, and rules of the services that are easy to get wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import openstack
import pytest
import requests
import requests_mock
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions

from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import NoAnswer, Recorded, Reply, Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import Client
    from hyperx_glance.testing.memory.nova import PasswordChanges
    from tests.file_server import FileServer

URL = "http://files.example.org/disk.raw"
RAW = {"name": "disk", "disk_format": "raw", "container_format": "bare"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def ask(  # noqa: PLR0917 - read as a sentence: who asks which service for what
    cloud: InMemoryCloud, user: str, method: str, service: str, path: str, body: object = None, **options: object
) -> requests.Response:
    """Send one request past this library."""
    if body is not None:
        options["json"] = body
    options |= {"endpoint_filter": {"service_type": service}, "raise_exc": False}
    return cloud.session(user).request(path, method, **options)  # type: ignore[arg-type]  # as the test says


def image(
    cloud: InMemoryCloud, user: str, method: str, path: str, body: object = None, **options: object
) -> requests.Response:
    return ask(cloud, user, method, "image", f"/v2{path}", body, **options)


def new_image(cloud: InMemoryCloud, user: str = "alice", **fields: object) -> str:
    answer = image(cloud, user, "POST", "/images", {**RAW, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def start_import(cloud: InMemoryCloud, image_id: str, url: str = URL, user: str = "alice", **more: object) -> int:
    body = {"method": {"name": "web-download", "uri": url}, **more}
    return image(cloud, user, "POST", f"/images/{image_id}/import", body).status_code


def shown(cloud: InMemoryCloud, image_id: str, user: str = "alice") -> dict[str, Any]:
    record: dict[str, Any] = image(cloud, user, "GET", f"/images/{image_id}").json()
    return record


def names(cloud: InMemoryCloud, query: str = "", user: str = "alice") -> list[str]:
    answer = image(cloud, user, "GET", f"/images?{query}")
    assert answer.status_code == 200, answer.text
    return [record["name"] for record in answer.json()["images"]]


def nova(
    cloud: InMemoryCloud, user: str, method: str, path: str, body: object = None, *, version: str = "2.96"
) -> requests.Response:
    return ask(cloud, user, method, "compute", path, body, microversion=version)


def boot(cloud: InMemoryCloud, **fields: object) -> requests.Response:
    flavor = next(flavor.id for flavor in cloud.nova.flavors.values() if flavor.name == "m1.tiny")
    body = {"name": "web", "flavorRef": flavor, "networks": "auto", **fields}
    return nova(cloud, "alice", "POST", "/servers", {"server": body})


def active_image(cloud: InMemoryCloud, **fields: object) -> str:
    return cloud.glance.add_image(**{**RAW, "status": "active", "size": 1000, **fields})  # type: ignore[arg-type]


# ----------------------------------------------------------------- ways in


@pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning")  # openstacksdk warns of itself
def test_openstacksdk_works_inside_the_with_block(cloud: InMemoryCloud) -> None:
    cloud.glance.add_image(name="one")

    with cloud:
        connection = openstack.connect(load_envvars=False, load_yaml_config=False, **cloud.auth("alice"))  # type: ignore[arg-type]  # plain keywords
        found = [image.name for image in connection.image.images()]
        flavors = [flavor.name for flavor in connection.compute.flavors()]

    assert found == ["one"]
    assert flavors == ["m1.tiny", "m1.small"]
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


# ----------------------------------------------------------------- what was asked


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


# ----------------------------------------------------------------- failures on request


def test_fail_answers_instead_of_handling(cloud: InMemoryCloud) -> None:
    cloud.fail("glance", "POST", r"/v2/images$", status=503, body="No room.", headers={"Retry-After": "1"}, times=2)

    answers = [image(cloud, "alice", "POST", "/images", RAW) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 201]
    assert "No room." in answers[0].text
    assert answers[0].headers["Retry-After"] == "1"
    assert len(names(cloud)) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        ("<html>a document</html>", "<html>a document</html>"),
        ({"error": 1}, '{"error": 1}'),
        ("words", '{"badRequest": {"code": 400, "message": "words"}}'),
    ],
)
def test_fail_sends_a_body_as_the_service_would(
    cloud: InMemoryCloud, body: str | bytes | dict[str, object], text: str
) -> None:
    cloud.fail("nova", "GET", "/limits$", status=400, body=body)

    assert nova(cloud, "alice", "GET", "/limits").text == text


def test_fail_can_skip_and_last(cloud: InMemoryCloud) -> None:
    cloud.fail("glance", "GET", "/v2/images$", status=500, skip=1, times=None)

    assert [image(cloud, "alice", "GET", "/images").status_code for _ in range(4)] == [200, 500, 500, 500]
    assert image(cloud, "alice", "GET", "/images/nosuch").status_code == 404


def test_cut_after_the_work_was_done(cloud: InMemoryCloud) -> None:
    cloud.cut("glance", "POST", r"/v2/images$")

    with pytest.raises(keystone_exceptions.ConnectFailure) as caught:
        image(cloud, "alice", "POST", "/images", RAW)

    assert "RemoteDisconnected" in str(caught.value)
    assert names(cloud) == ["disk"]
    assert [
        request.status for request in cloud.requests if request.method == "POST" and request.service == "glance"
    ] == [None]


def test_cut_before_a_connection_was_made(cloud: InMemoryCloud) -> None:
    cloud.cut("glance", "POST", r"/v2/images$", handled=False)
    http = requests.Session()
    http.mount("http://", cloud.session("alice").session.get_adapter("http://x"))

    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        http.post(f"{cloud.glance.url}/v2/images", json=RAW)

    assert isinstance(caught.value.args[0].reason, urllib3.exceptions.NewConnectionError)
    assert names(cloud) == []


def test_cut_with_work_that_comes_late(cloud: InMemoryCloud) -> None:
    """As seen on the real Glance: GET and DELETE come too early, and then the image is there."""
    chosen = "7c1e3b52-0d2f-4a7c-9a53-4b8a9c0f1d2e"
    session = cloud.session("alice")
    session.get_token()
    cloud.cut("glance", "POST", r"/v2/images$", late=2)

    with pytest.raises(keystone_exceptions.ConnectFailure):
        session.post("/v2/images", json={**RAW, "id": chosen}, endpoint_filter={"service_type": "image"})
    early = [
        session.request(
            f"/v2/images/{chosen}", method, endpoint_filter={"service_type": "image"}, raise_exc=False
        ).status_code
        for method in ("GET", "DELETE", "GET")
    ]

    assert early == [404, 404, 200]


def test_before_calls_between_two_pages(cloud: InMemoryCloud) -> None:
    ids = [cloud.glance.add_image(name=str(number), status="active") for number in range(4)]
    cloud.before("glance", "GET", "/v2/images$", lambda: cloud.glance.remove_image(ids[0]), skip=1, times=1)

    first = image(cloud, "alice", "GET", "/images?limit=2").json()
    second = image(cloud, "alice", "GET", first["next"].removeprefix("/v2")).json()

    assert [record["name"] for record in first["images"] + second["images"]] == ["3", "2", "1"]


# ----------------------------------------------------------------- Keystone


def test_what_a_member_may_ask_of_keystone(cloud: InMemoryCloud) -> None:
    own, other = cloud.departments["dept-a"], cloud.departments["dept-b"]

    def status(path: str, user: str = "alice") -> int:
        return ask(cloud, user, "GET", "identity", path).status_code

    assert status("/projects") == status(f"/projects/{other}") == status("/users?name=bob") == 403
    assert status(f"/projects/{own}") == status("/registered_limits") == 200
    assert status(f"/projects/{other}", "admin") == 200
    assert status("/projects/nosuch", "admin") == 404
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 3)
    foreign = ask(cloud, "alice", "GET", "identity", f"/limits?project_id={other}")
    assert (foreign.status_code, foreign.json()["limits"]) == (200, [])
    assert len(ask(cloud, "bob", "GET", "identity", "/limits").json()["limits"]) == 1


def test_a_limit_needs_a_registered_one_of_the_same_region(cloud: InMemoryCloud) -> None:
    services = ask(cloud, "admin", "GET", "identity", "/services?type=image").json()["services"]
    wanted = {
        "service_id": services[0]["id"],
        "region_id": "RegionOne",
        "project_id": cloud.departments["dept-a"],
        "resource_name": "image_count_total",
        "resource_limit": 0,
    }

    def create(**change: object) -> int:
        return ask(cloud, "admin", "POST", "identity", "/limits", {"limits": [{**wanted, **change}]}).status_code

    assert create(region_id=None) == 403
    assert create(resource_limit=-2) == 400
    assert create() == 201
    assert create() == 409
    assert image(cloud, "alice", "POST", "/images", RAW).status_code == 413


def test_limits_of_another_region_are_as_none(cloud: InMemoryCloud) -> None:
    for record in cloud.keystone.registered_limits.values():
        record["region_id"] = None

    refused = image(cloud, "alice", "POST", "/images", RAW)

    assert refused.status_code == 413
    assert "Resource image_count_total is over limit of 0 due to current usage 0 and delta 1" in refused.text


# ----------------------------------------------------------------- Glance: listing


@pytest.fixture
def library(cloud: InMemoryCloud) -> InMemoryCloud:
    """Put one image of each visibility into each department."""
    for department in ("dept-a", "dept-b"):
        for visibility in ("private", "shared", "community", "public"):
            name = f"{department[-1]}-{visibility}"
            shared = cloud.glance.add_image(owner=department, name=name, visibility=visibility, status="active")
            if name == "b-shared":
                cloud.glance.share(shared, "dept-a", status="pending")
    return cloud


@pytest.mark.parametrize(
    ("user", "query", "expected"),
    [
        ("alice", "", "a-community a-private a-public a-shared b-public"),
        ("rita", "", "a-community a-private a-public a-shared b-public"),
        ("alice", "member_status=pending", "a-community a-private a-public a-shared b-public b-shared"),
        ("alice", "visibility=community", "a-community b-community"),
        ("alice", "visibility=shared", "a-shared"),
        ("alice", "visibility=shared&member_status=all", "a-shared b-shared"),
        ("alice", "visibility=private", "a-private"),
        ("alice", "visibility=all", "a-community a-private a-public a-shared b-community b-public"),
        ("admin", "", "a-private a-public a-shared b-private b-public b-shared"),
        ("admin", "visibility=shared&member_status=accepted", "a-shared b-shared"),
    ],
)
def test_who_sees_what(library: InMemoryCloud, user: str, query: str, expected: str) -> None:
    assert sorted(names(library, query, user)) == expected.split()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=a%3Ab", None),  # a name with a colon needs eq:
        ("name=eq%3Aa%3Ab", ["a:b"]),
        ("name=in%3A%22x%2Cy%22%2Cplain", ["plain", "x,y"]),
        ("disk_format=in%3Araw%2Ciso", ["a:b", "plain"]),
        ("tag=t1&tag=t2", ["plain"]),
        ("tag=t1", ["plain", "x,y"]),
        ("size_min=10&size_max=20", ["plain"]),
        ("size_max=5", ["x,y"]),
        ("created_at=gte%3A2026-02-01T00%3A00%3A00Z", ["plain", "x,y"]),
        ("created_at=lt%3A2026-02-01T00%3A00%3A00Z", ["a:b"]),
        ("os_distro=ubuntu", ["plain"]),
        ("os_distro=Ubuntu", []),
        ("protected=true", ["x,y"]),
        ("os_hidden=true", ["hidden"]),
        ("status=in%3Aactive%2Cqueued", ["a:b", "plain", "x,y"]),
        ("name=neq%3Aplain", None),
        ("size_min=big", None),
        ("protected=maybe", None),
        ("sort=color", None),
        ("limit=-1", None),
        ("visibility=odd", None),
    ],
)
def test_filters(cloud: InMemoryCloud, query: str, expected: list[str] | None) -> None:
    add = cloud.glance.add_image
    add(name="a:b", status="active", disk_format="iso", created_at="2026-01-01T00:00:00+00:00")
    add(
        name="plain",
        disk_format="raw",
        size=10,
        tags=["t1", "t2"],
        os_distro="ubuntu",
        created_at="2026-02-01T00:00:00+00:00",
    )
    add(name="x,y", disk_format="qcow2", size=5, tags=["t1"], protected=True, created_at="2026-02-02T00:00:00+00:00")
    add(name="hidden", os_hidden=True, created_at="2026-02-03T00:00:00+00:00")

    answer = image(cloud, "alice", "GET", f"/images?{query}")

    if expected is None:
        assert answer.status_code == 400
    else:
        assert sorted(record["name"] for record in answer.json()["images"]) == expected


def pages(cloud: InMemoryCloud, query: str) -> Iterator[list[str]]:
    path: str | None = f"/images?{query}"
    while path:
        page = image(cloud, "alice", "GET", path).json()
        yield [record["name"] for record in page["images"]]
        path = page["next"].removeprefix("/v2") if "next" in page else None


def test_paging_ends_with_an_empty_page_where_the_last_one_is_full(cloud: InMemoryCloud) -> None:
    for number in range(4):
        cloud.glance.add_image(name=str(number))

    assert list(pages(cloud, "limit=2&sort=name:asc")) == [["0", "1"], ["2", "3"], []]
    assert list(pages(cloud, "limit=3&sort=name:asc")) == [["0", "1", "2"], ["3"]]


def test_sorting_by_a_null_size_never_ends(cloud: InMemoryCloud) -> None:
    """As Glance does: the same image again and again."""
    for number in range(3):
        cloud.glance.add_image(name=str(number), size=None)
    again = pages(cloud, "limit=1&sort=size:desc")

    assert next(again) == next(again) == next(again)


def test_a_page_emptied_by_policy_has_no_next(cloud: InMemoryCloud) -> None:
    ids = [cloud.glance.add_image(name=str(number)) for number in range(4)]
    cloud.glance.hidden_by_policy = {ids[0], ids[1]}

    assert list(pages(cloud, "limit=2&sort=name:asc")) == [[]]
    assert list(pages(cloud, "limit=3&sort=name:asc")) == [["2"], ["3"]]


def test_a_lost_marker_is_refused(cloud: InMemoryCloud) -> None:
    gone = new_image(cloud)
    image(cloud, "alice", "DELETE", f"/images/{gone}")
    hers = cloud.glance.add_image(owner="dept-b", visibility="private")

    assert image(cloud, "alice", "GET", f"/images?marker={gone}").status_code == 400
    assert image(cloud, "alice", "GET", f"/images?marker={hers}").status_code == 403


def test_a_database_may_ignore_case(cloud: InMemoryCloud) -> None:
    cloud.glance.case_sensitive = False
    cloud.glance.add_image(name="Plain", os_distro="Ubuntu")

    assert names(cloud, "os_distro=ubuntu") == names(cloud, "name=plain") == ["Plain"]


def test_images_of_other_tools_are_shown_as_they_are(cloud: InMemoryCloud) -> None:
    cloud.glance.add_image(name=None, status="odd", hyperx_bootable="maybe", shown_as={"size": "many"})
    cloud.glance.add_image(name="going", status="pending_delete")

    assert names(cloud) == ["going", None]
    odd = image(cloud, "alice", "GET", "/images?status=odd").json()["images"][0]
    assert (odd["size"], odd["hyperx_bootable"]) == ("many", "maybe")


# ----------------------------------------------------------------- Glance: one image


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"foo": True}, 400),
        ({"foo": None}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "\U0001f600"}, 400),
        ({"disk_format": "zip"}, 400),
        ({"id": "short"}, 400),
        ({"min_disk": -1}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"k" * 256: "v"}, 400),
        ({"os_glance_x": "1"}, 403),
        ({"status": "active"}, 403),
        ({"stores": "fast"}, 403),
        ({"owner": "somebody"}, 403),
        ({"visibility": "public"}, 403),
        ({"hyperx_featured": "true"}, 403),
        ({f"k{number}": "v" for number in range(129)}, 413),
        ({"tags": [str(number) for number in range(129)]}, 413),
        ({"visibility": "community"}, 201),
    ],
)
def test_what_a_member_may_create(cloud: InMemoryCloud, body: dict[str, object], status: int) -> None:
    assert image(cloud, "alice", "POST", "/images", body).status_code == status


def test_an_id_is_used_once(cloud: InMemoryCloud) -> None:
    chosen = "7c1e3b52-0d2f-4a7c-9a53-4b8a9c0f1d2e"
    assert new_image(cloud, id=chosen) == chosen
    assert image(cloud, "alice", "POST", "/images", {**RAW, "id": chosen}).status_code == 409
    image(cloud, "alice", "DELETE", f"/images/{chosen}")
    assert image(cloud, "alice", "POST", "/images", {**RAW, "id": chosen}).status_code == 409


def test_glance_counts_for_the_project_of_the_token(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 0)

    assert image(cloud, "admin", "POST", "/images", {**RAW, "owner": cloud.departments["dept-b"]}).status_code == 201
    assert image(cloud, "bob", "POST", "/images", RAW).status_code == 413


def patched(cloud: InMemoryCloud, image_id: str, *operations: tuple[object, ...], user: str = "alice") -> int:
    body = [dict(zip(("op", "path", "value"), operation, strict=False)) for operation in operations]
    return image(cloud, user, "PATCH", f"/images/{image_id}", body, headers=PATCH).status_code


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        (("add", "/foo", "2"), 200),
        (("replace", "/foo", "2"), 200),
        (("remove", "/foo"), 200),
        (("add", "/a~1b~0c", "v"), 200),
        (("add", "/tags", ["q"]), 200),
        (("replace", "/visibility", "community"), 200),
        (("replace", "/disk_format", "qcow2"), 200),
        (("replace", "/nosuch", "x"), 409),
        (("remove", "/nosuch"), 409),
        (("remove", "/name"), 403),
        (("replace", "/owner", "x"), 403),
        (("replace", "/visibility", "public"), 403),
        (("replace", "/status", "active"), 403),
        (("add", "/os_glance_x", "1"), 403),
        (("add", "/hyperx_featured", "true"), 403),
        (("replace", "/foo", None), 400),
        (("add", "/a/b", "v"), 400),
        (("add", "no-slash", "v"), 400),
        (("move", "/foo", "v"), 400),
        (("add", "/foo"), 400),
    ],
)
def test_json_patches(cloud: InMemoryCloud, operation: tuple[object, ...], status: int) -> None:
    assert patched(cloud, new_image(cloud, foo="1"), operation) == status


def test_a_patch_is_all_or_nothing(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)

    assert patched(cloud, image_id, ("add", "/foo", "1"), ("remove", "/nosuch")) == 409
    assert "foo" not in shown(cloud, image_id)
    assert image(cloud, "alice", "PATCH", f"/images/{image_id}", []).status_code == 415


def test_who_may_change_what(library: InMemoryCloud) -> None:
    ids = {str(record.name): record.id for record in library.glance.images.values()}

    assert patched(library, ids["a-public"], ("add", "/x", "1"), user="bob") == 403
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="bob") == 404
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="rita") == 403
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="arthur") == 200
    assert image(library, "bob", "DELETE", f"/images/{ids['a-public']}").status_code == 403
    assert image(library, "bob", "DELETE", f"/images/{ids['a-private']}").status_code == 404


def test_protections_let_a_member_drop_the_flag_but_not_set_it(cloud: InMemoryCloud) -> None:
    featured = cloud.glance.add_image(hyperx_featured="true", visibility="public")

    assert patched(cloud, featured, ("replace", "/hyperx_featured", "false")) == 403
    assert patched(cloud, featured, ("remove", "/hyperx_featured")) == 200
    cloud.glance.protections = False
    assert patched(cloud, featured, ("add", "/hyperx_featured", "true")) == 200


def test_protections_may_be_the_text_of_a_file(cloud: InMemoryCloud) -> None:
    cloud.glance.protections = "[^secret$]\ncreate = admin\nread = admin\nupdate = admin\ndelete = admin\n"
    image_id = cloud.glance.add_image(secret="s", other="o")

    assert {"secret", "other"} & shown(cloud, image_id).keys() == set()
    assert shown(cloud, image_id, "admin")["secret"] == "s"
    assert (
        image(cloud, "alice", "POST", "/images", {"other": "o"}).status_code == 403
    )  # what matches no rule is disabled


def test_reasons_not_to_delete(cloud: InMemoryCloud) -> None:
    kept, used = new_image(cloud, protected=True), new_image(cloud)
    cloud.glance.in_use.add(used)

    assert image(cloud, "alice", "DELETE", f"/images/{kept}").status_code == 403
    assert image(cloud, "alice", "DELETE", f"/images/{used}").status_code == 409
    assert image(cloud, "alice", "DELETE", "/images/nosuch").status_code == 404


def test_members_say_yes_themselves(cloud: InMemoryCloud) -> None:
    image_id, other = new_image(cloud), cloud.departments["dept-b"]
    members = f"/images/{image_id}/members"

    assert image(cloud, "alice", "POST", members, {"member": other}).json()["status"] == "pending"
    assert image(cloud, "alice", "PUT", f"{members}/{other}", {"status": "accepted"}).status_code == 403
    assert names(cloud, "visibility=shared", "bob") == []
    assert image(cloud, "bob", "PUT", f"{members}/{other}", {"status": "accepted"}).status_code == 200
    assert names(cloud, "visibility=shared", "bob") == ["disk"]


def test_deactivated_images_keep_their_data_to_themselves(cloud: InMemoryCloud) -> None:
    image_id = active_image(cloud, data=b"data")

    assert image(cloud, "alice", "POST", f"/images/{image_id}/actions/deactivate").status_code == 204
    assert "stores" not in shown(cloud, image_id)
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").status_code == 403
    assert image(cloud, "alice", "POST", f"/images/{image_id}/actions/reactivate").status_code == 204
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").content == b"data"
    assert image(cloud, "alice", "POST", f"/images/{new_image(cloud)}/actions/deactivate").status_code == 403


def test_a_single_store_has_no_name(cloud: InMemoryCloud) -> None:
    cloud.glance.stores = []
    image_id = active_image(cloud, size=3 << 20)

    assert "stores" not in shown(cloud, image_id)
    assert image(cloud, "alice", "GET", "/info/stores").status_code == 404
    assert image(cloud, "alice", "GET", "/info/usage").json()["usage"]["image_size_total"]["usage"] == 3
    versions = {version["id"] for version in ask(cloud, "alice", "GET", "image", "/versions").json()["versions"]}
    assert "v2.12" not in versions


def test_usage_counts_whole_mib_in_each_store(cloud: InMemoryCloud) -> None:
    active_image(cloud, size=(1 << 20) + 5, stores=["fast", "slow"])
    active_image(cloud, size=(1 << 20) - 10, stores=["fast"])

    assert image(cloud, "alice", "GET", "/info/usage").json()["usage"]["image_size_total"]["usage"] == 3
    cloud.glance.use_keystone_limits = False
    assert image(cloud, "alice", "GET", "/info/usage").json() == {"usage": {}}


# ----------------------------------------------------------------- Glance: data


def upload(cloud: InMemoryCloud, image_id: str, data: object, **headers: str) -> int:
    named = {"Content-Type": "application/octet-stream", **headers}
    return image(cloud, "alice", "PUT", f"/images/{image_id}/file", data=data, headers=named).status_code


def test_uploaded_data_is_hashed_and_kept(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)

    assert upload(cloud, image_id, iter([b"some ", b"data"])) == 204

    record = shown(cloud, image_id)
    assert (record["status"], record["size"], record["stores"]) == ("active", 9, "fast")
    assert record["checksum"] == hashlib.md5(b"some data").hexdigest()
    assert record["os_hash_value"] == hashlib.sha512(b"some data").hexdigest()
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").content == b"some data"
    assert upload(cloud, image_id, b"again") == 409


def test_data_of_another_format_spoils_the_record(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud, disk_format="qcow2")

    assert upload(cloud, image_id, b"no qcow2") == 415
    assert shown(cloud, image_id)["status"] == "queued"
    assert upload(cloud, image_id, b"whatever") == 500


def test_an_upload_is_seen_while_it_runs_and_taken_back_when_it_breaks(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)
    seen = []

    def chunks() -> Iterator[bytes]:
        yield b"some "
        seen.append(shown(cloud, image_id)["status"])
        raise OSError("the source went away")

    with pytest.raises(OSError, match="the source went away"):
        upload(cloud, image_id, chunks())

    assert seen == ["saving"]
    assert shown(cloud, image_id)["status"] == "queued"


def test_a_size_is_checked_before_an_upload_but_not_within(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 1)
    data = b"x" * (2 << 20)

    assert upload(cloud, new_image(cloud), data) == 413
    assert upload(cloud, new_image(cloud), iter([data])) == 204  # nobody announced how much would come
    assert upload(cloud, new_image(cloud), b"x") == 413


# ----------------------------------------------------------------- Glance: imports


def states(cloud: InMemoryCloud, image_id: str, looks: int) -> list[tuple[str, bool, str]]:
    found = []
    for _ in range(looks):
        record = shown(cloud, image_id)
        task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][-1]
        found.append((record["status"], "os_glance_import_task" in record, task["status"]))
    return found


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        (0, [("active", False, "success")]),
        (1, [("importing", True, "processing"), ("active", False, "success")]),
        (
            3,
            [
                ("queued", True, "processing"),
                ("importing", True, "processing"),
                ("active", True, "success"),
                ("active", False, "success"),
            ],
        ),
    ],
)
def test_an_import_goes_on_with_each_look(
    cloud: InMemoryCloud, polls: int, expected: list[tuple[str, bool, str]]
) -> None:
    cloud.glance.import_polls = polls
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)

    assert start_import(cloud, image_id) == 202
    assert states(cloud, image_id, len(expected)) == expected
    assert shown(cloud, image_id)["size"] == 4


@pytest.mark.parametrize("outcome", [404, OSError("no route"), b"no qcow2"])
def test_all_failures_look_the_same(cloud: InMemoryCloud, outcome: bytes | int | Exception) -> None:
    cloud.glance.import_polls = 3
    cloud.glance.downloads[URL] = outcome
    image_id = new_image(cloud, disk_format="qcow2")

    start_import(cloud, image_id)

    assert states(cloud, image_id, 4)[2:] == [("queued", True, "failure"), ("queued", False, "failure")]
    assert shown(cloud, image_id)["os_glance_failed_import"] == "fast"
    task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][0]
    assert task["message"] == "Task failed due to Internal Error"
    assert task["input"]["import_req"]["method"]["uri"] == URL


def test_a_single_store_does_not_say_what_failed(cloud: InMemoryCloud) -> None:
    cloud.glance.stores = []
    cloud.glance.downloads[URL] = 404
    image_id = new_image(cloud)
    start_import(cloud, image_id)
    cloud.glance.finish_imports()

    assert shown(cloud, image_id)["os_glance_failed_import"] == ""
    assert start_import(cloud, image_id, all_stores_must_succeed=False) == 400


def test_a_missing_file_may_come_later_but_wrong_content_stays_wrong(cloud: InMemoryCloud) -> None:
    missing, wrong = new_image(cloud), new_image(cloud, disk_format="qcow2")
    for image_id, outcome in ((missing, 404), (wrong, b"no qcow2")):
        cloud.glance.downloads[URL] = outcome
        start_import(cloud, image_id)
        cloud.glance.finish_imports()
    cloud.glance.downloads[URL] = b"data"
    cloud.glance.images[wrong].disk_format = "raw"
    for image_id in (missing, wrong):
        start_import(cloud, image_id)
    cloud.glance.finish_imports()

    assert shown(cloud, missing)["status"] == "active"
    assert shown(cloud, wrong)["status"] == "queued"


def test_refused_imports(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)
    body = {"method": {"name": "web-download", "uri": URL}}
    path = f"/images/{image_id}/import"

    assert image(cloud, "alice", "POST", path, {}).status_code == 400
    assert image(cloud, "alice", "POST", path, {"method": {"name": "zip"}}).status_code == 400
    assert start_import(cloud, image_id, "http://files.example.org:22/x") == 400
    assert start_import(cloud, image_id, "ftp://files.example.org/x") == 400
    assert image(cloud, "alice", "POST", path, {**body, "stores": ["zip"]}).status_code == 409
    assert start_import(cloud, image_id, user="bob") == 404
    assert start_import(cloud, image_id, user="rita") == 403
    assert start_import(cloud, new_image(cloud, disk_format=None)) == 409
    cloud.glance.downloads[URL] = b"data"
    assert start_import(cloud, image_id) == 202
    assert start_import(cloud, image_id) == 409  # the lock
    cloud.glance.finish_imports()
    assert start_import(cloud, image_id) == 409  # active
    cloud.glance.import_methods.remove("web-download")
    assert start_import(cloud, new_image(cloud)) == 400


def test_ports_count_only_where_the_url_names_one(cloud: InMemoryCloud) -> None:
    cloud.glance.import_filter.allowed_ports = [80, 443]
    for url in (URL, "http://files.example.org:8080/x"):
        cloud.glance.downloads[url] = b"data"

    assert start_import(cloud, new_image(cloud), "http://files.example.org:8080/x") == 400
    assert start_import(cloud, new_image(cloud), URL) == 202


def test_quotas_that_glance_checks_in_the_task(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_count_uploading", "dept-a", 0)
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)

    assert start_import(cloud, image_id) == 202
    record = shown(cloud, image_id)
    task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][0]

    assert (record["status"], record["os_glance_failed_import"]) == ("queued", "")
    assert "os_glance_import_task" not in record
    assert "image_count_uploading is over limit of 0 due to current usage 1 and delta 0" in task["message"]


def test_imports_without_a_free_thread_are_pending(cloud: InMemoryCloud) -> None:
    cloud.glance.task_threads = 1
    cloud.glance.downloads[URL] = b"data"
    first, second = new_image(cloud), new_image(cloud)
    start_import(cloud, first)
    start_import(cloud, second)

    assert states(cloud, second, 3) == [("queued", True, "pending")] * 3
    cloud.glance.finish_imports()
    assert shown(cloud, second)["status"] == "active"


def test_deleting_during_an_import_brings_nothing_back(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)
    start_import(cloud, image_id)

    assert image(cloud, "alice", "DELETE", f"/images/{image_id}").status_code == 204
    cloud.glance.finish_imports()
    assert image(cloud, "alice", "GET", f"/images/{image_id}").status_code == 404


def test_a_dead_worker_leaves_the_image_importing(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)
    start_import(cloud, image_id)
    assert shown(cloud, image_id)["status"] == "importing"
    cloud.glance.imports_stall = True

    assert states(cloud, image_id, 3) == [("importing", True, "processing")] * 3
    assert start_import(cloud, image_id) == 409


def test_an_import_that_cannot_begin_keeps_its_lock(cloud: InMemoryCloud) -> None:
    cloud.glance.staging_broken = True
    image_id = new_image(cloud)
    cloud.glance.downloads[URL] = b"data"
    start_import(cloud, image_id)

    assert states(cloud, image_id, 2) == [("queued", True, "failure")] * 2


def test_stores_that_fail(cloud: InMemoryCloud) -> None:
    cloud.glance.broken_stores = {"slow"}
    cloud.glance.downloads[URL] = b"data"
    strict, lenient = new_image(cloud), new_image(cloud)
    start_import(cloud, strict, all_stores=True)
    start_import(cloud, lenient, all_stores=True, all_stores_must_succeed=False)
    cloud.glance.finish_imports()

    assert (shown(cloud, strict)["status"], shown(cloud, strict)["os_glance_failed_import"]) == ("queued", "slow")
    assert (shown(cloud, lenient)["status"], shown(cloud, lenient)["stores"]) == ("active", "fast")
    assert shown(cloud, lenient)["os_glance_failed_import"] == "slow"


def test_an_import_plug_in_may_convert(cloud: InMemoryCloud) -> None:
    cloud.glance.converter = lambda _, data: ("raw", data * 2)
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud, disk_format="qcow2")
    start_import(cloud, image_id)
    cloud.glance.finish_imports()

    record = shown(cloud, image_id)
    assert (record["status"], record["disk_format"], record["size"]) == ("active", "raw", 8)


def test_urls_that_no_test_planned_are_really_read(cloud: InMemoryCloud, file_server: FileServer) -> None:
    good, missing = new_image(cloud), new_image(cloud)
    start_import(cloud, good, file_server.serve("/a.raw", b"real data"))
    start_import(cloud, missing, file_server.url("/nosuch"))
    cloud.glance.finish_imports()

    assert (shown(cloud, good)["status"], shown(cloud, good)["size"]) == ("active", 9)
    assert shown(cloud, missing)["status"] == "queued"


def test_metadefs_are_written_by_administrators(cloud: InMemoryCloud) -> None:
    namespace = {"namespace": "OS::Test", "visibility": "public", "properties": {"p": {"title": "P", "type": "string"}}}
    path = "/metadefs/namespaces"

    assert image(cloud, "alice", "POST", path, namespace).status_code == 403
    assert image(cloud, "admin", "POST", path, namespace).status_code == 201
    assert image(cloud, "admin", "POST", path, namespace).status_code == 409
    assert image(cloud, "alice", "GET", f"{path}/OS::Test").json()["properties"]["p"]["title"] == "P"
    assert image(cloud, "admin", "DELETE", f"{path}/OS::Test").status_code == 204
    assert image(cloud, "alice", "GET", f"{path}/OS::Test").status_code == 404


# ----------------------------------------------------------------- Nova, Neutron, Cinder


def servers(cloud: InMemoryCloud, query: str = "", user: str = "alice", version: str = "2.96") -> list[dict[str, Any]]:
    answer = nova(cloud, user, "GET", f"/servers/detail?{query}", version=version)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["servers"]
    return found


def iso_layout(iso: str, *, keep: bool = False) -> list[dict[str, object]]:
    common = {"destination_type": "volume", "volume_size": 1, "delete_on_termination": not keep}
    return [
        {**common, "boot_index": 0, "source_type": "blank"},
        {**common, "boot_index": 1, "source_type": "image", "uuid": iso, "device_type": "cdrom"},
    ]


def test_several_servers_of_one_request(cloud: InMemoryCloud) -> None:
    answer = boot(cloud, imageRef=active_image(cloud), min_count=3, tags=["mark"], adminPass="Pass-1")

    assert (answer.status_code, answer.json()["server"]["adminPass"]) == (202, "Pass-1")
    assert [(server["name"], server["status"]) for server in servers(cloud, "tags=mark")] == [
        ("web-3", "BUILD"),
        ("web-2", "BUILD"),
        ("web-1", "BUILD"),
    ]
    built = servers(cloud, "tags=mark")
    assert {server["status"] for server in built} == {"ACTIVE"}
    assert len({server["addresses"]["net1"][0]["addr"] for server in built}) == 3


def test_tags_need_a_microversion(cloud: InMemoryCloud) -> None:
    boot(cloud, imageRef=active_image(cloud), tags=["mark"])
    boot(cloud, imageRef=active_image(cloud), name="other")
    body = {"server": {"name": "x", "flavorRef": next(iter(cloud.nova.flavors)), "networks": "none", "tags": ["mark"]}}

    assert len(servers(cloud, "tags=mark")) == 1
    assert len(servers(cloud, "tags=mark", version="2.25")) == 2  # ignored, so everything comes back
    assert nova(cloud, "alice", "POST", "/servers", body, version="2.51").status_code == 400
    cloud.nova.max_microversion = "2.51"
    assert nova(cloud, "alice", "POST", "/servers", body).status_code == 406


def test_quotas_of_servers(cloud: InMemoryCloud) -> None:
    cloud.nova.set_quota("dept-a", instances=2, cores=20)
    image_id = active_image(cloud)

    refused = boot(cloud, imageRef=image_id, min_count=3)

    assert refused.status_code == 403
    assert refused.json()["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 3, but already used 0 of 2 instances"
    )
    assert boot(cloud, imageRef=image_id, min_count=1, max_count=3).status_code == 202
    assert len(servers(cloud)) == 2


@pytest.mark.parametrize(
    ("image_fields", "body", "status"),
    [
        ({"status": "queued"}, {}, 400),
        ({"min_ram": 4096}, {}, 400),
        ({"min_disk": 10}, {}, 400),
        ({"size": 5 << 30}, {}, 400),
        ({"owner": "dept-b", "visibility": "private"}, {}, 400),
        ({}, {"flavorRef": "nosuch"}, 400),
        ({}, {"networks": [{"uuid": "nosuch"}]}, 400),
        ({}, {"networks": [{"uuid": "00000000-0000-0000-0000-000000000000"}]}, 400),
        ({}, {"key_name": "nosuch"}, 400),
        ({}, {"security_groups": [{"name": "nosuch"}]}, 400),
        ({}, {"availability_zone": "nosuch"}, 400),
        ({}, {"user_data": "no base64!"}, 400),
        ({}, {"tags": ["a,b"]}, 400),
        ({}, {"color": "red"}, 400),
        ({}, {"min_count": 3, "max_count": 2}, 400),
        ({}, {}, 202),
    ],
)
def test_what_nova_checks(
    cloud: InMemoryCloud, image_fields: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    assert boot(cloud, imageRef=active_image(cloud, **image_fields), **body).status_code == status


def test_several_networks_are_ambiguous(cloud: InMemoryCloud) -> None:
    cloud.neutron.add_network("net2", shared=True)

    assert boot(cloud, imageRef=active_image(cloud)).status_code == 409
    assert boot(cloud, imageRef=active_image(cloud), networks="none").status_code == 202


def test_an_iso_with_a_blank_disk(cloud: InMemoryCloud) -> None:
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso), min_count=2)
    servers(cloud)

    for server in servers(cloud):
        assert server["image"] == ""
        assert len(server["os-extended-volumes:volumes_attached"]) == 2
    volumes = ask(cloud, "alice", "GET", "block-storage", "/volumes/detail").json()["volumes"]
    assert sorted(volume.get("volume_image_metadata", {}).get("image_id", "") for volume in volumes) == [
        "",
        "",
        iso,
        iso,
    ]
    for server in servers(cloud):
        nova(cloud, "alice", "DELETE", f"/servers/{server['id']}")
    assert [server["OS-EXT-STS:task_state"] for server in servers(cloud)] == ["deleting", "deleting"]
    assert servers(cloud) == []
    assert cloud.cinder.volumes == {}


def test_cinder_refuses_in_the_fault_of_the_server(cloud: InMemoryCloud) -> None:
    cloud.cinder.set_quota("dept-a", volumes=3)
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso), min_count=2)
    servers(cloud)

    states_ = {server["status"]: server.get("fault", {}).get("message") for server in servers(cloud)}

    assert states_.keys() == {"ACTIVE", "ERROR"}
    assert (
        "VolumeLimitExceeded: Maximum number of volumes allowed (3) exceeded for quota 'volumes'." in states_["ERROR"]
    )
    assert len(cloud.cinder.volumes) == 2
    direct = ask(cloud, "alice", "POST", "block-storage", "/volumes", {"volume": {"size": 1001}})
    assert direct.status_code == 413


def test_volumes_that_are_kept(cloud: InMemoryCloud) -> None:
    iso = active_image(cloud, disk_format="iso")
    boot(cloud, block_device_mapping_v2=iso_layout(iso, keep=True))
    cloud.nova.finish_builds()
    cloud.nova.delete_polls = 0
    nova(cloud, "alice", "DELETE", f"/servers/{cloud.nova.server('web').id}")

    assert servers(cloud) == []
    assert {volume.status for volume in cloud.cinder.volumes.values()} == {"available"}


def test_faults_on_request(cloud: InMemoryCloud) -> None:
    cloud.nova.faults.append("No valid host was found.")
    boot(cloud, imageRef=active_image(cloud), min_count=2)
    servers(cloud)

    assert [(server["status"], server.get("fault", {}).get("message")) for server in servers(cloud)] == [
        ("ACTIVE", None),
        ("ERROR", "No valid host was found."),
    ]


def test_servers_may_appear_one_by_one(cloud: InMemoryCloud) -> None:
    cloud.nova.visible_per_look = 1
    boot(cloud, imageRef=active_image(cloud), min_count=3)

    assert [len(servers(cloud)) for _ in range(4)] == [1, 2, 3, 3]


def test_a_cloud_without_cinder(cloud: InMemoryCloud) -> None:
    cloud.cinder.present = False

    with pytest.raises(keystone_exceptions.EndpointNotFound):
        ask(cloud, "alice", "GET", "block-storage", "/limits")


def test_user_data_is_the_administrators_to_read(cloud: InMemoryCloud) -> None:
    boot(cloud, imageRef=active_image(cloud), user_data="aGVsbG8=")
    path = f"/servers/{cloud.nova.server('web').id}"

    assert nova(cloud, "admin", "GET", path).json()["server"]["OS-EXT-SRV-ATTR:user_data"] == "aGVsbG8="
    assert "OS-EXT-SRV-ATTR:user_data" not in nova(cloud, "alice", "GET", path).json()["server"]
    assert nova(cloud, "bob", "GET", path).status_code == 404
    assert cloud.nova.server("web").user_data == b"hello"


@pytest.mark.parametrize(
    ("mode", "properties", "status"),
    [
        ("accepted", {}, 202),
        ("by_image", {}, 409),
        ("by_image", {"hw_qemu_guest_agent": "yes"}, 202),
        ("no_agent", {"hw_qemu_guest_agent": "yes"}, 409),
        ("silent_agent", {}, 501),
    ],
)
def test_changing_a_password(
    cloud: InMemoryCloud, mode: PasswordChanges, properties: dict[str, str], status: int
) -> None:
    cloud.nova.password_changes = mode
    boot(cloud, imageRef=active_image(cloud, **properties), adminPass="old")
    cloud.nova.finish_builds()
    path = f"/servers/{cloud.nova.server('web').id}/action"

    assert nova(cloud, "alice", "POST", path, {"changePassword": {"adminPass": "new"}}).status_code == status
    assert cloud.nova.server("web").admin_pass == ("new" if status == 202 else "old")
    nova(cloud, "alice", "POST", path, {"os-stop": None})
    assert nova(cloud, "alice", "POST", path, {"changePassword": {"adminPass": "x"}}).status_code == 409


def test_quotas_of_other_departments_are_the_administrators(cloud: InMemoryCloud) -> None:
    other = cloud.departments["dept-b"]

    for service in ("compute", "block-storage"):
        path = f"/os-quota-sets/{other}"
        change = {"quota_set": {"instances" if service == "compute" else "volumes": 3}}
        assert ask(cloud, "alice", "GET", service, path).status_code == 403
        assert ask(cloud, "alice", "PUT", service, path, change).status_code == 403
        assert ask(cloud, "admin", "PUT", service, path, change).status_code == 200
    assert nova(cloud, "bob", "GET", "/limits").json()["limits"]["absolute"]["maxTotalInstances"] == 3
    assert nova(cloud, "alice", "GET", f"/limits?tenant_id={cloud.departments['dept-a']}").status_code == 403
    # Cinder stores a quota for a project that does not exist; Nova asks Keystone.
    nowhere = "/os-quota-sets/nowhere"
    assert ask(cloud, "admin", "PUT", "block-storage", nowhere, {"quota_set": {"volumes": 3}}).status_code == 200
    assert nova(cloud, "admin", "PUT", nowhere, {"quota_set": {"instances": 3}}).status_code == 400


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
