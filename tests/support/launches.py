"""What the tests of launching share: images with data, and a look past this library at what exists."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hyperx_glance import HyperxGlanceError, LaunchRequest, NotAllowedError, ServiceUnavailableError
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import sent, unique
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.clouds import CloudUnderTest

COMPUTE = {"service_type": "compute"}
VOLUMES = {"service_type": "block-storage"}
IMAGES = {"service_type": "image"}
NETWORKS = {"service_type": "network"}
NEWEST = "2.96"
SMALL = "m1.tiny"
REFUSALS = [
    (500, ServiceUnavailableError),
    (401, HyperxGlanceError),
    (403, NotAllowedError),
    (404, ServiceUnavailableError),
]
"""What becomes of a list's answer; one that is not found says nothing about what is looked for in it."""


def ask(**fields: object) -> LaunchRequest:
    """Ask for one server called "web", unless ``fields`` say otherwise."""
    return LaunchRequest.model_validate({"name": "web", "flavor": SMALL, **fields})


def put_image(
    cloud: CloudUnderTest,
    sample: str = "disk.qcow2",
    record: Mapping[str, object] | None = None,
    *,
    user: str = "alice",
) -> str:
    """Put a sample image into Glance, past this library, and return its id."""
    session = cloud.session(user)
    body = {
        "name": unique(sample),
        "disk_format": samples.DISK_FORMATS[sample],
        "container_format": "bare",
        "visibility": "private",
        **(record or {}),
    }
    image_id: str = session.post("/v2/images", json=body, endpoint_filter=IMAGES).json()["id"]
    session.put(
        f"/v2/images/{image_id}/file",
        data=samples.data(sample),
        headers={"Content-Type": "application/octet-stream"},
        endpoint_filter=IMAGES,
    )
    return image_id


def put_password_image(cloud: CloudUnderTest, record: Mapping[str, object] | None = None) -> str:
    """Put a password-enabled image, as this library registers it."""
    properties = {"hyperx_password_enabled": "true", "hw_qemu_guest_agent": "yes", "os_admin_user": "debian"}
    return put_image(cloud, "disk.qcow2", {**properties, **(record or {})})


def servers(cloud: CloudUnderTest, user: str = "alice", **filters: str) -> list[Mapping[str, Any]]:
    """List servers of a user's department, all fields that the newest Nova shows."""
    answer = cloud.session(user).get("/servers/detail", params=filters, endpoint_filter=COMPUTE, microversion=NEWEST)
    found: list[Mapping[str, Any]] = answer.json()["servers"]
    return found


def act(cloud: CloudUnderTest, server_id: str, body: Mapping[str, object], user: str = "alice") -> None:
    """Send an action of Nova, past this library."""
    path = f"/servers/{server_id}/action"
    cloud.session(user).post(path, json=body, endpoint_filter=COMPUTE, microversion=NEWEST)


def status(cloud: CloudUnderTest, server_id: str) -> str:
    """Return Nova's word for the state of one of alice's servers."""
    answer = cloud.session("alice").get(f"/servers/{server_id}", endpoint_filter=COMPUTE)
    return str(answer.json()["server"]["status"])


def stop(cloud: CloudUnderTest, server_id: str) -> None:
    """Stop one of alice's servers, and wait until it has stopped."""
    act(cloud, server_id, {"os-stop": None})
    until(lambda: status(cloud, server_id) == "SHUTOFF")


def boot(cloud: CloudUnderTest, name: str, image_id: str) -> str:
    """Make a server for alice past this library, as a dashboard does, and return its id when it is ACTIVE."""
    session = cloud.session("alice")
    flavors = session.get("/flavors", endpoint_filter=COMPUTE).json()["flavors"]
    (flavor,) = [each["id"] for each in flavors if each["name"] == SMALL]
    body = {"server": {"name": name, "imageRef": image_id, "flavorRef": flavor, "networks": "none"}}
    answer = session.post("/servers", json=body, endpoint_filter=COMPUTE, microversion=NEWEST)
    server_id = str(answer.json()["server"]["id"])
    until(lambda: status(cloud, server_id) == "ACTIVE")
    return server_id


