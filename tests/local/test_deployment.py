"""The shipped protections in a real Glance, and the doctor's findings on real services."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from hyperx_glance import Client, Finding, InvalidRequestError, NotAllowedError, NotFoundError, deployment
from hyperx_glance.testing.capabilities import Name, lacking
from hyperx_glance.testing.timing import scaled
from tests.support import outages
from tests.support.clouds import unique
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

ROLES = ("admin", "manager", "member", "reader", "service")
FLAG = "hyperx_featured"
KEYS = (FLAG, "hyperx_os_name", "anything_else")
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
MEMBERS = "role:admin or (role:member and project_id:%(project_id)s)"


# ----------------------------------------------------------------- protections, role by role


@pytest.fixture
def people(local_cloud: LocalCloud) -> Iterator[dict[str, Client]]:
    """Add a user of dept-a for each role of a default deployment."""
    keystone = Client.from_session(local_cloud.session("admin"), region_name="RegionOne").cloud
    roles = {role["name"]: role["id"] for role in keystone.get("identity", "/roles").json()["roles"]}
    projects = keystone.get("identity", "/projects", params={"name": "dept-a"}).json()["projects"]
    project_id = projects[0]["id"]
    made: dict[str, Client] = {}
    ids = []
    for role in ROLES:
        name = unique(role)
        user = {"name": name, "password": "secret", "domain_id": "default"}
        user_id = keystone.post("identity", "/users", json={"user": user}).json()["user"]["id"]
        ids.append(user_id)
        keystone.put("identity", f"/projects/{project_id}/users/{user_id}/roles/{roles[role]}")
        login = Password(
            local_cloud.auth()["auth_url"],
            username=name,
            password="secret",
            project_id=project_id,
            user_domain_id="default",
        )
        made[role] = Client.from_session(Session(auth=login), region_name="RegionOne")
    yield made
    for user_id in ids:
        keystone.delete("identity", f"/users/{user_id}")


def outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except NotAllowedError as error:
        return f"refused: {error.explanation}"
    except (InvalidRequestError, NotFoundError) as error:
        return f"{error.status}"
    except AssertionError:
        return "not seen"
    return "done"


def without_reasons(done: dict[str, str]) -> dict[str, str]:
    return {deed: how.partition(":")[0] for deed, how in done.items()}


def deeds(client: Client, administrator: Client, project_id: str) -> dict[str, dict[str, str]]:
    """Do everything with some properties, on an image of dept-a that carries them and on one that does not."""

    def create(who: Client, *keys: str) -> str:
        head = {"name": unique("role"), "disk_format": "raw", "container_format": "bare", "owner": project_id}
        return str(who.cloud.post("image", "/images", json=head | dict.fromkeys(keys, "true")).json()["id"])

    def change(image_id: str, operation: str, key: str) -> None:
        patch = {"op": operation, "path": f"/{key}"} | ({} if operation == "remove" else {"value": "false"})
        client.cloud.patch("image", f"/images/{image_id}", json=[patch], headers=PATCH)

    def read(image_id: str, key: str) -> None:
        assert client.cloud.get("image", f"/images/{image_id}").json()[key] == "true"

    def find(image_id: str, key: str) -> None:
        page = client.cloud.get("image", "/images", params={key: "true", "limit": 1000}).json()
        assert image_id in {image["id"] for image in page["images"]}

    plain, carrying = create(administrator), create(administrator, *KEYS)
    return {
        key: {
            "create with it": outcome(lambda key=key: create(client, key)),  # type: ignore[misc]  # defaults of a lambda
            "read": outcome(lambda key=key: read(carrying, key)),  # type: ignore[misc]  # as above
            "find": outcome(lambda key=key: find(carrying, key)),  # type: ignore[misc]  # as above
            "add": outcome(lambda key=key: change(plain, "add", key)),  # type: ignore[misc]  # as above
            "change": outcome(lambda key=key: change(carrying, "replace", key)),  # type: ignore[misc]  # as above
            "delete": outcome(lambda key=key: change(carrying, "remove", key)),  # type: ignore[misc]  # as above
        }
        for key in KEYS
    }


def test_only_the_flag_differs_and_only_as_meant(
    local_cloud: LocalCloud, client: ClientFactory, people: dict[str, Client]
) -> None:
    administrator = client("admin")
    project_id = client("alice").project_id

    def all_deeds() -> dict[str, dict[str, dict[str, str]]]:
        return {role: deeds(people[role], administrator, project_id) for role in ROLES}

    with_file = all_deeds()
    with local_cloud.configured("glance", {"DEFAULT": {"property_protection_file": None}}):
        without_file = all_deeds()

    reserved = f"refused: Attribute '{FLAG}' is reserved."
    for role in ROLES:
        for key in KEYS[1:]:
            assert with_file[role][key] == without_file[role][key], (role, key)
    for role in "manager", "member":
        assert set(without_file[role][FLAG].values()) == {"done"}, "without the file a member may do all of it"
        assert with_file[role][FLAG] == without_file[role][FLAG] | dict.fromkeys(
            ("create with it", "add", "change"), reserved
        )
    for role in "reader", "service":
        # Refused by policy anyway; it does not matter whether policy or protection refuses first.
        assert without_reasons(with_file[role][FLAG]) == without_reasons(without_file[role][FLAG])
    assert set(with_file["admin"][FLAG].values()) == {"done"}


# ----------------------------------------------------------------- what Nova and Cinder make


@pytest.fixture
def featured(client: ClientFactory) -> str:
    """Return the id of a FEATURED image with data."""
    admin = client("admin").cloud
    body = {
        "name": unique("featured"),
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
        FLAG: "true",
        "hyperx_url": "http://files.example/disk.raw",
        "hyperx_os_name": "Debian 12",
    }
    image_id = str(admin.post("image", "/images", json=body).json()["id"])
    headers = {"Content-Type": "application/octet-stream"}
    admin.put("image", f"/images/{image_id}/file", data=b"0" * 1024, headers=headers)
    return image_id


@pytest.fixture
def server(client: ClientFactory, featured: str) -> Iterator[str]:
    """Yield the id of alice's server launched from the featured image."""
    cloud = client("alice").cloud
    flavors = cloud.get("compute", "/flavors").json()["flavors"]
    networks = cloud.get("network", "/networks?name=net1").json()["networks"]
    body = {
        "name": unique("server"),
        "imageRef": featured,
        "flavorRef": next(flavor["id"] for flavor in flavors if flavor["name"] == "m1.tiny"),
        "networks": [{"uuid": networks[0]["id"]}],
    }
    path = (
        "/servers/"
        + cloud.post("compute", "/servers", json={"server": body}, microversion="2.67").json()["server"]["id"]
    )
    until(lambda: cloud.get("compute", path).json()["server"]["status"] == "ACTIVE")
    yield path
    cloud.delete("compute", path)
    until(lambda: outcome(lambda: cloud.get("compute", path)) == "404")


