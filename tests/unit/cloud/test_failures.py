"""Each error response becomes its typed error, with the useful sentence, a hint and no secret."""

import traceback
from typing import Any

import pytest

import hyperx_glance
from hyperx_glance.cloud.cloud import Cloud
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
from hyperx_glance.waiting.pace import Pace


@pytest.fixture
def fake() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def cloud(fake: InMemoryCloud) -> Cloud:
    return Cloud.from_session(fake.session("alice"), pace=Pace(first_interval=0))


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
        (
            413,
            "The limit has been exceeded on the number of allowed image tags. Attempted: 20, Maximum: 8",
            InvalidRequestError,
        ),
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
    assert "private to another department" in caught.value.hint

    with pytest.raises(NotFoundError) as caught:
        cloud.get("compute", "/servers/web")
    assert "Use the id of a server" in caught.value.hint


def test_a_policy_that_asks_for_another_role_has_a_hint(fake: InMemoryCloud) -> None:
    rita = Cloud.from_session(fake.session("rita"))

    with pytest.raises(NotAllowedError) as caught:
        rita.post("image", "/images", json={"name": "debian"})
    assert caught.value.hint.startswith("Only members of the department")

    alice = Cloud.from_session(fake.session("alice"))
    with pytest.raises(NotAllowedError) as caught:
        alice.post("image", "/metadefs/namespaces", json={"namespace": "a"})
    assert caught.value.hint == "Only administrators may do this."

    fake.fail(
        "nova",
        "GET",
        "/limits$",
        status=403,
        body={"forbidden": {"message": "Policy doesn't allow os_compute_api:servers:create to be performed."}},
    )
    with pytest.raises(NotAllowedError) as caught:
        rita.get("compute", "/limits")
    assert caught.value.hint.startswith("Only members of the department")


def test_the_useful_sentence_is_taken_out_of_html(fake: InMemoryCloud, cloud: Cloud) -> None:
    html = (
        "<html>\n <head>\n  <title>400 Bad Request</title>\n </head>\n <body>\n  <h1>400 Bad Request</h1>\n"
        "  Bad &amp; ugly.<br /><br />\n\n\n </body>\n</html>"
    )
    fake.fail("glance", "GET", "/images$", status=400, body=html.encode())

    with pytest.raises(InvalidRequestError) as caught:
        cloud.get("image", "/images")

    assert caught.value.explanation == "Bad & ugly."


def test_the_useful_sentence_is_taken_out_of_json(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.fail(
        "nova", "GET", "/limits$", status=409, body={"conflictingRequest": {"code": 409, "message": "It&#x27;s busy."}}
    )

    with pytest.raises(ConflictError) as caught:
        cloud.get("compute", "/limits")

    assert caught.value.explanation == "It's busy."


def test_a_url_in_json_has_no_entities_and_keeps_no_secret(fake: InMemoryCloud, cloud: Cloud) -> None:
    body = {"error": {"message": "No http://files.example/a?sig=1&region=2&copy nor a&region=2&copy"}}
    fake.fail("nova", "GET", "/limits$", status=404, body=body)

    with pytest.raises(NotFoundError) as caught:
        cloud.get("compute", "/limits")

    assert caught.value.explanation == "No http://files.example/a nor a&region=2&copy"


def test_wrong_credentials_are_an_error_of_their_own(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.fail("keystone", "POST", "/auth/tokens", status=401)

    with pytest.raises(AuthenticationError, match="Keystone refused"):
        cloud.get("image", "/images")


def test_keystone_out_of_reach_is_unavailable(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cut("keystone", "POST", "/auth/tokens", times=9, handled=False)

    with pytest.raises(ServiceUnavailableError):
        cloud.get("image", "/images")


def test_a_service_that_is_down_is_told_without_what_libraries_write_around_it(fake: InMemoryCloud) -> None:
    down: dict[str, Any] = fake.auth("alice") | {"auth_url": "http://127.0.0.1:1/v3"}

    with pytest.raises(ServiceUnavailableError) as caught:
        hyperx_glance.connect(**down).count()

    said = "Unable to establish connection to http://127.0.0.1:1/v3/auth/tokens: Connection refused"
    assert caught.value.message == "No response from the identity service"
    assert caught.value.explanation == said


def test_every_error_keeps_its_cause(fake: InMemoryCloud, cloud: Cloud) -> None:
    fake.cut("glance", "DELETE", "/images/7c1$")

    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.delete("image", "/images/7c1")

    assert caught.value.__cause__ is not None


# ----------------------------------------------------------------- logins

SAID = "Invalid input for field 'identity/password/user/password': '{}'"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ServiceUnavailableError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ServiceUnavailableError),
        (409, ServiceUnavailableError),
        (413, ServiceUnavailableError),
        (429, ServiceUnavailableError),
        (500, ServiceUnavailableError),
        (501, ServiceUnavailableError),
        (503, ServiceUnavailableError),
        (599, ServiceUnavailableError),
    ],
)
@pytest.mark.parametrize("form", ["own", "page", "errors", "receipt"])
def test_no_refused_login_repeats_what_keystone_says(
    fake: InMemoryCloud, cloud: Cloud, status: int, error: type[HyperxGlanceError], form: str
) -> None:
    password = fake.auth("alice")["password"]
    words = SAID.format(password) + "\x1b[31m" + "x" * 300_000
    body: Any = {
        "own": {"error": {"message": words, "code": status, "title": words}},
        "page": words.encode(),
        "errors": {"errors": [{"title": words, "detail": words}]},
        "receipt": {
            "receipt": {"methods": [words], "expires_at": "2030-01-01T00:00:00Z"},
            "required_auth_methods": [[words]],
        },
    }[form]
    headers = {"x-openstack-request-id": f"req-{password}\x1b" * 1000}
    if form == "receipt":
        headers["Openstack-Auth-Receipt"] = words[:1000]
    fake.fail("keystone", "POST", "/auth/tokens", status=status, body=body, headers=headers)

    with pytest.raises(HyperxGlanceError) as caught:
        cloud.get("image", "/images")

    assert type(caught.value) is error
    assert password not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert caught.value.request_id is None
    assert len(str(caught.value)) < 300
    assert getattr(caught.value, "connected", False) is False


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503])
def test_a_login_behind_an_ended_token_is_no_answer_to_the_request(
    fake: InMemoryCloud, cloud: Cloud, status: int
) -> None:
    cloud.get("image", "/images")
    fake.keystone.expire_tokens()
    fake.fail("keystone", "POST", "/auth/tokens", status=status)

    with pytest.raises(AuthenticationError if status in (401, 403) else ServiceUnavailableError) as caught:
        cloud.delete("image", "/images/7c1")

    assert (caught.value.service, caught.value.status) == ("identity", status)
    assert getattr(caught.value, "connected", False) is False


def test_a_login_without_an_answer_is_no_answer_to_the_request(fake: InMemoryCloud, cloud: Cloud) -> None:
    cloud.get("image", "/images")
    fake.keystone.expire_tokens()
    fake.cut("keystone", "POST", "/auth/tokens")

    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.delete("image", "/images/7c1")

    assert (caught.value.service, caught.value.connected) == ("identity", False)


def test_a_token_is_shown_by_no_service(fake: InMemoryCloud, cloud: Cloud) -> None:
    token = cloud.session.get_token() or ""
    fake.fail(
        "glance",
        "GET",
        "/images$",
        status=500,
        body=f"X-Auth-Token: {token}",
        headers={"x-openstack-request-id": "\x9b"},
    )

    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.get("image", "/images")

    assert caught.value.explanation == "X-Auth-Token: ..."
    assert caught.value.request_id is None
