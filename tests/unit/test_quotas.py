"""Counting, checking and writing quotas; tests/contract/test_quotas.py says what the services do with it."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, strategies as st
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Client,
    ConflictError,
    DepartmentQuota,
    HyperxGlanceError,
    Image,
    InvalidRequestError,
    LaunchRequest,
    NotAllowedError,
    NotFoundError,
    QuotaExceededError,
    ServiceUnavailableError,
    Usage,
)
from hyperx_glance.quotas.resources import FIELDS
from hyperx_glance.quotas.room import check_images, image_usage
from hyperx_glance.testing import InMemoryCloud
from tests.support.clouds import HASTY, ClientFactory, sent
from tests.support.interference import Interference, interrupt
from tests.support.readers import assert_told
from tests.support.records import make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory import Recorded, Reply, ServiceName

MIB = 2**20


def asked(cloud: InMemoryCloud) -> list[str]:
    """Return the requests in order of service and path, since the services are asked at once."""
    return sorted(f"{request.method} {request.service} {request.path}" for request in sent(cloud))


def quota_of(**usages: tuple[int, int | None]) -> DepartmentQuota:
    return DepartmentQuota.model_validate(
        {"department": "dept-a", **{field: Usage(used=used, limit=limit) for field, (used, limit) in usages.items()}}
    )


# ----------------------------------------------------------------- room


def test_the_fields_are_those_of_the_model_in_its_order() -> None:
    assert ("department", *FIELDS, "not_looked_at", "notes") == tuple(DepartmentQuota.model_fields)


def test_a_request_within_the_quota_is_accepted() -> None:
    quota = quota_of(instances=(7, 10), cores=(7, None), ram_mib=(1, 512))
    quota.check_room(instances=3, cores=1000, ram_mib=511, volumes=50)


def test_the_first_exceeded_field_is_told_and_all_are_named() -> None:
    quota = quota_of(instances=(8, 10), cores=(0, 100), ram_mib=(0, 0), volumes=(10, 10), volume_gib=(5, None))
    with pytest.raises(QuotaExceededError) as caught:
        quota.check_room(volumes=1, volume_gib=9, ram_mib=1, cores=3, instances=3)
    error = caught.value
    assert error.exceeded == ("instances", "ram_mib", "volumes")
    told = (error.department, error.resource, error.limit, error.used, error.requested)
    assert told == ("dept-a", "instances", 10, 8, 3)
    assert "servers, memory, volumes" in str(error)


@given(used=st.integers(0, 50), limit=st.none() | st.integers(0, 50), requested=st.integers(0, 50))
def test_room_is_what_the_limit_leaves(used: int, limit: int | None, requested: int) -> None:
    quota = quota_of(cores=(used, limit))
    if limit is None or used + requested <= limit:
        quota.check_room(cores=requested)
        return
    with pytest.raises(QuotaExceededError):
        quota.check_room(cores=requested)


@pytest.mark.parametrize(
    ("usages", "size_mib", "resource"),
    [
        ({"images": (9, 10), "image_size_mib": (4, 10), "uploading": (0, 1)}, 6, None),
        ({"images": (10, 10)}, 1, "images"),
        ({"image_size_mib": (4, 10)}, 7, "image_size_mib"),
        ({"image_size_mib": (11, 10)}, None, "image_size_mib"),
        ({"image_size_mib": (10, 10)}, None, None),
        ({"uploading": (3, 3)}, 1, "uploading"),
        ({"staging_mib": (99, 3)}, 1, None),
        ({}, 10**9, None),
    ],
)
def test_one_more_image(usages: dict[str, tuple[int, int]], size_mib: int | None, resource: str | None) -> None:
    if resource is None:
        check_images(quota_of(**usages), size_mib=size_mib)
        return
    with pytest.raises(QuotaExceededError) as caught:
        check_images(quota_of(**usages), size_mib=size_mib)
    assert caught.value.resource == resource


# ----------------------------------------------------------------- counting as Glance does


def image(status: str, size: int | None = None, **properties: object) -> Image:
    return Image.model_validate({"id": "1", "status": status, "size": size, **properties})


def counted(*images: Image) -> tuple[int, int, int, int]:
    usage = image_usage(images)
    return usage["images"], usage["image_size_mib"], usage["staging_mib"], usage["uploading"]


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (image("queued"), (1, 0, 0, 0)),
        (image("active", 5 * MIB), (1, 5, 0, 0)),
        (image("active", 5 * MIB, stores="fast,slow"), (1, 10, 0, 0)),
        (image("deactivated", 5 * MIB), (1, 5, 0, 0)),
        (image("deactivated", 5 * MIB, stores="fast"), (1, 5, 0, 0)),
        (image("saving"), (1, 0, 0, 1)),
        (image("uploading", 2 * MIB), (1, 0, 2, 1)),
        (image("importing", 2 * MIB, os_glance_importing_to_stores="fast"), (1, 0, 2, 1)),
        (image("active", 2 * MIB, stores="fast", os_glance_importing_to_stores="slow"), (1, 2, 2, 1)),
        (image("queued", 7 * MIB), (1, 0, 0, 0)),
        (image("killed", 5 * MIB, stores="fast"), (0, 0, 0, 0)),
        (image("deleted", 5 * MIB, stores="fast"), (0, 0, 0, 0)),
        (image("pending_delete", 5 * MIB, stores="fast"), (0, 0, 0, 0)),
    ],
)
def test_each_status_counts_as_in_glance(record: Image, counts: tuple[int, int, int, int]) -> None:
    assert counted(record) == counts


def test_the_sum_is_rounded_down_not_each_image() -> None:
    assert counted(*[image("active", MIB // 2)] * 3) == (3, 1, 0, 0)


# ----------------------------------------------------------------- reading


def test_each_service_is_asked_once(cloud: InMemoryCloud, client: ClientFactory) -> None:
    alice = client()
    assert alice.project_id  # the token
    cloud.requests.clear()
    alice.quota()
    assert asked(cloud) == ["GET cinder /v3/limits", "GET glance /v2/info/usage", "GET nova /v2.1/limits"]


def test_another_department_is_one_request_to_nova_and_one_to_cinder(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    client("admin").quota("dept-b")
    project_id = cloud.departments["dept-b"]
    lines = [line for line in asked(cloud) if "nova" in line or "cinder" in line]
    assert lines == [f"GET cinder /v3/os-quota-sets/{project_id}", f"GET nova /v2.1/os-quota-sets/{project_id}/detail"]


def test_the_services_are_asked_at_once(cloud: InMemoryCloud, client: ClientFactory) -> None:
    meeting = threading.Barrier(3, timeout=10)
    cloud.before("glance", "GET", "/info/usage", meeting.wait, times=1)
    cloud.before("nova", "GET", "/limits", meeting.wait, times=1)
    cloud.before("cinder", "GET", "/limits", meeting.wait, times=1)
    client().quota()
    assert not meeting.broken


DOWN = [("nova", "compute"), ("cinder", "block-storage"), ("glance", "image")]
FIRST_FIELD = {"nova": "cores", "cinder": "volumes", "glance": "images"}


@pytest.mark.parametrize("user", ["alice", "admin"])
@pytest.mark.parametrize(("service", "kind"), DOWN)
def test_figures_of_a_service_that_is_down_are_missing_and_said(
    cloud: InMemoryCloud, client: ClientFactory, service: ServiceName, kind: str, user: str
) -> None:
    own = client(user)
    whole = own.quota("dept-a")
    cloud.kill(service)

    quota = own.quota("dept-a")

    assert quota.not_looked_at == (kind,)
    (note,) = quota.notes
    assert str(note).startswith(f"The {kind} service could not be asked for the quota of dept-a: No response from the")
    assert "无法向" in note.in_language("zh")
    missing = {field for field in FIELDS if getattr(quota, field) is None}
    assert FIRST_FIELD[service] in missing
    assert all(getattr(quota, field) == getattr(whole, field) for field in FIELDS if field not in missing)
    assert all(getattr(whole, field) is not None for field in missing)


def test_a_cloud_without_limits_is_not_a_service_that_is_down(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.cinder.present, cloud.glance.use_keystone_limits = False, False
    quota = client().quota()
    assert (quota.volumes, quota.images, quota.not_looked_at, quota.notes) == (None, None, (), ())


def test_no_service_that_answers_is_an_error(cloud: InMemoryCloud, client: ClientFactory) -> None:
    alice = client()
    for service, _ in DOWN:
        cloud.kill(service)  # type: ignore[arg-type]  # a name
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.quota()
    assert caught.value.service == "image"


@pytest.mark.parametrize(("service", "kind"), DOWN)
def test_limits_of_other_services_are_set_while_one_is_down(
    cloud: InMemoryCloud, client: ClientFactory, service: ServiceName, kind: str
) -> None:
    limits = {FIRST_FIELD[each]: 3 for each, _ in DOWN if each != service}
    cloud.kill(service)

    quota = client("admin").set_quota("dept-b", **limits)

    assert {field: getattr(quota, field).limit for field in limits} == limits
    assert quota.not_looked_at == (kind,)


@pytest.mark.parametrize(("service", "kind"), DOWN)
def test_nothing_is_set_if_a_service_whose_limit_is_given_is_down(
    cloud: InMemoryCloud, client: ClientFactory, service: ServiceName, kind: str
) -> None:
    cloud.kill(service)

    with pytest.raises(ServiceUnavailableError) as caught:
        client("admin").set_quota("dept-b", images=3, cores=3, volumes=3)

    assert caught.value.service == kind
    assert [line for line in asked(cloud) if not line.startswith("GET")] == []


def test_unlimited_has_no_limit(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.set_quota("dept-a", instances=-1)
    assert client().quota().instances == Usage(used=0, limit=None)
    assert client("admin").quota("dept-a").instances == Usage(used=0, limit=None)


def test_a_driver_that_counts_nothing_says_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Nova's NoopQuotaDriver answers -1 for every figure."""
    figures = {"totalInstancesUsed": -1, "maxTotalInstances": -1, "maxTotalCores": 5}
    cloud.fail("nova", "GET", "/limits", status=200, body={"limits": {"rate": [], "absolute": figures}})
    quota = client().quota()
    assert (quota.instances, quota.cores, quota.ram_mib) == (None, None, None)


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_a_glance_without_limits_says_nothing(cloud: InMemoryCloud, client: ClientFactory, user: str) -> None:
    cloud.glance.use_keystone_limits = False
    quota = client(user).quota("dept-a")
    assert (quota.images, quota.image_size_mib, quota.staging_mib, quota.uploading) == (None,) * 4
    assert quota.instances is not None


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_a_glance_that_knows_no_usage_says_nothing(cloud: InMemoryCloud, client: ClientFactory, user: str) -> None:
    cloud.fail("glance", "GET", "/v2/info/usage", status=404, times=None)
    assert client(user).quota("dept-a").images is None


