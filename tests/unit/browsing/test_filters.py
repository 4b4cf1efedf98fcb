"""Each criterion is Glance's parameter, a test of this library, or both; no cloud is involved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hyperx_glance.browsing.filters import Listing, Viewer, check, listings
from hyperx_glance.browsing.matching import fold
from hyperx_glance.browsing.sorting import Sorting
from hyperx_glance.errors import InvalidRequestError, NotAllowedError
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.image import Image
from hyperx_glance.vocabulary import State, View

ALICE = Viewer(project_id="dept-a", is_administrator=False, names={"dept-a": "Research 研究"})
ADMIN = Viewer(project_id="admin", is_administrator=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def made(query: ImageQuery, viewer: Viewer = ALICE, *, owners: list[str] | None = None) -> list[Listing]:
    return listings(query, viewer, Sorting(query.sort), owners=owners)


def asked(viewer: Viewer = ALICE, *, owners: list[str] | None = None, **criteria: object) -> list[dict[str, str]]:
    return [dict(listing.parameters) for listing in made(ImageQuery.model_validate(criteria), viewer, owners=owners)]


def only(**criteria: object) -> Listing:
    (listing,) = made(ImageQuery.model_validate(criteria))
    return listing


def image(**record: object) -> Image:
    return Image.model_validate({"id": "7c1f0000-0000-4000-8000-00000000beef", "status": "active", **record})


def found(record: dict[str, Any], **criteria: object) -> bool:
    return any(listing.matches(image(**record)) for listing in made(ImageQuery.model_validate(criteria)))


# ----------------------------------------------------------------- views


def test_a_members_all_is_one_listing() -> None:
    assert asked(view="all") == [{"visibility": "all"}]


@pytest.mark.parametrize(
    ("view", "parameters"),
    [
        ("featured", [{"visibility": "public", "hyperx_featured": "true"}]),
        ("public", [{"visibility": "public"}, {"visibility": "community"}]),
        ("private", [{"visibility": "private", "owner": "dept-a"}, {"visibility": "shared", "owner": "dept-a"}]),
        ("shared", [{"visibility": "shared", "member_status": "accepted"}]),
    ],
)
def test_a_members_view_asks_for(view: str, parameters: list[dict[str, str]]) -> None:
    assert asked(view=view) == parameters


@pytest.mark.parametrize(
    ("view", "parameters"),
    [
        (
            "all",
            [
                {"visibility": "public"},
                {"visibility": "community"},
                {"visibility": "private", "owner": "admin"},
                {"visibility": "shared", "owner": "admin"},
            ],
        ),
        ("private", [{"visibility": "private", "owner": "admin"}, {"visibility": "shared", "owner": "admin"}]),
        ("everything", [{"visibility": "all"}]),
    ],
)
def test_an_administrators_view_asks_for(view: str, parameters: list[dict[str, str]]) -> None:
    assert asked(ADMIN, view=view) == parameters


def test_an_administrator_without_a_project_owns_nothing() -> None:
    nowhere = Viewer(project_id="", is_administrator=True)

    assert asked(nowhere, view="private") == []
    assert asked(nowhere) == [{"visibility": "public"}, {"visibility": "community"}]


def test_views_are_refused_with_a_hint() -> None:
    with pytest.raises(NotAllowedError, match="administrators") as refused:
        check(ImageQuery(view=View.EVERYTHING), is_administrator=False)
    assert "all" in refused.value.hint
    with pytest.raises(NotAllowedError, match="members or not") as refused:
        check(ImageQuery(view=View.SHARED), is_administrator=True)
    assert "everything" in refused.value.hint


def test_an_image_that_the_department_shares_is_not_in_its_shared_view() -> None:
    assert found({"visibility": "shared", "owner": "dept-b"}, view="shared")
    assert not found({"visibility": "shared", "owner": "dept-a"}, view="shared")


def test_the_flag_on_an_image_that_is_not_public_features_nothing() -> None:
    flagged = {"hyperx_featured": "true", "owner": "dept-a"}

    assert found({**flagged, "visibility": "public"}, view="featured")
    assert not found({**flagged, "visibility": "public"}, view="public")
    for visibility, view in (("community", "public"), ("private", "private"), ("shared", "private")):
        assert not found({**flagged, "visibility": visibility}, view="featured")
        assert found({**flagged, "visibility": visibility}, view=view)


@pytest.mark.parametrize("flag", ["TRUE", "yes", "maybe", ""])
def test_only_true_features(flag: str) -> None:
    assert not found({"visibility": "public", "hyperx_featured": flag}, view="featured")


@pytest.mark.parametrize("status", ["deleted", "pending_delete"])
def test_records_of_deleted_images_are_dropped(status: str) -> None:
    assert not found({"status": status}, hidden=None)


def test_snapshots_stay_out_unless_asked_for() -> None:
    assert not found({"image_type": "snapshot"})
    assert found({"image_type": "backup"})
    assert found({"image_type": "snapshot"}, properties={"image_type": "snapshot"})
    assert asked(properties={"image_type": "snapshot"}) == [{"visibility": "all", "image_type": "snapshot"}]


def test_snapshots_on_volumes_stay_out_unless_asked_for() -> None:
    marks = {"block_device_mapping": "[{}]", "bdm_v2": "True"}
    for size in (0, None):
        assert not found({**marks, "size": size})
        assert found({**marks, "size": size}, properties={"bdm_v2": "True"})
        assert not found({**marks, "size": size}, properties={"image_type": "snapshot"})
    assert found({**marks, "size": 512})
    assert not found({**marks, "size": 0, "image_type": "snapshot"}, properties={"bdm_v2": "True"})
    assert asked(properties={"bdm_v2": "True"}) == [{"visibility": "all", "bdm_v2": "True"}]


def test_hidden_images_stay_out_unless_asked_for() -> None:
    assert not found({"os_hidden": True})
    assert asked(hidden=True) == [{"visibility": "all", "os_hidden": "true"}]
    assert asked(hidden=None) == [{"visibility": "all"}, {"visibility": "all", "os_hidden": "true"}]
    both = made(ImageQuery(hidden=None))
    for hidden in (False, True):
        assert [listing.matches(image(os_hidden=hidden)) for listing in both] == [not hidden, hidden]


# ----------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("criteria", "parameters"),
    [
        ({"kind": "iso"}, {"disk_format": "iso"}),
        ({"kind": "iso", "formats": ["iso", "raw"]}, {"disk_format": "iso"}),
        ({"kind": "image", "formats": ["iso", "raw"]}, {"disk_format": "raw"}),
        ({"formats": ["qcow2"]}, {"disk_format": "qcow2"}),
        ({"formats": ["raw", "qcow2"]}, {"disk_format": "in:qcow2,raw"}),
        ({"formats": ["QCOW2", "Raw"]}, {"disk_format": "in:qcow2,raw"}),
        ({"state": "ACTIVE"}, {"status": "active"}),
        ({"tags": ["gpu"]}, {"tag": "gpu"}),
        ({"any_tags": ["gpu"]}, {"tag": "gpu"}),
        ({"name": "debian"}, {"name": "debian"}),
        ({"name": "a:b"}, {"name": "eq:a:b"}),
        ({"name": "in:raw,iso"}, {"name": "eq:in:raw,iso"}),
        ({"name": "2026-03-01T12:00:00Z"}, {"name": "eq:2026-03-01T12:00:00Z"}),
        ({"name": 'x,"y'}, {"name": 'x,"y'}),
        ({"os_distro": "ubuntu:22,04"}, {"os_distro": "ubuntu:22,04"}),
        ({"os_version": "12"}, {"os_version": "12"}),
        ({"os_type": "linux"}, {"os_type": "linux"}),
        ({"architecture": "x86_64"}, {"architecture": "x86_64"}),
        ({"created_by": "u1"}, {"hyperx_created_by": "u1"}),
        ({"properties": {"rack": "7", "room": "b:1"}}, {"rack": "7", "room": "b:1"}),
        ({"properties": {"rack": ""}}, {"rack": ""}),
        ({"password_enabled": True}, {"hyperx_password_enabled": "true"}),
        ({"protected": True}, {"protected": "true"}),
        ({"protected": False}, {"protected": "false"}),
        ({"min_size": 0, "max_size": 7}, {"size_min": "0", "size_max": "7"}),
        ({"min_size": 2**70}, {"size_min": str(2**63 - 1)}),
        ({"created_after": NOON}, {"created_at": "gte:2026-03-01T12:00:00Z"}),
        ({"created_after": NOON.replace(microsecond=1)}, {"created_at": "gte:2026-03-01T12:00:01Z"}),
        ({"created_before": NOON}, {"created_at": "lt:2026-03-01T12:00:01Z"}),
        ({"created_before": NOON.replace(microsecond=999_999)}, {"created_at": "lt:2026-03-01T12:00:01Z"}),
        ({"updated_after": NOON, "updated_before": NOON}, {"updated_at": "gte:2026-03-01T12:00:00Z"}),
        (
            {"updated_before": datetime(2026, 3, 1, 20, tzinfo=timezone(timedelta(hours=8)))},
            {"updated_at": "lt:2026-03-01T12:00:01Z"},
        ),
    ],
)
def test_glance_is_asked(criteria: dict[str, Any], parameters: dict[str, str]) -> None:
    assert asked(**criteria) == [{"visibility": "all", **parameters}]
    assert only(**criteria).exact


@pytest.mark.parametrize(
    "criteria",
    [
        {"kind": "image"},
        {"state": "INACTIVE"},
        {"any_tags": ["gpu", " linux "]},
        {"any_tags": ["gpu", ""]},
        {"any_tags": [f"batch-{number}" for number in range(9)]},
        {"no_tags": ["gpu"]},
        {"search": "debian"},
        {"name": ""},
        {"os_distro": ""},
        {"hypervisor": ""},
        {"name_contains": "deb"},
        {"description_contains": "deb"},
        {"os_name_contains": "deb"},
        {"password_enabled": False},
        {"bootable": True},
        {"bootable": False},
        {"properties": {"rack_max": "9"}},
        {"properties": {"sort": "x"}},
        {"properties": {"update": "x"}},
    ],
)
def test_glance_cannot_be_asked(criteria: dict[str, Any]) -> None:
    assert asked(**criteria) == [{"visibility": "all"}]
    assert not only(**criteria).exact


@pytest.mark.parametrize(
    "criteria",
    [
        {"tags": [" padded "]},
        {"created_before": datetime.max.replace(tzinfo=UTC)},
        {"created_after": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))},
    ],
)
def test_criteria_that_glance_would_misread_are_not_sent(criteria: dict[str, Any]) -> None:
    assert asked(**criteria) == [{"visibility": "all"}]


def test_every_tag_is_sent() -> None:
    assert only(tags=["b", "a"]).parameters == (("visibility", "all"), ("tag", "a"), ("tag", "b"))


def test_each_of_a_few_tags_is_asked_for_and_the_first_of_an_image_counts() -> None:
    listings_of_tags = made(ImageQuery(any_tags=["b", "a"], tags=["c"]))

    assert [listing.parameters for listing in listings_of_tags] == [
        (("visibility", "all"), ("tag", "a"), ("tag", "c")),
        (("visibility", "all"), ("tag", "b"), ("tag", "c")),
    ]
    assert all(listing.exact for listing in listings_of_tags)
    for tags, matching in (
        (["a", "b", "c"], [True, False]),
        (["b", "c"], [False, True]),
        (["a", "b"], [False, False]),
    ):
        record = image(tags=tags)
        assert [listing.matches(record) for listing in listings_of_tags if listing.parameters[1][1] in record.tags] == [
            matches for matches, tag in zip(matching, "ab", strict=True) if tag in tags
        ]


def test_too_many_listings_are_not_made_for_tags() -> None:
    eight = [f"batch-{number}" for number in range(8)]

    assert len(asked(any_tags=eight)) == 8
    assert len(asked(ADMIN, any_tags=eight)) == 32
    assert len(asked(ADMIN, any_tags=eight, hidden=None)) == 8


def test_inactive_images_are_asked_for_by_the_statuses_that_glance_knows() -> None:
    query = ImageQuery(state=State.INACTIVE)
    (known,) = listings(query, ALICE, Sorting(query.sort), inactive=("queued", "quarantined"))

    assert dict(known.parameters) == {"visibility": "all", "status": "in:queued,quarantined"}
    assert known.exact
    assert known.matches(image(status="quarantined"))


def test_criteria_that_exclude_each_other_ask_nothing() -> None:
    assert asked(kind="iso", formats=["raw"]) == []
    assert asked(formats=[]) == []
    assert asked(limit=0) == []
    assert asked(view="private", owners=["dept-b"]) == []
    assert asked(view="private", owners=["dept-a"]) == asked(view="private")


def test_each_department_of_a_name_is_asked_for() -> None:
    assert asked(owners=["d1", "d2"]) == [{"visibility": "all", "owner": "d1"}, {"visibility": "all", "owner": "d2"}]


def test_a_hypervisor_is_looked_for_in_every_property_that_names_it() -> None:
    three = made(ImageQuery(hypervisor="KVM"))

    assert [dict(listing.parameters) for listing in three] == [
        {"visibility": "all", "hyperx_hypervisor": "KVM"},
        {"visibility": "all", "hypervisor_type": "KVM"},
        {"visibility": "all", "img_hv_type": "KVM"},
    ]
    for record, matching in (
        ({"hyperx_hypervisor": "KVM", "hypervisor_type": "KVM"}, [0]),
        ({"hypervisor_type": "KVM", "img_hv_type": "KVM"}, [1]),
        ({"img_hv_type": "KVM"}, [2]),
        ({"hyperx_hypervisor": "VMware", "hypervisor_type": "KVM"}, []),
    ):
        given = [number for number, listing in enumerate(three) if record.get(listing.parameters[-1][0]) == "KVM"]
        assert [number for number in given if three[number].matches(image(**record))] == matching


@pytest.mark.parametrize("key", ["owner", "size", "visibility", "os_hidden", "min_disk"])
def test_a_column_is_no_property(key: str) -> None:
    with pytest.raises(InvalidRequestError, match=key):
        check(ImageQuery(properties={key: "x"}), is_administrator=False)


def test_of_two_bounds_the_one_that_comes_first_is_sent_and_the_other_ends_the_list() -> None:
    bounds = {"created_after": NOON, "created_before": NOON + timedelta(hours=1)}
    newest_first = only(**bounds)
    oldest_first = only(**bounds, sort=["created_at"])
    by_name = only(**bounds, sort=["name"])

    assert dict(newest_first.parameters)["created_at"] == "lt:2026-03-01T13:00:01Z"
    assert newest_first.ends is not None
    assert newest_first.ends(image(created_at="2026-03-01T11:59:59Z"))
    assert not newest_first.ends(image(created_at="2026-03-01T12:00:00Z"))
    assert dict(oldest_first.parameters)["created_at"] == "gte:2026-03-01T12:00:00Z"
    assert oldest_first.ends is not None
    assert oldest_first.ends(image(created_at="2026-03-01T13:00:01Z"))
    assert not oldest_first.ends(image(created_at="2026-03-01T13:00:00Z"))
    assert by_name.ends is None


# ----------------------------------------------------------------- what is tested here


@pytest.mark.parametrize(
    ("criteria", "match", "miss"),
    [
        ({"name": "debian"}, {"name": "debian"}, {"name": "Debian"}),
        ({"name": ""}, {"name": None}, {"name": "x"}),
        ({"os_distro": "ubuntu"}, {"os_distro": "ubuntu"}, {"os_distro": "Ubuntu"}),
        ({"os_distro": ""}, {}, {"os_distro": "x"}),
        ({"formats": ["raw"]}, {"disk_format": "raw"}, {"disk_format": "iso"}),
        ({"formats": ["VHD"]}, {"disk_format": "vhd"}, {"disk_format": None}),
        ({"kind": "image"}, {"disk_format": None}, {"disk_format": "iso"}),
        ({"kind": "iso"}, {"disk_format": "iso"}, {"disk_format": "raw"}),
        ({"state": "INACTIVE"}, {"status": "frobnicating"}, {"status": "active"}),
        ({"tags": ["a", "b"]}, {"tags": ["c", "b", "a"]}, {"tags": ["a"]}),
        ({"any_tags": ["a", "b"]}, {"tags": ["b"]}, {"tags": ["c"]}),
        ({"no_tags": ["a", "b"]}, {"tags": ["c"]}, {"tags": ["b", "c"]}),
        ({"password_enabled": False}, {"hyperx_password_enabled": "maybe"}, {"hyperx_password_enabled": "true"}),
        ({"bootable": True}, {}, {"hyperx_bootable": "maybe"}),
        ({"min_size": 5}, {"size": 5}, {"size": 4}),
        ({"max_size": 5}, {"size": 5}, {"size": None}),
        ({"created_after": NOON}, {"created_at": "2026-03-01T12:00:00Z"}, {"created_at": "2026-03-01T11:59:59Z"}),
        ({"created_before": NOON}, {"created_at": "2026-03-01T12:00:00"}, {"created_at": "2026-03-01T12:00:01"}),
        ({"updated_after": NOON}, {"updated_at": "2026-03-01T12:00:00Z"}, {"updated_at": "yesterday"}),
        ({"properties": {"rack": "7"}}, {"rack": "7"}, {"rack": "8"}),
        ({"properties": {"os_distro": "x"}}, {"os_distro": "x"}, {"os_distro": "X"}),
        ({"properties": {"hyperx_bootable": "true"}}, {"hyperx_bootable": "true"}, {"hyperx_bootable": "TRUE"}),
        ({"properties": {"sort": "x"}}, {"sort": "x"}, {}),
        ({"name_contains": "STRASSE"}, {"name": "Große Straße"}, {"name": "Platz"}),
        ({"description_contains": "ｆｕｌｌ"}, {"description": "a full disk"}, {"description": "empty"}),
        ({"os_name_contains": "22.04"}, {"os_distro": "ubuntu", "os_version": "22.04"}, {"os_distro": "ubuntu"}),
    ],
)
def test_here_it_is_tested_again(criteria: dict[str, Any], match: dict[str, Any], miss: dict[str, Any]) -> None:
    assert found(match, **criteria)
    assert not found(miss, **criteria)


@pytest.mark.parametrize(
    ("search", "record"),
    [
        ("麒麟", {"name": "银河麒麟 V10"}),
        ("kylin", {"name": "ＫＹＬＩＮ"}),
        ("ＫＹＬＩＮ", {"description": "kylin"}),
        ("STRASSE", {"os_distro": "straße"}),
        ("straße", {"tags": ["STRASSE"]}),
        ("fine", {"tags": ["ﬁne"]}),
        ("qcow", {"disk_format": "qcow2"}),
        ("研究", {"owner": "dept-a"}),
        ("kylin", {"hyperx_os_name": "Kylin"}),
        ("kvm", {"hyperx_hypervisor": "KVM"}),
        ("active", {"status": "active"}),
        ("inact", {"status": "queued"}),
        ("deb active", {"name": "Debian"}),
        ("7c1f0000", {}),
        ("7C1F0000-0000", {}),
        ("   ", {}),
    ],
)
def test_search_finds(search: str, record: dict[str, Any]) -> None:
    assert found(record, search=search)


@pytest.mark.parametrize(
    ("search", "record"),
    [
        ("active", {"status": "queued"}),
        ("7c1f000", {}),
        ("beef", {}),
        ("c1f00000", {}),
        ("deb beta", {"name": "Debian"}),
        ("dept-a", {"owner": "dept-a"}),
        ("dept-b", {"owner": "dept-b"}),
        ("ab", {"name": "a", "description": "b"}),
        ("tive", {}),
    ],
)
def test_search_does_not_find(search: str, record: dict[str, Any]) -> None:
    assert not found(record, search=search)


def test_folding_is_nfkc_and_casefold() -> None:
    assert fold("ＡßΣ①") == "assσ1"


def test_the_text_of_a_time_is_compared_by_glance_alone() -> None:
    """An image has the time, and not the text that its property has."""
    text = "2020-01-01T00:00:00Z"
    assert found({"hyperx_deprecated_at": text}, properties={"hyperx_deprecated_at": text})
    assert asked(properties={"hyperx_deprecated_at": text})[0]["hyperx_deprecated_at"] == text
