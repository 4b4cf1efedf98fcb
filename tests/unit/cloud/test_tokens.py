"""What a token says about its user and about the services."""

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance.cloud.tokens import access_of, endpoints, of_system, token_of, url
from hyperx_glance.testing import InMemoryCloud


def test_a_session_that_has_only_a_text_for_a_token_says_nothing() -> None:
    session = Session(Token("http://glance.example", "text"))

    assert token_of(session) is None
    assert endpoints(None, Adapter(session, service_type="image"), region_name=None) == []
    assert url(None, Adapter(session, service_type="image")) == "http://glance.example"


def test_a_catalogue_is_read_once_for_each_token() -> None:
    fake = InMemoryCloud()
    session = fake.session("alice")
    token = token_of(session)
    adapter = Adapter(session, service_type="image", interface="public")

    found = url(token, adapter)
    session.auth.get_endpoint = None  # type: ignore[method-assign, union-attr]  # or it is asked again

    assert found is not None
    assert url(token, Adapter(session, service_type="image", interface="public")) == found
    assert url(token, Adapter(session, service_type="image", endpoint_override="http://other.example/")) == (
        "http://other.example"
    )


def test_a_service_under_several_types_may_have_no_endpoint_in_a_region() -> None:
    session = InMemoryCloud().session("alice")
    token = token_of(session)
    assert token is not None
    types = [service["type"] for service in token.service_catalog.catalog]
    assert {"block-storage", "volumev3"} <= set(types)
    adapter = Adapter(session, service_type="block-storage", interface="public", region_name="Elsewhere")

    assert url(token, adapter) is None
    assert endpoints(token, adapter, region_name="Elsewhere") == []


def test_a_token_names_its_user_and_where_the_services_are() -> None:
    session = InMemoryCloud().session("admin")
    token = token_of(session)

    assert token is not None
    assert access_of(token).is_administrator
    found = endpoints(token, Adapter(session, service_type="image", interface="public"), region_name=None)
    assert [each.region_id for each in found] == ["RegionOne"]


def test_a_session_for_the_system_is_the_same_users() -> None:
    session = InMemoryCloud().session("admin")
    token = token_of(session)
    assert token is not None

    system = token_of(of_system(session, token, "http://keystone.cloud.test/v3"))

    assert system is not None
    assert system.user_id == token.user_id
    assert system.project_id is None
