"""A request and its image become the body that Nova gets, or are refused before anything is created."""

from __future__ import annotations

import base64
import email
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given, strategies as st

from hyperx_glance import FlavorTooSmallError, Image, ImageNotActiveError, InvalidRequestError, LaunchRequest
from hyperx_glance.launching.order import COUNT_KEY, LaunchOrder, launch_tag
from hyperx_glance.launching.plan import (
    Flavor,
    Network,
    admin_password,
    check_flavor,
    check_image,
    check_request,
    guest_data,
    name_order,
    needs_volumes,
    room,
    server_body,
    volume_sizes,
)
from tests.support.launches import ask
from tests.support.readers import assert_told

if TYPE_CHECKING:
    from collections.abc import Mapping

GIB = 2**30
MINE = "dept-a"
TINY = Flavor("1", "m1.tiny", cores=1, ram_mib=512, disk_gib=1)
SMALL = Flavor("2", "m1.small", cores=2, ram_mib=2048, disk_gib=20)
DISKLESS = Flavor("3", "m1.diskless", cores=1, ram_mib=512, disk_gib=0)


def disk(**record: object) -> Image:
    return Image.model_validate(
        {"id": "im", "name": "disk", "status": "active", "disk_format": "qcow2", "size": 100, **record}
    )


def iso(**record: object) -> Image:
    return disk(**{"name": "disc", "disk_format": "iso", "size": 3 * GIB // 2, **record})


def password_disk(**record: object) -> Image:
    return disk(hyperx_password_enabled="true", **record)


def body(
    image: Image,
    flavor: Flavor = SMALL,
    *,
    password: str | None = None,
    server_group_id: str | None = None,
    **fields: object,
) -> Mapping[str, Any]:
    request = ask(**fields)
    return server_body(
        image,
        flavor,
        (),
        request,
        order=order(image, request),
        password=password,
        server_group_id=server_group_id,
    )


def order(image: Image, request: LaunchRequest) -> LaunchOrder:
    return LaunchOrder(
        launch_id="launch-1",
        image_id=image.id,
        count=request.count,
        on_failure=request.on_failure,
        keep_volumes=request.keep_volumes,
    )


# ----------------------------------------------------------------- images


@pytest.mark.parametrize(
    ("record", "phase"),
    [
        ({"status": "queued"}, "registered"),
        ({"status": "queued", "hyperx_failure": "404 Not Found"}, "failed"),
        ({"status": "importing"}, "downloading"),
        ({"status": "saving"}, "storing"),
        ({"status": "deactivated"}, "disabled"),
        ({"status": "pending_delete"}, "unknown"),
    ],
)
def test_an_inactive_image_is_refused_with_its_phase_and_reason(record: dict[str, str], phase: str) -> None:
    image = disk(**record)
    with pytest.raises(ImageNotActiveError, match=f"disk is INACTIVE, {phase}") as caught:
        check_image(image, project_id=MINE)
    assert (caught.value.image_id, caught.value.phase) == ("im", phase)
    assert caught.value.failure == record.get("hyperx_failure")
    assert record.get("hyperx_failure", "") in str(caught.value)
    assert record.get("hyperx_failure", "") == caught.value.explanation
    assert caught.value.hint
    assert_told(caught.value)


def test_a_failed_image_is_refused_in_one_sentence_with_the_way_out() -> None:
    with pytest.raises(ImageNotActiveError) as caught:
        check_image(disk(status="queued", hyperx_failure="The file is an ISO."), project_id=MINE)
    assert str(caught.value) == (
        "Image disk is INACTIVE, failed: The file is an ISO. Hint: Delete the record, and register the image again."
    )


def test_an_image_that_is_not_bootable_is_refused() -> None:
    check_image(iso(), project_id=MINE)
    with pytest.raises(InvalidRequestError, match="not bootable"):
        check_image(iso(hyperx_bootable="false"), project_id=MINE)
    with pytest.raises(InvalidRequestError, match=r"^Image disk is not bootable"):
        check_image(disk(hyperx_bootable="false"), project_id=MINE)


@pytest.mark.parametrize(
    ("image", "fields", "problem"),
    [
        (iso(), {"boot_volume_gib": 9}, "boot_volume_gib: an ISO"),
        (iso(), {"layout": "live", "install_disk_gib": 9}, "install_disk_gib: layout"),
        (iso(), {"layout": "live", "volume_type": "ssd"}, "volume_type"),
        (disk(), {"layout": "live"}, "layout: only ISOs"),
        (disk(), {"install_disk_gib": 9}, "install_disk_gib: only ISOs"),
        (disk(), {"volume_type": "ssd"}, "volume_type"),
        (disk(), {"networks": ()}, "networks: name at least one"),
        (disk(), {"admin_password": "secret-1"}, "admin_password: image disk is not password-enabled"),
        (iso(), {"admin_password": "secret-1"}, "admin_password"),
        (password_disk(os_type="windows"), {"config_drive": False}, "config_drive: Windows"),
        (password_disk(os_type="windows"), {"metadata": {"admin_pass": "x"}}, "metadata: admin_pass would replace"),
        (password_disk(), {"networks": "none", "config_drive": False}, "config_drive: a guest without a network"),
        (disk(), {"networks": "none", "config_drive": False, "user_data": "#!"}, "config_drive: a guest without"),
        (disk(), {"tags": {f"t{number}" for number in range(50)}}, "tags: at most 49"),
    ],
)
def test_fields_that_do_not_fit_the_image_are_refused(image: Image, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=problem) as caught:
        check_request(image, ask(**fields))
    assert "secret-1" not in str(caught.value)
    assert_told(caught.value)


def test_each_reader_is_told_what_does_not_fit_in_words_of_their_own() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_request(iso(), ask(boot_volume_gib=9, networks=()))
    assert caught.value.in_language("en", audience="command") == (
        "--boot-volume: an ISO has no root disk; its blank disk is --install-disk\n"
        "--network: name at least one, or use --no-network"
    )
    assert caught.value.in_language("zh", audience="person") == (
        "启动云硬盘 (GiB)：ISO镜像没有根磁盘；其空白磁盘的大小由“安装磁盘 (GiB)”指定\n"
        "网络：请至少选择一个网络，或明确选择不使用网络"
    )


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        (iso(), {}),
        (iso(), {"install_disk_gib": 9, "volume_type": "ssd"}),
        (iso(), {"layout": "live"}),
        (disk(), {"boot_volume_gib": 9, "volume_type": "ssd"}),
        (disk(), {"tags": {f"t{number}" for number in range(49)}, "keep_volumes": True}),
        (password_disk(os_type="windows"), {"config_drive": True, "admin_password": "x"}),
        (password_disk(os_type="windows"), {}),
        (password_disk(), {"config_drive": False}),
        (disk(), {"networks": "none", "config_drive": False}),
    ],
)
def test_fields_that_fit_the_image_are_accepted(image: Image, fields: dict[str, Any]) -> None:
    check_request(image, ask(**fields))


