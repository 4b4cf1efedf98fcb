import logging

import pytest
from keystoneauth1.adapter import Adapter

from hyperx_glance.cloud import Cloud, image_path
from hyperx_glance.errors import (
    AuthenticationError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ProtectedError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud


@pytest.fixture
def fake() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def cloud(fake: InMemoryCloud) -> Cloud:
    return Cloud.from_session(fake.session("alice"), retry_delay=0)


def test_nothing_is_asked_before_the_first_request(fake: InMemoryCloud, cloud: Cloud) -> None:
    assert fake.requests == []

    cloud.get("image", "/images")

    assert [(request.service, request.path) for request in fake.requests] == [
        ("keystone", "/v3/auth/tokens"),
        ("glance", "/v2/images"),
    ]


def test_who_i_am_costs_one_token(fake: InMemoryCloud, cloud: Cloud) -> None:
    assert cloud.project_id == fake.departments["dept-a"]
    assert cloud.user_id == fake.users["alice"]
    assert cloud.is_administrator is False
    assert len(fake.requests) == 1
    assert Cloud.from_session(fake.session("admin")).is_administrator is True


def test_an_endpoint_is_the_public_one_where_the_adapter_names_none(fake: InMemoryCloud) -> None:
    """As keystoneauth sends requests then (keystoneauth1/identity/base.py, get_endpoint_data)."""
    fake.keystone.first_endpoints.append(("internal", "Elsewhere"))
    session = fake.session("alice")
    cloud = Cloud(session, lambda service: Adapter(session, service_type=service), region_name=None)

    place = cloud.place("image")

    assert place is not None
    assert place.region_id == "RegionOne"


@pytest.mark.parametrize("end", ["", "/", "/v2", "/v2/"])
def test_an_endpoint_may_end_with_a_slash(fake: InMemoryCloud, end: str) -> None:
    session = fake.session("alice")
    url = fake.glance.url + end
    cloud = Cloud(
        session, lambda service: Adapter(session, service_type=service, endpoint_override=url), region_name=None
    )

    assert cloud.base("image") == f"{fake.glance.url}/v2"
    cloud.get("image", "/images")
    assert fake.requests[-1].path == "/v2/images"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            400,
            b"<html><head><title>400</title></head><body><h1>400 Bad Request</h1>Bad &amp; ugly.<br /></body></html>",
            InvalidRequestError,
        ),
        (401, "The request you have made requires authentication.", AuthenticationError),
        (403, "You are not authorized.", NotAllowedError),
        (403, "Image 7c1 is protected and cannot be deleted.", ProtectedError),
        (403, "Quota exceeded for cores: Requested 200, but already used 6 of 20 cores", QuotaExceededError),
        (404, "No image found with ID 7c1", NotFoundError),
        (409, "Import lock", ConflictError),
        (
            413,
            "over a limit for [Resource image_count_total is over limit of 0 due to current usage 0 and delta 1]",
            QuotaExceededError,
        ),
        (413, "The limit has been exceeded on the number of allowed image properties.", InvalidRequestError),
        (415, "Unsupported", InvalidRequestError),
        (429, "Slow down", ServiceUnavailableError),
        (500, "Oops", ServiceUnavailableError),
    ],
)
def test_each_answer_becomes_its_error(
    fake: InMemoryCloud, cloud: Cloud, status: int, body: str | bytes, error: type[HyperxGlanceError]
) -> None:
    fake.fail("glance", "POST", "/images$", status=status, body=body, times=2)

    with pytest.raises(HyperxGlanceError) as caught:
        cloud.post("image", "/images", json={})

    assert type(caught.value) is error
    assert (caught.value.service, caught.value.status) == ("image", status)
    assert caught.value.request_id
    assert "<" not in caught.value.message


def test_a_name_where_an_id_is_wanted_has_a_hint(cloud: Cloud) -> None:
    with pytest.raises(NotFoundError) as caught:
        cloud.image("debian")
    assert "client.image(name)" in caught.value.hint

    with pytest.raises(NotFoundError) as caught:
        cloud.image("00000000-0000-0000-0000-000000000000")
    assert "private image of another department" in caught.value.hint

    with pytest.raises(NotFoundError) as caught:
        cloud.get("compute", "/servers/web")
    assert "id of a server is needed" in caught.value.hint


