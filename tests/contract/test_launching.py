"""Launches of one or many servers, on both clouds."""

from __future__ import annotations

import base64
import email
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from hyperx_glance import (
    Client,
    ConflictError,
    FlavorTooSmallError,
    ImageNotActiveError,
    InvalidRequestError,
    LaunchProgress,
    LaunchRequest,
    NotAllowedError,
    NotFoundError,
    PasswordResetError,
    QuotaExceededError,
    WaitTimeoutError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from tests.support import launches
from tests.support.clouds import REGION, unique
from tests.support.interference import Interference, interrupt
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance import Launch
    from tests.support.clouds import ClientFactory, CloudUnderTest

pytestmark = pytest.mark.usefixtures("_servers_removed")

BOTH_LISTS = "/servers(/detail)?$"
"""Servers are read one by one if the list with details is refused alone."""


def ask(**fields: object) -> LaunchRequest:
    return LaunchRequest.model_validate({"name": unique("web"), "flavor": "m1.tiny", **fields})


def shown(cloud: CloudUnderTest, launch: Launch) -> Mapping[str, Any]:
    """Return the one server of a launch as an administrator sees it."""
    (server,) = launches.tagged(cloud, launch.launch_id)
    answer = cloud.session("admin").get(
        f"/servers/{server['id']}", endpoint_filter=launches.COMPUTE, microversion=launches.NEWEST
    )
    found: Mapping[str, Any] = answer.json()["server"]
    return found


def nothing_was_created(cloud: CloudUnderTest) -> bool:
    return not launches.servers(cloud) and not launches.volumes(cloud)


# ----------------------------------------------------------------- images


def test_one_server_from_an_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    request = ask()
    seen: list[LaunchProgress] = []
    launch = client("alice").launch(launches.put_image(cloud), request, on_progress=seen.append)
    (server,) = launch.servers
    assert (server.name, server.status, server.flavor, server.fault) == (request.name, "ACTIVE", "m1.tiny", None)
    assert len(server.addresses["net1"]) == 1
    assert server.created_at is not None
    assert launch.admin_password is None
    assert (seen[-1].active, seen[-1].building, seen[-1].failed, seen[-1].count) == (1, 0, 0, 1)
    assert [each["id"] for each in launches.tagged(cloud, launch.launch_id)] == [server.id]


def test_three_servers_in_name_order_and_gone_again(cloud: CloudUnderTest, client: ClientFactory) -> None:
    request = ask(count=3)
    launch = client("alice").launch(launches.put_image(cloud), request)
    assert [server.name for server in launch.servers] == [f"{request.name}-{number}" for number in (1, 2, 3)]
    assert {server.status for server in launch.servers} == {"ACTIVE"}
    assert len({address for server in launch.servers for address in server.addresses["net1"]}) == 3
    launch.cancel()
    assert launches.tagged(cloud, launch.launch_id) == []


def test_an_image_of_a_client_s_own_reading(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image = alice.image(launches.put_image(cloud))
    assert alice.launch(image, ask()).image_id == image.id


def test_start_now_and_wait_later(cloud: CloudUnderTest, client: ClientFactory) -> None:
    launch = client("alice").launch(launches.put_image(cloud), ask(count=2), wait=False)
    assert {server.status for server in launch.servers} <= {"BUILD", "ACTIVE"}
    assert launch.wait() is launch
    assert [server.status for server in launch.servers] == ["ACTIVE", "ACTIVE"]


def test_a_server_keeps_its_flavor_as_it_was(cloud: CloudUnderTest, client: ClientFactory) -> None:
    """Nova stores a copy with the server (nova/objects/instance.py, Instance.flavor)."""
    admin = cloud.session("admin")
    asked = {"name": unique("edited"), "ram": 64, "disk": 1, "vcpus": 1}
    flavor = admin.post("/flavors", json={"flavor": asked}, endpoint_filter=launches.COMPUTE).json()["flavor"]
    specs = f"/flavors/{flavor['id']}/os-extra_specs"
    try:
        before = {"extra_specs": {"hw:cpu_policy": "shared"}}
        admin.post(specs, json=before, endpoint_filter=launches.COMPUTE)
        launch = client("alice").launch(launches.put_image(cloud), ask(flavor=flavor["id"]))
        admin.post(specs, json={"extra_specs": {"hw:cpu_policy": "mixed"}}, endpoint_filter=launches.COMPUTE)
    finally:
        admin.delete(f"/flavors/{flavor['id']}", endpoint_filter=launches.COMPUTE)

    assert shown(cloud, launch)["flavor"]["extra_specs"] == before["extra_specs"]


def test_flavor_and_network_by_id(cloud: CloudUnderTest, client: ClientFactory) -> None:
    session = cloud.session("alice")
    flavors = session.get("/flavors", endpoint_filter=launches.COMPUTE).json()["flavors"]
    flavor_id = next(flavor["id"] for flavor in flavors if flavor["name"] == "m1.tiny")
    (network,) = session.get("/v2.0/networks?name=net1", endpoint_filter=launches.NETWORKS).json()["networks"]
    launch = client("alice").launch(launches.put_image(cloud), ask(flavor=flavor_id, networks=(network["id"],)))
    assert launch.servers[0].flavor == "m1.tiny"
    assert list(launch.servers[0].addresses) == ["net1"]


def test_network_by_name_and_no_network(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = launches.put_image(cloud)
    assert list(client("alice").launch(image_id, ask(networks=("net1",))).servers[0].addresses) == ["net1"]
    assert client("alice").launch(image_id, ask(networks="none")).servers[0].addresses == {}


def test_a_server_gets_every_requested_attribute(cloud: CloudUnderTest, client: ClientFactory) -> None:
    session = cloud.session("alice")
    key, group = unique("key"), unique("group")
    public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Zq1bI5m0Ff6DqfG1hO3gVb7M8Yw5YwKx0vB9y2mJx alice"
    session.post(
        "/os-keypairs",
        json={"keypair": {"name": key, "public_key": public_key}},
        endpoint_filter=launches.COMPUTE,
    )
    session.post(
        "/os-server-groups",
        json={"server_group": {"name": group, "policies": ["affinity"]}},
        endpoint_filter=launches.COMPUTE,
    )
    launch = client("alice").launch(
        launches.put_image(cloud),
        ask(
            key_name=key,
            security_groups=("default",),
            availability_zone="nova",
            metadata={"tier": "front"},
            tags={"blue", "web"},
            server_group=group,
            user_data="#!/bin/sh\necho 你好\n",
            config_drive=True,
        ),
    )
    server = shown(cloud, launch)
    assert server["key_name"] == key
    assert [each["name"] for each in server["security_groups"]] == ["default"]
    assert server["OS-EXT-AZ:availability_zone"] == "nova"
    assert server["metadata"]["tier"] == "front"
    assert {"blue", "web"} < set(server["tags"])
    assert len(server["server_groups"]) == 1
    assert base64.b64decode(server["OS-EXT-SRV-ATTR:user_data"]).decode() == "#!/bin/sh\necho 你好\n"
    assert server["config_drive"] == "True"
    session.delete(f"/os-keypairs/{key}", endpoint_filter=launches.COMPUTE)
    session.delete(f"/os-server-groups/{server['server_groups'][0]}", endpoint_filter=launches.COMPUTE)


def test_a_root_disk_as_a_volume(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = launches.put_image(cloud, "disk.raw")
    launch = client("alice").launch(image_id, ask(boot_volume_gib=2, count=2))
    assert [server.status for server in launch.servers] == ["ACTIVE", "ACTIVE"]
    assert [volume["size"] for volume in launches.volumes(cloud)] == [2, 2]
    assert {volume["volume_image_metadata"]["image_id"] for volume in launches.volumes(cloud)} == {image_id}
    launch.cancel()
    assert nothing_was_created(cloud)


# ----------------------------------------------------------------- ISOs


def test_an_installer_has_a_blank_disk_and_the_disc(cloud: CloudUnderTest, client: ClientFactory) -> None:
    iso = launches.put_image(cloud, "installer.iso")
    launch = client("alice").launch(iso, ask(count=3, install_disk_gib=2))
    assert [server.status for server in launch.servers] == ["ACTIVE"] * 3
    for server in launches.tagged(cloud, launch.launch_id):
        attached = {each["id"] for each in server["os-extended-volumes:volumes_attached"]}
        mine = [volume for volume in launches.volumes(cloud) if volume["id"] in attached]
        sizes = {volume.get("volume_image_metadata", {}).get("image_id"): volume["size"] for volume in mine}
        assert sizes == {None: 2, iso: 1}
    launch.cancel()
    assert nothing_was_created(cloud)


def test_the_disc_is_as_large_as_cinder_demands(cloud: CloudUnderTest, client: ClientFactory) -> None:
    iso = launches.put_image(cloud, "installer.iso", {"min_disk": 3})
    launch = client("alice").launch(iso, ask(install_disk_gib=4))
    assert launch.servers[0].status == "ACTIVE"
    assert sorted(volume["size"] for volume in launches.volumes(cloud)) == [3, 4]


def test_volumes_that_are_kept(cloud: CloudUnderTest, client: ClientFactory) -> None:
    iso = launches.put_image(cloud, "installer.iso")
    launch = client("alice").launch(iso, ask(keep_volumes=True))
    session = cloud.session("alice")
    session.delete(f"/servers/{launch.servers[0].id}", endpoint_filter=launches.COMPUTE)
    until(lambda: not launches.servers(cloud))
    assert len(launches.volumes(cloud)) == 2


def test_cancel_takes_them_too(cloud: CloudUnderTest, client: ClientFactory) -> None:
    iso = launches.put_image(cloud, "installer.iso")
    client("alice").launch(iso, ask(keep_volumes=True), wait=False).cancel()
    assert nothing_was_created(cloud)


@pytest.mark.parametrize(("method", "path"), [("GET", "/volumes/detail"), ("DELETE", "/volumes/")])
def test_a_cancellation_that_died_before_the_volumes_is_taken_up(
    cloud: CloudUnderTest, client: ClientFactory, method: str, path: str
) -> None:
    iso = launches.put_image(cloud, "installer.iso")
    launch = client("alice").launch(iso, ask(count=2, keep_volumes=True))
    dying = client("alice")
    between = Interference(dying)
    found = dying.find_launch(launch.launch_id)
    if method == "GET":
        # The first list shows which volumes are the launch's own.
        between.after(method, path, lambda: between.before(method, path, interrupt))
    else:
        between.before(method, path, interrupt)
    with pytest.raises(KeyboardInterrupt):
        found.cancel()
    assert not launches.tagged(cloud, launch.launch_id)
    assert len(launches.volumes(cloud)) == 4
    left = client("alice").find_launch(launch.launch_id)
    assert (left.servers, left.count, left.image_id) == ((), 2, iso)
    left.cancel()
    assert nothing_was_created(cloud)


def test_a_live_disc_needs_no_volume(cloud: CloudUnderTest, client: ClientFactory) -> None:
    iso = launches.put_image(cloud, "installer.iso")
    launch = client("alice").launch(iso, ask(layout="live"))
    assert launch.servers[0].status == "ACTIVE"
    assert launches.volumes(cloud) == []


# ----------------------------------------------------------------- checks before anything is created


def test_an_image_that_is_not_active_is_refused(cloud: CloudUnderTest, client: ClientFactory) -> None:
    session = cloud.session("alice")
    queued = {"name": "queued", "disk_format": "raw", "container_format": "bare", "hyperx_failure": "404 Not Found"}
    image_id = session.post("/v2/images", json=queued, endpoint_filter=launches.IMAGES).json()["id"]
    with pytest.raises(ImageNotActiveError, match="INACTIVE, failed: 404 Not Found") as caught:
        client("alice").launch(image_id, ask())
    assert (caught.value.image_id, caught.value.phase, caught.value.failure) == (image_id, "failed", "404 Not Found")
    disabled = launches.put_image(cloud)
    session.post(f"/v2/images/{disabled}/actions/deactivate", endpoint_filter=launches.IMAGES)
    with pytest.raises(ImageNotActiveError, match="disabled"):
        client("alice").launch(disabled, ask())
    assert nothing_was_created(cloud)


def test_a_launch_that_does_not_fit_is_refused(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    cd = launches.put_image(cloud, "data.iso", {"hyperx_bootable": "false"})
    with pytest.raises(InvalidRequestError, match="not bootable"):
        alice.launch(cd, ask())
    for record in ({"min_disk": 2}, {"min_ram": 513}):
        with pytest.raises(FlavorTooSmallError):
            alice.launch(launches.put_image(cloud, "disk.qcow2", record), ask())
    with pytest.raises(FlavorTooSmallError, match="needs"):
        alice.launch(launches.put_image(cloud, "huge.qcow2"), ask())
    with pytest.raises(NotFoundError, match="no flavor"):
        alice.launch(launches.put_image(cloud), ask(flavor="m1.nonsense"))
    with pytest.raises(NotFoundError, match="no network"):
        alice.launch(launches.put_image(cloud), ask(networks=("net1", "nonsense")))
    with pytest.raises(NotFoundError, match="no server group"):
        alice.launch(launches.put_image(cloud), ask(server_group="nonsense"))
    with pytest.raises(NotFoundError):
        alice.launch("00000000-0000-4000-8000-000000000000", ask())
    assert nothing_was_created(cloud)


def test_the_whole_count_must_fit_the_quota(cloud: CloudUnderTest, client: ClientFactory) -> None:
    with pytest.raises(QuotaExceededError) as caught:
        client("alice").launch(launches.put_image(cloud), ask(count=61))
    error = caught.value
    assert (error.department, error.resource, error.limit, error.used, error.requested) == (
        "dept-a", "instances", 60, 0, 61,
    )  # fmt: skip
    assert error.exceeded == ("instances", "cores")
    iso = launches.put_image(cloud, "installer.iso")
    with pytest.raises(QuotaExceededError) as caught:
        client("alice").launch(iso, ask(count=6, install_disk_gib=1000))
    assert caught.value.exceeded == ("volumes", "volume_gib")
    assert nothing_was_created(cloud)


# ----------------------------------------------------------------- found again


def test_a_launch_is_found_by_an_id_of_the_caller_s_own(cloud: CloudUnderTest, client: ClientFactory) -> None:
    launch_id = unique("launch")
    image_id = launches.put_image(cloud)
    made = client("alice").launch(image_id, ask(count=2, launch_id=launch_id))
    found = client("arthur").find_launch(launch_id)
    assert found.servers == made.servers
    assert (found.launch_id, found.image_id, found.count, found.admin_password) == (launch_id, image_id, 2, None)
    with pytest.raises(ConflictError, match="already exists"):
        client("alice").launch(image_id, ask(launch_id=launch_id))
    found.cancel()
    assert nothing_was_created(cloud)


def test_a_deadline_deletes_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    if isinstance(cloud, InMemoryCloud):
        cloud.nova.build_polls = 3
    with pytest.raises(WaitTimeoutError, match="0 of 2 active, 2 building") as caught:
        client("alice").launch(launches.put_image(cloud), ask(count=2), timeout=0)
    assert isinstance(caught.value.last_seen, LaunchProgress)
    assert caught.value.launch_id is not None
    found = client("alice").find_launch(caught.value.launch_id).wait()
    assert [server.status for server in found.servers] == ["ACTIVE", "ACTIVE"]


def test_a_launch_that_was_accepted_is_not_lost(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    image_id = launches.put_image(cloud)
    between = Interference(alice)

    def denied() -> None:
        raise NotAllowedError(Text("Not any more."))

    between.before("GET", BOTH_LISTS, denied, times=2)
    launch = alice.launch(image_id, ask(count=2), wait=False)
    between.before("GET", BOTH_LISTS, denied, times=2)
    with pytest.raises(NotAllowedError, match=launch.launch_id) as caught:
        launch.wait()
    assert caught.value.launch_id == launch.launch_id
    assert len(client("alice").find_launch(launch.launch_id).wait().servers) == 2


def test_an_old_launch_that_nobody_knows_is_told_by_one_look(client: ClientFactory) -> None:
    alice, launch_id = client("alice"), "20261125T163000Z-0f3a9c4e5b2d7861"
    between = Interference(alice)
    with pytest.raises(NotFoundError, match=launch_id) as caught:
        alice.find_launch(launch_id)
    assert caught.value.launch_id == launch_id
    assert between.count("GET", "/servers/detail") == 1


def test_a_launch_that_nova_showed_once_and_then_no_more_is_an_error(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    launch = client("alice").launch(launches.put_image(cloud), ask(count=2))
    gone, _ = launch.servers
    cloud.session("alice").delete(f"/servers/{gone.id}", endpoint_filter=launches.COMPUTE)
    until(lambda: len(launches.tagged(cloud, launch.launch_id)) == 1)
    searching = client("alice")
    between = Interference(searching)

    def denied() -> None:
        raise NotAllowedError(Text("Not any more."))

    between.after("GET", "/servers/detail", lambda: between.before("GET", BOTH_LISTS, denied, times=-1))
    with pytest.raises(NotAllowedError, match=launch.launch_id) as caught:
        searching.find_launch(launch.launch_id)
    assert caught.value.launch_id == launch.launch_id


def test_launches_are_listed_the_newest_first(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image, alice = launches.put_image(cloud), client("alice")
    first = alice.launch(image, ask(count=2))
    second = alice.launch(image, ask())

    found = client("alice").launches()
    assert [(each.launch_id, each.count, each.image_id) for each in found if each.launch_id == second.launch_id] == [
        (second.launch_id, 1, image)
    ]
    assert {each.launch_id: each.servers for each in found} == {
        second.launch_id: second.servers,
        first.launch_id: first.servers,
    }
    assert client("bob").launches() == []
    for each in found:
        each.cancel()
    assert nothing_was_created(cloud)


@pytest.mark.parametrize("name", ["5²", "٣", "①"])
def test_a_name_of_any_digits_is_a_name(cloud: CloudUnderTest, client: ClientFactory, name: str) -> None:
    launch_id = unique("launch")
    launch = client("alice").launch(launches.put_image(cloud), ask(name=name, count=2, launch_id=launch_id))
    assert [server.name for server in launch.servers] == [f"{name}-1", f"{name}-2"]
    assert client("alice").find_launch(launch_id).progress().active == 2
    launch.cancel()
    assert nothing_was_created(cloud)


# ----------------------------------------------------------------- passwords


def test_a_password_enabled_image_gives_a_password(cloud: CloudUnderTest, client: ClientFactory) -> None:
    launch = client("alice").launch(launches.put_password_image(cloud), ask())
    assert launch.admin_password is not None
    assert len(launch.admin_password.get_secret_value()) == 20
    config = yaml.safe_load(base64.b64decode(shown(cloud, launch)["OS-EXT-SRV-ATTR:user_data"]))
    assert config["chpasswd"]["users"][0]["name"] == "debian"


def test_a_password_of_the_caller_s_own_beside_user_data(cloud: CloudUnderTest, client: ClientFactory) -> None:
    launch = client("alice").launch(
        launches.put_password_image(cloud),
        ask(admin_password="Of-my-0wn", user_data="#cloud-config\npackages: [git]\n"),
    )
    assert launch.admin_password is not None
    assert launch.admin_password.get_secret_value() == "Of-my-0wn"
    message = email.message_from_bytes(base64.b64decode(shown(cloud, launch)["OS-EXT-SRV-ATTR:user_data"]))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "text/cloud-config",
        "text/cloud-config",
    ]


@pytest.mark.parametrize(
    "own",
    [
        "#cloud-config\npassword: x\n",
        "#cloud-config\nusers: [bob]\n",
        "#cloud-config\nusers: [{name: debian, passwd: x}]\n",
        "#Cloud-Config\nchpasswd: {list: ['bob:x']}\n",
    ],
)
def test_user_data_beside_which_the_password_would_not_hold_is_refused(
    cloud: CloudUnderTest, client: ClientFactory, own: str
) -> None:
    with pytest.raises(InvalidRequestError, match="user_data: ") as caught:
        client("alice").launch(launches.put_password_image(cloud), ask(user_data=own))
    assert caught.value.hint
    assert nothing_was_created(cloud)


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"flavor": "none"}, "openstack flavor list"),
        ({"networks": ("none",)}, "openstack network list"),
        ({"key_name": "none"}, "openstack keypair list"),
        ({"availability_zone": "none"}, "openstack availability zone list"),
        ({"security_groups": ("none",)}, "openstack security group list"),
        ({"volume_type": "none", "boot_volume_gib": 20}, "openstack volume type list"),
    ],
)
def test_an_unknown_name_is_refused_with_the_command_that_lists_the_valid_ones(
    cloud: CloudUnderTest, client: ClientFactory, fields: dict[str, object], command: str
) -> None:
    with pytest.raises((InvalidRequestError, NotFoundError)) as caught:
        client("alice").launch(launches.put_image(cloud), ask(**fields))
    assert command in caught.value.hint
    assert nothing_was_created(cloud)


@pytest.mark.parametrize("config_drive", [True, None])
def test_a_linux_guest_s_password_is_not_sent_to_nova(
    cloud: CloudUnderTest, client: ClientFactory, caplog: pytest.LogCaptureFixture, config_drive: object
) -> None:
    caplog.set_level("DEBUG")
    session = cloud.session("alice")
    exchanged: list[tuple[Any, Any]] = []

    def note(answer: requests.Response, **_options: object) -> None:
        if answer.request.method == "POST" and (answer.request.url or "").endswith("/servers"):
            assert answer.request.body is not None
            exchanged.append((json.loads(answer.request.body), answer.json()))

    session.session.hooks["response"].append(note)
    image_id = launches.put_password_image(cloud)
    try:
        alice = Client.from_session(session, region_name=REGION, settings=client.settings)
        launch = alice.launch(image_id, ask(config_drive=config_drive))
    finally:
        session.session.hooks["response"].remove(note)
    assert launch.admin_password is not None
    ((sent, answered),) = exchanged
    assert "adminPass" not in sent["server"]
    assert launch.admin_password.get_secret_value() not in str(sent)
    # Nova draws one of its own then; it stays there.
    assert answered.keys() == {"reservation_id"}
    assert "adminPass" not in caplog.text


def test_other_images_have_no_password(cloud: CloudUnderTest, client: ClientFactory) -> None:
    with pytest.raises(InvalidRequestError, match="not password-enabled"):
        client("alice").launch(launches.put_image(cloud), ask(admin_password="Of-my-0wn"))
    with pytest.raises(InvalidRequestError, match="user_data"):
        client("alice").launch(launches.put_password_image(cloud), ask(user_data="who reads this?"))
    assert nothing_was_created(cloud)


def test_windows_reads_it_from_the_config_drive(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image = launches.put_password_image(cloud, {"os_type": "windows"})
    launch = client("alice").launch(image, ask())
    assert launch.admin_password is not None
    server = shown(cloud, launch)
    assert server["metadata"]["admin_username"] == "debian"
    with pytest.raises(InvalidRequestError, match="admin_pass"):
        client("alice").launch(image, ask(metadata={"admin_pass": "whoever reads servers reads this"}))
    assert server["config_drive"] == "True"
    assert server["OS-EXT-SRV-ATTR:user_data"] is None


def test_a_new_password(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    (server,) = alice.launch(launches.put_password_image(cloud), ask()).servers
    assert len(alice.reset_password(server.id).get_secret_value()) == 20
    assert alice.reset_password(server.id, "Of-my-0wn").get_secret_value() == "Of-my-0wn"
    with pytest.raises(NotFoundError):
        client("bob").reset_password(server.id)


def test_a_stopped_server_takes_no_password(cloud: CloudUnderTest, client: ClientFactory) -> None:
    alice = client("alice")
    (server,) = alice.launch(launches.put_password_image(cloud), ask()).servers
    session, path = cloud.session("alice"), f"/servers/{server.id}"
    session.post(f"{path}/action", json={"os-stop": None}, endpoint_filter=launches.COMPUTE)
    until(lambda: session.get(path, endpoint_filter=launches.COMPUTE).json()["server"]["status"] != "ACTIVE")
    with pytest.raises(PasswordResetError, match="not running") as caught:
        alice.reset_password(server.id)
    assert caught.value.status == 409
    assert "Start the server" in caught.value.hint


def test_a_locked_server_is_told_at_once(cloud: CloudUnderTest, client: ClientFactory) -> None:
    launch = client("alice").launch(launches.put_image(cloud), ask(count=2))
    path = f"/servers/{launch.servers[0].id}/action"
    cloud.session("alice").post(path, json={"lock": None}, endpoint_filter=launches.COMPUTE)
    with pytest.raises(ConflictError, match="is locked") as caught:
        launch.cancel()
    assert (caught.value.launch_id, caught.value.left) == (launch.launch_id, (f"launch {launch.launch_id}",))
    assert "unlock" in caught.value.hint
    cloud.session("alice").post(path, json={"unlock": None}, endpoint_filter=launches.COMPUTE)
    launch.cancel()
    assert launches.tagged(cloud, launch.launch_id) == []


# ----------------------------------------------------------------- networks without addresses


@pytest.fixture
def only_bare(cloud: CloudUnderTest) -> Iterator[dict[str, Any]]:
    """Make a network without a subnet the only one that members may use."""
    session = cloud.session("admin")

    def neutron(method: str, path: str, **kept: Any) -> Any:  # noqa: ANN401  # JSON
        answer = session.request(f"/v2.0{path}", method, endpoint_filter=launches.NETWORKS, **kept)
        return answer.json() if answer.content else None

    (usual,) = neutron("GET", "/networks?name=net1")["networks"]
    body = {"network": {"name": unique("bare"), "shared": True}}
    bare: dict[str, Any] = neutron("POST", "/networks", json=body)["network"]
    neutron("PUT", f"/networks/{usual['id']}", json={"network": {"shared": False}})
    try:
        yield bare
    finally:
        neutron("PUT", f"/networks/{usual['id']}", json={"network": {"shared": True}})
        launches.remove_servers(cloud)
        for port in neutron("GET", f"/ports?network_id={bare['id']}")["ports"]:
            neutron("DELETE", f"/ports/{port['id']}")
        neutron("DELETE", f"/networks/{bare['id']}")


def built(cloud: CloudUnderTest, networks: object) -> tuple[int, str]:
    """Ask Nova itself for a server; return the status of its answer, and what became of it in Nova's words."""
    session = cloud.session("alice")
    (flavor,) = [
        each["id"]
        for each in session.get("/flavors", endpoint_filter=launches.COMPUTE).json()["flavors"]
        if each["name"] == launches.SMALL
    ]
    body = {
        "name": unique("bare"),
        "flavorRef": flavor,
        "imageRef": launches.put_image(cloud),
        **({} if networks is None else {"networks": networks}),
    }
    answer = session.post(
        "/servers",
        json={"server": body},
        endpoint_filter=launches.COMPUTE,
        microversion=launches.NEWEST,
        raise_exc=False,
    )
    if answer.status_code != 202:
        (refusal,) = answer.json().values()
        return answer.status_code, str(refusal["message"])
    server_id = answer.json()["server"]["id"]

    def shown() -> Mapping[str, Any]:
        (server,) = [each for each in launches.servers(cloud) if each["id"] == server_id]
        return server

    until(lambda: shown()["status"] != "BUILD")
    server = shown()
    return 202, str((server.get("fault") or {}).get("message") or server["status"]).replace(server_id, "ID")


def test_nova_builds_no_server_on_a_network_without_a_subnet(cloud: CloudUnderTest, only_bare: dict[str, Any]) -> None:
    failed = "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for"
    requires = f"Network {only_bare['id']} requires a subnet in order to boot instances on."

    assert built(cloud, "auto") == (202, f"{failed} instance ID.")
    assert built(cloud, [{"uuid": only_bare["id"]}]) == (400, requires)


def test_nova_takes_no_port_without_an_address(cloud: CloudUnderTest, only_bare: dict[str, Any]) -> None:
    body = {"port": {"network_id": only_bare["id"]}}
    answer = cloud.session("alice").post("/v2.0/ports", json=body, endpoint_filter=launches.NETWORKS)
    port = answer.json()["port"]["id"]

    assert built(cloud, [{"port": port}]) == (400, f"Port {port} requires a FixedIP in order to be used.")


def test_nova_builds_servers_without_addresses_if_ports_are_not_secured(
    cloud: CloudUnderTest, only_bare: dict[str, Any]
) -> None:
    cloud.session("admin").put(
        f"/v2.0/networks/{only_bare['id']}",
        json={"network": {"port_security_enabled": False}},
        endpoint_filter=launches.NETWORKS,
    )

    assert built(cloud, "auto") == (202, "ACTIVE")


def test_nova_chooses_among_shared_networks_and_those_of_the_department(
    cloud: CloudUnderTest, only_bare: dict[str, Any]
) -> None:
    body = {"network": {"name": unique("own")}}
    alice = cloud.session("alice")
    own = alice.post("/v2.0/networks", json=body, endpoint_filter=launches.NETWORKS).json()["network"]["id"]
    try:
        found = built(cloud, "auto")
    finally:
        launches.remove_servers(cloud)
        alice.delete(f"/v2.0/networks/{own}", endpoint_filter=launches.NETWORKS)

    assert only_bare["shared"]
    assert found == (409, "Multiple possible networks found, use a Network ID to be more specific.")
