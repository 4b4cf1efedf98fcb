"""An application credential with access rules is refused by every service that no rule names."""

from __future__ import annotations

import pytest
from keystoneauth1.identity.v3 import ApplicationCredential
from keystoneauth1.session import Session

from hyperx_glance import AuthenticationError, Client, NotAllowedError
from hyperx_glance.cloud.access_rules import covers
from hyperx_glance.testing import InMemoryCloud

IMAGE = "4f8b0c1e-7a2d-4c3b-9e5f-6a7b8c9d0e1f"


def with_rules(fake: InMemoryCloud, *rules: tuple[str, str, str]) -> Client:
    """Connect as alice, with an application credential that has these rules: service, method, path."""
    alice = Client.from_session(fake.session("alice"), region_name="RegionOne").cloud
    asked = [{"service": service, "method": method, "path": path} for service, method, path in rules]
    made = alice.post(
        "identity",
        f"/users/{alice.user_id}/application_credentials",
        json={"application_credential": {"name": "nightly", "access_rules": asked}},
    ).json()["application_credential"]
    login = ApplicationCredential(
        fake.auth("alice")["auth_url"],
        application_credential_id=made["id"],
        application_credential_secret=made["secret"],
    )
    fake.requests.clear()
    return Client.from_session(Session(login, fake.session("alice").session), region_name="RegionOne")


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/v2/images", "/v2/images", True),
        ("/v2/images", "/v2/images/7c1", False),
        ("/v2/images/*", "/v2/images/7c1", True),
        ("/v2/images/*", "/v2/images/7c1/file", False),
        ("/v2/images/{image_id}/file", "/v2/images/7c1/file", True),
        ("/v2/images/**", "/v2/images/7c1/file", True),
        ("/v2.1/servers", "/v291/servers", False),
        ("/**/images/*", "/image/v2/images/7c1", True),
    ],
)
def test_wildcards_are_those_of_the_middleware(pattern: str, path: str, *, covered: bool) -> None:
    assert covers(pattern, path) is covered


def test_the_missing_rule_is_named_and_no_new_login_is_made() -> None:
    fake = InMemoryCloud()
    cloud = with_rules(fake, ("image", "GET", "/v2/images")).cloud
    assert cloud.get("image", "/images").json()["images"] == []

    with pytest.raises(NotAllowedError) as caught:
        cloud.image(IMAGE)

    assert str(caught.value.message) == (
        "No access rule of this application credential allows GET /v2/images/* of the service image."
    )
    assert "access rules" in caught.value.hint
    assert (caught.value.status, caught.value.service) == (401, "image")
    logins = [request for request in fake.requests if request.path == "/v3/auth/tokens"]
    assert len(logins) == 1


def test_a_token_that_has_expired_is_renewed_in_spite_of_the_rules() -> None:
    fake = InMemoryCloud()
    cloud = with_rules(fake, ("image", "GET", "/v2/images")).cloud
    fake.fail("glance", "GET", "/images$", status=401, times=1)

    assert cloud.get("image", "/images").json()["images"] == []


def test_a_rule_that_the_service_does_not_take_is_not_called_missing() -> None:
    fake = InMemoryCloud()
    cloud = with_rules(fake, ("image", "GET", "/v2/images")).cloud
    fake.fail("glance", "GET", "/images$", status=401, times=2)

    with pytest.raises(AuthenticationError):
        cloud.get("image", "/images")


def test_cinders_rule_has_the_type_of_the_catalogue() -> None:
    fake = InMemoryCloud()
    cloud = with_rules(fake, ("image", "GET", "/v2/images")).cloud

    with pytest.raises(NotAllowedError) as caught:
        cloud.get("block-storage", "/volumes")

    types = {each["type"] for each in cloud.session.auth.get_access(cloud.session).service_catalog.catalog}  # type: ignore[union-attr]  # it is a plugin
    assert caught.value.message.values["type"] in types


def test_a_search_goes_without_the_names_of_departments_that_a_rule_hides() -> None:
    fake = InMemoryCloud()
    own = fake.glance.add_image(owner="dept-a", name="debian", status="active")
    shared = fake.glance.add_image(owner="dept-b", name="debian too", status="active", visibility="community")
    client = with_rules(fake, ("image", "GET", "/v2/**"))

    assert {image.id for image in client.images(search="debian")} == {own, shared}
    assert client.owner_name(shared) == fake.departments["dept-b"]
    with pytest.raises(NotAllowedError, match="GET /v3/auth/projects"):
        list(client.images(owner="dept-b"))
