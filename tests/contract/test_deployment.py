"""What an operator sets up and what the doctor reports, on both clouds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import Client, NotAllowedError, deployment, vocabulary
from tests.support.clouds import image_ids, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.support.clouds import ClientFactory, CloudUnderTest

NAMESPACE_PATH = "/metadefs/namespaces/OS::HyperX::Image"
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


@contextmanager
def recorded(client: Client) -> Iterator[list[str]]:
    """Note the methods of a client's requests as they pass."""
    methods: list[str] = []

    def note(response: requests.Response, **_: object) -> None:
        methods.append(str(response.request.method))

    hooks = client.cloud.session.session.hooks["response"]
    hooks.append(note)
    yield methods
    hooks.remove(note)


def namespace(client: Client) -> dict[str, Any]:
    shown: dict[str, Any] = client.cloud.get("image", NAMESPACE_PATH).json()
    return shown


def definitions(shown: dict[str, Any]) -> dict[str, dict[str, object]]:
    """Return the properties without their names, which Glance repeats in some."""
    return {
        key: {name: value for name, value in definition.items() if name != "name"}
        for key, definition in shown["properties"].items()
    }


@pytest.fixture
def admin(client: ClientFactory) -> Iterator[Client]:
    """Yield an administrator who leaves no namespace behind."""
    administrator = client("admin")
    yield administrator
    administrator.cloud.delete("image", NAMESPACE_PATH)


# ----------------------------------------------------------------- metadefs


def test_metadefs_are_installed_for_everybody(admin: Client, client: ClientFactory) -> None:
    admin.install_metadefs()

    shown = namespace(client("rita"))
    assert shown["visibility"] == "public"
    (association,) = shown["resource_type_associations"]
    assert association["name"] == "OS::Glance::Image"
    assert not association.get("prefix")
    properties = shown["properties"]
    assert set(properties) == {field.key for field in vocabulary.FIELDS if field.own}
    assert properties["hyperx_featured"] == {
        "title": "Featured / 精选",
        "description": "Recommended by an administrator; counts only on an image that is visible to everybody."
        " 由管理员推荐；仅在镜像对所有人可见时有效。",
        "type": "string",
        "enum": ["true", "false"],
    }


def test_a_second_installation_writes_nothing(admin: Client) -> None:
    admin.install_metadefs()
    before = namespace(admin)

    with recorded(admin) as methods:
        admin.install_metadefs()

    assert methods == ["GET"]
    assert namespace(admin) == before


def test_an_installation_mends_what_differs_and_no_more(admin: Client) -> None:
    admin.install_metadefs()
    good = namespace(admin)
    cloud = admin.cloud
    cloud.put("image", NAMESPACE_PATH, json={"namespace": deployment.NAMESPACE, "display_name": "Something else"})
    cloud.delete("image", f"{NAMESPACE_PATH}/resource_types/OS::Glance::Image")
    cloud.delete("image", f"{NAMESPACE_PATH}/properties/hyperx_url")
    changed = {"name": "hyperx_bootable", "title": "Boots?", "type": "string"}
    cloud.put("image", f"{NAMESPACE_PATH}/properties/hyperx_bootable", json=changed)
    for key in "hyperx_of_an_old_release", "somebody_elses":
        body = {"name": key, "title": key, "type": "string"}
        cloud.post("image", f"{NAMESPACE_PATH}/properties", json=body)

    with recorded(admin) as methods:
        admin.install_metadefs()

    assert sorted(methods) == ["DELETE", "GET", "POST", "POST", "PUT", "PUT"]
    mended = namespace(admin)
    assert mended["display_name"] == good["display_name"]
    assert [association["name"] for association in mended["resource_type_associations"]] == ["OS::Glance::Image"]
    others = {"somebody_elses": {"title": "somebody_elses", "type": "string"}}
    assert definitions(mended) == {**definitions(good), **others}

    with recorded(admin) as methods:
        admin.install_metadefs()
    assert methods == ["GET"]


