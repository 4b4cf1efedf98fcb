"""Requests reach the right endpoint, are repeated only if they read, and keep secrets out of the log."""

import logging
from typing import Any

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from hyperx_glance.cloud.cloud import Cloud, image_path
from hyperx_glance.errors import (
    AuthenticationError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.waiting.pace import Pace


@pytest.fixture
def border(cloud: InMemoryCloud) -> Cloud:
    return Cloud.from_session(cloud.session("alice"), pace=Pace(first_interval=0))


def test_nothing_is_asked_before_the_first_request(cloud: InMemoryCloud, border: Cloud) -> None:
    assert cloud.requests == []

    border.get("image", "/images")

    assert [(request.service, request.path) for request in cloud.requests] == [
        ("keystone", "/v3/auth/tokens"),
        ("glance", "/v2/images"),
    ]


def test_reading_the_callers_identity_takes_one_token_request(cloud: InMemoryCloud, border: Cloud) -> None:
    assert border.project_id == cloud.departments["dept-a"]
    assert border.user_id == cloud.users["alice"]
    assert border.is_administrator is False
    assert len(cloud.requests) == 1
    assert Cloud.from_session(cloud.session("admin")).is_administrator is True


def test_an_endpoint_is_the_public_one_where_the_adapter_names_none(cloud: InMemoryCloud) -> None:
    """As keystoneauth sends requests then (keystoneauth1/identity/base.py, get_endpoint_data)."""
    cloud.keystone.first_endpoints.append(("internal", "Elsewhere"))
    session = cloud.session("alice")
    border = Cloud(session, lambda service: Adapter(session, service_type=service), region_name=None)

    endpoint = border.endpoint("image")

    assert endpoint is not None
    assert endpoint.region_id == "RegionOne"


@pytest.mark.parametrize("end", ["", "/", "/v2", "/v2/"])
def test_an_endpoint_may_end_with_a_slash(cloud: InMemoryCloud, end: str) -> None:
    session = cloud.session("alice")
    url = cloud.glance.url + end
    border = Cloud(
        session, lambda service: Adapter(session, service_type=service, endpoint_override=url), region_name=None
    )

    assert border.base("image") == f"{cloud.glance.url}/v2"
    border.get("image", "/images")
    assert cloud.requests[-1].path == "/v2/images"


def test_reading_is_repeated_when_no_answer_comes(cloud: InMemoryCloud, border: Cloud) -> None:
    cloud.cut("glance", "GET", "/images$", times=2)

    assert border.get("image", "/images").json()["images"] == []


def test_reading_is_repeated_while_a_service_is_unavailable(cloud: InMemoryCloud, border: Cloud) -> None:
    cloud.fail("glance", "GET", "/images$", status=503, times=2)

    assert border.get("image", "/images").json()["images"] == []


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        ("3", [3, 3]),
        ("0", [0, 0]),
        ("31", []),
        ("99999999999999999999", []),
        ("9" * 5000, []),
        ("-5", [0.25, 0.25]),
        ("soon", [0.25, 0.25]),
        ("Wed, 25 Nov 2026 16:00:00 GMT", [0.25, 0.25]),
    ],
)
def test_no_service_makes_anybody_sleep_for_long(cloud: InMemoryCloud, asked: str, pauses: list[float]) -> None:
    slept: list[float] = []
    border = Cloud.from_session(cloud.session("alice"), pace=Pace(first_interval=0.25, sleep=slept.append))
    cloud.fail("glance", "GET", "/images$", status=503, headers={"Retry-After": asked}, times=None)

    with pytest.raises(ServiceUnavailableError):
        border.get("image", "/images")
    assert slept == pauses


@pytest.mark.parametrize("handled", [True, False])
def test_requests_that_change_something_are_never_repeated(
    cloud: InMemoryCloud, border: Cloud, *, handled: bool
) -> None:
    cloud.cut("glance", "POST", "/images$", times=1, handled=handled)

    with pytest.raises(ServiceUnavailableError) as caught:
        border.post("image", "/images", json={"name": "debian"})

    assert caught.value.connected is handled
    assert len([request for request in cloud.requests if request.method == "POST" and request.service == "glance"]) == 1


