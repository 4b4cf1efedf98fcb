"""Volumes, snapshots, types and transfers of the in-memory Cinder as state (the tour compares the words)."""

from __future__ import annotations

from typing import Any

import pytest

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import active_image, ask, boot, nova

NOBODY = "00000000-0000-0000-0000-000000000000"


def cinder(
    cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice", **options: object
) -> Any:  # noqa: ANN401 - JSON
    answer = ask(cloud, user, method, "block-storage", path, body, **options)
    assert answer.status_code < 400, answer.text
    return answer.json() if answer.content else None


def status(
    cloud: InMemoryCloud, method: str, path: str, body: object = None, user: str = "alice", **options: object
) -> int:
    return ask(cloud, user, method, "block-storage", path, body, **options).status_code


def volume(cloud: InMemoryCloud, user: str = "alice", **given: object) -> str:
    return str(cinder(cloud, "POST", "/volumes", {"volume": {"size": 1, **given}}, user)["volume"]["id"])


def snapshot(cloud: InMemoryCloud, volume_id: str, user: str = "alice", **given: object) -> str:
    body = {"snapshot": {"volume_id": volume_id, **given}}
    return str(cinder(cloud, "POST", "/snapshots", body, user)["snapshot"]["id"])


def act(cloud: InMemoryCloud, volume_id: str, user: str = "alice", **action: object) -> int:
    body = {name.replace("__", "-"): value for name, value in action.items()}
    return status(cloud, "POST", f"/volumes/{volume_id}/action", body, user)


def test_snapshots_count_against_the_quota_of_snapshots_and_of_gigabytes(cloud: InMemoryCloud) -> None:
    made = volume(cloud, size=3)
    cloud.cinder.set_quota("dept-a", snapshots=1)
    snapshot(cloud, made)

    absolute = cinder(cloud, "GET", "/limits")["limits"]["absolute"]
    assert (absolute["totalSnapshotsUsed"], absolute["totalGigabytesUsed"]) == (1, 6)
    assert status(cloud, "POST", "/snapshots", {"snapshot": {"volume_id": made}}) == 413
    cloud.cinder.set_quota("dept-a", snapshots=-1, gigabytes=6)
    assert status(cloud, "POST", "/snapshots", {"snapshot": {"volume_id": made}}) == 413
    assert len(cloud.cinder.snapshots) == 1