def snapshot(client: Client, server: str, **metadata: str) -> dict[str, Any]:
    body = {"createImage": {"name": unique("snapshot"), "metadata": metadata}}
    image_id = client.cloud.post("compute", f"{server}/action", json=body, microversion="2.67").json()["image_id"]
    until(lambda: client.cloud.get("compute", server).json()["server"]["OS-EXT-STS:task_state"] is None)
    shown: dict[str, Any] = client.cloud.get("image", f"/images/{image_id}").json()
    return shown


def test_a_snapshot_of_a_featured_image_is_not_featured(client: ClientFactory, server: str) -> None:
    made = snapshot(client("alice"), server)

    assert FLAG not in made
    assert "hyperx_url" not in made
    assert made["hyperx_os_name"] == "Debian 12"


def test_a_member_cannot_forge_the_flag_through_nova(client: ClientFactory, server: str) -> None:
    with pytest.raises(NotAllowedError, match="reserved"):
        snapshot(client("alice"), server, hyperx_featured="true")


def test_without_novas_option_the_snapshot_is_refused(
    local_cloud: LocalCloud, client: ClientFactory, server: str
) -> None:
    with (
        local_cloud.configured("nova", {"DEFAULT": {"non_inheritable_image_properties": None}}),
        pytest.raises(NotAllowedError, match="reserved"),
    ):
        snapshot(client("alice"), server)