def test_metadefs_are_an_administrators(admin: Client, client: ClientFactory) -> None:
    with pytest.raises(NotAllowedError):
        client("alice").install_metadefs()

    admin.install_metadefs()  # there is something to remove afterwards


# ----------------------------------------------------------------- protections


def create(client: Client, **record: object) -> str:
    body = {"name": unique("protected"), "disk_format": "raw", "container_format": "bare", **record}
    return str(client.cloud.post("image", "/images", json=body).json()["id"])


def change(client: Client, image_id: str, operation: str, key: str, value: str = "") -> None:
    patch = {"op": operation, "path": f"/{key}"} | ({} if operation == "remove" else {"value": value})
    client.cloud.patch("image", f"/images/{image_id}", json=[patch], headers=PATCH)


def test_a_member_can_neither_create_nor_change_the_flag_but_delete_it(client: ClientFactory) -> None:
    alice, admin = client("alice"), client("admin")
    image_id = create(alice, visibility="private")

    with pytest.raises(NotAllowedError, match="reserved"):
        create(alice, hyperx_featured="true")
    with pytest.raises(NotAllowedError, match="reserved"):
        change(alice, image_id, "add", "hyperx_featured", "true")
    change(admin, image_id, "add", "hyperx_featured", "true")
    for operation in "add", "replace":
        with pytest.raises(NotAllowedError, match="reserved"):
            change(alice, image_id, operation, "hyperx_featured", "false")
    assert alice.image(image_id).glance_property("hyperx_featured") == "true"

    change(alice, image_id, "remove", "hyperx_featured")

    assert "hyperx_featured" not in alice.cloud.get("image", f"/images/{image_id}").json()


def test_a_member_says_once_who_created_an_image_and_an_administrator_changes_it(client: ClientFactory) -> None:
    """Changed later it would make a record of bob's look like a registration of alice's."""
    alice, admin = client("alice"), client("admin")
    image_id = create(alice, visibility="private", hyperx_created_by=alice.user_id)
    bare = create(alice, visibility="private")

    for operation in "add", "replace", "remove":
        with pytest.raises(NotAllowedError, match="reserved"):
            change(alice, image_id, operation, "hyperx_created_by", admin.user_id)
    assert alice.image(image_id).created_by == alice.user_id
    change(alice, bare, "add", "hyperx_created_by", alice.user_id)
    change(admin, image_id, "replace", "hyperx_created_by", admin.user_id)
    change(admin, bare, "remove", "hyperx_created_by")


def test_every_other_property_stays_the_members(client: ClientFactory) -> None:
    alice = client("alice")
    protected = ("featured_flag", "created_by")
    keys = [field.key for field in vocabulary.FIELDS if field.own and field.name not in protected]
    keys += ["some_other", "hyperx_featured_by", "hyperx_created_by_hand"]
    image_id = create(alice, visibility="private", **dict.fromkeys(keys, "1"))

    for key in keys:
        change(alice, image_id, "replace", key, "2")
        change(alice, image_id, "remove", key)


# ----------------------------------------------------------------- the doctor


@pytest.mark.needs("streams-counted")
def test_all_is_well(client: ClientFactory, cloud: CloudUnderTest) -> None:
    before = image_ids(cloud)

    findings = client("alice").doctor(probe=True)

    assert [finding for finding in findings if finding.level != "ok"] == []
    assert len({finding.check for finding in findings}) == len(findings) == 28
    assert image_ids(cloud) == before


@pytest.mark.needs("redirects-filtered")
@pytest.mark.parametrize("user", ["admin", "arthur", "rita", "bob"])
def test_reading_alone_is_well_for_everybody(client: ClientFactory, user: str) -> None:
    assert [finding for finding in client(user).doctor() if finding.level != "ok"] == []


def test_the_doctor_warns_users_who_cannot_run_the_probe(client: ClientFactory, cloud: CloudUnderTest) -> None:
    before = image_ids(cloud)

    for user in "admin", "rita":
        findings = {finding.check: finding for finding in client(user).doctor(probe=True)}
        assert findings["publicize"].level == "warning"
        assert findings["publicize"].remedy
    assert image_ids(cloud) == before
