"""The doctor's probe: what members may do with the flag, and a scratch record that never stays."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import deployment
from tests.support.interference import interrupt
from tests.unit.deployment.examining import TRYING, connect, errors, examine, levels, scratch_records

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.memory import ServiceName


def test_public_visibility_without_a_probe_is_a_warning(fake: InMemoryCloud) -> None:
    finding = examine(fake, public_visibility="public")["featured-flag"]

    assert finding.level == "warning"
    assert "probe" in finding.remedy


@pytest.mark.parametrize(
    ("protected", "publicize", "visibility", "expected"),
    [
        (True, "admin", "community", {}),
        (True, "member", "community", {}),
        (True, "member", "public", {}),
        (True, "admin", "public", {"publicize": "error"}),
        (False, "admin", "community", {"featured-flag": "warning", "property-protections": "warning"}),
        (False, "member", "community", {"featured-flag": "error", "property-protections": "warning"}),
        (False, "member", "public", {"featured-flag": "error", "property-protections": "error"}),
        (
            False,
            "admin",
            "public",
            {"featured-flag": "warning", "property-protections": "error", "publicize": "error"},
        ),
    ],
)
def test_the_doctor_reports_if_members_can_forge_featured_images(
    fake: InMemoryCloud,
    protected: bool,  # noqa: FBT001 - a case
    publicize: str,
    visibility: str,
    expected: dict[str, str],
) -> None:
    fake.glance.protections = protected
    fake.glance.policies["publicize_image"] = publicize  # type: ignore[assignment]  # a rule, from the cases above

    assert levels(examine(fake, probe=True, public_visibility=visibility)) == expected
    assert scratch_records(fake) == []


def test_the_probe_never_makes_a_featured_image(fake: InMemoryCloud) -> None:
    fake.glance.protections = False
    fake.glance.policies["publicize_image"] = "member"
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        seen.extend((image.visibility, "hyperx_featured" in image.properties) for image in fake.glance.images.values())

    for method in "PATCH", "POST", "DELETE":
        fake.before("glance", method, "/v2/images/", look)

    examine(fake, probe=True)

    assert ("private", True) in seen
    assert ("public", False) in seen
    assert ("public", True) not in seen


def test_a_flag_that_stays_stops_the_probe_from_publishing(fake: InMemoryCloud) -> None:
    fake.glance.protections = False
    fake.glance.policies["publicize_image"] = "member"
    fake.fail("glance", "PATCH", "", status=500, skip=4, times=4)

    findings = examine(fake, probe=True)

    assert "the flag stays" in findings["publicize"].message
    assert findings["publicize"].level == findings["communitize"].level == "warning"
    assert scratch_records(fake) == []


def test_a_file_of_protections_without_its_last_section(fake: InMemoryCloud) -> None:
    fake.glance.protections = deployment.property_protections().rpartition("[.*]")[0]

    finding = examine(fake, probe=True)["property-protections"]

    assert finding.level == "error"
    assert "[.*]" in finding.remedy


@pytest.mark.parametrize(("visibility", "level"), [("community", "error"), ("public", "ok")])
def test_community_is_refused(fake: InMemoryCloud, visibility: str, level: str) -> None:
    fake.glance.policies["communitize_image"] = "admin"

    assert examine(fake, probe=True, public_visibility=visibility)["communitize"].level == level


def test_an_administrator_cannot_try_what_members_may(fake: InMemoryCloud) -> None:
    findings = examine(fake, "admin", probe=True, public_visibility="public")

    assert levels(findings) == dict.fromkeys(
        ("featured-flag", "property-protections", "image-policies", "publicize", "communitize"), "warning"
    )
    assert "as a member" in findings["publicize"].remedy
    assert scratch_records(fake) == []


def test_a_reader_can_try_nothing(fake: InMemoryCloud) -> None:
    findings = examine(fake, "rita", probe=True)

    assert levels(findings) == dict.fromkeys(TRYING, "warning")
    assert "member" in findings["scratch-record"].remedy


def test_a_department_without_room_can_try_nothing(fake: InMemoryCloud) -> None:
    fake.keystone.set_limit(fake.glance, "image_count_total", "dept-a", 0)

    findings = examine(fake, probe=True)

    assert findings["scratch-record"].level == "warning", "the deployment may well work"
    assert errors(findings) == set()
    assert "limit" in findings["scratch-record"].explanation


@pytest.mark.parametrize("skip", range(6))
@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_the_scratch_record_is_deleted_after_any_failure(fake: InMemoryCloud, method: str, skip: int) -> None:
    fake.fail("glance", method, "/v2/images", status=500, skip=skip, times=None)

    examine(fake, probe=True)

    assert scratch_records(fake) == []


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize(("method", "skip"), [("POST", 0), ("POST", 1), ("PATCH", 0), ("PATCH", 3), ("DELETE", 0)])
def test_a_lost_answer_leaves_no_record(
    fake: InMemoryCloud,
    method: str,
    skip: int,
    handled: bool,  # noqa: FBT001 - a case
) -> None:
    fake.cut("glance", method, "/v2/images", skip=skip, handled=handled)

    findings = examine(fake, probe=True)

    assert scratch_records(fake) == []
    if (method, skip) in (("POST", 0), ("DELETE", 0)) and handled:
        assert levels(findings) == {}


@pytest.mark.parametrize(
    ("service", "method", "path", "most"),
    [
        ("glance", "PATCH", "/v2/images/", 8),
        ("glance", "POST", "/v2/images/.*/actions/", 2),
        ("glance", "POST", "/v2/images/.*/import$", 1),
        ("nova", "POST", "/servers$", 1),
        ("cinder", "POST", "/volumes$", 1),
    ],
)
def test_a_trial_whose_answer_is_lost_is_made_again(
    fake: InMemoryCloud, service: ServiceName, method: str, path: str, most: int
) -> None:
    for skip, handled in itertools.product(range(most), (True, False)):
        fake.cut(service, method, path, skip=skip, handled=handled)

        assert levels(examine(fake, probe=True)) == {}, skip
        assert scratch_records(fake) == []


@pytest.mark.parametrize("status", [502, 504])
def test_a_lost_answer_to_an_upload_is_no_fault_of_the_store(fake: InMemoryCloud, status: int) -> None:
    fake.fail("glance", "PUT", "/file$", status=status)

    findings = examine(fake, probe=True)

    assert levels(findings) == dict.fromkeys(("data-check", "hybrid-isos", "stream-quota", "image-store"), "warning")
    assert findings["image-store"].message.code == "inconclusive"


def test_a_record_that_comes_late_is_removed(fake: InMemoryCloud) -> None:
    fake.cut("glance", "POST", "/v2/images$", late=1)

    assert levels(examine(fake, probe=True)) == {}
    assert scratch_records(fake) == []


def test_an_interrupt_leaves_no_record(fake: InMemoryCloud) -> None:
    fake.before("glance", "PATCH", "", interrupt, skip=2)

    with pytest.raises(KeyboardInterrupt):
        connect(fake, "alice").doctor(probe=True)
    assert scratch_records(fake) == []


def test_a_record_that_cannot_be_removed_is_named(fake: InMemoryCloud) -> None:
    fake.glance.policies["delete_image"] = "admin"

    finding = examine(fake, probe=True)["scratch-record"]

    (left,) = (image.id for image in fake.glance.images.values() if not image.deleted)
    assert finding.level == "error"
    assert left in finding.message
    assert left in finding.remedy


def test_a_removal_that_fails_says_how_to_remove_the_record(fake: InMemoryCloud) -> None:
    fake.fail("glance", "DELETE", "/v2/images/", status=500, times=None)

    finding = examine(fake, probe=True)["scratch-record"]

    (left,) = fake.glance.images
    assert finding.level == "error"
    assert f"{left} could not be removed" in finding.message
    assert f"openstack image delete {left}" in finding.remedy


def test_a_record_whose_creation_stays_unclear_is_named_with_how_to_remove_it(fake: InMemoryCloud) -> None:
    fake.cut("glance", "POST", "/v2/images$", times=None)
    fake.fail("glance", "DELETE", "/v2/images/", status=500, times=None)

    finding = examine(fake, probe=True)["scratch-record"]

    (left,) = fake.glance.images
    assert f"{left} may exist" in finding.message
    assert f"openstack image delete {left}" in finding.remedy


def test_an_interrupt_names_a_record_that_could_not_be_removed(fake: InMemoryCloud) -> None:
    fake.before("glance", "PATCH", "", interrupt, skip=2)
    fake.fail("glance", "DELETE", "/v2/images/", status=500, times=None)

    with pytest.raises(KeyboardInterrupt) as caught:
        connect(fake, "alice").doctor(probe=True)

    (left,) = fake.glance.images
    assert f"may still exist: image {left}" in caught.value.__notes__[0]


def test_an_interrupt_after_the_probe_names_a_record_that_could_not_be_removed(fake: InMemoryCloud) -> None:
    fake.fail("glance", "DELETE", "/v2/images/", status=500, times=None)
    fake.before("glance", "GET", "/info/import$", interrupt, times=1)

    with pytest.raises(KeyboardInterrupt) as caught:
        connect(fake, "alice").doctor(probe=True)

    (left,) = fake.glance.images
    assert f"may still exist: image {left}" in caught.value.__notes__[0]


def test_an_interrupted_creation_is_named_since_the_record_may_still_come(fake: InMemoryCloud) -> None:
    fake.before("glance", "POST", "/v2/images$", interrupt, times=1)

    with pytest.raises(KeyboardInterrupt) as caught:
        connect(fake, "alice").doctor(probe=True)

    assert f"may still exist: image {vars(caught.value)['image_id']}" in caught.value.__notes__[0]


def test_protections_that_keep_members_from_reinstating_images_are_told(fake: InMemoryCloud) -> None:
    section = "[^hyperx_deprecated_at$]\ncreate = @\nread = @\nupdate = @\ndelete = admin\n\n"
    fake.glance.protections = section + deployment.property_protections()

    finding = examine(fake, probe=True)["property-protections"]

    assert (finding.level, finding.message.code) == ("error", "properties-not-removable")
    assert "[.*]" in finding.remedy


def test_protections_of_an_older_release_are_told(fake: InMemoryCloud) -> None:
    """They let members change the note of who registered an image."""
    fake.glance.protections = deployment.property_protections().replace("[^hyperx_created_by$]", "[^nothing$]")

    finding = examine(fake, probe=True)["property-protections"]

    assert finding.level == "warning"
    assert "who registered" in finding.message
    assert "openstack hyperx deployment protections" in finding.remedy


def test_the_scratch_record_is_hidden_and_private(fake: InMemoryCloud) -> None:
    examine(fake, probe=True)

    bodies = [request.body for request in fake.requests if (request.method, request.path) == ("POST", "/v2/images")]
    assert len(bodies) == 2
    for body in bodies:
        assert isinstance(body, dict)
        assert body["os_hidden"] is True
        assert body["visibility"] == "private"


def test_a_scratch_record_that_cannot_be_deleted_is_made_once(fake: InMemoryCloud) -> None:
    fake.glance.policies["delete_image"] = "admin"
    first = examine(fake, probe=True)["scratch-record"]
    (left,) = fake.glance.images.values()
    assert left.id in first.message
    left.created_at -= timedelta(hours=1)

    second = examine(fake, probe=True)

    assert list(fake.glance.images) == [left.id]
    assert second["scratch-record"].level == "error"
    assert left.id in second["scratch-record"].message
    assert "no other was made" in second["scratch-record"].message
    fake.glance.policies["delete_image"] = "member"
    assert levels(examine(fake, probe=True)) == {}
    assert scratch_records(fake) == []