# ----------------------------------------------------------------- flavors and volumes


@pytest.mark.parametrize(
    ("image", "flavor", "fields"),
    [
        (disk(min_ram=513), TINY, {}),
        (disk(min_disk=2), TINY, {}),
        (disk(size=GIB + 1), TINY, {}),
        (disk(virtual_size=GIB + 1), TINY, {}),
        (iso(min_disk=2), TINY, {}),
        (iso(), DISKLESS, {}),
        (iso(), TINY, {"layout": "live"}),
        (disk(min_ram=513), TINY, {"boot_volume_gib": 9}),
    ],
)
def test_a_flavor_that_is_too_small_is_refused(image: Image, flavor: Flavor, fields: dict[str, Any]) -> None:
    with pytest.raises(FlavorTooSmallError, match=f"Flavor {flavor.name}") as caught:
        check_flavor(image, flavor, ask(**fields))
    assert_told(caught.value)


@pytest.mark.parametrize(
    ("image", "flavor", "fields"),
    [
        (disk(min_ram=512, min_disk=1, size=GIB, virtual_size=GIB), TINY, {}),
        (disk(virtual_size=9 * GIB), DISKLESS, {"boot_volume_gib": 9}),
        (iso(min_disk=1), TINY, {}),
        (iso(min_disk=30), DISKLESS, {"install_disk_gib": 30}),
        (iso(), SMALL, {"layout": "live"}),
    ],
)
def test_a_flavor_that_just_fits_is_taken(image: Image, flavor: Flavor, fields: dict[str, Any]) -> None:
    check_flavor(image, flavor, ask(**fields))


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        (disk(min_disk=10), {"boot_volume_gib": 9}),
        (disk(virtual_size=9 * GIB + 1), {"boot_volume_gib": 9}),
        (iso(min_disk=10), {"install_disk_gib": 9}),
    ],
)
def test_a_disk_of_the_caller_s_own_that_is_too_small_is_the_caller_s_mistake(
    image: Image, fields: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequestError, match="needs a disk of at least 10 GiB, not 9"):
        check_flavor(image, SMALL, ask(**fields))


