"""Failures of the in-memory cloud that a test requests."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as keystone_exceptions

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import RAW, URL, image, names, new_image, nova, shown, start_import

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_mistake_in_the_fake_is_a_500_that_check_reports(cloud: InMemoryCloud) -> None:
    cloud.glance.images = None  # type: ignore[assignment]  # as a mistake of ours would

    answer = image(cloud, "alice", "GET", "/images")

    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html; charset=UTF-8")
    assert "The server has either erred" in answer.text
    (failure,) = cloud.failures
    assert (failure.service, failure.method, failure.path) == ("glance", "GET", "/v2/images")
    with pytest.raises(AssertionError, match=r"(?s)in-memory glance failed on GET /v2/images.*AttributeError"):
        cloud.check()
    cloud.glance.failures.clear()  # the fixture would report it too


def test_a_failure_fails_the_with_block(cloud: InMemoryCloud) -> None:
    cloud.nova.flavors = None  # type: ignore[assignment]  # as a mistake of ours would

    with pytest.raises(AssertionError, match="answered 500"), cloud:
        nova(cloud, "alice", "GET", "/flavors")

    cloud.nova.failures.clear()


def test_the_fixture_fails_the_test_during_which_the_fake_failed(tmp_path: Path) -> None:
    (tmp_path / "test_that_does_not_look.py").write_text(
        """
def test_that_does_not_look(hyperx_cloud):
    hyperx_cloud.glance.images = None
    hyperx_cloud.session("alice").get("/v2/images", endpoint_filter={"service_type": "image"}, raise_exc=False)
"""
    )

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert "1 passed, 1 error" in result.stdout
    assert "The in-memory glance failed on GET /v2/images, and answered 500." in result.stdout


def test_a_glance_that_dies_in_the_middle_of_an_import(cloud: InMemoryCloud) -> None:
    """As seen on the real Glance: the record keeps its state and its lock, and nothing continues."""
    cloud.glance.downloads[URL] = bytes(4096)
    cloud.glance.import_polls = 2
    made = new_image(cloud)
    assert start_import(cloud, made) == 202
    assert shown(cloud, made)["status"] == "queued"
    assert shown(cloud, made)["status"] == "importing"

    cloud.kill("glance")
    with pytest.raises(keystone_exceptions.ConnectFailure):
        image(cloud, "alice", "GET", f"/images/{made}")
    cloud.restart("glance")

    left = [shown(cloud, made) for _ in range(5)][-1]
    assert (left["status"], left["os_glance_importing_to_stores"]) == ("importing", "fast")
    tasks = image(cloud, "alice", "GET", f"/images/{made}/tasks").json()["tasks"]
    assert [task["status"] for task in tasks] == ["processing"]
    assert start_import(cloud, made) == 409
    assert image(cloud, "alice", "DELETE", f"/images/{made}").status_code == 204


def test_only_a_service_can_be_killed(cloud: InMemoryCloud) -> None:
    with pytest.raises(ValueError, match="There is no service 'swift'"):
        cloud.kill("swift")  # type: ignore[arg-type]  # on purpose
