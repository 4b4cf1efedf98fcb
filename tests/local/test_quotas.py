"""Quotas of real services: how each counts, and what each refuses."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    ConflictError,
    InvalidRequestError,
    LaunchRequest,
    NotFoundError,
    QuotaExceededError,
    Usage,
)
from hyperx_glance.testing.local.layout import PASSWORD, REGION
from hyperx_glance.testing.timing import scaled
from hyperx_glance.waiting.pace import wait_until
from tests.support import launches
from tests.support.clouds import PATIENT, unique
from tests.support.lossy_proxy import FATES, Fate, LossyProxy
from tests.support.records import IMAGE, make_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance.cloud.cloud import Service
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

IDENTITY = {"service_type": "identity"}
COMPUTE = {"service_type": "compute"}
VOLUME = {"service_type": "block-storage"}


@pytest.fixture
def department(local_cloud: LocalCloud) -> Iterator[str]:
    """Make a department of its own, with bob as a member."""
    session = local_cloud.session("admin")
    name = unique("dept")
    project: dict[str, Any] = {"project": {"name": name, "domain_id": "default"}}
    project_id = session.post("/projects", json=project, endpoint_filter=IDENTITY).json()["project"]["id"]
    yield name
    for filters in (COMPUTE, VOLUME):
        session.delete(f"/os-quota-sets/{project_id}", endpoint_filter=filters)
    session.delete(f"/projects/{project_id}", endpoint_filter=IDENTITY)


TYPES: dict[str, Service] = {"nova": "compute", "cinder": "block-storage", "keystone": "identity"}


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize(
    "request_",
    ["nova PUT", "cinder PUT", "keystone POST", "keystone PATCH", "keystone DELETE"],
)
def test_limits_are_set_though_answers_are_lost(
    local_cloud: LocalCloud, department: str, request_: str, fate: Fate
) -> None:
    service, method = request_.split()
    lost = 0
    for images, others in ((5, 3), (7, 4), (0, 5), (None, 6)):
        with LossyProxy(
            local_cloud.url(service), [fate], service=TYPES[service], creation="/limits|/os-quota-sets/", method=method
        ) as proxy:
            admin = proxy.client(local_cloud.session("admin"), PATIENT)
            quota = admin.set_quota(department, images=images, cores=others, volumes=others)
            lost += not proxy.fates
        assert quota.images is not None
        assert quota.cores is not None
        assert quota.volumes is not None
        assert (quota.cores.limit, quota.volumes.limit) == (others, others)
        assert images is None or quota.images.limit == images
    assert lost


def test_servers_and_volumes_are_counted(local_cloud: LocalCloud, client: ClientFactory) -> None:
    before = client().quota()
    image_id = make_image(local_cloud, sample="disk.raw")
    request = LaunchRequest(name=unique("counted"), flavor="m1.tiny", networks="none", count=2, boot_volume_gib=1)
    launch = client().launch(image_id, request)
    try:
        after = client().quota()
        assert client("admin").quota("dept-a") == after
    finally:
        launch.cancel()
    grown = {"instances": 2, "cores": 2, "ram_mib": 1024, "volumes": 2, "volume_gib": 2, "images": 1}
    for field, more in grown.items():
        old, new = getattr(before, field), getattr(after, field)
        assert new == Usage(used=old.used + more, limit=old.limit), field


def test_data_in_two_stores_counts_twice(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = make_image(local_cloud, "bob", sample=None, disk_format="raw")
    session = local_cloud.session("bob")
    headers = {"Content-Type": "application/octet-stream"}
    before = client("bob").quota().image_size_mib
    session.put(f"/v2/images/{image_id}/file", data=bytes(5 * 2**20), headers=headers, endpoint_filter=IMAGE)
    once = client("bob").quota()
    body = {"method": {"name": "copy-image"}, "stores": ["slow"]}
    local_cloud.session("admin").post(f"/v2/images/{image_id}/import", json=body, endpoint_filter=IMAGE)
    wait_until(
        PATIENT.pace, lambda: set(client("bob").image(image_id).stores) == {"fast", "slow"} or None, timeout=scaled(60)
    )
    twice = client("bob").quota()
    assert before is not None
    assert once.image_size_mib is not None
    assert twice.image_size_mib is not None
    assert (once.image_size_mib.used - before.used, twice.image_size_mib.used - before.used) == (5, 10)
    assert client("admin").quota("dept-b").image_size_mib == twice.image_size_mib


def test_an_import_is_counted_alike(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/held.raw", bytes(2**20), after=4096)
    image_id = make_image(local_cloud, "bob", sample=None, disk_format="raw")
    body = {"method": {"name": "web-download", "uri": held.url}}
    local_cloud.session("bob").post(f"/v2/images/{image_id}/import", json=body, endpoint_filter=IMAGE)
    held.wait_until_reached()
    own, seen = client("bob").quota(), client("admin").quota("dept-b")
    held.release()
    assert own.uploading is not None
    assert own.uploading.used >= 1
    assert seen == own


def test_a_new_department_has_defaults_and_takes_limits(client: ClientFactory, department: str) -> None:
    admin = client("admin")
    before = admin.quota(department)
    assert before.images == Usage(used=0, limit=100000)
    quota = admin.set_quota(department, images=3, cores=-1, volume_gib=7)
    assert (quota.images, quota.volume_gib) == (Usage(used=0, limit=3), Usage(used=0, limit=7))
    assert quota.cores == Usage(used=0, limit=None)
    assert admin.set_quota(department, images=None, cores=None, volume_gib=None) == before


def test_a_department_that_is_gone_takes_nothing(local_cloud: LocalCloud, client: ClientFactory) -> None:
    """Cinder would keep a quota for it."""
    with pytest.raises(NotFoundError):
        client("admin").set_quota("0123456789abcdef0123456789abcdef", volumes=1)
    answer = local_cloud.session("admin").get("/os-quota-sets/0123456789abcdef0123456789abcdef", endpoint_filter=VOLUME)
    assert answer.json()["quota_set"]["volumes"] == 10


def test_servers_may_be_limited_below_their_use_volumes_not(local_cloud: LocalCloud, client: ClientFactory) -> None:
    admin, image_id = client("admin"), make_image(local_cloud, sample="disk.raw")
    before = client().quota()
    assert before.instances is not None
    assert before.volumes is not None
    request = LaunchRequest(name=unique("limited"), flavor="m1.tiny", networks="none", boot_volume_gib=1)
    launch = client().launch(image_id, request)
    try:
        quota = admin.set_quota("dept-a", instances=0)
        assert quota.instances is not None
        assert quota.instances.remaining is not None
        assert quota.instances.remaining < 0
        # Cinder compares with the usage only if the department has a limit of its own already (cinder,
        # QuotaSetsController.update reads the quotas with defaults=False).
        admin.set_quota("dept-a", volumes=9)
        with pytest.raises(InvalidRequestError, match="volumes"):
            admin.set_quota("dept-a", volumes=0, cores=1)
        assert client().quota().cores == quota.cores
    finally:
        admin.set_quota("dept-a", instances=before.instances.limit, volumes=None)
        launch.cancel()


def test_a_glance_without_limits_says_nothing(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("glance", {"DEFAULT": {"use_keystone_limits": False}}):
        for quota in (client().quota(), client("admin").quota("dept-a")):
            assert (quota.images, quota.image_size_mib, quota.staging_mib, quota.uploading) == (None,) * 4
        with pytest.raises(ConflictError, match="images"):
            client("admin").set_quota("dept-b", images=5)
        client("admin").set_quota("dept-a", cores=60)
    with local_cloud.configured("glance"):
        client("admin").set_quota("dept-b", images=None)
    assert client("bob").quota().images is not None


@contextlib.contextmanager
def unified_limits(local_cloud: LocalCloud, limits: Mapping[str, int]) -> Iterator[None]:
    """Run Nova with unified limits, of which its operator has registered these."""
    session = local_cloud.session("admin")
    services = session.get("/services", endpoint_filter=IDENTITY).json()["services"]
    service_id = next(service["id"] for service in services if service["type"] == "compute")
    users = session.get("/users?name=nova", endpoint_filter=IDENTITY).json()["users"]
    roles = {role["name"]: role["id"] for role in session.get("/roles", endpoint_filter=IDENTITY).json()["roles"]}
    session.put(f"/system/users/{users[0]['id']}/roles/{roles['reader']}", endpoint_filter=IDENTITY)
    records = [
        {"service_id": service_id, "region_id": REGION, "resource_name": name, "default_limit": limit}
        for name, limit in limits.items()
    ]
    body = {"registered_limits": records}
    made = records and session.post("/registered_limits", json=body, endpoint_filter=IDENTITY).json()
    endpoints = session.get(f"/endpoints?service_id={service_id}", endpoint_filter=IDENTITY).json()["endpoints"]
    oslo = {
        "auth_type": "password",
        "auth_url": local_cloud.auth()["auth_url"],
        "username": "nova",
        "password": PASSWORD,
        "user_domain_id": "default",
        "system_scope": "all",
        "endpoint_id": endpoints[0]["id"],
    }
    with local_cloud.configured("nova", {"quota": {"driver": "nova.quota.UnifiedLimitsDriver"}, "oslo_limit": oslo}):
        yield
    for limit in made["registered_limits"] if made else ():
        session.delete(f"/registered_limits/{limit['id']}", endpoint_filter=IDENTITY)


@pytest.fixture
def unified(local_cloud: LocalCloud) -> Iterator[None]:
    """Run Nova with unified limits, all of which are registered."""
    limits = {"servers": 100, "class:VCPU": 20, "class:MEMORY_MB": 51200, "class:DISK_GB": 10}
    with unified_limits(local_cloud, limits):
        yield


@pytest.mark.usefixtures("unified")
def test_limits_that_nova_keeps_in_keystone_are_written_there(
    local_cloud: LocalCloud, client: ClientFactory, department: str
) -> None:
    admin = client("admin")
    quota = admin.set_quota(department, instances=3, cores=0, ram_mib=-1)
    assert (quota.instances, quota.cores) == (Usage(used=0, limit=3), Usage(used=0, limit=0))
    assert quota.ram_mib == Usage(used=0, limit=None)
    assert admin.set_quota(department, instances=None, cores=None, ram_mib=None).cores == Usage(used=0, limit=20)
    with pytest.raises(QuotaExceededError, match="no room for 22 more GiB of disks") as caught:
        client().launch(
            make_image(local_cloud, sample="disk.raw"),
            LaunchRequest(name=unique("vast"), flavor="m1.tiny", networks="none", count=11),
        )
    error = caught.value
    assert (error.resource, error.limit, error.used, error.requested) == ("disk_gib", 10, 0, 22)
    assert "磁盘容量 (GiB)" in error.in_language("zh")
    # Nova refuses the whole request before it makes anything, so nobody needs to read this limit before.
    assert launches.servers(local_cloud) == []


def test_without_registered_limits_nova_refuses_every_server(
    local_cloud: LocalCloud, client: ClientFactory, department: str
) -> None:
    image_id = make_image(local_cloud, sample="disk.raw")
    with unified_limits(local_cloud, {}):
        quota = client("admin").quota(department)
        assert (quota.instances, quota.cores, quota.ram_mib) == (Usage(used=0, limit=0),) * 3
        assert client().quota().instances == Usage(used=0, limit=0)
        with pytest.raises(QuotaExceededError) as caught:
            client().launch(image_id, LaunchRequest(name=unique("none"), flavor="m1.tiny", networks="none"))
        assert (caught.value.resource, caught.value.limit, caught.value.used) == ("instances", 0, 0)
        with pytest.raises(ConflictError, match="cores") as refused:
            client("admin").set_quota(department, cores=5)
        assert refused.value.code == "limits-not-applied"
    assert launches.servers(local_cloud) == []


def test_a_nova_without_quotas_says_nothing_and_takes_no_limit(
    local_cloud: LocalCloud, client: ClientFactory, department: str
) -> None:
    image_id = make_image(local_cloud, sample="disk.raw")
    with local_cloud.configured("nova", {"quota": {"driver": "nova.quota.NoopQuotaDriver"}}):
        for quota in (client().quota(), client("admin").quota(department)):
            assert (quota.instances, quota.cores, quota.ram_mib) == (None,) * 3
            assert (quota.not_looked_at, quota.notes) == ((), ())
            assert quota.volumes is not None
        request = LaunchRequest(name=unique("free"), flavor="m1.tiny", networks="none", count=2)
        launch = client().launch(image_id, request)
        assert len(launch.servers) == 2
        launch.cancel()
        with pytest.raises(ConflictError, match="cores"):
            client("admin").set_quota(department, cores=5)