def test_an_image_of_a_featured_volume_is_not_featured(client: ClientFactory, featured: str) -> None:
    cloud = client("alice").cloud
    body = {"size": 1, "imageRef": featured, "name": unique("volume")}
    path = "/volumes/" + cloud.post("block-storage", "/volumes", json={"volume": body}).json()["volume"]["id"]
    until(lambda: cloud.get("block-storage", path).json()["volume"]["status"] == "available")
    assert cloud.get("block-storage", path).json()["volume"]["volume_image_metadata"][FLAG] == "true"

    action = {"os-volume_upload_image": {"image_name": unique("of-volume")}}
    answer = cloud.post("block-storage", f"{path}/action", json=action).json()

    made = cloud.get("image", f"/images/{answer['os-volume_upload_image']['image_id']}").json()
    cloud.delete("image", f"/images/{made['id']}")  # it would take a GiB
    assert FLAG not in made
    assert made["hyperx_os_name"] == "Debian 12"
    until(lambda: cloud.get("block-storage", path).json()["volume"]["status"] in {"available", "error"})
    client("admin").cloud.post("block-storage", f"{path}/action", json={"os-reset_status": {"status": "available"}})
    cloud.delete("block-storage", path)
    until(lambda: outcome(lambda: cloud.get("block-storage", path)) == "404")


# ----------------------------------------------------------------- the doctor


LACKS: dict[str, Name] = {
    "redirects": "redirects-filtered",
    "data-check": "formats-checked",
    "hybrid-isos": "hybrid-isos",
    "stream-quota": "streams-counted",
}


def examine(client: Client, *, probe: bool = False) -> dict[str, Finding]:
    found = client.doctor(probe=probe)
    assert all(finding.remedy for finding in found if finding.level != "ok")
    return {finding.check: finding for finding in found}


def levels(local_cloud: LocalCloud, findings: dict[str, Finding]) -> dict[str, str]:
    """Return what is not well, but for what this cloud's release lacks (tests/local/test_releases.py)."""
    lacks = lacking(local_cloud.release)
    return {
        check: finding.level
        for check, finding in findings.items()
        if finding.level != "ok" and LACKS.get(check) not in lacks
    }