def test_a_volume_with_snapshots_is_deleted_with_them_or_not_at_all(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    snapshot(cloud, made)

    assert status(cloud, "DELETE", f"/volumes/{made}") == 400
    assert status(cloud, "DELETE", f"/volumes/{made}?cascade=true") == 202
    assert (cloud.cinder.volumes, cloud.cinder.snapshots) == ({}, {})


def test_pages_of_snapshots_lead_through_all_of_them_once(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    expected = {snapshot(cloud, made, name=f"s{number}") for number in range(5)}
    path, found = "/snapshots?limit=2", []
    while path:
        page = cinder(cloud, "GET", path)
        found += [each["id"] for each in page["snapshots"]]
        links = page.get("snapshots_links")
        path = f"/snapshots?{links[0]['href'].partition('?')[2]}" if links else ""

    assert len(found) == 5
    assert set(found) == expected


def test_lists_are_sorted_as_asked(cloud: InMemoryCloud) -> None:
    for name, size in (("b", 1), ("a", 3), ("c", 2)):
        volume(cloud, name=name, size=size)

    def names(query: str) -> list[str]:
        return [each["name"] for each in cinder(cloud, "GET", f"/volumes?{query}")["volumes"]]

    assert names("") == ["c", "a", "b"]
    assert names("sort=name:asc") == ["a", "b", "c"]
    assert names("sort_key=size&sort_dir=desc") == ["a", "c", "b"]


def test_a_volume_of_a_snapshot_is_as_large_and_of_the_same_type(cloud: InMemoryCloud) -> None:
    cloud.cinder.add_type("fast")
    made = volume(cloud, size=2, volume_type="fast")
    copy = volume(cloud, size=None, snapshot_id=snapshot(cloud, made))

    shown = cinder(cloud, "GET", f"/volumes/{copy}")["volume"]
    assert (shown["size"], shown["volume_type"]) == (2, "fast")


@pytest.mark.parametrize(
    "given", [{"size": "x"}, {"size": 0}, {"name": 5}, {"metadata": {"a": 1}}, {"snapshot_id": "x"}]
)
def test_a_wrong_volume_is_refused_and_not_kept(cloud: InMemoryCloud, given: dict[str, object]) -> None:
    assert status(cloud, "POST", "/volumes", {"volume": {"size": 1, **given}}) == 400
    assert cloud.cinder.volumes == {}


def test_a_larger_volume_counts_as_larger(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    cloud.cinder.set_quota("dept-a", gigabytes=5)

    assert act(cloud, made, os__extend={"new_size": 6}) == 413
    assert act(cloud, made, os__extend={"new_size": 5}) == 202
    assert status(cloud, "POST", "/volumes", {"volume": {"size": 1}}) == 413


def test_a_transferred_volume_belongs_and_counts_to_the_other_department(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    part = snapshot(cloud, made)
    offer = cinder(cloud, "POST", "/os-volume-transfer", {"transfer": {"volume_id": made}})["transfer"]
    path, answer = f"/os-volume-transfer/{offer['id']}/accept", {"accept": {"auth_key": offer["auth_key"]}}
    cloud.cinder.set_quota("dept-b", volumes=0)
    assert status(cloud, "POST", path, answer, "bob") == 413
    cloud.cinder.set_quota("dept-b", volumes=1)

    cinder(cloud, "POST", path, answer, "bob")

    assert status(cloud, "GET", f"/volumes/{made}") == 404
    assert cinder(cloud, "GET", f"/volumes/{made}", user="bob")["volume"]["status"] == "available"
    assert status(cloud, "GET", f"/snapshots/{part}", user="bob") == 200
    assert cinder(cloud, "GET", "/limits")["limits"]["absolute"]["totalVolumesUsed"] == 0


def test_types_have_limits_of_their_own_and_take_them_along_when_renamed(cloud: InMemoryCloud) -> None:
    made = cinder(cloud, "POST", "/types", {"volume_type": {"name": "fast"}}, "admin")["volume_type"]["id"]
    cloud.cinder.set_quota("dept-a", volumes_fast=1)
    volume(cloud, volume_type="fast")

    assert status(cloud, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "fast"}}) == 413
    cinder(cloud, "PUT", f"/types/{made}", {"volume_type": {"name": "faster"}}, "admin")
    assert status(cloud, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "faster"}}) == 413
    assert status(cloud, "DELETE", f"/types/{made}", user="admin") == 400


def test_only_departments_with_access_use_a_type_that_is_not_public(cloud: InMemoryCloud) -> None:
    body = {"volume_type": {"name": "hidden", "os-volume-type-access:is_public": False}}
    made = cinder(cloud, "POST", "/types", body, "admin")["volume_type"]["id"]
    wanted = {"volume": {"size": 1, "volume_type": "hidden"}}
    assert status(cloud, "POST", "/volumes", wanted) == 404

    access = {"addProjectAccess": {"project": cloud.departments["dept-a"]}}
    cinder(cloud, "POST", f"/types/{made}/action", access, "admin")

    assert status(cloud, "POST", "/volumes", wanted) == 202
    assert status(cloud, "POST", "/volumes", wanted, "bob") == 404