def test_a_policy_that_asks_for_another_role_has_a_hint(fake: InMemoryCloud) -> None:
    rita = Cloud.from_session(fake.session("rita"))

    with pytest.raises(NotAllowedError) as caught:
        rita.post("image", "/images", json={"name": "debian"})
    assert caught.value.hint.startswith("Members of the department")

    alice = Cloud.from_session(fake.session("alice"))
    with pytest.raises(NotAllowedError) as caught:
        alice.post("image", "/metadefs/namespaces", json={"namespace": "a"})
    assert caught.value.hint == "Administrators may."

    fake.fail(
        "nova",
        "GET",
        "/limits$",
        status=403,
        body={"forbidden": {"message": "Policy doesn't allow os_compute_api:servers:create to be performed."}},
    )
    with pytest.raises(NotAllowedError) as caught:
        rita.get("compute", "/limits")
    assert caught.value.hint.startswith("Members of the department")


def test_the_useful_sentence_is_taken_out_of_html(fake: InMemoryCloud, cloud: Cloud) -> None:
    html = (
        "<html>\n <head>\n  <title>400 Bad Request</title>\n </head>\n <body>\n  <h1>400 Bad Request</h1>\n"
        "  Bad &amp; ugly.<br /><br />\n\n\n </body>\n</html>"
    )
    fake.fail("glance", "GET", "/images$", status=400, body=html.encode())

    with pytest.raises(InvalidRequestError) as caught:
        cloud.get("image", "/images")

    assert caught.value.message == "Bad & ugly."


def test_the_useful_sentence_is_taken_out_of_json(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.fail(
        "nova", "GET", "/limits$", status=409, body={"conflictingRequest": {"code": 409, "message": "It&#x27;s busy."}}
    )

    with pytest.raises(ConflictError) as caught:
        cloud.get("compute", "/limits")

    assert caught.value.message == "It's busy."


def test_a_url_in_json_has_no_entities_and_keeps_no_secret(fake: InMemoryCloud, cloud: Cloud) -> None:
    body = {"error": {"message": "No http://files.example/a?sig=1&region=2&copy nor a&region=2&copy"}}
    fake.fail("nova", "GET", "/limits$", status=404, body=body)

    with pytest.raises(NotFoundError) as caught:
        cloud.get("compute", "/limits")

    assert caught.value.message == "No http://files.example/a nor a&region=2&copy"


def test_reading_is_repeated_when_no_answer_comes(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cut("glance", "GET", "/images$", times=2)

    assert cloud.get("image", "/images").json()["images"] == []


def test_reading_is_repeated_while_a_service_is_unavailable(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.fail("glance", "GET", "/images$", status=503, times=2)

    assert cloud.get("image", "/images").json()["images"] == []


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
def test_no_service_makes_anybody_sleep_for_long(fake: InMemoryCloud, asked: str, pauses: list[float]) -> None:
    slept: list[float] = []
    cloud = Cloud.from_session(fake.session("alice"), retry_delay=0.25, sleep=slept.append)
    fake.fail("glance", "GET", "/images$", status=503, headers={"Retry-After": asked}, times=None)

    with pytest.raises(ServiceUnavailableError):
        cloud.get("image", "/images")
    assert slept == pauses


@pytest.mark.parametrize("handled", [True, False])
def test_what_changes_something_is_never_repeated(fake: InMemoryCloud, cloud: Cloud, *, handled: bool) -> None:
    fake.cut("glance", "POST", "/images$", times=1, handled=handled)

    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.post("image", "/images", json={"name": "debian"})

    assert caught.value.connected is handled
    assert len([request for request in fake.requests if request.method == "POST" and request.service == "glance"]) == 1


def test_a_missing_service_is_named(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cinder.present = False

    assert cloud.has("block-storage") is False
    assert cloud.has("image") is True
    with pytest.raises(ServiceUnavailableError, match="no block-storage service"):
        cloud.get("block-storage", "/limits")


def test_wrong_credentials_are_an_error_of_their_own(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.fail("keystone", "POST", "/auth/tokens", status=401)

    with pytest.raises(AuthenticationError, match="Keystone refused"):
        cloud.get("image", "/images")


def test_keystone_out_of_reach_is_unavailable(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cut("keystone", "POST", "/auth/tokens", times=9, handled=False)

    with pytest.raises(ServiceUnavailableError):
        cloud.get("image", "/images")


def test_confidential_bodies_stay_out_of_the_log(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        cloud.post("image", "/images", json={"name": "secret-7c1"}, confidential=True)
        cloud.post("image", "/images", json={"name": "plain-7c1"})

    assert "secret-7c1" not in caplog.text
    assert "plain-7c1" in caplog.text


def test_ids_are_quoted_in_paths() -> None:
    assert image_path("../../x?y", "file") == "/images/..%2F..%2Fx%3Fy/file"


def test_every_error_keeps_its_cause(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cut("glance", "DELETE", "/images/7c1$")

    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.delete("image", "/images/7c1")

    assert caught.value.__cause__ is not None