@pytest.mark.parametrize(("image", "fields"), [(disk(virtual_size=GIB), {}), (iso(), {"layout": "live"})])
def test_nova_judges_flavors_without_a_root_disk(image: Image, fields: dict[str, Any]) -> None:
    check_flavor(image, DISKLESS, ask(**fields))


@pytest.mark.parametrize(
    ("image", "fields", "sizes"),
    [
        (disk(), {}, ()),
        (disk(), {"boot_volume_gib": 9}, (9,)),
        (iso(), {}, (20, 2)),
        (iso(size=2 * GIB), {"install_disk_gib": 30}, (30, 2)),
        (iso(size=1), {}, (20, 1)),
        (iso(min_disk=8), {}, (20, 8)),
        (iso(), {"layout": "live"}, ()),
    ],
)
def test_volumes_are_counted_for_every_server(image: Image, fields: dict[str, Any], sizes: tuple[int, ...]) -> None:
    request = ask(count=3, **fields)
    assert volume_sizes(image, request, flavor_disk_gib=20) == sizes
    assert needs_volumes(image, request) is bool(sizes)
    needed = room(image, SMALL, request)
    assert needed == {"instances": 3, "cores": 6, "ram_mib": 6144} | (
        {"volumes": 3 * len(sizes), "volume_gib": 3 * sum(sizes)} if sizes else {}
    )


# ----------------------------------------------------------------- the request


def test_the_smallest_request() -> None:
    assert body(disk()) == {
        "server": {
            "name": "web",
            "flavorRef": "2",
            "imageRef": "im",
            "networks": "auto",
            "min_count": 1,
            "max_count": 1,
            "return_reservation_id": True,
            "metadata": {"hyperx_launch_count": "1", "hyperx_image_id": "im", "hyperx_launch_on_failure": "keep"},
            "tags": ["hyperx-launch:launch-1"],
        }
    }


def test_a_request_with_everything() -> None:
    asked = body(
        disk(),
        server_group_id="g1",
        count=3,
        key_name="key",
        security_groups=("web", "ssh"),
        user_data="#!/bin/sh\n",
        config_drive=False,
        availability_zone="nova",
        metadata={"tier": "front"},
        tags={"b", "a"},
        server_group="group",
        on_failure="delete",
    )
    assert asked["os:scheduler_hints"] == {"group": "g1"}
    server = asked["server"]
    assert (server["min_count"], server["max_count"]) == (3, 3)
    assert server["key_name"] == "key"
    assert server["security_groups"] == [{"name": "web"}, {"name": "ssh"}]
    assert base64.b64decode(server["user_data"]) == b"#!/bin/sh\n"
    assert server["config_drive"] is False
    assert server["availability_zone"] == "nova"
    assert server["metadata"] == {
        "tier": "front",
        "hyperx_launch_count": "3",
        "hyperx_image_id": "im",
        "hyperx_launch_on_failure": "delete",
    }
    assert server["tags"] == ["hyperx-launch:launch-1", "a", "b"]
    assert "adminPass" not in server