def test_a_backup_fails_because_no_service_makes_it(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    backup = cinder(cloud, "POST", "/backups", {"backup": {"volume_id": made}})["backup"]["id"]

    assert cinder(cloud, "GET", f"/backups/{backup}")["backup"]["status"] == "error"
    assert cinder(cloud, "GET", f"/volumes/{made}")["volume"]["status"] == "available"
    assert status(cloud, "GET", f"/backups/{backup}", user="bob") == 404
    assert status(cloud, "DELETE", f"/backups/{backup}") == 404
    assert list(cloud.cinder.backups) == [backup]


def test_a_path_with_the_department_leads_to_the_same_volumes(cloud: InMemoryCloud) -> None:
    made = volume(cloud)
    project = cloud.departments["dept-a"]
    url = f"{cloud.cinder.url}/v3/{project}"

    shown = cloud.session("alice").get(f"{url}/volumes/{made}").json()["volume"]

    assert shown["links"][0]["href"] == f"{url}/volumes/{made}"


@pytest.mark.parametrize("path", ["/groups", "/group_types", "/attachments", "/messages", "/nothing"])
def test_what_is_not_there_answers_404(cloud: InMemoryCloud, path: str) -> None:
    assert status(cloud, "GET", path) == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(
            (method, f"/{kind}/{NOBODY}", None)
            for kind in ("volumes", "snapshots", "types")
            for method in ("GET", "DELETE")
        ),
        *((method, f"/os-volume-transfer/{NOBODY}", None) for method in ("GET", "DELETE")),
        ("PUT", f"/volumes/{NOBODY}", {"volume": {"name": "x"}}),
        ("PUT", f"/snapshots/{NOBODY}", {"snapshot": {"name": "x"}}),
        ("PUT", f"/types/{NOBODY}", {"volume_type": {"name": "x"}}),
    ],
)
def test_a_thing_that_is_not_there_answers_404(cloud: InMemoryCloud, method: str, path: str, body: object) -> None:
    assert status(cloud, method, path, body, "admin") == 404


def test_a_deleted_server_leaves_a_volume_that_has_snapshots(cloud: InMemoryCloud) -> None:
    disk = {
        "boot_index": 0,
        "source_type": "image",
        "destination_type": "volume",
        "uuid": active_image(cloud),
        "volume_size": 1,
        "delete_on_termination": True,
    }
    server = boot(cloud, block_device_mapping_v2=[disk]).json()["server"]["id"]
    cloud.nova.finish_builds()
    [made] = cloud.cinder.volumes
    cinder(cloud, "POST", "/snapshots", {"snapshot": {"volume_id": made, "force": True}})

    nova(cloud, "alice", "DELETE", f"/servers/{server}")
    for _ in range(3):
        nova(cloud, "alice", "GET", f"/servers/{server}")

    assert cloud.cinder.volumes[made].status == "available"
    assert len(cloud.cinder.snapshots) == 1


def test_a_second_type_of_the_same_name_is_refused(cloud: InMemoryCloud) -> None:
    cloud.cinder.add_type("fast")

    with pytest.raises(InvalidRequestError, match="already is a type of volumes called 'fast'"):
        cloud.cinder.add_type("fast")


def test_qos_specs_belong_to_types_until_they_are_taken_away(cloud: InMemoryCloud) -> None:
    body = {"qos_specs": {"name": "slow", "read_iops_sec": "100"}}
    specs = cinder(cloud, "POST", "/qos-specs", body, "admin")["qos_specs"]["id"]
    cloud.cinder.add_type("fast")
    kind = next(each.id for each in cloud.cinder.volume_types.values() if each.name == "fast")
    cinder(cloud, "GET", f"/qos-specs/{specs}/associate?vol_type_id={kind}", user="admin")

    assert cinder(cloud, "GET", f"/types/{kind}", user="admin")["volume_type"]["qos_specs_id"] == specs
    assert status(cloud, "DELETE", f"/qos-specs/{specs}", user="admin") == 400
    assert status(cloud, "DELETE", f"/qos-specs/{specs}?force=true", user="admin") == 202
    assert cloud.cinder.volume_types[kind].qos_specs_id is None
