"""Requests and changes become Glance's bodies and patches; what does not change is not sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from hyperx_glance import Image, ImageChanges, InvalidRequestError, NewImage, NewIso, vocabulary
from hyperx_glance.models.mapping import (
    STEWARD_FIELDS,
    Edit,
    edit_patch,
    json_patch,
    new_image_body,
    patch_unless_featured,
    visibility_of,
    without_flag_removal,
)
from hyperx_glance.vocabulary import FIELDS, Category, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENT = vocabulary.GUEST_AGENT_KEY
BEFORE = "hyperx_guest_agent_before"
RECORD: dict[str, object] = {
    "id": "7c1",
    "name": "debian",
    "visibility": "private",
    "status": "active",
    "disk_format": "qcow2",
    "container_format": "bare",
    "min_disk": 0,
    "min_ram": 0,
    "protected": False,
    "os_hidden": False,
    "tags": ["linux"],
    "owner": "dept-a",
}


def read(record: Mapping[str, object]) -> Image:
    return Image.model_validate_json(json.dumps(record))


def apply(record: Mapping[str, object], edits: list[Edit]) -> dict[str, object]:
    """Patch as Glance does, with its refusals."""
    result = dict(record)
    for operation in json_patch(edits):
        key = str(operation["path"]).removeprefix("/").replace("~1", "/").replace("~0", "~")
        assert "/" not in str(operation["path"])[1:]
        match operation["op"]:
            case "remove":
                assert key not in vocabulary.BASE_KEYS
                del result[key]
            case "replace":
                assert key in result
                result[key] = operation["value"]
            case _:
                result[key] = operation["value"]
    return result


def edited(record: Mapping[str, object], *, public: str = "community", **changes: object) -> dict[str, object]:
    return apply(record, edit_patch(read(record), ImageChanges.model_validate(changes), public_visibility=public))


def edits_of(record: Mapping[str, object], *, public: str = "community", **changes: object) -> list[Edit]:
    return edit_patch(read(record), ImageChanges.model_validate(changes), public_visibility=public)


# ----------------------------------------------------------------- new images


@pytest.mark.parametrize(
    ("category", "public", "visibility"),
    [
        (Category.FEATURED, "community", "public"),
        (Category.PUBLIC, "community", "community"),
        (Category.PUBLIC, "public", "public"),
        (Category.PRIVATE, "public", "private"),
    ],
)
def test_each_category_has_its_visibility(category: Category, public: str, visibility: str) -> None:
    assert visibility_of(category, public) == visibility


def body(new: NewImage | NewIso, *, public: str = "community", owner: str | None = None) -> dict[str, object]:
    return new_image_body(
        new,
        image_id="1",
        disk_format=new.disk_format or "raw",
        public_visibility=public,
        user_id="user-1",
        owner=owner,
    )


def test_a_new_image_has_no_property_that_says_nothing() -> None:
    assert body(NewImage(name="debian", url="http://files.example/debian.raw")) == {
        "id": "1",
        "name": "debian",
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "private",
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "tags": [],
        "hyperx_created_by": "user-1",
        "hyperx_url": "http://files.example/debian.raw",
    }


def test_a_new_iso_says_whether_it_boots() -> None:
    assert body(NewIso(name="data", url="http://files.example/data.iso", bootable=False))["hyperx_bootable"] == "false"


def test_another_owner_is_named() -> None:
    assert body(NewImage(name="a", url="http://files.example/a"), owner="dept-b")["owner"] == "dept-b"


@pytest.mark.parametrize(("own", "written"), [("no", "yes"), ("yes", "yes"), ("true", "true")])
def test_a_password_enabled_image_remembers_an_own_guest_agent(own: str, written: str) -> None:
    new = NewImage(name="a", url="http://files.example/a", password_enabled=True, properties={AGENT: own})
    record = {**RECORD, **body(new)}
    assert (record[AGENT], record[BEFORE]) == (written, own)
    assert edited(record, password_enabled=False)[AGENT] == own


# ----------------------------------------------------------------- edits


def test_no_difference_is_no_edit() -> None:
    assert edits_of(RECORD) == []
    same = edits_of(RECORD, name="debian", tags={"linux"}, category="private", description="", protected=False)
    assert same == []


@pytest.mark.parametrize(
    ("field", "value", "key", "written"),
    [
        ("name", "ubuntu", "name", "ubuntu"),
        ("description", "new", "description", "new"),
        ("os_name", "Debian 12", "hyperx_os_name", "Debian 12"),
        ("os_distro", "debian", "os_distro", "debian"),
        ("os_version", "12", "os_version", "12"),
        ("os_type", "linux", "os_type", "linux"),
        ("architecture", "aarch64", "architecture", "aarch64"),
        ("admin_user", "root", "os_admin_user", "root"),
        ("bootable", False, "hyperx_bootable", "false"),
        ("min_disk_gib", 3, "min_disk", 3),
        ("min_ram_mib", 512, "min_ram", 512),
        ("protected", True, "protected", True),
        ("hidden", True, "os_hidden", True),
        ("tags", {"b", "a"}, "tags", ["a", "b"]),
        ("category", "public", "visibility", "community"),
        ("properties", {"hw_disk_bus": "scsi"}, "hw_disk_bus", "scsi"),
    ],
)
def test_one_field_is_one_edit(field: str, value: object, key: str, written: str | int | list[str]) -> None:
    changes = ImageChanges.model_validate({field: value})
    assert edit_patch(read(RECORD), changes, public_visibility="community") == [Edit(field, key, written)]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("description", "description"),
        ("os_name", "hyperx_os_name"),
        ("os_distro", "os_distro"),
        ("os_version", "os_version"),
        ("os_type", "os_type"),
        ("architecture", "architecture"),
        ("admin_user", "os_admin_user"),
    ],
)
def test_clearing_removes_the_property(field: str, key: str) -> None:
    assert edits_of({**RECORD, key: "old"}, **{field: ""}) == [Edit(field, key, None)]


def test_an_os_name_that_comes_from_the_distribution_can_be_written() -> None:
    record = {**RECORD, "os_distro": "debian", "os_version": "12"}
    assert edits_of(record, os_name="debian 12") == [Edit("os_name", "hyperx_os_name", "debian 12")]


def test_tags_are_a_set() -> None:
    record = {**RECORD, "tags": ["b", "a"]}
    assert edits_of(record, tags=["a", "b", "a"]) == []
    assert edits_of(record, tags=[]) == [Edit("tags", "tags", [])]


def test_properties_that_are_there_already_are_no_edit() -> None:
    record = {**RECORD, "hw_disk_bus": "scsi", "empty": ""}
    assert edits_of(record, properties={"hw_disk_bus": "scsi", "empty": ""}, remove_properties={"missing"}) == []
    assert edits_of(record, remove_properties={"empty"}) == [Edit("remove_properties", "empty", None)]
    assert edits_of(record, properties={"other": ""}) == [Edit("properties", "other", "")]


def test_paths_of_a_patch_are_escaped() -> None:
    assert json_patch(
        [Edit("properties", "a/b~c", "x"), Edit("name", "name", "y"), Edit("remove_properties", "d", None)]
    ) == [
        {"op": "add", "path": "/a~1b~0c", "value": "x"},
        {"op": "replace", "path": "/name", "value": "y"},
        {"op": "remove", "path": "/d"},
    ]


# ----------------------------------------------------------------- category

FEATURED = {**RECORD, "visibility": "public", "hyperx_featured": "true"}


@pytest.mark.parametrize("public", ["community", "public"])
@pytest.mark.parametrize(
    "start", [RECORD, FEATURED, {**RECORD, "visibility": "community"}, {**RECORD, "hyperx_featured": "true"}]
)
@pytest.mark.parametrize("category", list(Category))
def test_a_move_ends_in_its_category(start: Mapping[str, object], category: Category, public: str) -> None:
    record = edited(start, public=public, category=category)
    assert read(record).category is category
    if category is not Category.FEATURED and read(start).category is not category:
        assert "hyperx_featured" not in record


@pytest.mark.parametrize("public", ["community", "public"])
@pytest.mark.parametrize("category", [Category.PUBLIC, Category.PRIVATE])
def test_a_featured_image_can_be_moved_with_its_flag(category: Category, public: str) -> None:
    edits = without_flag_removal(read(FEATURED), edits_of(FEATURED, public=public, category=category, name="new"))
    record = apply(FEATURED, edits)
    assert record["hyperx_featured"] == "true"
    assert record["visibility"] != "public"
    assert (read(record).category, record["name"]) == (category, "new")


def test_without_a_flag_to_remove_nothing_else_is_tried() -> None:
    edits = edits_of(RECORD, category="public", name="new")
    assert without_flag_removal(read(RECORD), edits) == edits


def test_private_by_name_is_no_longer_shared() -> None:
    shared = {**RECORD, "visibility": "shared"}
    assert edits_of(shared, category="private") == [Edit("category", "visibility", "private")]
    assert edits_of(shared, name="new") == [Edit("name", "name", "new")]


@pytest.mark.parametrize("mark", ["snapshot", "backup"])
def test_publishing_takes_the_mark_of_a_snapshot_away(mark: str) -> None:
    snapshot = {**RECORD, "image_type": mark}
    gone = Edit("category", "image_type", None)
    assert edits_of(snapshot, category="public") == [gone, Edit("category", "visibility", "community")]
    assert edits_of({**snapshot, "visibility": "public"}, category="public") == [gone]
    assert gone in edits_of(snapshot, category="featured")
    assert edits_of(snapshot, category="private", name="new") == [Edit("name", "name", "new")]
    assert edits_of({**RECORD, "image_type": "appliance"}, category="public") == edits_of(RECORD, category="public")
    removed = edits_of(snapshot, category="public", remove_properties={"image_type"})
    assert [edit for edit in removed if edit.key == "image_type"] == [Edit("remove_properties", "image_type", None)]


def test_nothing_is_published_as_a_snapshot() -> None:
    with pytest.raises(InvalidRequestError, match="no tab shows"):
        ImageChanges(category=Category.PUBLIC, properties={"image_type": "snapshot"})
    assert ImageChanges(category=Category.PRIVATE, properties={"image_type": "snapshot"}).properties


def test_a_patch_for_what_is_not_featured() -> None:
    edits = [
        Edit("name", "name", "new"),
        Edit("description", "description", "a"),
        Edit("os_distro", "os_distro", "b"),
        Edit("admin_user", "os_admin_user", None),
        Edit("properties", "a/b", "c"),
    ]
    rest: list[dict[str, object]] = [
        {"replace": "/name", "value": "new"},
        {"replace": "/description", "value": "a"},
        {"add": "/os_distro", "value": "b"},
        {"remove": "/os_admin_user"},
        {"add": "/a~1b", "value": "c"},
    ]
    record = {**RECORD, "description": "", "os_admin_user": "root"}
    condition = [{"add": "/hyperx_featured", "value": "false"}, {"remove": "/hyperx_featured"}]
    assert patch_unless_featured(read(record), edits) == [*condition, *rest]
    for flag in ("true", "", "no"):
        assert patch_unless_featured(read({**record, "hyperx_featured": flag}), edits) == rest


# ----------------------------------------------------------------- the password flag


@pytest.mark.parametrize("own", ["no", "yes", "true", "false", "1"])
def test_an_own_guest_agent_comes_back(own: str) -> None:
    record = {**RECORD, AGENT: own}
    on = edited(record, password_enabled=True)
    assert on[AGENT] == (own if own in ("yes", "true", "1") else "yes")
    assert edited(on, password_enabled=False) == record


def test_a_guest_agent_written_while_the_flag_is_on_stays() -> None:
    on = edited(RECORD, password_enabled=True)
    again = edited(on, properties={AGENT: "yes"})
    assert edited(again, password_enabled=False)[AGENT] == "yes"
    other = edited(on, properties={AGENT: "no"})
    assert other[AGENT] == "no"
    assert edited(other, password_enabled=False)[AGENT] == "no"


def test_a_guest_agent_removed_while_the_flag_is_on_stays_away() -> None:
    on = edited({**RECORD, AGENT: "no"}, password_enabled=True)
    assert edited(edited(on, remove_properties={AGENT}), password_enabled=False) == RECORD


def test_a_guest_agent_that_another_tool_changed_is_left_alone() -> None:
    on = {**edited(RECORD, password_enabled=True), AGENT: "no"}
    assert edited(on, password_enabled=False) == {**RECORD, AGENT: "no"}


def test_flag_and_guest_agent_can_be_named_together() -> None:
    on = edited(RECORD, password_enabled=True, properties={AGENT: "no"})
    assert on == {**RECORD, "hyperx_password_enabled": "true", AGENT: "no", BEFORE: "no"}
    off = edited(on, password_enabled=False, properties={AGENT: "true"}, admin_user="kept")
    assert off == {**RECORD, AGENT: "true", "os_admin_user": "kept"}


def test_switching_off_what_was_never_on_changes_nothing() -> None:
    record = {**RECORD, AGENT: "yes", "os_admin_user": "ubuntu"}
    assert edits_of(record, password_enabled=False) == []


def test_switching_on_again_brings_a_lost_guest_agent_back() -> None:
    on = edited(RECORD, password_enabled=True)
    assert edits_of(on, password_enabled=True) == []
    del on[AGENT]
    assert edited(on, password_enabled=True)[AGENT] == "yes"


def test_setting_the_password_flag_edits_its_dependent_fields() -> None:
    fields = {edit.field for edit in edits_of({**RECORD, AGENT: "no"}, password_enabled=True, admin_user="root")}
    assert fields == {"password_enabled", "admin_user"}
    assert fields <= STEWARD_FIELDS


def test_everybody_may_edit_what_describes_an_image() -> None:
    system = {"os_name", "os_distro", "os_version", "os_type"}
    assert {"name", "description", "tags", "password_enabled", "admin_user", *system} <= STEWARD_FIELDS
    reserved = {"category", "protected", "hidden", "bootable", "architecture", "min_disk_gib", "min_ram_mib"}
    assert not {*reserved, "properties", "remove_properties"} & STEWARD_FIELDS


# ----------------------------------------------------------------- the two laws

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
names = texts.filter(bool)
tag_sets = st.frozensets(
    st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), min_size=1), max_size=4
)
foreign_keys = st.from_regex(r"[a-z]{1,8}([~/][a-z]{1,3})?", fullmatch=True).map("x_{}".format)
foreign = st.dictionaries(foreign_keys | st.just(AGENT), texts, max_size=4)
categories = st.sampled_from(list(Category))
TEXTS = [field.name for field in FIELDS if field.stored is Stored.TEXT and field.name in ImageChanges.model_fields]
SCALARS = {
    **dict.fromkeys(TEXTS, texts),
    "name": names,
    "category": categories,
    "password_enabled": st.booleans(),
    "bootable": st.booleans(),
    "tags": tag_sets,
    "min_disk_gib": st.integers(0, 2**31 - 1),
    "min_ram_mib": st.integers(0, 2**31 - 1),
    "protected": st.booleans(),
    "hidden": st.booleans(),
}
change_sets = st.fixed_dictionaries({}, optional=SCALARS)
property_sets = st.tuples(foreign, st.frozensets(foreign_keys | st.just(AGENT), max_size=3))
records = st.fixed_dictionaries(
    {
        "id": st.just("7c1"),
        "visibility": st.sampled_from(["private", "shared", "community", "public"]),
        "name": st.none() | names,
        "min_disk": st.integers(0, 100),
        "min_ram": st.integers(0, 100),
        "protected": st.booleans(),
        "os_hidden": st.booleans(),
        "tags": tag_sets.map(sorted),
        "disk_format": st.sampled_from(["qcow2", "iso"]),
    },
    optional={
        "description": texts,
        "hyperx_os_name": texts,
        "os_distro": texts,
        "os_admin_user": texts,
        "hyperx_featured": st.sampled_from(["true", "false", "TRUE", ""]),
        "hyperx_password_enabled": st.sampled_from(["true", "false", "yes", ""]),
        "hyperx_bootable": st.sampled_from(["true", "false", "yes"]),
        BEFORE: st.sampled_from(["yes", "no"]),
        "hyperx_unknown": texts,
        "os_glance_import_task": texts,
        "hypervisor_type": st.just("qemu"),
    },
)
ALL_RECORDS = st.builds(lambda record, other: {**other, **record}, records, foreign)


@given(record=ALL_RECORDS, fields=change_sets, others=property_sets, public=st.sampled_from(["community", "public"]))
def test_written_changes_are_read_back_unchanged(
    record: dict[str, object],
    fields: dict[str, object],
    others: tuple[dict[str, str], frozenset[str]],
    public: str,
) -> None:
    properties, removed = others[0], others[1] - others[0].keys()
    changes = ImageChanges.model_validate({**fields, "properties": properties, "remove_properties": removed})
    after = apply(record, edit_patch(read(record), changes, public_visibility=public))
    image = read(after)
    shown = {**image.model_dump(), "tags": frozenset(image.tags), "os_name": image.glance_property("hyperx_os_name")}
    assert {field: shown[field] for field in fields} == fields
    assert {key: image.properties.get(key) for key in properties} == properties
    assert not removed & image.properties.keys()
    assert edit_patch(image, changes, public_visibility=public) == []


@given(record=ALL_RECORDS, fields=change_sets, others=property_sets, public=st.sampled_from(["community", "public"]))
def test_properties_outside_the_change_are_untouched(
    record: dict[str, object],
    fields: dict[str, object],
    others: tuple[dict[str, str], frozenset[str]],
    public: str,
) -> None:
    properties, removed = others[0], others[1] - others[0].keys()
    changes = ImageChanges.model_validate({**fields, "properties": properties, "remove_properties": removed})
    after = apply(record, edit_patch(read(record), changes, public_visibility=public))
    named = {*properties, *removed, *(vocabulary.glance_key(field) for field in fields)}
    if "category" in fields:
        named |= {"visibility", "hyperx_featured"}
    if "password_enabled" in fields or named & {AGENT}:
        named |= {AGENT, BEFORE, "os_admin_user"}
    if "os_name" in fields:
        named |= {"hyperx_os_name"}
    untouched = (record.keys() | after.keys()) - named
    assert {key: after.get(key) for key in untouched} == {key: record.get(key) for key in untouched}


@given(record=ALL_RECORDS)
def test_the_password_flag_leaves_no_trace(record: dict[str, object]) -> None:
    for key in ("hyperx_password_enabled", "os_admin_user", BEFORE):
        record.pop(key, None)
    if record.get(AGENT) == "":
        del record[AGENT]  # an empty text is as good as none
    on = edited(record, password_enabled=True, admin_user="root")
    assert read(on).password_enabled
    assert edited(on, password_enabled=False) == record


@given(
    fields=st.fixed_dictionaries(
        {"name": names},
        optional={
            key: strategy
            for key, strategy in SCALARS.items()
            if key not in ("name", "bootable", "hidden", "admin_user")
        },
    ),
    hypervisor=texts,
    admin_user=texts,
    properties=foreign,
    public=st.sampled_from(["community", "public"]),
)
def test_a_new_image_is_read_as_it_was_asked_for(
    fields: dict[str, object], hypervisor: str, admin_user: str, properties: dict[str, str], public: str
) -> None:
    url = "https://files.example/a.qcow2"
    asked = {**fields, "hypervisor": hypervisor, "admin_user": admin_user, "url": url, "properties": properties}
    image = read(body(NewImage.model_validate(asked), public=public))
    shown = {**image.model_dump(), "tags": frozenset(image.tags), "os_name": image.glance_property("hyperx_os_name")}
    expected = {**fields, "hypervisor": hypervisor, "url": url, "created_by": "user-1", "hidden": False}
    assert {field: shown[field] for field in expected} == expected
    assert shown["admin_user"] == (admin_user if image.password_enabled else "")
    assert {key: image.properties.get(key) for key in properties if key != AGENT} == {
        key: text for key, text in properties.items() if key != AGENT
    }