def test_networks_are_sent_by_id() -> None:
    request = ask(networks=("one", "n2"))
    asked: Mapping[str, Any] = server_body(
        disk(),
        SMALL,
        (Network("n1", "one"), Network("n2", "two")),
        request,
        order=order(disk(), request),
        password=None,
        server_group_id=None,
    )
    assert asked["server"]["networks"] == [{"uuid": "n1"}, {"uuid": "n2"}]
    assert body(disk(), networks="none")["server"]["networks"] == "none"


def test_the_layout_of_an_installer() -> None:
    server = body(iso(), install_disk_gib=30, volume_type="ssd")["server"]
    assert "imageRef" not in server
    assert server["block_device_mapping_v2"] == [
        {
            "boot_index": 0,
            "source_type": "blank",
            "destination_type": "volume",
            "volume_size": 30,
            "device_type": "disk",
            "volume_type": "ssd",
            "delete_on_termination": True,
        },
        {
            "boot_index": 1,
            "source_type": "image",
            "uuid": "im",
            "destination_type": "volume",
            "volume_size": 2,
            "device_type": "cdrom",
            "volume_type": "ssd",
            "delete_on_termination": True,
        },
    ]


def test_the_layout_of_a_live_disc_needs_no_volume() -> None:
    server = body(iso(), layout="live")["server"]
    assert server["imageRef"] == "im"
    assert "block_device_mapping_v2" not in server


def test_the_layout_of_a_root_volume_that_stays() -> None:
    server = body(disk(), boot_volume_gib=9, keep_volumes=True)["server"]
    assert "imageRef" not in server
    assert server["block_device_mapping_v2"] == [
        {
            "boot_index": 0,
            "source_type": "image",
            "uuid": "im",
            "destination_type": "volume",
            "volume_size": 9,
            "delete_on_termination": False,
        }
    ]
    assert server["metadata"]["hyperx_launch_keep_volumes"] == "true"


# ----------------------------------------------------------------- passwords


def test_only_password_enabled_images_have_a_password() -> None:
    assert admin_password(disk(), ask()) is None
    drawn = admin_password(password_disk(), ask())
    assert drawn is not None
    assert len(drawn) == 20
    assert admin_password(password_disk(), ask(admin_password="Of-my-0wn")) == "Of-my-0wn"


def test_a_linux_guest_reads_the_hash_from_its_user_data() -> None:
    server = body(password_disk(), password="Of-my-0wn")["server"]
    assert "Of-my-0wn" not in str(server)
    assert "adminPass" not in server
    config = yaml.safe_load(base64.b64decode(server["user_data"]))
    (user,) = config["chpasswd"]["users"]
    assert user["name"] == "root"
    assert user["password"].startswith("$6$")
    assert "config_drive" not in server


def test_a_guest_without_a_network_reads_it_from_a_config_drive() -> None:
    alone = body(password_disk(), password="Of-my-0wn", networks="none")["server"]
    assert alone["config_drive"] is True
    assert "user_data" in alone
    assert body(disk(), networks="none", user_data="#!/bin/sh\n")["server"]["config_drive"] is True
    assert "config_drive" not in body(disk(), networks="none")["server"]


def test_the_image_s_own_account_gets_the_password() -> None:
    server = body(password_disk(os_admin_user="debian"), password="Of-my-0wn")["server"]
    config = yaml.safe_load(base64.b64decode(server["user_data"]))
    assert config["chpasswd"]["users"][0]["name"] == "debian"


def test_the_caller_s_user_data_is_merged() -> None:
    server = body(password_disk(), password="Of-my-0wn", user_data="#!/bin/sh\ntrue\n")["server"]
    message = email.message_from_bytes(base64.b64decode(server["user_data"]))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "text/x-shellscript",
        "text/cloud-config",
    ]


