"""The in-memory cloud serves files, and nothing leaves the process."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

import hyperx_glance
from hyperx_glance import NewImage, RegistrationFailedError, UrlProblem, UrlRejectedError
from hyperx_glance.sources.network import SYSTEM, default
from hyperx_glance.testing import InMemoryCloud
from tests import samples

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.support.file_server import FileServer

URL = "https://files.example.org/disk.qcow2?v=1"
DISK = samples.data("disk.qcow2")


@pytest.fixture(autouse=True)
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail every lookup of a name, and every connection beyond loopback."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(connected: socket.socket, address: object) -> None:
        assert isinstance(address, str) or str(address[0]) == "127.0.0.1", address  # type: ignore[index]
        connect(connected, address)  # type: ignore[arg-type]

    def look_up_here(host: str, *rest: object, **options: object) -> object:
        assert host in ("127.0.0.1", "localhost"), host
        return look_up(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


def test_the_fixtures_client_registers(hyperx_cloud: InMemoryCloud, hyperx_client: Client) -> None:
    hyperx_cloud.glance.downloads[URL] = DISK

    image = hyperx_client.register(NewImage(name="a", url=URL))

    assert (image.state, image.disk_format, image.size) == ("ACTIVE", "qcow2", len(DISK))
    assert hyperx_client.check_url(URL).size == len(DISK)


def test_a_url_that_redirects_nowhere_planned_is_not_found(hyperx_cloud: InMemoryCloud, hyperx_client: Client) -> None:
    hyperx_cloud.glance.downloads.update({URL: 404, "http://a.example/x": ValueError("hangs up")})
    for url, reason in (
        (URL, UrlProblem.HTTP_STATUS),
        ("https://files.example.org/another", UrlProblem.HTTP_STATUS),
        ("http://a.example/x", UrlProblem.REFUSED),
        ("http://elsewhere.example/disk.qcow2", UrlProblem.NAME_NOT_FOUND),
        ("http://203.0.113.9/disk.qcow2", UrlProblem.REFUSED),
        ("http://169.254.169.254/", UrlProblem.DENIED_ADDRESS),
    ):
        with pytest.raises(UrlRejectedError) as caught:
            hyperx_client.register(NewImage(name="a", url=url))
        assert caught.value.reason is reason

    assert hyperx_cloud.glance.images == {}


@pytest.mark.parametrize("transfer", ["import", "stream", "auto"])
def test_each_transfer_finds_the_file(transfer: str) -> None:
    cloud = InMemoryCloud()
    url = "http://例え.example:8080/镜像.qcow2"
    cloud.glance.downloads[url] = lambda: DISK
    cloud.glance.downloads["http://xn--r8jz45g.example:8080/%E9%95%9C%E5%83%8F.qcow2"] = DISK  # as Glance is asked
    settings = hyperx_glance.Settings(transfer=transfer, network=cloud.network)  # type: ignore[arg-type]
    with hyperx_glance.Client.from_session(cloud.session("alice"), settings=settings) as alice:
        assert alice.register(NewImage(name="a", url=url)).size == len(DISK)


def test_within_the_cloud_everybody_has_its_files() -> None:
    with InMemoryCloud() as cloud:
        cloud.glance.downloads[URL] = DISK
        with hyperx_glance.connect(**cloud.auth("alice")) as alice:  # type: ignore[arg-type]  # keywords of a login
            assert alice.register(NewImage(name="a", url=URL)).state == "ACTIVE"

    assert default() is SYSTEM


def test_glance_reaches_loopback_only(hyperx_cloud: InMemoryCloud, file_server: FileServer) -> None:
    policy = hyperx_glance.UrlPolicy(preflight=False, trusted_hosts=("127.0.0.1",))
    pace = hyperx_glance.Pace(first_interval=0, longest_interval=0)
    settings = hyperx_glance.Settings(url_policy=policy, network=hyperx_cloud.network, pace=pace, transfer="import")
    moved = file_server.redirect("/a", "http://203.0.113.9/b")
    with hyperx_glance.Client.from_session(hyperx_cloud.session("alice"), settings=settings) as alice:
        for url in (moved, "http://203.0.113.9/a", "http://elsewhere.example/a"):
            with pytest.raises(RegistrationFailedError):
                alice.register(NewImage(name="a", url=url, disk_format="qcow2"))
        good = file_server.serve("/disk.qcow2", DISK)
        assert alice.register(NewImage(name="a", url=good, disk_format="qcow2")).state == "ACTIVE"


@pytest.mark.parametrize(
    ("url", "content", "said"),
    [
        ("files.example/disk.raw", b"", "must begin with http:// or https://, not 'files.example/disk.raw'"),
        ("http:///disk.raw", b"", "must begin with http:// or https://"),
        (URL, "text", "must be bytes, an HTTP status, an exception, or a function that returns bytes, not str"),
    ],
)
def test_a_file_that_no_server_could_have_is_refused(
    hyperx_cloud: InMemoryCloud, url: str, content: object, said: str
) -> None:
    with pytest.raises(hyperx_glance.InvalidRequestError, match=said):
        hyperx_cloud.glance.downloads[url] = content  # type: ignore[assignment]  # what it is about
    with pytest.raises(hyperx_glance.InvalidRequestError, match=said):
        hyperx_cloud.glance.downloads |= {url: content}  # type: ignore[dict-item]  # what it is about


def test_clients_find_the_files_of_another_mapping(hyperx_cloud: InMemoryCloud, hyperx_client: Client) -> None:
    hyperx_cloud.glance.downloads = {URL: DISK}

    assert hyperx_client.check_url(URL).size == len(DISK)
