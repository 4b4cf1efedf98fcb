"""Every verb is called as its reference documents it, and says what to pass instead of an object of openstacksdk."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openstack.compute.v2.server import Server as SdkServer
from openstack.image.v2.image import Image as SdkImage

from hyperx_glance import Client, ImageChanges, ImageQuery, InvalidRequestError, NewImage, Settings, UrlPolicy
from hyperx_glance.testing import InMemoryCloud
from tests import samples

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "client.rst"
VERBS = sorted(name for name, _ in inspect.getmembers(Client, inspect.isroutine) if not name.startswith("_"))
URL = "http://files.example/disk.qcow2"
SDK_IMAGE: Any = SdkImage.__new__(SdkImage)  # its constructor warns, and nothing looks inside
SDK_SERVER: Any = SdkServer.__new__(SdkServer)


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> Client:
    settings = Settings(url_policy=UrlPolicy(preflight=False))
    return Client.from_session(cloud.session("alice"), settings=settings)


def documented(verb: str) -> set[str]:
    """Return the parameters that the reference or the docstring of a verb describes."""
    directive = rf"^\.\. automethod:: hyperx_glance\.Client\.{verb}\n(.*?)(?=^\S|\Z)"
    section = re.search(directive, REFERENCE.read_text(), re.MULTILINE | re.DOTALL)
    text = (section[1] if section else "") + (inspect.getdoc(getattr(Client, verb)) or "")
    return set(re.findall(r":param (\w+):", text))


@pytest.mark.parametrize("verb", VERBS)
def test_every_documented_parameter_is_accepted_by_keyword(verb: str) -> None:
    parameters = inspect.signature(getattr(Client, verb)).parameters

    assert documented(verb) == {*parameters} - {"self"}
    assert not [each.name for each in parameters.values() if each.kind is inspect.Parameter.POSITIONAL_ONLY]


def test_the_first_argument_of_a_verb_is_accepted_by_keyword(cloud: InMemoryCloud, client: Client) -> None:
    cloud.glance.downloads[URL] = samples.data("disk.qcow2")

    started = client.start_registration(new=NewImage(name="debian", url=URL, disk_format="qcow2"))

    image = client.image(name_or_id=started.image_id)
    assert client.update(image=image, changes=ImageChanges(description="stable")).description == "stable"
    assert list(client.images(query=ImageQuery(tags=["none"]))) == []
    assert client.quota(department="dept-a").department


SDK_IMAGE_NAMED = "not openstacksdk's openstack.image.v2.image.Image"
SDK_SERVER_NAMED = "not openstacksdk's openstack.compute.v2.server.Server"


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (
            lambda client: client.enable(SDK_IMAGE),
            f"image: must be an Image or its id, {SDK_IMAGE_NAMED}; pass its id",
        ),
        (
            lambda client: client.allowed(SDK_IMAGE),
            f"image: must be an instance of Image, {SDK_IMAGE_NAMED}; read the image with client.image(its id)",
        ),
        (
            lambda client: client.reset_password(SDK_SERVER),
            f"server_id: must be a string, {SDK_SERVER_NAMED}; pass its id",
        ),
        (
            lambda client: client.register(SDK_IMAGE),
            f"new: must be an instance of NewImage or NewIso, {SDK_IMAGE_NAMED}",
        ),
    ],
)
def test_an_object_of_openstacksdk_is_refused_with_what_to_pass(
    cloud: InMemoryCloud, client: Client, ask: Callable[[Client], object], told: str
) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{re.escape(told)}$"):
        ask(client)
    assert cloud.requests == []
