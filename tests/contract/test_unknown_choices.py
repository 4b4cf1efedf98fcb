"""Unknown stores, formats and zones in every verb: refused before anything exists, with those that exist."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import pytest

from hyperx_glance import Client, HyperxGlanceError, NewCapture, NewImage, NewIso
from hyperx_glance.vocabulary import DISK_FORMATS, IMAGE_FORMATS
from tests import samples
from tests.support import launches
from tests.support.clouds import unique
from tests.support.registrations import disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.clouds import ClientFactory, CloudUnderTest
    from tests.support.file_server import FileServer

STORES: Final = ("fast", "slow")
NOWHERE: Final[dict[str, Any]] = {"stores": ("nowhere",)}
ODD: Final[dict[str, Any]] = {"disk_format": "qcow3"}
CASES: Final[dict[str, tuple[Callable[[Client, str, str], object], tuple[str, ...]]]] = {
    "a URL, into a store": (lambda c, url, _: c.register(NewImage(name="x", url=url, **NOWHERE)), STORES),
    "an ISO, into a store": (lambda c, url, _: c.register(NewIso(name="x", url=url, **NOWHERE)), STORES),
    "a file, into a store": (
        lambda c, *_: c.register(NewImage(name="x", file=io.BytesIO(samples.data("disk.qcow2")), **NOWHERE)),
        STORES,
    ),
    "a start, into a store": (
        lambda c, url, _: c.start_registration(NewImage(name="x", url=url, stores=("fast", "nowhere"))),
        STORES,
    ),
    "a URL, in a format": (lambda c, url, _: c.register(NewImage(name="x", url=url, **ODD)), IMAGE_FORMATS),
    "a check, of a format": (lambda c, url, _: c.check_url(url, **ODD), DISK_FORMATS),
    "a list, of a format": (lambda c, *_: list(c.images(formats=["qcow3"])), DISK_FORMATS),
    "a capture, in a format": (
        lambda c, _, server: c.capture(server, NewCapture(name="x", **ODD)),
        IMAGE_FORMATS,
    ),
    "a launch, in a zone": (
        lambda c, *_: c.launch(next(c.images()), launches.ask(availability_zone="mars")),
        ("nova",),
    ),
}


@pytest.fixture
def server(cloud: CloudUnderTest, client: ClientFactory) -> Iterator[str]:
    """Launch a server from an image of which there is no other."""
    launch = client().launch(launches.put_image(cloud), launches.ask(name=unique("web")))
    yield launch.servers[0].id
    launches.remove_servers(cloud)


@pytest.mark.parametrize("case", CASES)
def test_an_unknown_choice_is_refused_before_anything_is_created(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer, server: str, case: str
) -> None:
    act, existing = CASES[case]
    sample = "installer.iso" if "ISO" in case else "disk.qcow2"
    url = disk(file_server, sample)
    before = everything(cloud)
    alice = client("alice")

    with pytest.raises(HyperxGlanceError) as caught:
        act(alice, url, server)

    assert caught.value.suggested_status in (404, 422)
    told = str(caught.value)
    assert [name for name in existing if name not in told] == []
    chinese = caught.value.in_language("zh", audience="person")
    assert [name for name in existing if name not in chinese] == []
    assert everything(cloud) == before


def everything(cloud: CloudUnderTest) -> list[str]:
    """Name every image, server and volume, past this library."""
    images = cloud.session("alice").get("/v2/images?limit=1000", endpoint_filter=launches.IMAGES).json()["images"]
    return sorted(each["id"] for each in [*images, *launches.servers(cloud), *launches.volumes(cloud)])
