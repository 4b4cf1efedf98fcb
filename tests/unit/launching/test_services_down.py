"""A service that is down or absent stops only launches that need it; unusable networks are refused before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import ConflictError, InvalidRequestError, ServiceUnavailableError
from hyperx_glance.testing.memory import Reply
from tests.support.clouds import ClientFactory, sent
from tests.support.launches import ask
from tests.support.readers import assert_told
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import Recorded

UNEXPECTED = "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/.\n<class '{}'>"
NEUTRON_FAILED = UNEXPECTED.format("neutronclient.common.exceptions.ConnectionFailed")
NEUTRON_UNREACHABLE = UNEXPECTED.format("keystoneauth1.exceptions.connection.ConnectFailure")
NO_NEUTRON = UNEXPECTED.format("keystoneauth1.exceptions.catalog.EndpointNotFound")


@pytest.mark.parametrize("keep_volumes", [False, True])
def test_launches_without_volumes_never_ask_cinder(
    cloud: InMemoryCloud, client: ClientFactory, *, keep_volumes: bool
) -> None:
    image_id = make_image(cloud)
    cloud.kill("cinder")
    launch = client().launch(image_id, ask(count=2, keep_volumes=keep_volumes))
    assert len(client().launches()) == 1
    found = client().find_launch(launch.launch_id)
    found.cancel()
    assert cloud.nova.servers == {}
    launch.cancel()


def test_an_end_that_needs_cinder_names_the_launch(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    launch = client().launch(image_id, ask(boot_volume_gib=1, keep_volumes=True))
    cloud.kill("cinder")
    for verb in (launch.cancel, lambda: client().find_launch(launch.launch_id).cancel()):
        with pytest.raises(ServiceUnavailableError) as caught:
            verb()
        assert caught.value.launch_id == launch.launch_id
    cloud.restart("cinder")
    launch.cancel()
    assert cloud.cinder.volumes == {}


def test_a_launch_with_volumes_is_refused_before_anything_exists(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.kill("cinder")
    with pytest.raises(ServiceUnavailableError) as caught:
        client().launch(image_id, ask(boot_volume_gib=1))
    assert caught.value.service == "block-storage"
    assert sent(cloud, "POST", "/servers") == []


# ----------------------------------------------------------------- networks


def test_without_neutron_nothing_is_launched_in_a_network(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.kill("neutron")
    with pytest.raises(ServiceUnavailableError) as caught:
        client().launch(image_id, ask())
    assert caught.value.service == "network"
    assert sent(cloud, "POST", "/servers") == []


def test_a_launch_that_nova_cannot_show_without_neutron_is_named(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Nova makes servers without a network, but asks Neutron for the groups of each that it shows."""
    image_id = make_image(cloud)
    cloud.kill("neutron")
    with pytest.raises(ServiceUnavailableError, match="gets no answer from the network service") as caught:
        client().launch(image_id, ask(networks="none"))
    assert_told(caught.value)
    cloud.restart("neutron")
    assert len(client().find_launch(str(caught.value.launch_id)).servers) == 1


@pytest.mark.parametrize("said", [NEUTRON_FAILED, NEUTRON_UNREACHABLE, NO_NEUTRON])
def test_nova_without_neutron_is_no_lost_answer(cloud: InMemoryCloud, client: ClientFactory, said: str) -> None:
    image_id = make_image(cloud)
    cloud.neutron.present = said != NO_NEUTRON
    cloud.fail("nova", "POST", "/servers$", status=500, body=said)
    with pytest.raises(ServiceUnavailableError, match="gets no answer from the network service") as caught:
        client().launch(image_id, ask())
    assert caught.value.launch_id is None
    assert caught.value.left == ()
    assert len(sent(cloud, "GET", "/servers/detail")) == 1, "one look, no search"


def test_servers_that_exist_are_followed_whatever_nova_says(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)

    def done_but_failed(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if (request.method, request.path.endswith("/servers")) == ("POST", True):
            return Reply(500, json.dumps({"computeFault": {"message": NEUTRON_FAILED}}).encode(), reply.headers)
        return reply

    cloud.intercept(done_but_failed)
    assert len(client().launch(image_id, ask(count=2)).servers) == 2


def test_a_department_without_a_network_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.neutron.networks.clear()
    with pytest.raises(InvalidRequestError, match="Department dept-a has no network for servers") as caught:
        client().launch(image_id, ask())
    assert "Create a network" in str(caught.value.hint)
    assert cloud.nova.servers == {}


def test_an_only_network_without_a_subnet_is_refused_before(cloud: InMemoryCloud, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    cloud.neutron.networks.clear()
    bare = cloud.neutron.add_network("bare", project_id=cloud.departments["dept-a"], subnets=0)
    with pytest.raises(ConflictError, match="The only network, bare, has no subnet"):
        client().launch(image_id, ask())
    assert sent(cloud, "POST", "/servers") == []
    cloud.neutron.networks[bare]["port_security_enabled"] = False
    assert client().launch(image_id, ask()).servers


@pytest.mark.parametrize("most", [None, 1])
def test_an_only_network_that_is_external_is_refused_before(
    cloud: InMemoryCloud, client: ClientFactory, most: int | None
) -> None:
    image_id = make_image(cloud)
    cloud.neutron.networks.clear()
    cloud.neutron.add_network("public", external=True, project_id=cloud.departments["dept-b"])
    cloud.neutron.add_network("outside", external=True, project_id=cloud.departments["dept-a"])
    cloud.neutron.max_limit = most
    with pytest.raises(ConflictError, match="The only network, outside, is external"):
        client().launch(image_id, ask())
    assert sent(cloud, "POST", "/servers") == []
    cloud.neutron.add_network("inside", project_id=cloud.departments["dept-a"])
    with pytest.raises(ConflictError, match="Multiple possible networks"):
        client().launch(image_id, ask())
    assert client().launch(image_id, ask(networks=("inside",))).servers
