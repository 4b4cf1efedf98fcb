"""Editing, publishing, featuring and disabling, on both clouds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    Category,
    ConflictError,
    ImageChanges,
    ImmutableFieldError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    Phase,
    State,
)
from tests.support.clouds import unique
from tests.support.records import IMAGE, make_image, make_volume_snapshot, patch_record, record_of

if TYPE_CHECKING:
    from tests.support.clouds import ClientFactory, CloudUnderTest

EVERYTHING: dict[str, Any] = {
    "name": "a new name",
    "description": "说明：每夜构建",
    "password_enabled": True,
    "admin_user": "root",
    "bootable": False,
    "os_name": "Debian GNU/Linux 12",
    "os_distro": "debian",
    "os_version": "12",
    "os_type": "linux",
    "architecture": "x86_64",
    "tags": {"linux", "nightly build"},
    "min_disk_gib": 1,
    "min_ram_mib": 64,
    "protected": True,
    "hidden": True,
    "properties": {"hw_disk_bus": "scsi", "owner's note": "a/b~c"},
}


# ----------------------------------------------------------------- one read, the smallest patch


def test_every_field_is_written_and_read_back(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    image = client().update(image_id, ImageChanges.model_validate(EVERYTHING))
    shown = {**image.model_dump(), "tags": set(image.tags)}
    properties = shown.pop("properties")
    assert {key: shown[key] for key in EVERYTHING if key != "properties"} == {
        key: value for key, value in EVERYTHING.items() if key != "properties"
    }
    assert properties == {"hw_disk_bus": "scsi", "owner's note": "a/b~c", "hw_qemu_guest_agent": "yes"}
    assert client().image(image_id) == image


def test_no_difference_changes_nothing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old", tags=["a", "b"], hw_disk_bus="scsi")
    before = client().image(image_id)
    same = client().update(
        image_id,
        name=before.name,
        description="old",
        tags=["b", "a"],
        category="private",
        properties={"hw_disk_bus": "scsi"},
    )
    assert same == before
    assert same.updated_at == before.updated_at


def test_unknown_properties_survive(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, hw_disk_bus="scsi", img_config_drive="mandatory", hyperx_later="unknown")
    before = record_of(cloud, image_id)
    client().update(image_id, description="new", tags={"x"}, category="public")
    after = record_of(cloud, image_id)
    assert after == {**before, "description": "new", "tags": ["x"], "visibility": "community"}


def test_clear_and_not_given_differ(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="old", os_distro="debian", tags=["a"])
    kept = client().update(image_id, name="new")
    assert (kept.description, kept.os_distro, kept.tags) == ("old", "debian", ("a",))
    cleared = client().update(image_id, description="", os_distro="", tags=())
    assert (cleared.description, cleared.os_distro, cleared.tags) == ("", "", ())
    assert not {"description", "os_distro"} & record_of(cloud, image_id).keys()


def test_a_change_made_elsewhere_to_another_field_survives(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    stale = client().image(image_id)
    patch_record(cloud, image_id, {"description": "from elsewhere", "tags": ["elsewhere"]})
    image = client().update(stale, name="new")
    assert (image.name, image.description, image.tags) == ("new", "from elsewhere", ("elsewhere",))


def test_properties_can_be_removed(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, hw_disk_bus="scsi", hw_vif_model="virtio")
    image = client().update(image_id, remove_properties={"hw_disk_bus", "never there"})
    assert image.properties == {"hw_vif_model": "virtio"}


@pytest.mark.parametrize(
    "route",
    [
        *({field: "x"} for field in ("url", "owner", "hypervisor", "disk_format", "container_format", "kind")),
        *(
            {"properties": {key: "x"}}
            for key in (
                "hypervisor_type", "img_hv_type", "hyperx_hypervisor", "hyperx_url", "owner", "disk_format",
                "container_format",
            )
        ),
        *({"remove_properties": {key}} for key in ("hypervisor_type", "img_hv_type", "hyperx_url")),
    ],
    ids=str,
)  # fmt: skip
def test_changes_of_immutable_fields_are_refused(
    cloud: CloudUnderTest, client: ClientFactory, route: dict[str, Any]
) -> None:
    image_id = make_image(cloud, sample=None, hypervisor_type="qemu", hyperx_url="http://files.example/a")
    before = record_of(cloud, image_id)
    with pytest.raises(ImmutableFieldError):
        client().update(image_id, name="new", **route)
    assert record_of(cloud, image_id) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"properties": {"os_glance_import_task": "x"}},
        {"remove_properties": {"os_glance_importing_to_stores"}},
        {"properties": {"hyperx_featured": "true"}},
        {"properties": {"visibility": "public"}},
        {"properties": {"checksum": "x"}},
        {"properties": {"a": "b"}, "remove_properties": {"a"}},
        {"properties": {"a": 1}},
        {"name": ""},
        {"name": "x" * 256},
        {"colour": "blue"},
        {"category": "shared"},
        {"min_disk_gib": -1},
        {"tags": {"x" * 256}},
        {"description": "\N{PACKAGE}"},  # Glance keeps no characters of four bytes (glance/common/utils.py)
    ],
    ids=str,
)
def test_nonsense_is_refused(cloud: CloudUnderTest, client: ClientFactory, wrong: dict[str, Any]) -> None:
    image_id = make_image(cloud, sample=None)
    before = record_of(cloud, image_id)
    with pytest.raises(InvalidRequestError):
        client().update(image_id, **wrong)
    assert record_of(cloud, image_id) == before


def test_changes_and_keywords_exclude_each_other(client: ClientFactory) -> None:
    with pytest.raises(InvalidRequestError):
        client().update("some-id", ImageChanges(name="new"), description="too")


def test_an_image_that_is_not_there_is_not_found(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client().update("nowhere", name="x")
    for act in (client().disable, client().enable):
        with pytest.raises(NotFoundError):
            act("nowhere")


# ----------------------------------------------------------------- category


def test_a_member_publishes_and_takes_back(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    public = client().update(image_id, category="public")
    assert (public.category, public.visibility) == (Category.PUBLIC, "community")
    assert client("bob").image(image_id).id == image_id
    private = client().update(image_id, category=Category.PRIVATE)
    assert (private.category, private.visibility) == (Category.PRIVATE, "private")


def test_featuring_is_for_administrators(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    with pytest.raises(NotAllowedError, match="administrators"):
        client().update(image_id, category="featured", name="new")
    assert client().image(image_id).name != "new"
    featured = client("admin").update(image_id, category="featured")
    assert (featured.category, featured.visibility) == (Category.FEATURED, "public")
    assert client("bob").image(image_id).category is Category.FEATURED


@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_an_administrator_takes_featuring_back(
    cloud: CloudUnderTest, client: ClientFactory, category: Category
) -> None:
    image_id = make_image(cloud)
    client("admin").update(image_id, category="featured")
    assert client("admin").update(image_id, category=category).category is category
    assert "hyperx_featured" not in record_of(cloud, image_id)


@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_its_owner_ends_featuring(cloud: CloudUnderTest, client: ClientFactory, category: Category) -> None:
    image_id = make_image(cloud)
    client("admin").update(image_id, category="featured")
    assert client().update(image_id, category=category, description="mine").category is category
    assert client().image(image_id).description == "mine"
    assert "hyperx_featured" not in record_of(cloud, image_id)


def test_a_featured_image_saved_as_it_is_stays_featured(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    client("admin").update(image_id, category="featured")
    image = client().update(image_id, category="featured", description="new")
    assert (image.category, image.description) == (Category.FEATURED, "new")


# ----------------------------------------------------------------- snapshots of servers


@pytest.mark.parametrize("mark", ["snapshot", "backup"])
def test_a_published_snapshot_is_a_template(cloud: CloudUnderTest, client: ClientFactory, mark: str) -> None:
    tag = unique("made-of-a-server")
    image_id = make_image(cloud, tags=[tag], image_type=mark, base_image_ref="7c1")
    public = client().update(image_id, category="public", description="ready")
    assert (public.category, public.description) == (Category.PUBLIC, "ready")
    assert public.properties == {"base_image_ref": "7c1"}
    bob = client("bob")
    for view in ("all", "public"):
        assert [image.id for image in bob.images(view=view, tags=[tag])] == [image_id]
    assert (bob.tags()[tag], bob.count(search=tag), bob.image(public.name).id) == (1, 1, image_id)
    private = client().update(image_id, category="private")
    assert [image.id for image in client().images(view="private", tags=[tag])] == [image_id]
    assert private.properties == {"base_image_ref": "7c1"}


def test_a_featured_snapshot_is_a_template(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, image_type="snapshot")
    assert "image_type" not in client("admin").update(image_id, category="featured").properties
    assert image_id in {image.id for image in client("bob").images(view="featured")}


def test_a_snapshot_that_was_published_elsewhere_becomes_a_template(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    image_id = make_image(cloud, image_type="snapshot", visibility="community")
    assert image_id not in {image.id for image in client("bob").images()}
    client().update(image_id, category="public")
    assert image_id in {image.id for image in client("bob").images()}


def test_an_edited_snapshot_stays_one(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, image_type="snapshot")
    for changes in ({"name": "new"}, {"category": "private", "description": "kept"}):
        image = client().update(image_id, ImageChanges.model_validate(changes))
        assert image.properties == {"image_type": "snapshot"}
    removed = client().update(image_id, category="public", remove_properties={"image_type"})
    assert (removed.category, removed.properties) == (Category.PUBLIC, {})


def test_a_snapshot_on_volumes_is_no_template(cloud: CloudUnderTest, client: ClientFactory) -> None:
    tag = unique("on-volumes")
    image_id = make_volume_snapshot(cloud, tags=[tag], hyperx_created_by=client().user_id)
    before = record_of(cloud, image_id)
    alice = client()
    name = str(before["name"])
    for view in ("all", "private"):
        assert list(alice.images(view=view, tags=[tag])) == []
        assert [image.id for image in alice.images(view=view, properties={"bdm_v2": "True"}, tags=[tag])] == [image_id]
    assert alice.count(search=name) == 0
    assert tag not in alice.tags()
    with pytest.raises(NotFoundError):
        alice.image(name)
    assert alice.image(image_id).id == image_id
    assert image_id not in {image.id for image in alice.images(properties={"image_type": "snapshot"})}
    assert image_id not in {image.id for image in alice.unfinished_registrations()}
    for user, category in (("alice", "public"), ("admin", "public"), ("admin", "featured")):
        with pytest.raises(ConflictError, match="no data") as caught:
            client(user).update(image_id, category=Category(category), name="new")
        assert "capture(server_id" in caught.value.hint
    assert record_of(cloud, image_id) == before
    assert alice.update(image_id, name="new", category="private").name == "new"


def test_an_image_with_data_may_name_volumes(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, block_device_mapping="[]")
    assert image_id in {image.id for image in client().images()}
    assert client().update(image_id, category="public").category is Category.PUBLIC


# ----------------------------------------------------------------- shared images


def share(cloud: CloudUnderTest, image_id: str, project_id: str) -> None:
    """Share alice's image with bob's department, which accepts it."""
    path = f"/v2/images/{image_id}/members"
    cloud.session("alice").post(path, json={"member": project_id}, endpoint_filter=IMAGE)
    cloud.session("bob").put(f"{path}/{project_id}", json={"status": "accepted"}, endpoint_filter=IMAGE)


def test_private_by_name_ends_sharing(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="shared")
    bob = client("bob")
    share(cloud, image_id, bob.project_id)
    assert image_id in {image.id for image in bob.images(view="shared")}
    kept = client().update(image_id, description="still shared")
    assert (kept.visibility, kept.category) == ("shared", Category.PRIVATE)
    assert bob.image(image_id).description == "still shared"
    private = client().update(image_id, category="private")
    assert (private.visibility, private.category) == ("private", Category.PRIVATE)
    assert image_id not in {image.id for image in bob.images()}
    with pytest.raises(NotFoundError):
        bob.image(image_id)


def test_private_by_name_drops_a_flag_that_would_feature_it_later(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="shared")
    patch_record(cloud, image_id, {"hyperx_featured": "true"})
    assert client().update(image_id, category="private").visibility == "private"
    assert "hyperx_featured" not in record_of(cloud, image_id)


# ----------------------------------------------------------------- every field on every kind of image

KINDS: dict[str, dict[str, Any]] = {
    "image": {},
    "iso": {"sample": "installer.iso", "hyperx_bootable": "true"},
    "without data": {"sample": None},
    "snapshot": {"image_type": "snapshot"},
    "on volumes": {"sample": None, "bdm_v2": "True", "block_device_mapping": "[{}]"},
    "of another tool": {
        "os_admin_user": "",
        "hyperx_password_enabled": "yes",
        "hw_qemu_guest_agent": "no",
        "tags": ["A"],
    },
    "shared": {"visibility": "shared"},
    "public": {"visibility": "community"},
    "protected": {"protected": True},
    "hidden": {"os_hidden": True},
    "password enabled": {"hyperx_password_enabled": "true", "hw_qemu_guest_agent": "yes", "os_admin_user": "root"},
    "disabled": {},
    "featured": {},
}


def make_kind(cloud: CloudUnderTest, client: ClientFactory, kind: str) -> str:
    image_id = make_image(cloud, **KINDS[kind])
    if kind == "disabled":
        client().disable(image_id)
    if kind == "featured":
        client("admin").update(image_id, category="featured")
    return image_id


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_says_afterwards_what_was_asked(cloud: CloudUnderTest, client: ClientFactory, kind: str) -> None:
    """One after the other: another value, cleared where that can be, and the first value again."""
    image_id = make_kind(cloud, client, kind)
    alice = client()
    for field, wanted in EVERYTHING.items():
        values: list[Any] = [wanted, "other" if field == "name" else type(wanted)(), wanted]
        for value in values:
            image = alice.update(image_id, ImageChanges.model_validate({field: value}))
            shown: dict[str, Any] = {**alice.image(image_id).model_dump(), "tags": set(image.tags)}
            if field == "os_name":
                shown["os_name"] = image.glance_property("hyperx_os_name")
            if field == "properties":
                assert value.items() <= shown["properties"].items()
            else:
                assert shown[field] == value, (kind, field)
    gone = alice.update(image_id, remove_properties=set(EVERYTHING["properties"]))
    assert not EVERYTHING["properties"].keys() & gone.properties.keys()
    for category in ("public", "private"):
        if kind == "on volumes" and category == "public":
            continue
        image = alice.update(image_id, category=category)
        assert image.category == category
        assert image.visibility == {"public": "community", "private": "private"}[category]
        listed = {found.id for found in alice.images(view=category, hidden=None, properties=_asking(kind, category))}
        assert image_id in listed


def _asking(kind: str, category: str) -> dict[str, str]:
    """Ask for what the view leaves out."""
    return {"bdm_v2": "True"} if (kind, category) == ("on volumes", "private") else {}


@pytest.mark.parametrize("key", ["repo", "context", "member", "image_id", "delete", "base", " a", "a "])
@pytest.mark.parametrize("route", ["properties", "remove_properties"])
def test_keys_that_glance_would_misread_are_refused(
    cloud: CloudUnderTest, client: ClientFactory, key: str, route: str
) -> None:
    """Glance answers 200 to a PATCH of an attribute of its own object, and takes blanks off a key."""
    image_id = make_image(cloud, sample=None, a="kept")
    before = record_of(cloud, image_id)
    change = {key: "x"} if route == "properties" else [key]
    with pytest.raises(InvalidRequestError, match="Glance"):
        client().update(image_id, ImageChanges.model_validate({route: change}))
    assert record_of(cloud, image_id) == before


# ----------------------------------------------------------------- everybody edits public images

BY_EVERYBODY = {
    "name": "better name",
    "description": "better text",
    "os_name": "Debian 12",
    "os_distro": "debian",
    "os_version": "12",
    "os_type": "linux",
    "tags": {"checked"},
    "password_enabled": True,
    "admin_user": "root",
}


def test_every_user_edits_a_public_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community", hw_disk_bus="scsi")
    bob = client("bob", steward="admin")
    image = bob.update(image_id, ImageChanges.model_validate(BY_EVERYBODY))
    shown = {**image.model_dump(), "tags": set(image.tags)}
    assert {key: shown[key] for key in BY_EVERYBODY} == BY_EVERYBODY
    assert image.edited_by == bob.user_id
    assert image.owner == client().project_id
    assert image.properties == {"hw_disk_bus": "scsi", "hw_qemu_guest_agent": "yes"}


def test_a_record_with_as_many_properties_as_it_can_have_is_edited(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    properties = {f"x_{number}": "x" for number in range(127)}
    image_id = make_image(cloud, visibility="community", hyperx_edited_by="somebody", **properties)
    bob = client("bob", steward="admin")
    assert bob.update(image_id, name="better").edited_by == bob.user_id


@pytest.mark.parametrize(
    "more",
    [
        {"category": "private"},
        {"protected": True},
        {"hidden": True},
        {"min_disk_gib": 3},
        {"bootable": False},
        {"architecture": "aarch64"},
        {"properties": {"hw_disk_bus": "ide"}},
        {"properties": {"hw_qemu_guest_agent": "no"}},
        {"remove_properties": {"hw_disk_bus"}},
    ],
    ids=str,
)
def test_a_mixed_change_is_refused_whole(cloud: CloudUnderTest, client: ClientFactory, more: dict[str, object]) -> None:
    image_id = make_image(cloud, visibility="community", hw_disk_bus="scsi")
    before = record_of(cloud, image_id)
    changes = ImageChanges.model_validate({"name": "better name", **more})
    with pytest.raises(NotAllowedError, match=next(iter(more))):
        client("bob", steward="admin").update(image_id, changes)
    assert record_of(cloud, image_id) == before


def test_without_a_steward_the_refusal_says_so(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    with pytest.raises(NotAllowedError, match="steward") as caught:
        client("bob").update(image_id, name="better name")
    assert "steward" in caught.value.hint
    assert caught.value.status == 403


def test_the_steward_does_not_touch_private_shared_or_featured_images(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    bob = client("bob", steward="admin")
    private = make_image(cloud)
    with pytest.raises(NotFoundError):
        bob.update(private, name="better name")
    featured = make_image(cloud)
    client("admin").update(featured, category="featured")
    with pytest.raises(NotAllowedError, match="featured"):
        bob.update(featured, name="better name")
    shared = make_image(cloud, visibility="shared")
    cloud.session("alice").post(
        f"/v2/images/{shared}/members", json={"member": bob.project_id}, endpoint_filter={"service_type": "image"}
    )
    with pytest.raises(NotAllowedError, match="private"):
        bob.update(shared, name="better name")


def test_the_steward_neither_deletes_nor_disables(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    bob = client("bob", steward="admin")
    for act in (bob.disable, bob.delete):
        with pytest.raises(NotAllowedError):
            act(image_id)
    client().disable(image_id)
    with pytest.raises(NotAllowedError):
        bob.enable(image_id)
    assert client().enable(image_id).state is State.ACTIVE


def test_the_steward_serves_no_reader_and_no_own_image(cloud: CloudUnderTest, client: ClientFactory) -> None:
    rita = client("rita", steward="admin")
    for owner in ("alice", "bob"):
        image_id = make_image(cloud, owner, visibility="community")
        before = record_of(cloud, image_id)
        with pytest.raises(NotAllowedError):
            rita.update(image_id, name="better name")
        assert record_of(cloud, image_id) == before


def test_an_administrator_needs_no_steward(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    image = client("admin").update(image_id, name="better name", protected=True, category="private")
    assert (image.name, image.protected, image.edited_by) == ("better name", True, "")


# ----------------------------------------------------------------- the password flag


def test_the_password_flag_sets_and_removes_its_properties(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud)
    before = record_of(cloud, image_id)
    on = client().update(image_id, password_enabled=True, admin_user="root")
    assert on.password_enabled
    assert record_of(cloud, image_id) == {
        **before,
        "hyperx_password_enabled": "true",
        "hw_qemu_guest_agent": "yes",
        "os_admin_user": "root",
    }
    off = client().update(image_id, password_enabled=False)
    assert not off.password_enabled
    assert record_of(cloud, image_id) == before


# ----------------------------------------------------------------- disabling and enabling


def test_a_disabled_image_comes_back_unchanged(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, description="mine", tags=["a"])
    before = client().image(image_id)
    disabled = client().disable(before)
    assert (disabled.state, disabled.phase) == (State.INACTIVE, Phase.DISABLED)
    assert client().disable(image_id).phase is Phase.DISABLED
    enabled = client().enable(disabled)
    assert (enabled.state, enabled.phase) == (State.ACTIVE, Phase.READY)
    assert client().enable(image_id).phase is Phase.READY
    assert enabled.model_copy(update={"updated_at": None}) == before.model_copy(update={"updated_at": None})


def test_members_disable_own_images_administrators_any(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, visibility="community")
    with pytest.raises(NotAllowedError) as caught:
        client("bob").disable(image_id)
    assert (caught.value.service, caught.value.status) == ("image", 403)
    assert client("arthur").disable(image_id).phase is Phase.DISABLED
    assert client("admin").enable(image_id).phase is Phase.READY


def test_an_image_without_data_cannot_be_disabled(cloud: CloudUnderTest, client: ClientFactory) -> None:
    image_id = make_image(cloud, sample=None)
    for act in (client().disable, client().enable):
        with pytest.raises(ConflictError, match="queued"):
            act(image_id)