@pytest.mark.parametrize("os_type", ["windows", "Windows"])
def test_a_windows_guest_reads_its_password_from_the_config_drive(os_type: str) -> None:
    server = body(password_disk(os_type=os_type), password="Of-my-0wn", user_data="<powershell/>")["server"]
    assert server["adminPass"] == "Of-my-0wn"
    assert server["config_drive"] is True
    assert base64.b64decode(server["user_data"]) == b"<powershell/>"
    assert "user_data" not in body(password_disk(os_type=os_type), password="Of-my-0wn")["server"]
    assert "admin_username" not in server["metadata"]


def test_cloudbase_init_is_told_the_account() -> None:
    image = password_disk(os_type="windows", os_admin_user="Administrator")
    assert body(image, password="Of-my-0wn")["server"]["metadata"]["admin_username"] == "Administrator"
    assert "admin_username" not in body(image)["server"]["metadata"]
    own = {"admin_username": "Operator"}
    assert body(image, password="Of-my-0wn", metadata=own)["server"]["metadata"]["admin_username"] == "Operator"
    linux = password_disk(os_admin_user="debian")
    assert "admin_username" not in body(linux, password="Of-my-0wn")["server"]["metadata"]


@pytest.mark.parametrize("name", ["a:b", "a b", "root\nmallory", "a,b", "x" * 65])
def test_an_image_s_account_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"image: .* is not a valid account name"):
        check_request(password_disk(os_admin_user=name), ask())
    check_request(password_disk(os_admin_user="Local Admin", os_type="windows"), ask())


def test_a_tag_that_would_put_a_server_into_another_launch_is_refused() -> None:
    """A cancellation of that launch would delete it."""
    with pytest.raises(InvalidRequestError, match="tags: hyperx-launch: is reserved"):
        check_request(disk(), ask(tags=["hyperx-launch:another"]))
    check_request(disk(), ask(tags=["hyperx-launches"]))


def test_a_name_has_room_for_the_numbers_that_nova_adds() -> None:
    assert ask(name="x" * 255).count == 1
    assert ask(name="x" * 253, count=9).count == 9
    for length, count in ((254, 9), (253, 10), (251, 1000)):
        with pytest.raises(InvalidRequestError, match=f"name: must have at most .* since Nova adds -1 to -{count}"):
            ask(name="x" * length, count=count)


def test_other_images_pass_the_user_data_on_as_it_is() -> None:
    assert guest_data(disk(), ask(user_data=b"\x7fELF"), None) == base64.b64encode(b"\x7fELF").decode()
    assert guest_data(disk(), ask(), None) is None


def test_names_are_ordered_as_people_count() -> None:
    names = [f"web-{number}" for number in range(1, 21)]
    assert sorted(sorted(names), key=name_order) == names
    assert sorted(["b", "a2x", "a", "a10", "2", ""], key=name_order) == ["", "2", "a", "a2x", "a10", "b"]


@given(st.lists(st.text(st.characters() | st.sampled_from("0123456789²③٣１-"), max_size=30)), st.randoms())
@example(["5²", "5", "²", "٣", "1" * 5000, "01", "1", "\ud800"], random.Random(0))
def test_any_names_have_one_order(names: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(names, len(names))
    assert sorted(shuffled, key=name_order) == sorted(names, key=name_order)


@given(st.integers(0, 10**40), st.integers(0, 10**40), st.text(max_size=5))
def test_numbers_in_names_are_ordered_as_numbers(one: int, other: int, text: str) -> None:
    text = f"{text}-"
    assert (name_order(f"{text}{one}") < name_order(f"{text}{other}")) == (one < other)


@given(st.text() | st.integers().map(str))
def test_any_count_in_the_metadata_is_read(told: str) -> None:
    count = LaunchOrder.read("launch-1", {COUNT_KEY: told}, at_least=3).count
    assert count == (int(told) if re.fullmatch("[0-9]{1,4}", told) and int(told) >= 3 else 3)


def test_the_launch_tag_fits_nova() -> None:
    assert len(launch_tag("x" * 40)) <= 60
