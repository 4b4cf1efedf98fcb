"""A served cloud under another host and port than its own: through a relay, in memory and on real services."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Any, TypeAlias

import openstack
import pytest
import requests
import yaml

from hyperx_glance import Client, LaunchRequest, NewImage
from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.exposure import Exposure
from hyperx_glance.testing.local.front import Front
from hyperx_glance.testing.memory.serving import Server
from tests import samples
from tests.support import launches
from tests.support.clouds import HASTY, PATIENT, image_ids, remove_images, unique
from tests.support.needs import declare
from tests.support.relay import HOST, Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    Served: TypeAlias = Server | Front
    Serve: TypeAlias = Callable[[Exposure], AbstractContextManager[Served]]

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack")  # of itself

AUTO = Exposure(public_url="auto", allowed_hosts=(HOST,))


@pytest.fixture(params=["memory", pytest.param("local", marks=pytest.mark.local)])
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Return what serves a cloud with an exposure; what a test leaves in the real one is removed."""
    if request.param == "memory":
        yield lambda exposure: Server(exposure=exposure)
        return
    local: LocalCloud = request.getfixturevalue("local_cloud")
    declare(request, local)
    before = image_ids(local)
    yield lambda exposure: Front(local, exposure=exposure)
    launches.remove_servers(local)
    remove_images(local, image_ids(local) - before)


def prefix(served: Served) -> str:
    """Return what the paths of the services begin with."""
    return "/cloud" if isinstance(served, Server) else ""


def connect(served: Served, origin: str, user: str = "alice") -> Any:  # noqa: ANN401 - openstacksdk has no types
    """Log in with the ``clouds.yaml``, but where the relay is."""
    entry = yaml.safe_load(served.clouds_yaml())["clouds"][user]
    entry["auth"]["auth_url"] = entry["auth"]["auth_url"].replace(served.told_url, origin)
    return openstack.connect(load_envvars=False, load_yaml_config=False, **entry)


def raw(connection: Any, path: str, **headers: str) -> requests.Response:  # noqa: ANN401 - openstacksdk has no types
    """Send a request with a token, and follow nothing."""
    token = connection.session.get_token()
    origin = origin_of(connection.auth["auth_url"])
    return requests.get(
        f"{origin}{path}",
        headers={"X-Auth-Token": token, **headers},
        timeout=30,
        allow_redirects=False,
        verify=connection.session.verify,
    )


def origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])


def urls_in(value: object) -> set[str]:
    """Return each text of a JSON document that is a URL."""
    match value:
        case dict():
            return set().union(*map(urls_in, value.values())) if value else set()
        case list():
            return set().union(*map(urls_in, value)) if value else set()
        case str() if value.startswith("http"):
            return {value}
        case _:
            return set()


def origins_in(response: requests.Response) -> set[str]:
    """Return the scheme and host of each URL in an answer and its headers."""
    texts = {value for name, value in response.headers.items() if name == "Location"}
    found = texts | (urls_in(response.json()) if "json" in response.headers.get("Content-Type", "") else set())
    return {origin_of(url) for url in found if "docs.openstack.org" not in url}


def port_of(served: Served) -> int:
    return int(served.url.rpartition(":")[2])


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_images_and_servers_through_another_host_and_port(serve: Serve, tmp_path: Path, *, is_encrypted: bool) -> None:
    ca_file = tmp_path / "ca.pem" if is_encrypted else None
    exposure = Exposure(public_url="auto", allowed_hosts=(HOST,), ca_file=ca_file)
    with serve(exposure) as served, Relay(port_of(served)) as relay:
        origin = f"{'https' if is_encrypted else 'http'}://{relay.place}"
        cloud = connect(served, origin)
        settings = HASTY if isinstance(served, Server) else PATIENT
        alice = Client.from_session(cloud.session, region_name="RegionOne", settings=settings)
        name = unique("disk")

        made = cloud.image.create_image(
            name=name, disk_format="raw", container_format="bare", data=b"data" * 1000, wait=True
        )
        assert cloud.image.download_image(made.id).content == b"data" * 1000
        file = tmp_path / "disk.qcow2"
        file.write_bytes(samples.data("disk.qcow2"))
        image = alice.register(NewImage(name=f"{name} 2", file=file))
        launch = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny"))
        assert [server.status for server in launch.servers] == ["ACTIVE"]
        assert [each.name for each in cloud.network.networks(name="net1")] == ["net1"]
        assert list(cloud.block_storage.volumes()) == []
        assert {name, f"{name} 2"} <= {each.name for each in cloud.image.images(limit=1)}

        catalogue = cloud.session.auth.get_access(cloud.session).service_catalog.catalog
        assert {origin_of(url) for url in urls_in(catalogue)} == {origin}