def nothing_was_created(cloud: InMemoryCloud) -> bool:
    """Check that no server and no volume was created."""
    return not cloud.nova.servers and not cloud.cinder.volumes and not sent(cloud, "POST", "/servers")


def tagged(cloud: CloudUnderTest, launch_id: str, user: str = "alice") -> list[Mapping[str, Any]]:
    """List the servers of a launch."""
    return servers(cloud, user, tags=f"hyperx-launch:{launch_id}")


def volumes(cloud: CloudUnderTest, user: str = "alice") -> list[Mapping[str, Any]]:
    """List the volumes of a user's department."""
    answer = cloud.session(user).get("/volumes/detail", endpoint_filter=VOLUMES)
    found: list[Mapping[str, Any]] = answer.json()["volumes"]
    return found


def remove_servers(cloud: CloudUnderTest, user: str = "alice") -> None:
    """Delete all servers and volumes that a test has left in a department."""
    session = cloud.session(user)
    for server in servers(cloud, user):
        session.delete(f"/servers/{server['id']}", endpoint_filter=COMPUTE, raise_exc=False)
    end = time.monotonic() + 60
    while servers(cloud, user) and time.monotonic() < end:
        time.sleep(0.2)
    while (left := volumes(cloud, user)) and time.monotonic() < end:
        for volume in left:
            session.delete(f"/volumes/{volume['id']}", endpoint_filter=VOLUMES, raise_exc=False)
        time.sleep(0.2)
    assert not servers(cloud, user)
    assert not volumes(cloud, user)


@contextmanager
def flavors(cloud: CloudUnderTest, wanted: Sequence[Mapping[str, object]]) -> Iterator[None]:
    """Add flavors, for a while."""
    if isinstance(cloud, InMemoryCloud):
        for flavor in wanted:
            cloud.nova.add_flavor(**flavor)  # type: ignore[arg-type]  # as given
        yield
        return
    session = cloud.session("admin")
    made = [session.post("/flavors", json={"flavor": flavor}, endpoint_filter=COMPUTE).json() for flavor in wanted]
    yield
    for each in made:
        session.delete(f"/flavors/{each['flavor']['id']}", endpoint_filter=COMPUTE)


@contextmanager
def networks(cloud: CloudUnderTest) -> Iterator[list[str]]:
    """Add networks of every visible kind, for a while; yield their names."""
    names = {kind: unique(kind) for kind in ("own", "bare", "outside")}
    own = str(cloud.session("alice").get_project_id())
    if isinstance(cloud, InMemoryCloud):
        cloud.neutron.add_network(names["own"], project_id=own)
        cloud.neutron.add_network(names["bare"], project_id=own, subnets=0)
        cloud.neutron.add_network(names["outside"], external=True)
        yield list(names.values())
        return
    session = cloud.session("admin")
    records = [
        {"name": names["own"], "project_id": own},
        {"name": names["bare"], "project_id": own},
        {"name": names["outside"], "router:external": True},
    ]
    made = [
        session.post("/v2.0/networks", json={"network": record}, endpoint_filter=NETWORKS).json()["network"]["id"]
        for record in records
    ]
    for number, network_id in enumerate((made[0], made[2])):
        subnet = {"network_id": network_id, "cidr": f"10.98.{number}.0/24", "ip_version": 4}
        session.post("/v2.0/subnets", json={"subnet": subnet}, endpoint_filter=NETWORKS)
    try:
        yield list(names.values())
    finally:
        remove_servers(cloud)
        remove_servers(cloud, "admin")
        for network_id in made:
            session.delete(f"/v2.0/networks/{network_id}", endpoint_filter=NETWORKS)