def test_a_missing_service_is_named(cloud: InMemoryCloud, border: Cloud) -> None:
    cloud.cinder.present = False

    assert border.has("block-storage") is False
    assert border.has("image") is True
    with pytest.raises(ServiceUnavailableError, match="no block-storage service"):
        border.get("block-storage", "/limits")


def test_a_login_without_a_department_is_told_from_a_missing_service(cloud: InMemoryCloud) -> None:
    login: dict[str, Any] = {key: cloud.auth("alice")[key] for key in ("username", "password", "user_domain_id")}
    session = cloud.session("alice")
    session.auth = Password(cloud.auth("alice")["auth_url"], **login, unscoped=True)
    nowhere = Cloud.from_session(session, region_name="RegionOne")
    with pytest.raises(AuthenticationError, match="for no department") as caught:
        nowhere.get("image", "/images")
    assert "name a project" in str(caught.value.hint)


def test_confidential_bodies_stay_out_of_the_log(border: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        border.post("image", "/images", json={"name": "secret-7c1"}, confidential=True)
        border.post("image", "/images", json={"name": "plain-7c1"})

    assert "secret-7c1" not in caplog.text
    assert "plain-7c1" in caplog.text


def test_ids_are_quoted_in_paths() -> None:
    assert image_path("../../x?y", "file") == "/images/..%2F..%2Fx%3Fy/file"


def test_clients_of_one_session_do_not_mix_up_their_endpoints(cloud: InMemoryCloud) -> None:
    """The endpoints of the catalogue are kept with the token."""
    session = cloud.session("alice")
    here = Cloud.from_session(session, region_name="RegionOne")

    assert here.base("image") == Cloud.from_session(session, region_name="RegionOne").base("image")
    assert here.base("image") != Cloud.from_session(session, region_name="RegionOne").base("compute")
    with pytest.raises(ServiceUnavailableError, match="in region Elsewhere"):
        Cloud.from_session(session, region_name="Elsewhere").base("image")
    with pytest.raises(ServiceUnavailableError):
        Cloud.from_session(session, region_name="RegionOne", interface="nowhere").base("image")


def test_a_new_token_brings_a_new_catalogue(cloud: InMemoryCloud) -> None:
    session = cloud.session("alice")
    with pytest.raises(ServiceUnavailableError, match="in region Elsewhere"):
        Cloud.from_session(session, region_name="Elsewhere").base("image")
    cloud.keystone.first_endpoints.append(("public", "Elsewhere"))
    session.invalidate()

    assert Cloud.from_session(session, region_name="Elsewhere").base("image").startswith("http")


def test_an_ended_token_is_renewed_once(cloud: InMemoryCloud, border: Cloud) -> None:
    border.get("image", "/images")
    cloud.keystone.expire_tokens()

    border.post("image", "/images", json={"name": "debian"})

    assert [request.path for request in cloud.requests[2:]] == ["/v2/images", "/v3/auth/tokens", "/v2/images"]


def test_a_service_that_takes_no_token_is_asked_twice(cloud: InMemoryCloud, border: Cloud) -> None:
    cloud.fail("glance", "DELETE", "/images/7c1", status=401, times=None)

    with pytest.raises(AuthenticationError):
        border.delete("image", "/images/7c1")
    assert [request.path for request in cloud.requests] == ["/v3/auth/tokens", "/v2/images/7c1"] * 2


def test_data_is_sent_once(cloud: InMemoryCloud, border: Cloud) -> None:
    cloud.fail("glance", "PUT", "/file$", status=401, times=None)

    with pytest.raises(AuthenticationError):
        border.upload("image", "/images/7c1/file", b"data", headers={}, timeout=5)
    assert [request.path for request in cloud.requests] == ["/v3/auth/tokens", "/v2/images/7c1/file"]


def test_an_authentication_that_gives_no_token_is_an_error() -> None:
    with pytest.raises(AuthenticationError, match="no usable credentials"):
        Cloud.from_session(Session(), region_name="RegionOne").get("image", "http://glance.example/v2/images")