def test_links_and_places_lead_back_through_the_relay(serve: Serve) -> None:
    with serve(AUTO) as served, Relay(port_of(served)) as relay:
        origin = f"http://{relay.place}"
        cloud, root = connect(served, origin), prefix(served)
        image = cloud.image.create_image(name="a", disk_format="raw", container_format="bare", data=b"a", wait=True)
        for number in range(3):
            cloud.network.create_security_group(name=f"group {number}")
        try:
            servers = [
                cloud.compute.create_server(
                    name=f"web {number}", image_id=image.id, flavor_id=flavor.id, networks="none"
                )
                for number, flavor in enumerate([next(iter(cloud.compute.flavors()))] * 2)
            ]
            paged = raw(cloud, f"{root}/compute/v2.1/servers?limit=1")
            assert origins_in(paged) == {origin}
            rest = paged.json()["servers_links"][0]["href"].removeprefix(origin)
            assert origins_in(raw(cloud, rest)) == {origin}
            # Neutron in memory has pages only if its setting max_limit is set.
            of_neutron = [] if isinstance(served, Server) else ["/network/v2.0/security-groups?limit=1"]
            for path in (
                *of_neutron,
                "/identity/",
                "/identity/v3",
                "/identity/v3/auth/projects",
                "/image/",
                "/image/versions",
                f"/compute/v2.1/servers/{servers[0].id}",
                "/compute/",
                "/network/",
                "/volume/",
            ):
                assert origins_in(raw(cloud, root + path)) == {origin}, path
            made = requests.post(
                f"{origin}{root}/image/v2/images",
                json={"name": "b"},
                headers={"X-Auth-Token": cloud.session.get_token()},
                timeout=30,
            )
            assert made.headers["Location"].startswith(f"{origin}{root}/image/v2/images/")
        finally:
            for group in cloud.network.security_groups():
                if group.name.startswith("group "):
                    cloud.network.delete_security_group(group)


def test_a_fixed_public_url_is_in_every_answer(serve: Serve) -> None:
    with serve(Exposure(public_url="http://cloud.example:5000")) as served:
        assert served.told_url == "http://cloud.example:5000"
        assert "http://cloud.example:5000/" in served.clouds_yaml()
        for host in "127.0.0.1", "cloud.example:1":
            found = requests.get(f"{served.url}{prefix(served)}/identity/v3", headers={"Host": host}, timeout=30)
            assert origins_in(found) == {"http://cloud.example:5000"}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "page.example"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Prefix": "/page", "X-Forwarded-Server": "page.example", "X-Forwarded-Port": "1"},
        {"Forwarded": "host=page.example;proto=https"},
        {"X-Original-Host": "page.example", "X-Rewrite-Url": "http://page.example/"},
    ],
)
def test_forged_headers_of_a_proxy_change_nothing(serve: Serve, headers: dict[str, str]) -> None:
    with serve(AUTO) as served:
        for path in "/identity/", "/image/", "/compute/", "/network/", "/volume/":
            found = requests.get(f"{served.url}{prefix(served)}{path}", headers=headers, timeout=30)
            assert origins_in(found) == {served.url}


def test_a_trusted_proxy_says_the_scheme_and_nothing_else(serve: Serve) -> None:
    exposure = Exposure(public_url="auto", allowed_hosts=("cloud.example",), trust_forwarded_proto=True)
    with serve(exposure) as served:
        for told, scheme in {"https": "https", "HTTP": "http", "gopher": "http", "https, http": "http"}.items():
            headers = {"Host": "cloud.example", "X-Forwarded-Proto": told, "X-Forwarded-Host": "page.example"}
            found = requests.get(f"{served.url}{prefix(served)}/identity/v3", headers=headers, timeout=30)
            assert origins_in(found) == {f"{scheme}://cloud.example"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "page.example"},
        {"Host": "cloud.example.page.example"},
        {"Host": "127.0.0.3"},
        {"Host": "cloud.example@page.example"},
        {"Origin": "http://page.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_hosts_and_web_pages_reach_nothing(serve: Serve, headers: dict[str, str]) -> None:
    with serve(Exposure(public_url="auto", allowed_hosts=("cloud.example",))) as served:
        found = requests.get(f"{served.url}{prefix(served)}/identity/v3", headers=headers, timeout=30)

    assert found.status_code == 403
    assert set(found.json()) == {"error"}


def test_plain_http_to_an_encrypted_cloud_gets_one_sentence(serve: Serve, tmp_path: Path) -> None:
    with serve(Exposure(ca_file=tmp_path / "ca.pem")) as served:
        found = requests.get(served.url.replace("https:", "http:"), timeout=30)
        assert (found.status_code, found.text) == (400, "This server answers by https only, not by http.")
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(served.url, timeout=30)
        trusting = requests.get(
            f"{served.url}{prefix(served)}/identity/v3", verify=str(tmp_path / "ca.pem"), timeout=30
        )
        assert origins_in(trusting) == {served.url}


def test_clients_that_never_shake_hands_hold_up_nobody(serve: Serve, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    with serve(Exposure(ca_file=ca_file)) as served:
        silent = [http.client.HTTPConnection("127.0.0.1", port_of(served)) for _ in range(8)]
        for each in silent:
            each.connect()
        assert requests.get(f"{served.url}{prefix(served)}/identity/v3", verify=str(ca_file), timeout=5).ok
        for each in silent:
            each.close()


def test_the_key_of_the_certificate_is_nowhere_on_the_disk(serve: Serve, tmp_path: Path) -> None:
    with serve(Exposure(ca_file=tmp_path / "ca.pem")):
        assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
        assert "PRIVATE" not in (tmp_path / "ca.pem").read_text()
        assert ssl.create_default_context(cafile=str(tmp_path / "ca.pem")).cert_store_stats()["x509_ca"] == 1
