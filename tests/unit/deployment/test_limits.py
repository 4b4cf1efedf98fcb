"""The doctor on unified limits, places that are lost, and the deployment's own limits."""

from __future__ import annotations

import pytest

from hyperx_glance.deployment.reading_checks import LIMITS
from hyperx_glance.testing import InMemoryCloud
from tests.unit.deployment.examining import connect, examine


def test_unified_limits_are_off(fake: InMemoryCloud) -> None:
    fake.glance.use_keystone_limits = False

    finding = examine(fake)["unified-limits"]

    assert finding.level == "warning"
    assert "use_keystone_limits" in finding.remedy


@pytest.mark.parametrize("region", [None, "RegionTwo"])
def test_a_limit_is_registered_in_the_wrong_region(fake: InMemoryCloud, region: str | None) -> None:
    for record in fake.keystone.registered_limits.values():
        if record["resource_name"] == "image_count_total":
            record["region_id"] = region

    finding = examine(fake)["unified-limits"]

    assert finding.level == "error"
    assert "image_count_total (but in" in finding.message
    assert str(region or "no region") in finding.message
    assert "registered limit create" in finding.remedy


def test_a_limit_is_not_registered(fake: InMemoryCloud) -> None:
    fake.keystone.registered_limits.clear()

    finding = examine(fake)["unified-limits"]

    assert finding.level == "error"
    assert all(name in finding.message for name in LIMITS)


def test_a_glance_without_usage(fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/v2/info/usage", status=404, times=None)

    assert examine(fake)["unified-limits"].level == "warning"


def test_a_catalogue_that_is_no_help_leaves_the_figures(fake: InMemoryCloud) -> None:
    client = connect(fake, "alice")
    session = client.cloud.session
    for service in session.auth.get_access(session).service_catalog.catalog:  # type: ignore[union-attr]  # it logs in
        service.pop("id")

    assert {finding.check: finding.level for finding in client.doctor()}["unified-limits"] == "ok"

    fake.keystone.registered_limits.clear()
    assert {finding.check: finding.level for finding in client.doctor()}["unified-limits"] == "error"


def test_places_that_are_lost_are_counted(fake: InMemoryCloud) -> None:
    for _ in range(2):
        fake.glance.images[fake.glance.add_image(owner="dept-a")].deleted = True
    fake.glance.add_image(owner="dept-a", os_hidden=True)

    finding = examine(fake)["lost-places"]

    assert finding.level == "warning"
    assert "counts 2 images that are in no list" in finding.message
    assert examine(fake, "bob")["lost-places"].level == "ok"  # of another department


def test_without_limits_no_place_is_looked_for(fake: InMemoryCloud) -> None:
    fake.glance.use_keystone_limits = False
    assert "counts no images" in examine(fake)["lost-places"].message


def test_limits_that_are_hidden_are_told_to_administrators() -> None:
    fake = InMemoryCloud(release="2025.1")

    assert "token for the whole system" in examine(fake, "admin")["department-limits"].message
    fake.keystone.administers_system = False
    finding = examine(fake, "admin")["department-limits"]
    assert finding.level == "warning"
    assert "set_quota refuses" in finding.message
    assert "--system all" in finding.remedy
    assert examine(fake)["department-limits"].level == "ok"


def test_limits_that_are_shown_are_told_so(fake: InMemoryCloud) -> None:
    fake.keystone.set_limit(fake.glance, "image_count_total", "dept-b", 5)

    assert "shows this administrator" in examine(fake, "admin")["department-limits"].message


def test_formats_that_glance_does_not_take_are_told(fake: InMemoryCloud) -> None:
    found = examine(fake)["image-formats"]
    assert (found.level, found.message.code) == ("ok", "formats-taken")
    fake.glance.disk_formats = ["qcow2", "iso"]
    found = examine(fake)["image-formats"]
    assert (found.level, found.remedy.code) == ("warning", "allow-or-provide-formats")
    assert "raw" in found.message
    assert "has to name its format" in found.message
    fake.glance.container_formats = ["ovf"]
    found = examine(fake)["image-formats"]
    assert (found.level, found.message.code) == ("error", "bare-not-taken")
    fake.fail("glance", "GET", "/v2/schemas/image", status=403)
    assert examine(fake)["image-formats"].message.code == "formats-not-shown"


@pytest.mark.parametrize("disk_formats", [["raw", "iso"], ["raw"], ["vmdk"]])
def test_the_probe_finds_no_error_where_glance_takes_no_qcow2(fake: InMemoryCloud, disk_formats: list[str]) -> None:
    fake.glance.disk_formats = disk_formats
    found = examine(fake, probe=True)
    assert [check for check, finding in found.items() if finding.level == "error"] == []
    assert found["data-check"].message.code == "probe-format-not-taken"
    assert all(record.status == "deleted" or record.deleted for record in fake.glance.images.values())


@pytest.mark.parametrize(
    ("limit", "level", "code"),
    [
        (128, "ok", "metadata-fits"),
        (-1, "ok", "metadata-unlimited"),
        (4, "ok", "metadata-fits"),
        (2, "error", "launches-exceed-metadata"),
        (0, "warning", "metadata-limit-zero"),
    ],
)
def test_a_small_quota_of_metadata_is_told(fake: InMemoryCloud, limit: int, level: str, code: str) -> None:
    fake.nova.set_quota("dept-a", metadata_items=limit)
    found = examine(fake)["server-metadata"]
    assert (found.level, found.message.code) == (level, code)


@pytest.mark.parametrize(
    ("properties", "tags", "level", "told"),
    [
        (128, 128, "ok", "the 25 properties and 20 tags"),
        (128, 8, "warning", "only 8 tags"),
        (15, 128, "warning", "only 15 properties"),
        (8, 8, "warning", "only 8 properties; a usual registration writes up to 6, one with every field 17"),
        (4, 128, "error", "only 4 properties; a usual registration writes up to 6, and may fail"),
        (0, 0, "error", "only 0 properties"),
    ],
)
def test_small_limits_of_properties_and_tags_are_told(
    fake: InMemoryCloud, properties: int, tags: int, level: str, told: str
) -> None:
    fake.glance.property_quota, fake.glance.tag_quota = properties, tags
    found = examine(fake, probe=True)
    assert found["image-limits"].level == level
    assert told in found["image-limits"].message
    if 0 < properties < 25:
        assert found["property-protections"].message.code == "properties-exceed-the-quota"
    assert found["scratch-record"].level == ("ok" if properties else "error")
