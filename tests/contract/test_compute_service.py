"""While an administrator has disabled Nova's compute service, no server is built, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keystoneauth1.session import Session

    from tests.support.clouds import CloudUnderTest

NEW = {"OpenStack-API-Version": "compute 2.53"}
COMPUTE = {"service_type": "compute"}


@pytest.fixture
def service(cloud: CloudUnderTest) -> Iterator[str]:
    """The path of the compute service, which is enabled afterwards."""
    admin = cloud.session("admin")
    listed = admin.get("/os-services?binary=nova-compute", endpoint_filter=COMPUTE, headers=NEW).json()["services"]
    path = f"/os-services/{listed[0]['id']}"
    yield path
    update(admin, path, status="enabled")


def update(admin: Session, path: str, **fields: object) -> dict[str, Any]:
    answer = admin.put(path, json=fields, endpoint_filter=COMPUTE, headers=NEW)
    told: dict[str, Any] = answer.json()["service"]
    return told


def built(session: Session) -> dict[str, Any]:
    """Build a server until it is there or has failed, and delete it."""
    image = session.post(
        "/v2/images",
        json={"name": "i", "disk_format": "raw", "container_format": "bare"},
        endpoint_filter={"service_type": "image"},
    ).json()["id"]
    octets = {"Content-Type": "application/octet-stream"}
    session.put(f"/v2/images/{image}/file", data=b"1", headers=octets, endpoint_filter={"service_type": "image"})
    flavor = session.get("/flavors", endpoint_filter=COMPUTE).json()["flavors"][0]["id"]
    asked = {"server": {"name": "s", "imageRef": image, "flavorRef": flavor, "networks": "none"}}
    headers = {"OpenStack-API-Version": "compute 2.37"}
    server = session.post("/servers", json=asked, endpoint_filter=COMPUTE, headers=headers).json()["server"]["id"]

    told: dict[str, Any] = {}

    def is_over() -> bool:
        told.update(session.get(f"/servers/{server}", endpoint_filter=COMPUTE).json()["server"])
        return bool(told["status"] != "BUILD")

    try:
        until(is_over)
    finally:
        session.delete(f"/servers/{server}", endpoint_filter=COMPUTE)
        session.delete(f"/v2/images/{image}", endpoint_filter={"service_type": "image"})
    return told


def test_no_server_is_built_while_the_compute_service_is_disabled(cloud: CloudUnderTest, service: str) -> None:
    admin = cloud.session("admin")
    told = update(admin, service, status="disabled", disabled_reason="repairs")
    assert (told["status"], told["disabled_reason"], told["state"]) == ("disabled", "repairs", "up")
    failed = built(cloud.session("alice"))
    assert failed["status"] == "ERROR"
    assert failed["fault"]["message"].startswith("No valid host was found. ")

    told = update(admin, service, status="enabled")
    assert (told["status"], told["disabled_reason"]) == ("enabled", None)
    assert built(cloud.session("alice"))["status"] == "ACTIVE"
