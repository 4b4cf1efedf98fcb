"""Where redirects may lead a request, and what no other server may ever get."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests_mock
from keystoneauth1 import exceptions as keystone_exceptions
from keystoneauth1.session import Session

import hyperx_glance
from hyperx_glance import (
    Client,
    HyperxGlanceError,
    LaunchRequest,
    NewImage,
    ServiceUnavailableError,
    Settings,
)
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.redirects import MOST_REDIRECTS, RedirectedError, careful
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import HASTY, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

HERE = "http://glance.test:9292"
THERE = "http://portal.test"
STATUSES = [301, 302, 303, 307, 308]
LOGIN = "5ecre7-login"


@pytest.fixture
def wire() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        mocker.register_uri(requests_mock.ANY, f"{HERE}/there", json={"arrived": True})
        mocker.register_uri(requests_mock.ANY, requests_mock.ANY, json={"believed": True})
        mocker.register_uri(requests_mock.ANY, f"{HERE}/there", json={"arrived": True})
        yield mocker


def moved(wire: requests_mock.Mocker, location: str, status: int = 302) -> None:
    wire.register_uri(requests_mock.ANY, f"{HERE}/moved", status_code=status, headers={"Location": location})


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("location", ["/there", f"{HERE}/there", "HTTP://GLANCE.test:9292/there", "there"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_goes_on_at_the_same_server(
    wire: requests_mock.Mocker, status: int, location: str, method: str
) -> None:
    moved(wire, location, status)

    answer = careful(Session()).request(f"{HERE}/moved", method, params={"limit": 1}, authenticated=False)

    assert answer.json() == {"arrived": True}
    assert [request.url for request in wire.request_history] == [f"{HERE}/moved?limit=1", f"{HERE}/there"]


@pytest.mark.parametrize("status", [*STATUSES, 305, 399])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("location", ["/there", f"{THERE}/there"])
def test_nothing_else_goes_on_anywhere(wire: requests_mock.Mocker, status: int, method: str, location: str) -> None:
    moved(wire, location, status)

    with pytest.raises(RedirectedError):
        careful(Session()).request(f"{HERE}/moved", method, json={"password": LOGIN}, authenticated=False)
    assert len(wire.request_history) == 1


@pytest.mark.parametrize(
    "location",
    [
        f"{THERE}/there",
        "//portal.test/there",
        "https://glance.test:9292/there",
        "http://glance.test/there",
        "http://glance.test:9293/there",
        "http://glance.test.portal.test:9292/there",
        "http://user:word@glance.test:9292/there",
        "http://glance.test:9292\\@portal.test/there",
        "http://glance.test:9292\\.portal.test/there",
        "http://portal.test\\@glance.test:9292/there",
        "http://glance.test:99999/there",
        "ftp://glance.test:9292/there",
        "javascript:alert(1)",
    ],
)
def test_reading_goes_on_at_no_other_server(wire: requests_mock.Mocker, location: str) -> None:
    moved(wire, location)

    with pytest.raises(RedirectedError):
        careful(Session()).get(f"{HERE}/moved", headers={"X-Auth-Token": "token"}, authenticated=False)
    assert len(wire.request_history) == 1


def test_a_body_goes_nowhere_even_when_it_is_read_with(wire: requests_mock.Mocker) -> None:
    moved(wire, "/there")

    with pytest.raises(RedirectedError):
        careful(Session()).get(f"{HERE}/moved", json={"password": LOGIN}, authenticated=False)


def test_a_circle_ends(wire: requests_mock.Mocker) -> None:
    moved(wire, "/moved")

    with pytest.raises(RedirectedError):
        careful(Session()).get(f"{HERE}/moved", authenticated=False)
    assert len(wire.request_history) == 1 + MOST_REDIRECTS


def test_a_plugin_that_wants_the_answer_itself_gets_it(wire: requests_mock.Mocker) -> None:
    moved(wire, f"{THERE}/there")

    assert careful(Session()).post(f"{HERE}/moved", redirect=False, authenticated=False).status_code == 302


def test_the_callers_session_stays_as_it_is(wire: requests_mock.Mocker) -> None:
    moved(wire, f"{THERE}/there")
    session = Session()
    face = careful(session)
    before = dict(vars(session))

    with pytest.raises(RedirectedError):
        face.get(f"{HERE}/moved", authenticated=False)

    assert vars(session).keys() == before.keys()
    assert session.redirect == before["redirect"]
    assert session.get(f"{HERE}/moved", authenticated=False).json() == {"believed": True}


def test_later_changes_of_the_callers_session_take_effect() -> None:
    session = Session()
    face = careful(session)

    session.timeout = 7.0

    assert face.timeout == 7.0
    assert careful(face) is face


@pytest.mark.usefixtures("wire")
def test_a_session_of_the_callers_own_kind_does_what_it_does() -> None:
    class Noting(Session):
        noted: list[str]

        def request(self, url: str, method: str, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
            self.noted.append(url)
            return super().request(url, method, **options)

    session = Noting()
    session.noted = []

    careful(session).get(f"{HERE}/there", authenticated=False)

    assert session.noted == [f"{HERE}/there"]


def test_the_end_of_a_face_closes_nothing() -> None:
    closed: list[object] = []
    session = Session()
    session.session.close = lambda: closed.append(session)  # type: ignore[method-assign]

    face = careful(session)
    del face
    gc.collect()

    assert closed == []


def test_the_error_of_a_status_has_no_word_of_the_service(wire: requests_mock.Mocker) -> None:
    said = {"error": {"message": f"not {LOGIN}", "code": 403, "title": LOGIN}}
    wire.register_uri("POST", HERE, status_code=403, json=said, headers={"x-openstack-request-id": f"\x1b{LOGIN}"})

    with pytest.raises(keystone_exceptions.Forbidden) as caught:
        careful(Session()).post(HERE, authenticated=False)

    assert LOGIN not in f"{caught.value!r} {caught.value.message} {caught.value.details} {caught.value.request_id}"
    assert caught.value.response is not None
    assert caught.value.response.json() == said


# ----------------------------------------------------------------- with a client


Verb = Callable[[Client, InMemoryCloud], object]
VERBS: dict[str, tuple[str, str, str, Verb]] = {
    "login": ("keystone", "POST", "/auth/tokens", lambda client, _: client.count()),
    "list": ("glance", "GET", "/images$", lambda client, _: list(client.images())),
    "update": ("glance", "PATCH", "/images/", lambda client, cloud: client.update(an_image(cloud), name="new")),
    "delete": ("glance", "DELETE", "/images/", lambda client, cloud: client.delete(an_image(cloud))),
    "import": (
        "glance",
        "POST",
        "/import$",
        lambda client, _: client.register(NewImage(name="a", url=f"http://files.example/a.qcow2?sig={LOGIN}")),
    ),
    "launch": (
        "nova",
        "POST",
        "/servers$",
        lambda client, cloud: client.launch(an_image(cloud), LaunchRequest(name="web", flavor="m1.tiny")),
    ),
    "reset a password": (
        "nova",
        "POST",
        "/action$",
        lambda client, cloud: client.reset_password(next(iter(cloud.nova.servers)), LOGIN),
    ),
}


def an_image(cloud: InMemoryCloud) -> str:
    return cloud.glance.add_image(owner="dept-a", name="debian", status="active", disk_format="qcow2", size=1)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", VERBS)
def test_no_verb_goes_to_another_server(name: str, status: int) -> None:
    service, method, path, verb = VERBS[name]
    cloud = InMemoryCloud()
    cloud.glance.downloads[f"http://files.example/a.qcow2?sig={LOGIN}"] = samples.data("disk.qcow2")
    session = cloud.session("alice")
    arrived = requests_mock.Adapter()
    arrived.register_uri(requests_mock.ANY, requests_mock.ANY, json={})
    session.mount(THERE, arrived)
    settings = Settings(pace=HASTY.pace, network=cloud.network, transfer="import")
    client = Client.from_session(session, region_name=REGION, settings=settings)
    if name == "reset a password":
        client.launch(an_image(cloud), LaunchRequest(name="web", flavor="m1.tiny"))
    location = f"{THERE}/login?next={LOGIN}"
    cloud.fail(service, method, path, status=status, headers={"Location": location}, times=None)  # type: ignore[arg-type]

    with pytest.raises(HyperxGlanceError) as caught:
        verb(client, cloud)

    assert arrived.request_history == []
    assert isinstance(caught.value, ServiceUnavailableError)
    assert caught.value.status == status
    assert THERE in str(caught.value)
    assert LOGIN not in str(caught.value)


def test_a_login_that_is_led_away_was_no_request_of_the_verb() -> None:
    cloud = InMemoryCloud()
    cloud.fail("keystone", "POST", "/auth/tokens", status=307, headers={"Location": f"{THERE}/a/{LOGIN}"}, times=None)

    with pytest.raises(ServiceUnavailableError) as caught:
        Client.from_session(cloud.session("alice"), settings=HASTY).delete("00000000-0000-4000-8000-000000000000")

    assert (caught.value.service, caught.value.connected, caught.value.status) == ("identity", False, 307)
    assert caught.value.message == f"Keystone redirects the login to {THERE}, which is not followed"
    assert LOGIN not in str(caught.value)


@pytest.mark.parametrize("path", ["", "/v3"])
def test_a_discovery_that_is_led_away_says_where(path: str) -> None:
    """openstacksdk asks Keystone for its versions first; with an auth_url that names one it continues without them."""
    with InMemoryCloud() as cloud:
        cloud.fail("keystone", "GET", "^/", status=301, headers={"Location": f"{THERE}/login?{LOGIN}"}, times=None)
        if path:
            cloud.fail("keystone", "POST", "/auth/tokens", status=301, headers={"Location": THERE}, times=None)
        auth: dict[str, Any] = {**cloud.auth("alice"), "auth_url": f"{cloud.keystone.url}{path}"}

        with pytest.raises(ServiceUnavailableError, match=r"redirects the login to http://portal\.test,") as caught:
            hyperx_glance.connect(**auth).count()
    assert not caught.value.connected


def test_a_session_for_the_system_is_led_nowhere_either() -> None:
    cloud = InMemoryCloud()
    admin = Cloud.from_session(cloud.session("admin"))
    assert admin.is_administrator
    cloud.fail("keystone", "POST", "/auth/tokens", status=302, headers={"Location": THERE}, times=None)

    with pytest.raises(ServiceUnavailableError, match="redirects the login to"):
        admin.of_system()


def test_a_steward_is_led_nowhere_either() -> None:
    cloud = InMemoryCloud()
    image = cloud.glance.add_image(owner="dept-b", name="debian", status="active", visibility="community")
    client = Client.from_session(cloud.session("alice"), steward=cloud.session("admin"), settings=HASTY)
    client.count()
    cloud.fail("keystone", "POST", "/auth/tokens", status=302, headers={"Location": THERE}, times=None)

    with pytest.raises(ServiceUnavailableError, match="redirects the login to"):
        client.update(image, os_distro="debian")


def test_a_connection_of_openstacksdk_is_led_nowhere_either() -> None:
    with InMemoryCloud() as cloud:
        cloud.fail("keystone", "POST", "/auth/tokens", status=302, headers={"Location": f"{THERE}/"}, times=None)
        auth: dict[str, Any] = cloud.auth("alice")

        with pytest.raises(ServiceUnavailableError, match=r"redirects the login to http://portal\.test,"):
            hyperx_glance.connect(**auth).count()
