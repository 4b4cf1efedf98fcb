"""Usage and limits of departments, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    DepartmentQuota,
    InvalidRequestError,
    NewCapture,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    Usage,
)
from tests.support import launches
from tests.support.clouds import REGION, system_session, unique
from tests.support.records import IMAGE, make_image
from tests.support.registrations import disk, limits, new

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clouds import ClientFactory, CloudUnderTest
    from tests.support.file_server import FileServer

FIELDS = tuple(field for field, kind in DepartmentQuota.model_fields.items() if kind.annotation == Usage | None)


@pytest.fixture
def department(cloud: CloudUnderTest) -> Iterator[str]:
    """Lend dept-b, whose quotas are put back."""
    session = cloud.session("admin")
    project_id = session.get("/projects?name=dept-b", endpoint_filter={"service_type": "identity"}).json()["projects"][
        0
    ]["id"]
    compute = {"service_type": "compute"}
    before = session.get(f"/os-quota-sets/{project_id}", endpoint_filter=compute).json()["quota_set"]
    yield "dept-b"
    kept = {key: before[key] for key in ("instances", "cores", "ram")}
    session.put(f"/os-quota-sets/{project_id}", json={"quota_set": {**kept, "force": True}}, endpoint_filter=compute)
    session.delete(f"/os-quota-sets/{project_id}", endpoint_filter={"service_type": "block-storage"})
    for limit in _limits(cloud, project_id):
        session.delete(f"/limits/{limit['id']}", endpoint_filter={"service_type": "identity"})


def _limits(cloud: CloudUnderTest, project_id: str) -> list[dict[str, object]]:
    answer = system_session(cloud).get(f"/limits?project_id={project_id}", endpoint_filter={"service_type": "identity"})
    found: list[dict[str, object]] = answer.json()["limits"]
    return found


def test_every_field_has_its_figures(client: ClientFactory) -> None:
    quota = client().quota()
    assert quota.department == "dept-a"
    for field in FIELDS:
        usage = getattr(quota, field)
        assert isinstance(usage, Usage), field
        assert usage.used >= 0
        assert usage.limit is not None
        assert usage.remaining == usage.limit - usage.used


def test_an_administrator_sees_what_the_department_sees(cloud: CloudUnderTest, client: ClientFactory) -> None:
    make_image(cloud, "bob", sample="installer.iso")
    make_image(cloud, "bob", sample=None, os_hidden=True)
    make_image(cloud, "bob", sample=None, visibility="community")
    make_image(cloud, "bob", sample=None, visibility="shared")
    own = client("bob").quota()
    assert own.images is not None
    assert own.images.used >= 4
    admin = client("admin")
    assert admin.quota("dept-b") == own
    assert admin.quota(client("bob").project_id) == own
    assert client("bob").quota("dept-b") == own
    assert client("bob").quota(client("bob").project_id) == own


def test_an_administrator_counts_data_as_glance_does(cloud: CloudUnderTest, client: ClientFactory) -> None:
    before = client("bob").quota()
    data = bytes(3 * 2**20 + 1)
    image_id = make_image(cloud, "bob", sample=None, disk_format="raw")
    cloud.session("bob").put(
        f"/v2/images/{image_id}/file",
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        endpoint_filter=IMAGE,
    )
    after = client("bob").quota()
    assert before.image_size_mib is not None
    assert after.image_size_mib is not None
    assert after.image_size_mib.used - before.image_size_mib.used in (3, 4)  # MiB of the sum, rounded down
    assert client("admin").quota("dept-b") == after
    client("bob").disable(image_id)
    assert client("admin").quota("dept-b") == client("bob").quota() == after


def test_other_departments_are_for_administrators(client: ClientFactory) -> None:
    for name in ("dept-b", client("bob").project_id):
        with pytest.raises(NotAllowedError):
            client().quota(name)
        with pytest.raises(NotAllowedError):
            client().set_quota(name, images=1)
    with pytest.raises(NotAllowedError):
        client().set_quota("dept-a", images=1)


def test_a_department_that_is_not_there_is_not_found(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client("admin").quota("dept-z")
    with pytest.raises(NotFoundError):
        client("admin").set_quota("dept-z", volumes=1)


@pytest.mark.parametrize(
    "limits",
    [{}, {"images": -2}, {"images": True}, {"images": 1.5}, {"cores": "3"}, {"volumes": 2**31}, {"servers": 1}],
    ids=str,
)
def test_nonsense_is_refused(client: ClientFactory, limits: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        client("admin").set_quota("dept-b", **limits)


def test_limits_are_set_and_given_back(cloud: CloudUnderTest, client: ClientFactory, department: str) -> None:
    admin = client("admin")
    before = admin.quota(department)
    limits = {field: number for number, field in enumerate(FIELDS, start=50)}
    for _ in range(2):
        quota = admin.set_quota(department, **limits)
        assert {field: getattr(quota, field).limit for field in FIELDS} == limits
    assert client("bob").quota() == quota
    changed = admin.set_quota(department, images=7)
    assert {field: getattr(changed, field).limit for field in FIELDS} == {**limits, "images": 7}
    unlimited = admin.set_quota(department, **dict.fromkeys(FIELDS, -1))
    assert {getattr(unlimited, field).limit for field in FIELDS} == {None}
    assert {getattr(client("bob").quota(), field).limit for field in FIELDS} == {None}
    for _ in range(2):
        default = admin.set_quota(department, **dict.fromkeys(FIELDS))
    assert client("bob").quota() == default
    for field in ("images", "image_size_mib", "staging_mib", "uploading", "volumes", "volume_gib"):
        assert getattr(default, field) == getattr(before, field)
    assert _limits(cloud, client("bob").project_id) == []


def test_a_department_is_closed_and_opened(client: ClientFactory, department: str) -> None:
    """Keystone ignores a change of a limit to 0."""
    admin = client("admin")
    for limit in (5, 0, 0, 6, None, 0):
        quota = admin.set_quota(department, **dict.fromkeys(FIELDS, limit))
        if limit is not None:
            assert {getattr(quota, field).limit for field in FIELDS} == {limit}
    assert client("bob").quota() == quota


def test_one_limit_goes_back_alone(client: ClientFactory, department: str) -> None:
    admin = client("admin")
    admin.set_quota(department, volumes=3, volume_gib=4, instances=5, cores=6)
    quota = admin.set_quota(department, volumes=None, instances=None)
    assert quota.volume_gib is not None
    assert quota.volumes is not None
    assert quota.cores is not None
    assert quota.instances is not None
    assert (quota.volume_gib.limit, quota.cores.limit) == (4, 6)
    assert quota.volumes.limit not in (3, None)
    assert quota.instances.limit not in (5, None)


def test_a_limit_below_the_use_leaves_less_than_nothing(
    cloud: CloudUnderTest, client: ClientFactory, department: str, file_server: FileServer
) -> None:
    make_image(cloud, "bob", sample=None)
    make_image(cloud, "bob", sample=None)
    quota = client("admin").set_quota(department, images=1)
    assert quota.images is not None
    assert quota.images.remaining is not None
    assert quota.images.remaining < 0
    assert client("bob").quota().images == quota.images
    with pytest.raises(QuotaExceededError) as caught:
        client("bob").start_registration(new(disk(file_server)))
    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-b", "images", 1)


def test_a_limit_of_another_region_does_not_count(
    cloud: CloudUnderTest, client: ClientFactory, department: str
) -> None:
    identity = {"service_type": "identity"}
    session = cloud.session("admin")
    registered = session.get("/registered_limits?resource_name=image_count_total", endpoint_filter=identity).json()
    mine = registered["registered_limits"][0]
    assert mine["region_id"] == REGION
    elsewhere = {**{key: mine[key] for key in ("service_id", "resource_name")}, "default_limit": 1}
    created = session.post("/registered_limits", json={"registered_limits": [elsewhere]}, endpoint_filter=identity)
    limit_id = next(
        limit["id"]
        for limit in created.json()["registered_limits"]
        if limit["resource_name"] == "image_count_total" and limit["region_id"] is None
    )
    try:
        own = client("bob").quota().images
        assert own is not None
        assert own.limit == mine["default_limit"]
        assert client("admin").quota(department).images == own
    finally:
        session.delete(f"/registered_limits/{limit_id}", endpoint_filter=identity)


@pytest.fixture
def few_items(cloud: CloudUnderTest) -> Iterator[None]:
    """Let Nova take two items of metadata from dept-a."""
    session = cloud.session("admin")
    path = f"/os-quota-sets/{cloud.session('alice').get_project_id()}"
    former = session.get(path, endpoint_filter=launches.COMPUTE).json()["quota_set"]

    def write(limit: int) -> None:
        session.put(path, json={"quota_set": {"metadata_items": limit}}, endpoint_filter=launches.COMPUTE)

    write(2)
    yield
    write(former["metadata_items"])
    launches.remove_servers(cloud)


@pytest.mark.usefixtures("few_items")
def test_a_limit_of_each_server_is_not_told_as_the_department_s(cloud: CloudUnderTest, client: ClientFactory) -> None:
    with pytest.raises(QuotaExceededError) as caught:
        client().launch(launches.put_image(cloud), launches.ask())

    assert caught.value.message == "This launch writes more metadata to each server than Nova allows"
    assert (caught.value.resource, caught.value.limit, caught.value.used) == ("metadata_items", 2, None)
    assert "Ask an administrator to raise metadata_items" in caught.value.hint
    assert launches.servers(cloud) == []


def test_nova_counts_no_metadata_of_captures(
    cloud: CloudUnderTest, client: ClientFactory, request: pytest.FixtureRequest
) -> None:
    (server,) = client().launch(launches.put_image(cloud, "disk.raw"), launches.ask()).servers
    request.getfixturevalue("few_items")
    with limits(client, "dept-a", {"image_size_mib": 10_000}):
        assert client().capture(server.id, NewCapture(name=unique("capture"))).state == "ACTIVE"
    body = {"createImage": {"name": unique("capture"), "metadata": dict.fromkeys("abc", "")}}
    path = f"/servers/{server.id}/action"
    old = cloud.session("alice").post(path, json=body, endpoint_filter=launches.COMPUTE, raise_exc=False)

    assert (old.status_code, old.json()["forbidden"]["message"]) == (403, "Image metadata limit exceeded")