def test_web_download_disabled(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("glance", {"DEFAULT": {"enabled_import_methods": "[glance-direct]"}}):
        auto, importing = client("alice"), client("alice", transfer="import")
        assert levels(local_cloud, examine(auto)) == {"web-download": "warning"}
        assert levels(local_cloud, examine(importing)) == {"web-download": "error"}
        assert "Unknown import method" in examine(auto, probe=True)["download-ports"].explanation


def test_unified_limits_off(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("glance", {"DEFAULT": {"use_keystone_limits": False}}):
        assert levels(local_cloud, examine(client("alice"))) == {"unified-limits": "warning"}


@contextmanager
def limit_of_another_region(local_cloud: LocalCloud) -> Iterator[None]:
    """Move a registered limit where Glance does not look."""
    with closing(sqlite3.connect(local_cloud.database("keystone"), timeout=scaled(30))) as database:
        key = "resource_name = 'image_count_total'"
        (region,) = database.execute(f"select region_id from registered_limit where {key}").fetchone()
        database.execute(f"update registered_limit set region_id = null where {key}")
        database.commit()
        try:
            local_cloud.restart("keystone")  # it caches limits
            yield
        finally:
            database.execute(f"update registered_limit set region_id = ? where {key}", (region,))
            database.commit()
            local_cloud.restart("keystone")


def test_a_limit_registered_in_the_wrong_region(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with limit_of_another_region(local_cloud):
        for user in "alice", "admin":
            findings = examine(client(user))
            assert levels(local_cloud, findings) == {"unified-limits": "error"}
            assert "image_count_total (but in no region)" in findings["unified-limits"].message
        assert "limit" in examine(client("alice"), probe=True)["scratch-record"].explanation
    assert levels(local_cloud, examine(client("alice"))) == {}


@pytest.mark.parametrize(("service", "check"), [("nova", "compute"), ("cinder", "block-storage")])
def test_a_service_that_died(local_cloud: LocalCloud, client: ClientFactory, service: str, check: str) -> None:
    local_cloud.kill(service)
    try:
        findings = examine(client("alice"), probe=True)
    finally:
        local_cloud.restart(service)

    assert findings[check].level == "error"
    unchecked = {"compute-version": "warning", "server-metadata": "warning"}
    assert levels(local_cloud, findings).items() <= {check: "error", **unchecked}.items()


def test_a_glance_that_died(local_cloud: LocalCloud, client: ClientFactory) -> None:
    local_cloud.kill("glance")
    try:
        findings = examine(client("alice"), probe=True)
    finally:
        local_cloud.restart("glance")

    assert findings["image"].level == "error"
    assert findings["publicize"].level == "warning"


def test_no_cinder(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with outages.absent(local_cloud, "cinder"):
        findings = examine(client("alice"))

    assert levels(local_cloud, findings) == {"block-storage": "warning"}
    assert "install disk" in findings["block-storage"].message


def test_an_import_that_is_stuck(local_cloud: LocalCloud, client: ClientFactory) -> None:
    alice = client("alice")
    body = {"name": unique("stuck"), "disk_format": "raw", "container_format": "bare", "visibility": "community"}
    image_id = alice.cloud.post("image", "/images", json=body).json()["id"]
    with closing(sqlite3.connect(local_cloud.database("glance"), timeout=scaled(30))) as database:
        database.execute(
            "update images set status = 'importing', updated_at = datetime('now', '-61 minutes') where id = ?",
            (image_id,),
        )
        database.commit()

    for user in "alice", "admin":
        findings = examine(client(user))
        assert levels(local_cloud, findings) == {"stuck-imports": "warning"}
        assert image_id in findings["stuck-imports"].message
    assert levels(local_cloud, examine(client("bob"))) == {}
    # The remedy works.
    alice.delete(image_id)
    assert levels(local_cloud, examine(alice)) == {}


def test_protections_are_off(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured(
        "glance", {"DEFAULT": {"property_protection_file": None}}, policies={"publicize_image": MEMBERS}
    ):
        assert levels(local_cloud, examine(client("alice", public_visibility="public"))) == {"featured-flag": "warning"}
        assert levels(local_cloud, examine(client("alice", public_visibility="public"), probe=True)) == {
            "featured-flag": "error",
            "property-protections": "error",
        }
    with local_cloud.configured("glance", {"DEFAULT": {"property_protection_file": None}}):
        assert levels(local_cloud, examine(client("alice"), probe=True)) == {
            "featured-flag": "warning",
            "property-protections": "warning",
        }


def test_protections_without_their_last_section(local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path) -> None:
    path = tmp_path / "protections.conf"
    path.write_text(deployment.property_protections().rpartition("[.*]")[0])
    with local_cloud.configured("glance", {"DEFAULT": {"property_protection_file": str(path)}}):
        findings = examine(client("alice"), probe=True)

    assert levels(local_cloud, findings) == {"property-protections": "error", "image-limits": "warning"}
    assert "[.*]" in findings["property-protections"].remedy


def test_policies_of_publishing(local_cloud: LocalCloud, client: ClientFactory) -> None:
    public = {"public_visibility": "public"}
    assert levels(local_cloud, examine(client("alice", **public), probe=True)) == {"publicize": "error"}
    with local_cloud.configured("glance", policies={"publicize_image": MEMBERS, "communitize_image": "role:admin"}):
        assert levels(local_cloud, examine(client("alice", **public), probe=True)) == {}
        assert levels(local_cloud, examine(client("alice"), probe=True)) == {"communitize": "error"}


def test_ports_are_limited_as_by_default(local_cloud: LocalCloud, client: ClientFactory) -> None:
    filters = {"allowed_ports": "[80,443]", "disallowed_ports": "[]"}
    with local_cloud.configured("glance", {"import_filtering_opts": filters}):
        auto, importing = client("alice"), client("alice", transfer="import")
        assert levels(local_cloud, examine(auto, probe=True)) == {"download-ports": "warning"}
        assert levels(local_cloud, examine(importing, probe=True)) == {"download-ports": "error"}


def test_hosts_are_limited(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("glance", {"import_filtering_opts": {"allowed_hosts": "[files.example]"}}):
        findings = examine(client("alice"), probe=True)

    assert levels(local_cloud, findings) == {"download-ports": "warning"}
    assert "host" in findings["download-ports"].message


def test_the_record_that_delete_image_protects(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("glance", policies={"delete_image": "role:admin"}):
        findings = examine(client("alice"), probe=True)

    assert levels(local_cloud, findings) == {"scratch-record": "error", "image-policies": "error"}
    assert "delete_image" in findings["scratch-record"].remedy
