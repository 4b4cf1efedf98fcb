"""A real service that is down stops only what needs it; networks that servers cannot use are refused before."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import ConflictError, InvalidRequestError, ServiceUnavailableError
from hyperx_glance.waiting.quiet import QUIET_SECONDS
from tests.support.launches import ask
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

pytestmark = pytest.mark.usefixtures("_servers_removed")

NETWORK = {"service_type": "network"}


@contextlib.contextmanager
def down(local_cloud: LocalCloud, service: str) -> Iterator[None]:
    local_cloud.kill(service)
    try:
        yield
    finally:
        local_cloud.restart(service)


def test_without_cinder_images_and_their_servers_come_and_go(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = make_image(local_cloud)
    with down(local_cloud, "cinder"):
        launch = alice.launch(image_id, ask(keep_volumes=True))
        assert [server.id for server in alice.find_launch(launch.launch_id).servers] == [launch.servers[0].id]
        found = alice.servers_using(image_id)
        assert [server.id for server in found.servers] == [launch.servers[0].id]
        assert found.not_looked_at == ("block-storage",)
        assert alice.update(image_id, description="edited").description == "edited"
        launch.cancel()
        deletion = alice.delete(image_id, report_servers=True)
        assert (deletion.servers, deletion.not_looked_at) == ((), ("block-storage",))


def test_without_neutron_and_nova_images_are_deleted(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice")
    first, second = make_image(local_cloud), make_image(local_cloud)
    with down(local_cloud, "neutron"):
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.launch(first, ask())
        assert caught.value.service == "network"
        assert alice.delete(first, report_servers=True).not_looked_at == ()  # there are no servers, of which Nova asks
    with down(local_cloud, "nova"):
        deletion = alice.delete(second, report_servers=True)
        assert (deletion.servers, deletion.not_looked_at) == (None, ("compute",))


def test_nova_says_that_it_does_not_reach_neutron(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = make_image(local_cloud)
    alice.networks()
    with local_cloud.configured("nova", {"neutron": {"endpoint_override": "http://127.0.0.1:9"}}):
        started = time.monotonic()
        with pytest.raises(ServiceUnavailableError, match="no answer from the network service") as caught:
            alice.launch(image_id, ask())
        assert time.monotonic() - started < QUIET_SECONDS
    assert caught.value.left == ()
    assert alice.launches() == []


def test_a_department_without_usable_networks(local_cloud: LocalCloud, client: ClientFactory) -> None:
    admin, alice = local_cloud.session("admin"), client("alice")
    image_id = make_image(local_cloud)
    with contextlib.ExitStack() as restored:
        for network in admin.get("/v2.0/networks", endpoint_filter=NETWORK).json()["networks"]:
            if network["shared"] or network["project_id"] == alice.project_id:
                path = f"/v2.0/networks/{network['id']}"
                hide = {"network": {"shared": False}}
                assert network["project_id"] != alice.project_id, "no test makes such a network and leaves it"
                admin.put(path, json=hide, endpoint_filter=NETWORK)
                restored.callback(admin.put, path, json={"network": {"shared": True}}, endpoint_filter=NETWORK)
        with pytest.raises(InvalidRequestError, match="has no network for servers"):
            alice.launch(image_id, ask())
        body = {"network": {"name": "outside", "router:external": True, "project_id": alice.project_id}}
        external = admin.post("/v2.0/networks", json=body, endpoint_filter=NETWORK).json()["network"]["id"]
        restored.callback(admin.delete, f"/v2.0/networks/{external}", endpoint_filter=NETWORK)
        subnet = {"subnet": {"network_id": external, "ip_version": 4, "cidr": "10.9.0.0/24"}}
        admin.post("/v2.0/subnets", json=subnet, endpoint_filter=NETWORK)
        with pytest.raises(ConflictError, match="The only network, outside, is external"):
            alice.launch(image_id, ask())
    assert alice.launches() == []
