"""Details of the images that the in-memory Glance keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import RAW, active_image, ask, image, names, new_image, patched, shown

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"foo": True}, 400),
        ({"foo": None}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "\U0001f600"}, 400),
        ({"disk_format": "zip"}, 400),
        ({"id": "short"}, 400),
        ({"min_disk": -1}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"k" * 256: "v"}, 400),
        ({"os_glance_x": "1"}, 403),
        ({"status": "active"}, 403),
        ({"stores": "fast"}, 403),
        ({"owner": "somebody"}, 403),
        ({"visibility": "public"}, 403),
        ({"hyperx_featured": "true"}, 403),
        ({f"k{number}": "v" for number in range(129)}, 413),
        ({"tags": [str(number) for number in range(129)]}, 413),
        ({"visibility": "community"}, 201),
    ],
)
def test_members_can_create_only_valid_and_allowed_images(
    cloud: InMemoryCloud, body: dict[str, object], status: int
) -> None:
    assert image(cloud, "alice", "POST", "/images", body).status_code == status


def test_an_id_is_used_once(cloud: InMemoryCloud) -> None:
    chosen = "7c1e3b52-0d2f-4a7c-9a53-4b8a9c0f1d2e"
    assert new_image(cloud, id=chosen) == chosen
    assert image(cloud, "alice", "POST", "/images", {**RAW, "id": chosen}).status_code == 409
    image(cloud, "alice", "DELETE", f"/images/{chosen}")
    assert image(cloud, "alice", "POST", "/images", {**RAW, "id": chosen}).status_code == 409


def test_glance_counts_for_the_project_of_the_token(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-b", 0)

    assert image(cloud, "admin", "POST", "/images", {**RAW, "owner": cloud.departments["dept-b"]}).status_code == 201
    assert image(cloud, "bob", "POST", "/images", RAW).status_code == 413


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        (("add", "/foo", "2"), 200),
        (("replace", "/foo", "2"), 200),
        (("remove", "/foo"), 200),
        (("add", "/a~1b~0c", "v"), 200),
        (("add", "/tags", ["q"]), 200),
        (("replace", "/visibility", "community"), 200),
        (("replace", "/disk_format", "qcow2"), 200),
        (("replace", "/nosuch", "x"), 409),
        (("remove", "/nosuch"), 409),
        (("remove", "/name"), 403),
        (("replace", "/owner", "x"), 403),
        (("replace", "/visibility", "public"), 403),
        (("replace", "/status", "active"), 403),
        (("add", "/os_glance_x", "1"), 403),
        (("add", "/hyperx_featured", "true"), 403),
        (("replace", "/foo", None), 400),
        (("add", "/a/b", "v"), 400),
        (("add", "no-slash", "v"), 400),
        (("move", "/foo", "v"), 400),
        (("add", "/foo"), 400),
    ],
)
def test_json_patches(cloud: InMemoryCloud, operation: tuple[object, ...], status: int) -> None:
    assert patched(cloud, new_image(cloud, foo="1"), operation) == status


def test_a_patch_is_all_or_nothing(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)

    assert patched(cloud, image_id, ("add", "/foo", "1"), ("remove", "/nosuch")) == 409
    assert "foo" not in shown(cloud, image_id)
    assert image(cloud, "alice", "PATCH", f"/images/{image_id}", []).status_code == 415


def test_only_the_owner_can_change_an_image(library: InMemoryCloud) -> None:
    ids = {str(record.name): record.id for record in library.glance.images.values()}

    assert patched(library, ids["a-public"], ("add", "/x", "1"), user="bob") == 403
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="bob") == 404
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="rita") == 403
    assert patched(library, ids["a-private"], ("add", "/x", "1"), user="arthur") == 200
    assert image(library, "bob", "DELETE", f"/images/{ids['a-public']}").status_code == 403
    assert image(library, "bob", "DELETE", f"/images/{ids['a-private']}").status_code == 404


def test_protections_let_a_member_drop_the_flag_but_not_set_it(cloud: InMemoryCloud) -> None:
    featured = cloud.glance.add_image(hyperx_featured="true", visibility="public")

    assert patched(cloud, featured, ("replace", "/hyperx_featured", "false")) == 403
    assert patched(cloud, featured, ("remove", "/hyperx_featured")) == 200
    cloud.glance.protections = False
    assert patched(cloud, featured, ("add", "/hyperx_featured", "true")) == 200


def test_protections_may_be_the_text_of_a_file(cloud: InMemoryCloud) -> None:
    cloud.glance.protections = "[^secret$]\ncreate = admin\nread = admin\nupdate = admin\ndelete = admin\n"
    image_id = cloud.glance.add_image(secret="s", other="o")

    assert {"secret", "other"} & shown(cloud, image_id).keys() == set()
    assert shown(cloud, image_id, "admin")["secret"] == "s"
    assert (
        image(cloud, "alice", "POST", "/images", {"other": "o"}).status_code == 403
    )  # what matches no rule is disabled


def test_reasons_not_to_delete(cloud: InMemoryCloud) -> None:
    kept, used = new_image(cloud, protected=True), new_image(cloud)
    cloud.glance.in_use.add(used)

    assert image(cloud, "alice", "DELETE", f"/images/{kept}").status_code == 403
    assert image(cloud, "alice", "DELETE", f"/images/{used}").status_code == 409
    assert image(cloud, "alice", "DELETE", "/images/nosuch").status_code == 404


def test_members_say_yes_themselves(cloud: InMemoryCloud) -> None:
    image_id, other = new_image(cloud), cloud.departments["dept-b"]
    members = f"/images/{image_id}/members"

    assert image(cloud, "alice", "POST", members, {"member": other}).json()["status"] == "pending"
    assert image(cloud, "alice", "PUT", f"{members}/{other}", {"status": "accepted"}).status_code == 403
    assert names(cloud, "visibility=shared", "bob") == []
    assert image(cloud, "bob", "PUT", f"{members}/{other}", {"status": "accepted"}).status_code == 200
    assert names(cloud, "visibility=shared", "bob") == ["disk"]


def test_deactivated_images_keep_their_data_to_themselves(cloud: InMemoryCloud) -> None:
    image_id = active_image(cloud, data=b"data")

    assert image(cloud, "alice", "POST", f"/images/{image_id}/actions/deactivate").status_code == 204
    assert "stores" not in shown(cloud, image_id)
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").status_code == 403
    assert image(cloud, "alice", "POST", f"/images/{image_id}/actions/reactivate").status_code == 204
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").content == b"data"
    assert image(cloud, "alice", "POST", f"/images/{new_image(cloud)}/actions/deactivate").status_code == 403


def test_a_single_store_has_no_name(cloud: InMemoryCloud) -> None:
    cloud.glance.stores = []
    image_id = active_image(cloud, size=3 << 20)

    assert "stores" not in shown(cloud, image_id)
    assert image(cloud, "alice", "GET", "/info/stores").status_code == 404
    assert image(cloud, "alice", "GET", "/info/usage").json()["usage"]["image_size_total"]["usage"] == 3
    versions = {version["id"] for version in ask(cloud, "alice", "GET", "image", "/versions").json()["versions"]}
    assert "v2.12" not in versions


def test_usage_counts_whole_mib_in_each_store(cloud: InMemoryCloud) -> None:
    active_image(cloud, size=(1 << 20) + 5, stores=["fast", "slow"])
    active_image(cloud, size=(1 << 20) - 10, stores=["fast"])

    assert image(cloud, "alice", "GET", "/info/usage").json()["usage"]["image_size_total"]["usage"] == 3
    cloud.glance.use_keystone_limits = False
    assert image(cloud, "alice", "GET", "/info/usage").json() == {"usage": {}}
