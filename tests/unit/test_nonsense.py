"""A verb raises an error of this library if anything else stands in place of a service."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Client,
    HyperxGlanceError,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    NewImage,
    Pace,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import Reply
from tests import samples
from tests.support.clouds import HASTY, ClientFactory, Clock
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory import Recorded, ServiceName
    from tests.support.file_server import FileServer

SERVICES: tuple[ServiceName, ...] = ("glance", "nova", "cinder", "neutron")
PAGE = b"<html><body><h1>Welcome</h1>Please log in.</body></html>"
PLANTED = "pl4nted"
READING: dict[str, Callable[[Client, str], object]] = {
    "images": lambda client, _: list(client.images()),
    "image": lambda client, image: client.image(image),
    "count": lambda client, _: client.count(search="x"),
    "summary": lambda client, _: client.summary(),
    "tags": lambda client, _: client.tags(),
    "owner_name": lambda client, image: client.owner_name(image),
    "unfinished_registrations": lambda client, _: list(client.unfinished_registrations()),
    "resume_registration": lambda client, image: client.resume_registration(image).wait(),
    "update": lambda client, image: client.update(image, name="other"),
    "servers_using": lambda client, image: client.servers_using(image),
    "flavors": lambda client, image: client.flavors(image),
    "networks": lambda client, _: client.networks(),
    "key_pairs": lambda client, _: client.key_pairs(),
    "availability_zones": lambda client, _: client.availability_zones(),
    "launch": lambda client, image: client.launch(image, LaunchRequest(name="web", flavor="m1.tiny")),
    "find_launch": lambda client, _: client.find_launch("lost-launch"),
    "capture": lambda client, _: client.capture("7c1", NewCapture(name="web")),
    "find_capture": lambda client, _: client.find_capture("lost-capture"),
    "quota": lambda client, _: client.quota(),
    "set_quota": lambda client, _: client.set_quota("dept-a", images=5, cores=None),
    "quota of another": lambda client, _: client.quota("dept-b"),
    "install_metadefs": lambda client, _: client.install_metadefs(),
    "leave": lambda client, _: client.leave(),
}
WRITING: dict[str, tuple[str, Callable[[Client, str], object]]] = {
    "update": ("PATCH", lambda client, image: client.update(image, name="other")),
    "disable": ("POST", lambda client, image: client.disable(image)),
    "delete": ("DELETE", lambda client, image: client.delete(image)),
    "reset_password": ("POST", lambda client, _: client.reset_password("7c1")),
    "set_quota": ("PUT", lambda client, _: client.set_quota("dept-a", cores=5)),
    "install_metadefs": ("POST", lambda client, _: client.install_metadefs()),
}


def stand_in(cloud: InMemoryCloud, method: str, body: bytes, content_type: str) -> None:
    """Answer every such request to these services with 200 and this body."""

    def answer(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        meant = request.service in SERVICES and request.method == method
        return Reply(200, body, {"Content-Type": content_type}) if meant else handle()

    cloud.intercept(answer)


@pytest.fixture
def admin(cloud: InMemoryCloud) -> Client:
    return ClientFactory(cloud, HASTY)("admin")


@pytest.mark.parametrize("verb", READING)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(PAGE, "text/html; charset=utf-8", id="a page"),
        pytest.param(b"", "text/html", id="nothing"),
        pytest.param(b'{"images": [', "application/json", id="half a document"),
        pytest.param(b"[]", "application/json", id="a list"),
        pytest.param(b"{}", "application/json", id="an empty object"),
        pytest.param(b"\xff\xfe", "application/json", id="bytes"),
    ],
)
def test_nonsense_is_a_service_out_of_order(
    cloud: InMemoryCloud, admin: Client, verb: str, body: bytes, content_type: str
) -> None:
    image = make_image(cloud, "admin")
    stand_in(cloud, "GET", body, content_type)

    with pytest.raises(HyperxGlanceError) as caught:
        READING[verb](admin, image)

    assert "Please log in" not in str(caught.value)
    # A namespace that says nothing is changed, and then Glance says that there is none.
    assert isinstance(caught.value, ServiceUnavailableError) or verb == "install_metadefs"


def test_a_number_is_no_list_of_images(cloud: InMemoryCloud, admin: Client) -> None:
    cloud.fail("glance", "GET", "", status=200, body={"images": 5}, times=None)

    with pytest.raises(ServiceUnavailableError):
        list(admin.images())


@pytest.mark.parametrize("verb", WRITING)
def test_a_portal_that_answers_for_a_service_is_no_success(cloud: InMemoryCloud, admin: Client, verb: str) -> None:
    image = make_image(cloud, "admin")
    method, call = WRITING[verb]
    stand_in(cloud, method, PAGE, "text/html")

    with pytest.raises(ServiceUnavailableError, match="sent an HTML page"):
        call(admin, image)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_way_to_somewhere_else_is_no_success(cloud: InMemoryCloud, admin: Client, status: int) -> None:
    image = make_image(cloud, "admin")
    cloud.fail("glance", "DELETE", "", status=status, body=b"", times=None)

    with pytest.raises(ServiceUnavailableError):
        admin.delete(image)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nonsense_while_registering_keeps_the_id(
    cloud: InMemoryCloud, admin: Client, file_server: FileServer, method: str
) -> None:
    url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
    cloud.fail("glance", method, "/images/", status=200, body=PAGE, times=None)

    with pytest.raises(ServiceUnavailableError) as caught:
        admin.register(NewImage(name="debian", url=url))

    assert caught.value.image_id


@pytest.mark.parametrize(
    "verb",
    [
        lambda client, text: client.image(text),
        lambda client, text: client.update(text, name="other"),
        lambda client, text: client.delete(text),
        lambda client, text: client.owner_name(text),
        lambda client, text: client.quota(text),
        lambda client, text: client.reset_password(text),
        lambda client, text: client.find_launch(text),
        lambda client, text: client.capture(text, NewCapture(name="web")),
        lambda client, text: client.find_capture(text),
        lambda client, text: client.reset_password("7c1", text),
    ],
)
@pytest.mark.parametrize("text", ["half \ud83d", "a\x00b", "..", "a/b", "镜像", ""])
def test_a_strange_reference_is_told_plainly(
    client: ClientFactory, verb: Callable[[Client, str], object], text: str
) -> None:
    clock = Clock(tick=1)
    with pytest.raises(HyperxGlanceError):
        verb(client("admin", pace=Pace(sleep=clock.sleep, clock=clock)), text)


def test_a_login_that_keystone_quotes_is_not_repeated(cloud: InMemoryCloud) -> None:
    """keystone/common/validation/validators.py puts what it does not understand into its message."""
    cloud.keystone.add_user("carol", "dept-a", role="member", password=PLANTED)
    cloud.fail("keystone", "POST", "/auth/tokens", status=400, body=f"{{'password': '{PLANTED}'}} is not valid")

    with pytest.raises(ServiceUnavailableError, match="does not understand the login") as caught:
        ClientFactory(cloud, HASTY)("carol").count()

    assert caught.value.status == 400
    assert PLANTED not in "".join(traceback.format_exception(caught.value))


def test_a_password_that_nova_quotes_is_not_repeated(cloud: InMemoryCloud, admin: Client) -> None:
    quoting = f"Invalid input for field/attribute adminPass. Value: {PLANTED}. '{PLANTED}' is too long"
    cloud.fail("nova", "POST", "/action$", status=400, body=quoting)

    with pytest.raises(InvalidRequestError, match="Invalid input for field/attribute adminPass") as caught:
        admin.reset_password("7c1", PLANTED)

    assert PLANTED not in "".join(traceback.format_exception(caught.value))
