"""Leaving on real services: what other tools see afterwards, and what is left if a service fails half-way."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import glanceclient
import openstack
import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from hyperx_glance import Client, LaunchRequest, ServiceUnavailableError, deployment, vocabulary
from hyperx_glance.deployment import leaving
from hyperx_glance.testing.timing import scaled
from hyperx_glance.texts import say
from tests.support import glance_rows, launches
from tests.support.clouds import PATIENT, REGION, unique
from tests.support.departures import by_id
from tests.support.interference import Interference
from tests.support.lossy_proxy import FATES, Fate, LossyProxy
from tests.support.records import make_image, record_of, records_of, without_ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

EVERY = {field.key: "true" for field in vocabulary.FIELDS if field.own}
ORDINARY = {"os_distro": "debian", "hw_qemu_guest_agent": "yes", "description": "说明"}


# ----------------------------------------------------------------- other tools


@pytest.mark.filterwarnings("ignore")
def test_other_tools_see_an_ordinary_image(local_cloud: LocalCloud, client: ClientFactory) -> None:
    """As openstacksdk and the client of Glance show the record, before and after."""
    image_id = make_image(local_cloud, "admin", visibility="public", tags=["lts"], **EVERY, **ORDINARY)
    session = local_cloud.session("bob")
    sdk = openstack.connection.Connection(session=session, region_name=REGION).image
    tool = glanceclient.Client("2", session=session, region_name=REGION)

    def seen() -> tuple[dict[str, Any], dict[str, Any]]:
        image = sdk.get_image(image_id).to_dict()
        image["properties"] = dict(image["properties"])
        return image, dict(tool.images.get(image_id))

    of_sdk, of_tool = seen()
    assert EVERY.keys() <= of_sdk["properties"].keys()
    assert EVERY.keys() <= of_tool.keys()

    client("admin").leave()

    after_sdk, after_tool = seen()
    for shown in (of_sdk, of_tool, after_sdk, after_tool):
        shown.pop("updated_at")
    of_sdk["properties"] = {key: text for key, text in of_sdk["properties"].items() if key not in EVERY}
    assert after_sdk == of_sdk
    assert after_tool == {key: value for key, value in of_tool.items() if key not in EVERY}
    assert after_tool["visibility"] == "public"


def test_the_command_leaves(local_cloud: LocalCloud) -> None:
    image_id = make_image(local_cloud, "admin", **EVERY, **ORDINARY)
    before = records_of(local_cloud, image_id)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}

    def run(*options: str, user: str = "admin") -> tuple[int, dict[str, dict[str, Any]]]:
        done = subprocess.run(
            [Path(sys.executable).with_name("openstack"), "hyperx", "deployment", "leave", *options, "-f", "json"],
            env=kept | local_cloud.environment(user) | {"PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, {row["image_id"]: row for row in json.loads(done.stdout)}

    status, rows = run("--dry-run")
    assert (status, rows[image_id]["outcome"], rows[image_id]["left"]) == (0, "listed", sorted(EVERY))
    assert records_of(local_cloud, image_id) == before
    status, rows = run("--yes")
    assert (status, rows[image_id]["outcome"], rows[image_id]["removed"]) == (0, "removed", sorted(EVERY))
    assert records_of(local_cloud, image_id) == without_ours(before)
    refused = make_image(local_cloud, "alice", hyperx_created_by="somebody")
    status, rows = run(user="alice")
    assert (status, rows[refused]["outcome"], rows[refused]["left"]) == (1, "refused", ["hyperx_created_by"])


# ----------------------------------------------------------------- launches


@pytest.fixture
def building(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[str]:
    """Have a server that Nova is still building, and return the id of its image."""
    alice = client("alice")
    image = make_image(local_cloud, "alice", hyperx_os_name="Debian")
    (server,) = alice.launch(image, LaunchRequest(name=unique("web"), flavor=launches.SMALL)).servers
    with closing(sqlite3.connect(local_cloud.database("nova"), timeout=scaled(30))) as database:
        changed = database.execute("update instances set vm_state = 'building' where uuid = ?", (server.id,))
        assert changed.rowcount == 1
        database.commit()
    yield image
    launches.remove_servers(local_cloud)


def test_an_image_that_is_being_launched_is_skipped(
    local_cloud: LocalCloud, client: ClientFactory, building: str
) -> None:
    for user in ("alice", "admin"):
        departure = by_id(client(user).leave())[building]
        assert (departure.outcome, departure.reason) == ("skipped", say(leaving.LAUNCH))
    assert record_of(local_cloud, building)["hyperx_os_name"] == "Debian"
    launches.remove_servers(local_cloud)

    assert by_id(client("alice").leave())[building].outcome == "removed"


# ----------------------------------------------------------------- failures


@pytest.mark.parametrize("fates", [*((fate,) for fate in FATES), ("cut_late", "cut_early", "bad_gateway")], ids=str)
def test_lost_answers_lose_nothing(local_cloud: LocalCloud, fates: tuple[Fate, ...]) -> None:
    images = [make_image(local_cloud, "alice", sample=None, hyperx_failure="No.", **ORDINARY) for _ in range(3)]
    before = records_of(local_cloud, *images)
    with LossyProxy(
        local_cloud.url("glance"), list(fates), service="image", creation="/images/[^/]+$", method="PATCH"
    ) as proxy:
        departures = by_id(proxy.client(local_cloud.session("admin"), PATIENT).leave())
        assert not proxy.fates

    assert {departures[image_id].outcome for image_id in images} == {"removed"}
    assert records_of(local_cloud, *images) == without_ours(before)


def test_a_glance_that_dies_half_way_leaves_a_list_of_the_rest(local_cloud: LocalCloud, client: ClientFactory) -> None:
    images = sorted(make_image(local_cloud, "alice", sample=None, hyperx_failure="No.", **ORDINARY) for _ in range(8))
    before = records_of(local_cloud, *images)
    admin = client("admin")
    between = Interference(admin)
    between.before("PATCH", images[3], lambda: local_cloud.kill("glance"))
    try:
        departures = by_id(admin.leave())
        with pytest.raises(ServiceUnavailableError):
            admin.leave()
    finally:
        local_cloud.restart("glance")

    assert [departures[image_id].outcome for image_id in images] == ["removed"] * 3 + ["failed"] * 5
    assert all(departures[image_id].left and departures[image_id].reason for image_id in images[3:])
    assert records_of(local_cloud, *images[:3]) == without_ours({image_id: before[image_id] for image_id in images[:3]})
    assert records_of(local_cloud, *images[3:]) == {image_id: before[image_id] for image_id in images[3:]}
    rest = by_id(client("admin").leave())
    assert set(rest) == set(images[3:])
    assert records_of(local_cloud, *images) == without_ours(before)


@pytest.fixture
def leaver(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[tuple[Client, str]]:
    """Add an administrator of dept-a, and return its client and its id."""
    keystone = client("admin").cloud
    (role,) = keystone.get("identity", "/roles", params={"name": "admin"}).json()["roles"]
    name, project_id = unique("leaver"), client("alice").project_id
    user = {"name": name, "password": "secret", "domain_id": "default"}
    user_id = keystone.post("identity", "/users", json={"user": user}).json()["user"]["id"]
    keystone.put("identity", f"/projects/{project_id}/users/{user_id}/roles/{role['id']}")
    login = Password(
        local_cloud.auth()["auth_url"],
        username=name,
        password="secret",
        project_id=project_id,
        user_domain_id="default",
    )
    yield Client.from_session(Session(auth=login), region_name=REGION, settings=PATIENT), user_id
    keystone.delete("identity", f"/users/{user_id}")


def test_a_login_that_ends_half_way_leaves_a_list_of_the_rest(
    local_cloud: LocalCloud, client: ClientFactory, leaver: tuple[Client, str]
) -> None:
    images = sorted(make_image(local_cloud, "alice", sample=None, hyperx_failure="No.", **ORDINARY) for _ in range(5))
    before = records_of(local_cloud, *images)
    admin, user_id = leaver
    keystone = client("admin").cloud
    between = Interference(admin)

    def end() -> None:
        keystone.patch("identity", f"/users/{user_id}", json={"user": {"enabled": False}})
        admin.cloud.session.invalidate()  # Glance goes on believing the token for a while

    between.after("PATCH", images[1], end)

    departures = by_id(admin.leave())

    assert [departures[image_id].outcome for image_id in images] == ["removed"] * 2 + ["failed"] * 3
    assert between.count("PATCH", "/images/") == 2
    assert {image_id for image_id in images if "hyperx_failure" in record_of(local_cloud, image_id)} == set(images[2:])
    assert set(by_id(client("admin").leave())) == set(images[2:])
    assert records_of(local_cloud, *images) == without_ours(before)


def test_what_an_operators_own_protections_refuse_is_listed(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path
) -> None:
    path = tmp_path / "protections.conf"
    forbidden = "".join(
        f"[^{key}$]\ncreate = @\nread = @\nupdate = @\ndelete = !\n\n" for key in ("hyperx_url", "hyperx_os_name")
    )
    path.write_text(forbidden + deployment.property_protections())
    every = {key: text for key, text in EVERY.items() if key != "hyperx_failure"}
    images = [make_image(local_cloud, "admin", **every, **ORDINARY) for _ in range(3)]
    with local_cloud.configured("glance", {"DEFAULT": {"property_protection_file": str(path)}}):
        admin = client("admin")
        between = Interference(admin)
        departures = by_id(admin.leave())

    for image_id in images:
        assert (departures[image_id].outcome, departures[image_id].reason) == ("refused", say(leaving.PROTECTED))
        assert departures[image_id].left == ("hyperx_os_name", "hyperx_url")
        assert EVERY.keys() & record_of(local_cloud, image_id).keys() == {"hyperx_os_name", "hyperx_url"}
    assert between.count("PATCH", "/images/") == len(images) + 2
    assert {departure.outcome for departure in client("admin").leave()} == {"removed"}


def test_what_the_policy_refuses_is_listed(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = make_image(local_cloud, "alice", sample=None, **ORDINARY, hyperx_failure="No.")
    before = records_of(local_cloud, image_id)
    with local_cloud.configured("glance", policies={"modify_image": "!"}):
        departure = by_id(client("alice").leave())[image_id]

    assert (departure.outcome, departure.left) == ("refused", ("hyperx_failure",))
    assert departure.reason
    assert records_of(local_cloud, image_id) == before


# ----------------------------------------------------------------- large catalogues


def test_a_large_catalogue_is_read_page_by_page_and_nothing_is_asked_twice(
    local_cloud: LocalCloud, client: ClientFactory
) -> None:
    owner = client("alice").project_id
    rows: list[dict[str, Any]] = [
        {
            "id": str(uuid.uuid4()),
            "name": f"image {number}",
            "status": "active",
            "visibility": ("private", "community", "public")[number % 3],
            "owner": owner,
            "disk_format": "qcow2",
            "container_format": "bare",
            "size": 1,
            "protected": False,
            "os_hidden": number % 7 == 0,
            "created_at": datetime.now(UTC),
            "updated_at": datetime.now(UTC),
            "tags": [],
            "properties": EVERY if number % 60 == 0 else ORDINARY,
        }
        for number in range(3000)
    ]
    ours = [str(row["id"]) for row in rows if row["properties"] is EVERY]
    glance_rows.insert(local_cloud, rows)
    try:
        before = records_of(local_cloud, *ours)
        admin = client("admin")
        between = Interference(admin)
        departures = by_id(admin.leave(department="dept-a"))

        assert set(departures) == set(ours)
        assert {departure.outcome for departure in departures.values()} == {"removed"}
        assert records_of(local_cloud, *ours) == without_ours(before)
        assert between.count("PATCH", "/images/") == len(ours)
        assert between.count("GET", "/images$") == 4, "three pages, and one of hidden images"
        assert client("admin").leave(department="dept-a") == []
    finally:
        glance_rows.remove(local_cloud, [str(row["id"]) for row in rows])