@pytest.mark.parametrize("user", ["alice", "admin"])
def test_a_cloud_without_cinder_says_nothing_of_volumes(cloud: InMemoryCloud, client: ClientFactory, user: str) -> None:
    cloud.cinder.present = False
    quota = client(user).quota("dept-a")
    assert (quota.volumes, quota.volume_gib) == (None, None)
    assert quota.images is not None


def test_a_limit_that_is_not_registered_is_zero_as_for_glance(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """The region trap: a registered limit without the region of Glance's endpoint is not found."""
    cloud.keystone.registered_limits.clear()
    cloud.keystone.register_limit(cloud.glance, "image_count_total", 50, region=None)
    own = client("bob").quota().images
    assert own == Usage(used=0, limit=0)
    assert client("admin").quota("dept-b").images == own


def test_many_records_are_counted_page_by_page(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.largest_page = 3
    for number in range(8):
        make_image(cloud, "bob", sample=None, os_hidden=number % 2 == 0)
    make_image(cloud, "alice", sample=None)
    assert client("admin").quota("dept-b").images == client("bob").quota().images == Usage(used=8, limit=100000)


# ----------------------------------------------------------------- writing


@pytest.mark.parametrize("user", ["alice", "admin"])
@pytest.mark.parametrize(
    "limits",
    [{}, {"images": -2}, {"images": True}, {"cores": 1.0}, {"volumes": "1"}, {"ram": 1}, {"images": 2**31}],
    ids=str,
)
def test_nonsense_is_refused_before_any_request(
    cloud: InMemoryCloud, client: ClientFactory, user: str, limits: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError):
        client(user).set_quota("dept-b", **limits)
    assert cloud.requests == []


def test_members_are_refused_before_any_request(cloud: InMemoryCloud, client: ClientFactory) -> None:
    with pytest.raises(NotAllowedError):
        client().set_quota("dept-a", images=1)
    assert asked(cloud) == []


def test_a_department_is_found_in_keystone_before_anything_is_written(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    with pytest.raises(NotFoundError):
        client("admin").set_quota("dept-z", volumes=1, cores=1, images=1)
    assert {line.split()[1] for line in asked(cloud)} == {"keystone"}


def test_only_what_is_given_is_written(cloud: InMemoryCloud, client: ClientFactory) -> None:
    client("admin").set_quota("dept-b", cores=5)
    (written,) = [request for request in sent(cloud) if request.method != "GET"]
    assert written.path == f"/v2.1/os-quota-sets/{cloud.departments['dept-b']}"
    assert written.body == {"quota_set": {"cores": 5, "force": True}}


def test_an_image_limit_that_is_right_already_is_not_written(cloud: InMemoryCloud, client: ClientFactory) -> None:
    admin = client("admin")
    admin.set_quota("dept-b", images=5, uploading=None)
    cloud.requests.clear()
    admin.set_quota("dept-b", images=5, uploading=None)
    assert [line for line in asked(cloud) if not line.startswith("GET")] == []


def test_a_default_is_asked_for_and_written(client: ClientFactory) -> None:
    admin = client("admin")
    admin.set_quota("dept-b", cores=5, instances=6)
    quota = admin.set_quota("dept-b", cores=None)
    assert quota.cores is not None
    assert quota.instances is not None
    assert (quota.cores.limit, quota.instances.limit) == (20, 6)


def test_a_volume_limit_below_the_use_is_refused_and_nothing_else_is_written(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    before = client("bob").quota()
    cloud.fail("cinder", "PUT", "/os-quota-sets", status=400, body="Quota volumes limit must be equal or greater")
    with pytest.raises(InvalidRequestError) as caught:
        client("admin").set_quota("dept-b", images=1, cores=1, volumes=1)
    assert caught.value.__notes__ == ["Nothing was changed."]
    assert client("bob").quota() == before


def test_a_later_failure_says_what_was_written(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("nova", "PUT", "/os-quota-sets", status=500, times=None)
    with pytest.raises(ServiceUnavailableError) as caught:
        client("admin").set_quota("dept-b", images=1, cores=1, volumes=1)
    assert caught.value.__notes__ == [
        "Restored: volumes.",
        "Could not be restored: cores. It is safe to set a limit again.",
    ]


def test_a_service_that_was_never_reached_wrote_nothing(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.cut("nova", "PUT", "/os-quota-sets", handled=False, times=None)
    with pytest.raises(ServiceUnavailableError) as caught:
        client("admin").set_quota("dept-b", images=1, cores=1, volumes=1)
    assert caught.value.__notes__ == ["Restored: volumes."]


@pytest.mark.parametrize("loss", [{}, {"late": 1}, {"handled": False}, {"times": 2}, {"times": 3}], ids=str)
@pytest.mark.parametrize(
    ("service", "method", "steps"),
    [
        ("keystone", "POST", [0, 2]),
        ("keystone", "PATCH", [1]),
        ("keystone", "DELETE", [2, 3]),
        ("nova", "PUT", [1]),
        ("cinder", "PUT", [1]),
    ],
)
def test_limits_are_set_though_answers_are_lost(  # noqa: PLR0917 - a table
    cloud: InMemoryCloud,
    client: ClientFactory,
    service: ServiceName,
    method: str,
    steps: list[int],
    loss: dict[str, Any],
) -> None:
    admin = client("admin")
    before = admin.quota("dept-b")
    changes: tuple[dict[str, int | None], ...] = (
        {"images": 5},
        {"images": 7, "cores": 3, "volumes": 4},
        {"images": 0},
        {"images": None},
    )
    for step, limits in enumerate(changes):
        if step in steps:
            cloud.cut(service, method, "limits|os-quota-sets", **loss)
        quota = admin.set_quota("dept-b", **cast("Any", limits))
        default = before.images.limit if before.images else None
        assert quota.images is not None
        assert quota.images.limit == (default if limits["images"] is None else limits["images"])
    assert quota.cores is not None
    assert quota.cores.limit == 3


def test_a_limit_that_somebody_else_makes_at_this_moment_is_a_conflict(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    """If it is not the requested one; after a lost answer, too."""
    other = client("admin")
    cloud.before("keystone", "POST", "/limits", lambda: other.set_quota("dept-b", images=9), times=1)
    with pytest.raises(ConflictError, match="images"):
        client("admin").set_quota("dept-b", images=5)
    other.set_quota("dept-b", images=None)
    cloud.before("keystone", "POST", "/limits", lambda: other.set_quota("dept-b", images=5), times=1)
    assert client("admin").set_quota("dept-b", images=5).images == Usage(used=0, limit=5)
    other.set_quota("dept-b", images=None)
    cloud.cut("keystone", "POST", "/limits", late=9)
    cloud.before("keystone", "POST", "/limits", lambda: other.set_quota("dept-b", images=9), skip=1, times=1)
    with pytest.raises(ConflictError, match="images") as caught:
        client("admin").set_quota("dept-b", images=5)
    assert "somebody else" in caught.value.hint


def test_a_service_that_knows_no_quotas_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("nova", "PUT", "/os-quota-sets", status=404)
    with pytest.raises(NotFoundError) as caught:
        client("admin").set_quota("dept-b", volumes=1, cores=1)
    assert caught.value.__notes__ == ["Restored: volumes."]


def test_the_own_department_named_is_not_looked_up(cloud: InMemoryCloud, client: ClientFactory) -> None:
    admin = client("admin")
    admin.quota(admin.project_id)
    assert not [line for line in asked(cloud) if "/projects" in line]


def test_a_failure_to_read_the_figures_back_says_what_was_written(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("nova", "GET", "/os-quota-sets/.*/detail", status=500)
    with pytest.raises(ServiceUnavailableError) as caught:
        client("admin").set_quota("dept-b", images=1, cores=1, volumes=1)
    assert caught.value.__notes__ == ["Restored: volumes, cores, images."]


def test_limits_are_those_of_the_endpoint_that_requests_go_to(cloud: InMemoryCloud) -> None:
    """The catalogue's first may be an internal one of another region."""
    cloud.keystone.first_endpoints.append(("internal", "Elsewhere"))

    quota = Client.from_session(cloud.session("admin"), settings=HASTY).set_quota("dept-a", images=7)

    assert quota.images == Usage(used=0, limit=7)


def test_a_service_that_does_not_take_a_limit_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """Nova with unified limits answers 200 and changes nothing (nova, QuotaSetsController.update)."""
    cloud.fail("nova", "PUT", "/os-quota-sets", status=200, body={"quota_set": {}})
    with pytest.raises(ConflictError, match="cores"):
        client("admin").set_quota("dept-b", cores=5)
    cloud.glance.use_keystone_limits = False
    with pytest.raises(ConflictError, match="images"):
        client("admin").set_quota("dept-b", images=5)


def test_limits_that_are_not_registered_cannot_be_set(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.keystone.registered_limits.clear()
    with pytest.raises(NotFoundError, match="image_count_total") as caught:
        client("admin").set_quota("dept-b", images=5, cores=5)
    assert "region" in caught.value.hint
    assert [line for line in asked(cloud) if not line.startswith("GET")] == []


def test_volumes_need_cinder(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.cinder.present = False
    with pytest.raises(ServiceUnavailableError, match="block-storage"):
        client("admin").set_quota("dept-b", volumes=5, cores=5)
    assert [line for line in asked(cloud) if not line.startswith("GET")] == []


# ----------------------------------------------------------------- older Keystones


OLD = "2025.2"
"""The last release whose Keystone shows administrators the limits of their own project only."""


def old_admin(*, rescopes: bool = True) -> tuple[InMemoryCloud, Client]:
    cloud = InMemoryCloud(release=OLD)
    cloud.keystone.rescopes_tokens = rescopes
    return cloud, Client.from_session(cloud.session("admin"), settings=HASTY)


def test_an_administrator_with_a_password_needs_no_rescoping() -> None:
    cloud, admin = old_admin(rescopes=False)
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 50)

    quota = admin.quota("dept-b")

    assert (quota.images, quota.notes) == (Usage(used=0, limit=50), ())


@pytest.mark.parametrize(
    ("service", "path", "field"),
    [("nova", "/limits", "cores"), ("cinder", "/limits", "volumes"), ("glance", "/info/usage", "images")],
)
def test_figures_that_a_policy_hides_are_missing_and_said(
    cloud: InMemoryCloud, client: ClientFactory, service: ServiceName, path: str, field: str
) -> None:
    cloud.fail(service, "GET", path, status=403, body="You are not authorized.", times=None)

    quota = client().quota()

    (note,) = quota.notes
    assert str(note).endswith(" service does not show you the quota of dept-a.")
    assert len(quota.not_looked_at) == 1
    assert getattr(quota, field) is None
    assert [each for each in FIELDS if getattr(quota, each) is not None]


def test_limits_of_others_are_read_set_and_removed_where_keystone_hides_them() -> None:
    cloud, admin = old_admin()
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 50)
    assert admin.quota("dept-b").images == Usage(used=0, limit=50)
    for _ in range(2):
        assert admin.set_quota("dept-b", images=7, uploading=3).images == Usage(used=0, limit=7)
    assert admin.set_quota("dept-b", images=0).images == Usage(used=0, limit=0)
    assert admin.set_quota("dept-b", images=None, uploading=None).images == Usage(used=0, limit=100000)
    assert cloud.keystone.limits == {}


def test_the_token_for_the_system_is_asked_for_once() -> None:
    cloud, admin = old_admin()
    for _ in range(3):
        admin.quota("dept-b")
    logins = [request for request in cloud.requests if request.path.endswith("/auth/tokens")]
    assert len(logins) == 2


@pytest.mark.parametrize("refusal", ["rescoping", "role"])
def test_limits_hidden_by_keystone_are_unknown_and_refused_before_any_change(refusal: str) -> None:
    cloud, admin = old_admin(rescopes=refusal != "rescoping")
    if refusal == "rescoping":
        held = cloud.session("admin")
        login = v3.Token(
            cloud.auth("admin")["auth_url"],
            token=held.get_token() or "",
            project_name="admin",
            project_domain_id="default",
        )
        cloud.keystone.rescopes_tokens = True
        admin = Client.from_session(Session(login, held.session), settings=HASTY)
        assert admin.cloud.access.project_name == "admin"
        cloud.keystone.rescopes_tokens = False
    if refusal == "role":
        cloud.keystone.administers_system = False
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 50)
    quota = admin.quota("dept-b")
    assert (quota.images, quota.image_size_mib, quota.staging_mib, quota.uploading) == (None,) * 4
    assert quota.cores is not None
    (note,) = quota.notes
    assert str(note).startswith(
        "Keystone does not show you the image limits of dept-b, so their usage is not shown, either."
    )
    assert "--system all" in note
    cloud.requests.clear()
    with pytest.raises(NotAllowedError, match="does not show you the image limits of dept-b"):
        admin.set_quota("dept-b", images=5, cores=5, volumes=5)
    assert [line for line in asked(cloud) if not line.startswith("GET")] == []
    # Every Keystone shows the limits of the administrator's own department.
    assert admin.set_quota("admin", images=9).images == Usage(used=0, limit=9)


def test_a_limit_of_another_department_proves_a_keystone_that_hides_nothing(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    cloud.keystone.administers_system = False
    assert client("admin").quota("dept-b").images is None  # no department has a limit of its own: unknown
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-a", 50)
    assert client("admin").quota("dept-b").images == Usage(used=0, limit=100000)
    assert client("admin").set_quota("dept-b", images=4).images == Usage(used=0, limit=4)


# ----------------------------------------------------------------- what was there comes back


@pytest.mark.parametrize("release", [OLD, "2026.2"])
@pytest.mark.parametrize(
    "before", [{}, {"images": 50, "uploading": 0, "cores": 7, "volumes": 3}], ids=["default", "own"]
)
def test_a_failed_set_quota_leaves_what_was_there(before: dict[str, int], release: str) -> None:
    cloud = InMemoryCloud(release=release)
    admin = Client.from_session(cloud.session("admin"), settings=HASTY)
    if before:
        admin.set_quota("dept-b", **cast("Any", before))
    quota = admin.quota("dept-b")
    own = sorted((each["resource_name"], each["resource_limit"]) for each in cloud.keystone.limits.values())
    cloud.fail("keystone", "POST", "/limits", status=403, skip=1, times=1)
    with pytest.raises(HyperxGlanceError) as caught:
        admin.set_quota("dept-b", volumes=9, cores=9, images=9, image_size_mib=9, staging_mib=9, uploading=9)
    assert caught.value.__notes__[0].startswith("Restored: volumes, cores, images")
    assert admin.quota("dept-b") == quota
    left = sorted((each["resource_name"], each["resource_limit"]) for each in cloud.keystone.limits.values())
    assert left == own


def test_a_limit_that_glance_does_not_take_is_taken_back(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.use_keystone_limits = False
    with pytest.raises(ConflictError, match="images"):
        client("admin").set_quota("dept-b", images=5)
    assert cloud.keystone.limits == {}


def test_a_limit_of_which_only_the_old_one_is_gone_comes_back(cloud: InMemoryCloud, client: ClientFactory) -> None:
    """To make it 0, the old limit is deleted before the new one is made."""
    admin = client("admin")
    admin.set_quota("dept-b", images=5)
    cloud.fail("keystone", "POST", "/limits", status=403, times=1)
    with pytest.raises(NotAllowedError) as caught:
        admin.set_quota("dept-b", images=0)
    assert caught.value.__notes__ == ["Restored: images."]
    assert admin.quota("dept-b").images == Usage(used=0, limit=5)


@pytest.mark.parametrize("field", ["images", "cores", "volumes"])
def test_a_concurrent_change_of_a_limit_is_kept(cloud: InMemoryCloud, client: ClientFactory, field: str) -> None:
    admin, other = client("admin"), client("admin")
    service: ServiceName = {"images": "keystone", "cores": "nova", "volumes": "cinder"}[field]  # type: ignore[assignment]  # they are
    admin.set_quota("dept-b", **cast("Any", {field: 4}))

    def write(request: Recorded, handle: Callable[[], Reply]) -> Reply:
        reply = handle()
        if (request.service, request.method) == (service, "PATCH" if field == "images" else "PUT"):
            cloud.intercept(None)
            other.set_quota("dept-b", **cast("Any", {field: 9}))
        return reply

    cloud.intercept(write)
    with pytest.raises(ConflictError, match=field) as caught:
        admin.set_quota("dept-b", **cast("Any", {field: 6}))
    assert caught.value.__notes__ == [f"Not restored, since somebody else has changed them meanwhile: {field}."]
    assert getattr(admin.quota("dept-b"), field).limit == 9


def test_a_refusal_after_a_lost_answer_is_taken_back(cloud: InMemoryCloud, client: ClientFactory) -> None:
    admin = client("admin")
    before = admin.quota("dept-b")
    Interference(admin).lose("PUT", "os-quota-sets")
    cloud.fail("nova", "PUT", "/os-quota-sets", status=403, times=1, skip=1)
    with pytest.raises(NotAllowedError) as caught:
        admin.set_quota("dept-b", cores=3)
    assert caught.value.__notes__[-1] == "Restored: cores."
    assert admin.quota("dept-b") == before


@pytest.mark.parametrize(
    ("service", "method"), [("cinder", "PUT"), ("nova", "PUT"), ("keystone", "POST"), ("nova", "GET")]
)
def test_an_interrupted_change_of_limits_is_rolled_back(
    cloud: InMemoryCloud, client: ClientFactory, service: ServiceName, method: str
) -> None:
    admin = client("admin")
    before = admin.quota("dept-b")
    cloud.before(service, method, "/limits|os-quota-sets", interrupt, times=1, skip=int(method == "GET"))
    with pytest.raises(KeyboardInterrupt) as caught:
        admin.set_quota("dept-b", images=5, cores=3, volumes=1)
    assert caught.value.__notes__[0].startswith("Restored: volumes")
    assert admin.quota("dept-b") == before


# ----------------------------------------------------------------- Nova's unified limits


@pytest.fixture
def unified(cloud: InMemoryCloud) -> InMemoryCloud:
    """Return a cloud whose Nova has its limits in Keystone."""
    cloud.nova.unified_limits = True
    for name, default in (("servers", 10), ("class:VCPU", 20), ("class:MEMORY_MB", 51200), ("class:DISK_GB", 40)):
        cloud.keystone.register_limit(cloud.nova, name, default)
    return cloud


def test_limits_that_nova_keeps_in_keystone_are_written_there(unified: InMemoryCloud, client: ClientFactory) -> None:
    admin, before = client("admin"), copy.deepcopy(unified.nova.quotas)
    quota = admin.set_quota("dept-b", instances=3, cores=0, ram_mib=-1)
    assert (quota.instances, quota.cores) == (Usage(used=0, limit=3), Usage(used=0, limit=0))
    assert quota.ram_mib == Usage(used=0, limit=None)
    assert client("bob").quota().instances == Usage(used=0, limit=3)
    assert admin.set_quota("dept-b", instances=None).instances == Usage(used=0, limit=10)
    assert unified.nova.quotas == before


def test_a_failure_restores_limits_that_nova_keeps_in_keystone(unified: InMemoryCloud, client: ClientFactory) -> None:
    admin = client("admin")
    admin.set_quota("dept-b", instances=3)
    unified.fail("keystone", "POST", "/limits", status=403, times=1)
    with pytest.raises(NotAllowedError) as caught:
        admin.set_quota("dept-b", instances=5, cores=6, images=7)
    assert any("Restored" in note for note in caught.value.__notes__)
    after = admin.quota("dept-b")
    assert (after.instances, after.cores) == (Usage(used=0, limit=3), Usage(used=0, limit=20))
    assert after.images == Usage(used=0, limit=100000)


def test_a_limit_of_nova_that_keystone_lacks_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.nova.unified_limits = True
    with pytest.raises(ConflictError, match="did not apply these limits"):
        client("admin").set_quota("dept-b", cores=5)
    cloud.keystone.register_limit(cloud.nova, "servers", 10)
    with pytest.raises(NotFoundError, match=r"no registered limit of cores \(class:VCPU\) for the") as caught:
        client("admin").set_quota("dept-b", cores=5)
    assert_told(caught.value)


def test_limits_of_nova_that_keystone_hides_are_told(unified: InMemoryCloud, client: ClientFactory) -> None:
    unified.fail("keystone", "POST", "/auth/tokens", status=401, skip=1, times=None)
    unified.keystone.lacks = frozenset({"limits-shown"})
    with pytest.raises(NotAllowedError, match="Nova keeps its limits in Keystone"):
        client("admin").set_quota("dept-b", cores=5)


def test_a_launch_beyond_the_limit_of_disks_is_told_in_people_s_words(
    unified: InMemoryCloud, client: ClientFactory
) -> None:
    unified.nova.add_flavor("m1.vast", ram=512, disk=30, vcpus=1)
    image = make_image(unified, "alice", sample="disk.qcow2")
    with pytest.raises(QuotaExceededError) as caught:
        client("alice").launch(image, LaunchRequest(name="web", flavor="m1.vast", count=2))
    error = caught.value
    assert (error.resource, error.limit, error.used, error.requested) == ("disk_gib", 40, 0, 60)
    assert "no room for 60 more GiB of disks" in error.message
    assert error.message.in_language("zh").count("磁盘容量 (GiB)")


def test_limits_that_cannot_be_read_back_are_not_called_ignored(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.fail("nova", "GET", "/os-quota-sets/.*/detail", status=403, times=None)

    with pytest.raises(NotAllowedError, match="does not show you the quota of dept-a"):
        client("admin").set_quota("dept-a", cores=8)

    assert client().quota().cores == Usage(used=0, limit=60)
