"""The doctor finds the faults of a deployment and changes nothing; protections and metadefs follow the vocabulary."""

from __future__ import annotations

import configparser
import functools
import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import (
    Client,
    InvalidRequestError,
    LaunchRequest,
    NewCapture,
    Pace,
    Settings,
    deployment,
    vocabulary,
)
from hyperx_glance.deployment.facts import skew
from hyperx_glance.deployment.reading_checks import LIMITS
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import say
from tests.support import foreign
from tests.support.interference import interrupt
from tests.support.readers import assert_whole
from tests.support.records import HIDING, make_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance import Finding
    from hyperx_glance.testing.memory import ServiceName

READING = [
    "identity",
    "image",
    "compute",
    "network",
    "block-storage",
    "image-version",
    "compute-version",
    "clock-skew",
    "policies",
    "launch-choices",
    "web-download",
    "unified-limits",
    "redirects",
    "department-limits",
    "stuck-imports",
    "lost-places",
    "featured-flag",
    "share-acceptance",
    "inherited-properties",
    "image-formats",
    "server-metadata",
    "own-properties",
]
TRYING = [
    "scratch-record",
    "property-protections",
    "image-policies",
    "publicize",
    "communitize",
    "download-ports",
    "imports",
    "data-check",
    "hybrid-isos",
    "stream-quota",
    "image-limits",
    "image-store",
    "launch-rights",
    "volume-rights",
]
ODD_URL = "http://glance.cloud.test:8080/hyperx-doctor"
PLAIN_URL = "http://glance.cloud.test/hyperx-doctor"


@pytest.fixture
def fake() -> InMemoryCloud:
    cloud = InMemoryCloud()
    cloud.glance.downloads.update({ODD_URL: 404, PLAIN_URL: 404})
    return cloud


def hurried() -> Pace:
    """Return a pace by whose clock each look is a second later."""
    return Pace(first_interval=0, longest_interval=0, clock=functools.partial(next, itertools.count()))


def connect(fake: InMemoryCloud, user: str, **settings: object) -> Client:
    settings = {"pace": Pace(first_interval=0, longest_interval=0), **settings}
    return Client.from_session(
        fake.session(user),
        region_name="RegionOne",
        settings=Settings(**settings),  # type: ignore[arg-type]  # fields
    )


def examine(fake: InMemoryCloud, user: str = "alice", *, probe: bool = False, **settings: object) -> dict[str, Finding]:
    """Run the doctor; check that every finding is complete."""
    found = connect(fake, user, **settings).doctor(probe=probe)
    assert [finding.check for finding in found] == READING + (TRYING if probe else [])
    for finding in found:
        assert_whole(finding.message)
        assert finding.remedy or finding.level == "ok", finding
        if finding.remedy:
            assert_whole(finding.remedy)
    return {finding.check: finding for finding in found}


def levels(findings: dict[str, Finding]) -> dict[str, str]:
    """Return what is not well."""
    return {check: finding.level for check, finding in findings.items() if finding.level != "ok"}


def test_the_steward_accepts_only_as_an_administrator(fake: InMemoryCloud) -> None:
    """Check who accepts shared images: members, or a steward, who must be there, log in, and be an administrator."""

    def found(steward: Session | None, acceptance: str = "steward") -> Finding:
        settings = Settings(share_acceptance=acceptance)  # type: ignore[arg-type]  # one of the words
        client = Client.from_session(fake.session("alice"), steward=steward, settings=settings)
        return next(finding for finding in client.doctor() if finding.check == "share-acceptance")

    wrong = Session(
        v3.Password(
            **{key: text for key, text in fake.auth("admin").items() if key != "region_name"} | {"password": "no"}  # type: ignore[arg-type]  # strings
        ),
        fake.session("admin").session,
    )
    assert [found(None, "member").level, found(fake.session("admin")).level] == ["ok", "ok"]
    assert "needs a steward" in found(None).message
    assert "does not have the role admin" in found(fake.session("bob")).message
    assert "cannot log in" in found(wrong).message


def scratch_records(fake: InMemoryCloud) -> list[str]:
    return [image.name or "" for image in fake.glance.images.values() if not image.deleted]


# ----------------------------------------------------------------- protections


def test_protections_are_a_file_that_glance_reads() -> None:
    rules = configparser.ConfigParser()
    rules.read_string(deployment.property_protections())

    # Glance takes the first section that matches, and refuses what none matches.
    assert rules.sections() == ["^hyperx_featured$", "^hyperx_created_by$", ".*"]
    assert dict(rules["^hyperx_featured$"]) == {"create": "admin", "read": "@", "update": "admin", "delete": "@"}
    assert set(rules[".*"].values()) == {"@"}


def test_protections_tell_the_options_of_nova_and_cinder() -> None:
    text = deployment.property_protections()

    assert f"non_inheritable_image_properties = {deployment.NOVA_OPTION}\n" in text
    assert f"glance_core_properties = {deployment.CINDER_OPTION}\n" in text
    for option in deployment.NOVA_OPTION, deployment.CINDER_OPTION:
        assert "hyperx_featured" in option.split(",")
        # What describes the system on the disk goes with a snapshot of it.
        assert not {"hyperx_os_name", "hyperx_password_enabled"} & set(option.split(","))


# ----------------------------------------------------------------- metadefs


def test_metadefs_are_made_from_the_vocabulary(fake: InMemoryCloud) -> None:
    connect(fake, "admin").install_metadefs()

    properties = fake.glance.metadefs.namespaces[deployment.NAMESPACE]["properties"]
    assert set(properties) == {field.key for field in vocabulary.FIELDS if field.own}
    for field in vocabulary.FIELDS:
        if field.own:
            definition = properties[field.key]
            assert definition["type"] == "string"
            assert {field.title, field.title_zh} == set(definition["title"].split(" / "))
            assert definition["description"] == f"{field.description} {field.description_zh}"
            assert definition.get("enum", []) == (["true", "false"] if field.stored is vocabulary.Stored.FLAG else [])


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/namespaces/[^/]*$"),
        ("POST", "/namespaces$"),
        ("PUT", "/namespaces/[^/]*$"),
        ("POST", "/resource_types$"),
        ("POST", "/properties$"),
        ("PUT", "/properties/"),
        ("DELETE", "/properties/"),
    ],
)
def test_metadefs_are_written_though_an_answer_is_lost(
    fake: InMemoryCloud, method: str, path: str, *, handled: bool
) -> None:
    admin = connect(fake, "admin")
    admin.install_metadefs()
    namespaces = fake.glance.metadefs.namespaces
    there = namespaces[deployment.NAMESPACE]
    whole = dict(there["properties"])
    there["display_name"] = "Something else"
    there["resource_type_associations"] = []
    there["properties"]["hyperx_bootable"] = {"title": "Boots?", "type": "string"}
    there["properties"]["hyperx_of_an_old_release"] = there["properties"].pop("hyperx_url")
    if path == "/namespaces$":
        namespaces.clear()
    fake.cut("glance", method, path, handled=handled)
    admin.install_metadefs()

    assert fake.requests[-1].status is not None
    assert None in {request.status for request in fake.requests}
    assert namespaces[deployment.NAMESPACE]["properties"].keys() == whole.keys()
    before = len(fake.requests)
    admin.install_metadefs()
    assert [request.method for request in fake.requests[before:]] == ["GET"]


def test_every_own_word_has_both_languages() -> None:
    for field in vocabulary.FIELDS:
        if field.own:
            assert field.title, field
            assert field.title_zh, field
            assert field.description, field
            assert field.description_zh, field


# ----------------------------------------------------------------- a healthy cloud


def test_a_healthy_cloud_is_all_ok(fake: InMemoryCloud) -> None:
    assert levels(examine(fake, probe=True)) == {}
    assert levels(examine(fake, "admin")) == {}
    assert scratch_records(fake) == []


def test_reading_changes_nothing(fake: InMemoryCloud) -> None:
    examine(fake)

    assert {request.method for request in fake.requests if request.path != "/v3/auth/tokens"} == {"GET"}


def test_a_department_is_told_what_it_cannot_see(fake: InMemoryCloud) -> None:
    assert "an administrator sees all" in examine(fake)["stuck-imports"].message
    assert "all departments" in examine(fake, "admin")["stuck-imports"].message
    assert "own limits are not checked" in examine(fake)["unified-limits"].message


# ----------------------------------------------------------------- services


@pytest.mark.parametrize(
    ("name", "check"),
    [("glance", "image"), ("nova", "compute"), ("neutron", "network"), ("cinder", "block-storage")],
)
@pytest.mark.parametrize("probe", [False, True])
def test_a_service_that_is_down_is_a_finding(
    fake: InMemoryCloud,
    name: ServiceName,
    check: str,
    probe: bool,  # noqa: FBT001 - a case
) -> None:
    fake.kill(name)

    findings = examine(fake, probe=probe)

    assert findings[check].level == "error"
    assert "does not respond" in findings[check].message
    others = {other for other in levels(findings) if other != check}
    needing = {
        "image": {*READING[10:-2], "own-properties", "image-version", *(TRYING if probe else [])}
        - {"share-acceptance"},
        "compute": {"compute-version", "server-metadata"},
    }
    assert others == needing.get(check, set())
    assert all(findings[other].level == "warning" for other in others)


def test_keystone_down_is_a_finding(fake: InMemoryCloud) -> None:
    fake.cut("keystone", "POST", "", times=None, handled=False)

    findings = examine(fake, probe=True)

    assert findings["identity"].level == "error"
    assert findings["identity"].message.startswith(
        "Keystone does not respond correctly. Nothing works without Keystone."
    )
    assert {finding.level for check, finding in findings.items() if check != "identity"} == {"warning"}
    assert findings["compute"].message == "Not checked: the identity service is not usable."


def test_credentials_that_are_refused_are_a_finding(fake: InMemoryCloud) -> None:
    fake.fail("keystone", "POST", "/auth/tokens", status=401, times=None)

    assert "refused the credentials" in examine(fake)["identity"].message
    logins = [request for request in fake.requests if request.path.endswith("/auth/tokens")]
    assert len(logins) == 1, "Keystone may lock users out after a few"


def test_no_cinder_is_a_warning_about_isos(fake: InMemoryCloud) -> None:
    fake.cinder.present = False

    findings = examine(fake)

    assert levels(findings) == {"block-storage": "warning"}
    assert "ISO" in findings["block-storage"].message
    assert "Cinder" in findings["block-storage"].remedy


def test_no_nova_is_an_error(fake: InMemoryCloud) -> None:
    fake.nova.present = False

    assert levels(examine(fake)) == {"compute": "error", "compute-version": "warning", "server-metadata": "warning"}


def test_a_page_instead_of_a_service_is_a_finding(fake: InMemoryCloud) -> None:
    for name in "glance", "nova", "neutron", "cinder":
        fake.fail(name, "GET", "", status=200, body=b"<html>Welcome</html>", times=None)

    findings = examine(fake)

    assert findings["image"].level == "error"
    assert "sent an HTML page" in findings["image"].message
    assert "Not checked" in findings["web-download"].message


@pytest.mark.parametrize("nonsense", [{"colour": "red"}, {"import-methods": None, "usage": [1], "images": 5}])
def test_another_service_behind_the_url_is_a_finding(fake: InMemoryCloud, nonsense: dict[str, object]) -> None:
    fake.fail("glance", "GET", "", status=200, body=nonsense, times=None)

    findings = examine(fake)

    assert "does not report its version" in findings["image-version"].message
    assert findings["web-download"].level == "error"
    assert "sent an invalid" in findings["web-download"].message


def test_a_check_that_fails_is_a_finding(fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/v2/info/usage", status=500, times=None)

    findings = examine(fake)

    finding = findings["unified-limits"]
    assert levels(findings) == {"unified-limits": "error", "lost-places": "error"}
    assert "Could not be checked" in finding.message
    assert re.search(r"\(HTTP 500, req-\S+\)$", finding.explanation), "the way to the service's log"
    assert finding.explanation not in finding.message
    assert finding.message.in_language("zh") == "无法检查：镜像服务处理请求失败。"


# ----------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("newest", "level"), [("2.6", "error"), ("2.7", "warning"), ("2.11", "warning"), ("2.12", "ok"), ("2.17", "ok")]
)
def test_an_old_glance(fake: InMemoryCloud, newest: str, level: str) -> None:
    versions = [{"id": f"v{version}", "status": "SUPPORTED"} for version in ("2.1", newest, "2.0")]
    fake.fail("glance", "GET", "^/$", status=300, body={"versions": versions}, times=None)

    finding = examine(fake)["image-version"]

    assert finding.level == level
    assert newest in finding.message


@pytest.mark.parametrize(("newest", "level"), [("2.51", "error"), ("2.52", "warning"), ("2.67", "ok"), ("2.100", "ok")])
def test_an_old_nova(fake: InMemoryCloud, newest: str, level: str) -> None:
    versions = [{"id": "v2.0", "version": ""}, {"id": "v2.1", "version": newest}]
    fake.fail("nova", "GET", "^/$", status=200, body={"versions": versions}, times=None)

    finding = examine(fake)["compute-version"]

    assert finding.level == level
    assert newest in finding.message


# ----------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("skew", "level", "told"),
    [
        (3, "ok", "agree"),
        (-3, "ok", "agree"),
        (60, "warning", "ahead"),
        (-60, "warning", "behind"),
        (3600, "error", "ahead"),
    ],
)
def test_a_clock_that_is_off(fake: InMemoryCloud, skew: int, level: str, told: str) -> None:
    fake.nova.skew_seconds = skew

    finding = examine(fake)["clock-skew"]

    assert finding.level == level
    assert told in finding.message
    if level != "ok":
        assert "compute" in finding.message
        assert "image" not in finding.message


@pytest.mark.parametrize(
    ("sent", "received", "ahead"),
    [
        (0.875, 1.125, 0.0),  # the header has whole seconds: it was any time of that second
        (1.0, 1.5, 0.0),
        (-1.0, -0.5, 0.5),
        (-10.0, -9.0, 9.0),
        (3.0, 4.0, -2.0),
    ],
)
def test_a_clock_is_off_by_what_no_delay_explains(sent: float, received: float, ahead: float) -> None:
    date, told = "Sun, 01 Mar 2026 12:00:00 GMT", datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()

    assert skew(date, told + sent, told + received) == ahead
    assert skew(None, sent, received) is None
    assert skew("yesterday", sent, received) is None


def test_the_own_clock_that_is_off(fake: InMemoryCloud) -> None:
    for service in fake.keystone, fake.glance, fake.nova, fake.neutron, fake.cinder:
        service.skew_seconds = 100

    assert "This machine's clock" in examine(fake)["clock-skew"].message


# ----------------------------------------------------------------- web-download


@pytest.mark.parametrize(("transfer", "level"), [("auto", "warning"), ("import", "error"), ("stream", "ok")])
def test_web_download_is_disabled(fake: InMemoryCloud, transfer: str, level: str) -> None:
    fake.glance.import_methods = ["glance-direct"]

    finding = examine(fake, transfer=transfer)["web-download"]

    assert finding.level == level
    consequences = {
        "auto": "the client streams the data instead",
        "import": "registrations fail",
        "stream": "need not",
    }
    assert consequences[transfer] in finding.message


def test_imports_are_disabled(fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/v2/info/import", status=404, times=None)

    finding = examine(fake)["web-download"]

    assert finding.level == "warning"
    assert "import methods: none" in finding.message


# ----------------------------------------------------------------- unified limits


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


# ----------------------------------------------------------------- inherited properties


def snapshot(fake: InMemoryCloud, **properties: str) -> str:
    """Make a snapshot of a server that was launched from an image with these properties."""
    image = make_image(fake, "bob", visibility="community", **properties)
    request = LaunchRequest(name="web", flavor="m1.tiny")
    (server,) = connect(fake, "alice").launch(image, request).servers
    return foreign.snapshot_of(fake, server.id)


def test_a_department_without_snapshots_shows_nothing_of_novas_option(fake: InMemoryCloud) -> None:
    found = examine(fake)["inherited-properties"]
    assert (found.level, found.message[:13]) == ("ok", "Inconclusive:")
    assert "your department has no snapshots" in found.message


def test_a_snapshot_of_an_image_that_says_nothing_shows_nothing(fake: InMemoryCloud) -> None:
    snapshot(fake)
    found = examine(fake)["inherited-properties"]
    assert (found.level, "your department's newest snapshots do not" in found.message) == ("ok", True)


def test_a_snapshot_shows_that_novas_option_is_set(fake: InMemoryCloud) -> None:
    image_id = snapshot(fake, hyperx_created_by="bob's id")
    found = examine(fake)["inherited-properties"]
    assert found.level == "ok"
    assert f"must not copy onto snapshot {image_id}" in found.message


@pytest.mark.parametrize("key", sorted({field.key for field in vocabulary.FIELDS if not field.inherited}))
def test_a_snapshot_shows_that_novas_option_lacks_a_property(fake: InMemoryCloud, key: str) -> None:
    fake.glance.protections = False
    fake.nova.non_inheritable = ",".join(word for word in deployment.NOVA_OPTION.split(",") if word != key)
    image_id = snapshot(fake, **{key: "forged"})
    found = examine(fake)["inherited-properties"]
    assert found.level == "warning"
    assert f"Nova copied {key} onto snapshot {image_id}" in found.message
    assert "non_inheritable_image_properties" in found.remedy


def test_the_newest_snapshot_counts(fake: InMemoryCloud) -> None:
    """There is no further warning once the option is corrected."""
    fake.nova.non_inheritable = "cache_in_nova,bittorrent"
    old = snapshot(fake, hyperx_created_by="bob's id")
    fake.glance.images[old].created_at -= timedelta(hours=1)
    assert examine(fake)["inherited-properties"].level == "warning"
    fake.nova.non_inheritable = deployment.NOVA_OPTION
    snapshot(fake, hyperx_created_by="bob's id")
    assert examine(fake)["inherited-properties"].level == "ok"


def test_captures_and_other_departments_say_nothing_of_novas_option(fake: InMemoryCloud) -> None:
    fake.glance.add_image(owner="dept-b", image_type="snapshot", instance_uuid="81f", hyperx_url="http://a/b")
    alice = connect(fake, "alice")
    image = make_image(fake, "alice", hyperx_created_by=alice.user_id)
    (server,) = alice.launch(image, LaunchRequest(name="web", flavor="m1.tiny")).servers
    alice.start_capture(server.id, NewCapture(name="captured"))
    assert examine(fake)["inherited-properties"].level == "ok"


# ----------------------------------------------------------------- stuck imports


def test_imports_that_are_stuck(fake: InMemoryCloud) -> None:
    old, young = datetime.now(UTC) - timedelta(minutes=61), datetime.now(UTC) - timedelta(minutes=50)
    stuck = {
        fake.glance.add_image(status="importing", updated_at=old),
        fake.glance.add_image(status="saving", updated_at=old, visibility="community"),
        fake.glance.add_image(status="uploading", updated_at=old, size=5),
        fake.glance.add_image(status="queued", updated_at=old, os_glance_import_task="some task"),
    }
    foreign = fake.glance.add_image(owner="dept-b", status="importing", updated_at=old)
    fake.glance.add_image(status="queued", updated_at=old)
    fake.glance.add_image(status="importing", updated_at=young)
    fake.glance.add_image(status="active", updated_at=old)

    own, all_of_them = examine(fake)["stuck-imports"], examine(fake, "admin")["stuck-imports"]

    assert own.level == all_of_them.level == "warning"
    assert all(image_id in own.message for image_id in stuck)
    assert "(4): " in own.message
    assert foreign in all_of_them.message
    assert "(5): " in all_of_them.message


def test_imports_are_timed_by_the_clock_that_wrote_them(fake: InMemoryCloud) -> None:
    fake.glance.skew_seconds = -7200
    fake.glance.add_image(status="importing", updated_at=datetime.now(UTC) - timedelta(hours=2, minutes=5))

    assert examine(fake)["stuck-imports"].level == "ok"


def test_stuck_imports_of_many_pages(fake: InMemoryCloud) -> None:
    fake.glance.largest_page = 4
    for _ in range(10):
        fake.glance.add_image(status="importing", updated_at=datetime.now(UTC) - timedelta(hours=2))

    message = examine(fake)["stuck-imports"].message

    assert "(10): " in message
    assert message.count("-") == 5 * 4
    assert message.endswith(", ....")


# ----------------------------------------------------------------- lost places


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


# ----------------------------------------------------------------- the flag


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


# ----------------------------------------------------------------- the probe


def test_a_file_of_protections_without_its_last_section(fake: InMemoryCloud) -> None:
    fake.glance.protections = deployment.property_protections().rpartition("[.*]")[0]

    finding = examine(fake, probe=True)["property-protections"]

    assert finding.level == "error"
    assert "[.*]" in finding.remedy


@pytest.mark.parametrize(("visibility", "level"), [("community", "error"), ("public", "ok")])
def test_community_is_refused(fake: InMemoryCloud, visibility: str, level: str) -> None:
    fake.glance.policies["communitize_image"] = "admin"

    assert examine(fake, probe=True, public_visibility=visibility)["communitize"].level == level


@pytest.mark.parametrize(("transfer", "level"), [("auto", "warning"), ("import", "error"), ("stream", "ok")])
def test_ports_are_limited(fake: InMemoryCloud, transfer: str, level: str) -> None:
    fake.glance.import_filter.allowed_ports = [80, 443]

    finding = examine(fake, probe=True, transfer=transfer)["download-ports"]

    assert finding.level == level
    assert "80 and 443" in finding.message
    assert scratch_records(fake) == []


def test_ports_are_tried_where_a_service_is_missing(fake: InMemoryCloud) -> None:
    fake.nova.present = False

    finding = examine(fake, probe=True)["download-ports"]

    assert finding.level == "ok"
    assert scratch_records(fake) == []


@pytest.mark.parametrize("port", ["", ":80", ":443"])
def test_a_usual_port_is_none_to_try(fake: InMemoryCloud, port: str) -> None:
    """Catalogues name port 443 often enough, which Glance's default rules allow."""
    fake.glance.url += port

    examine(fake, probe=True)

    tried = [request.body for request in fake.requests if request.body and request.path.endswith("/import")]
    assert tried == [{"method": {"name": "web-download", "uri": ODD_URL}}]


@pytest.mark.parametrize("methods", [["glance-direct"], []])
def test_ports_without_web_download_are_no_finding_of_their_own(fake: InMemoryCloud, methods: list[str]) -> None:
    fake.glance.import_methods = methods

    assert levels(examine(fake, probe=True)) == {"web-download": "warning"}


def test_a_host_that_is_refused_hides_the_ports(fake: InMemoryCloud) -> None:
    fake.glance.import_filter.disallowed_hosts = ["glance.cloud.test"]

    finding = examine(fake, probe=True)["download-ports"]

    assert finding.level == "warning"
    assert "host" in finding.message


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


@pytest.mark.parametrize("scope", [{"unscoped": True}, {"system_scope": "all"}])
def test_a_login_without_a_department_is_one_finding(fake: InMemoryCloud, scope: dict[str, Any]) -> None:
    login = {name: value for name, value in fake.auth("admin").items() if not name.startswith(("project", "region"))}
    session = fake.session("admin")
    session.auth = v3.Password(**{**login, **scope})

    findings = {each.check: each for each in Client.from_session(session, region_name="RegionOne").doctor()}

    assert [check for check, each in findings.items() if each.level == "error"] == ["identity"]
    assert "for no department" in findings["identity"].message
    assert "name a project" in findings["identity"].remedy


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


def test_a_glance_that_cannot_delete_refused_data_says_why(fake: InMemoryCloud) -> None:
    said = "Image status transition from queued to pending_delete is not allowed"
    fake.fail("glance", "DELETE", "/v2/images/", status=400, body=said, times=None)

    finding = examine(fake, probe=True)["scratch-record"]

    assert finding.level == "error"
    assert "delayed_delete" in finding.remedy
    with pytest.raises(InvalidRequestError, match="delayed_delete"):
        connect(fake, "alice").delete(next(iter(fake.glance.images)))


def test_so_does_one_whose_creation_stays_unclear(fake: InMemoryCloud) -> None:
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


def test_so_does_an_interrupt_of_what_comes_after_the_probe(fake: InMemoryCloud) -> None:
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


# ----------------------------------------------------------------- older releases


LACKS = {
    "2024.1": {"redirects": "warning", "data-check": "error", "stream-quota": "warning"},
    "2024.2": {"data-check": "error", "stream-quota": "warning"},
    "2025.1": {"hybrid-isos": "error", "stream-quota": "warning"},
    "2025.2": {"hybrid-isos": "error", "stream-quota": "warning"},
    "2026.1": {"stream-quota": "warning"},
    "2026.2": {},
}


@pytest.mark.parametrize("release", LACKS)
def test_each_lack_of_an_older_release_is_told(release: str) -> None:
    fake = InMemoryCloud(release=release)
    fake.glance.downloads.update({ODD_URL: 404, PLAIN_URL: 404})

    assert levels(examine(fake, probe=True)) == LACKS[release]
    assert scratch_records(fake) == []


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


# ----------------------------------------------------------------- the deployment's own limits


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


# ----------------------------------------------------------------- rights


@pytest.mark.parametrize("probe", [False, True])
def test_properties_that_only_administrators_read_are_an_error(
    fake: InMemoryCloud,
    probe: bool,  # noqa: FBT001 - a case
) -> None:
    client = connect(fake, "alice")
    make_image(fake, hyperx_created_by=client.cloud.user_id)
    assert examine(fake, probe=probe)["own-properties"].level == "ok"
    fake.glance.protections = HIDING

    finding = examine(fake, probe=probe)["own-properties"]

    assert finding.level == "error"
    assert "hyperx_created_by" in finding.message
    assert examine(fake, "admin")["own-properties"].level == "ok"


def test_without_any_image_nothing_is_known_of_hidden_properties(fake: InMemoryCloud) -> None:
    fake.glance.protections = HIDING

    assert "no image" in examine(fake)["own-properties"].message


@pytest.mark.parametrize(
    ("service", "path", "level"),
    [("nova", "/servers/detail$", "warning"), ("nova", "/servers$", "error"), ("cinder", "/volumes/detail", "warning")],
)
def test_a_list_that_a_policy_refuses_is_named(
    fake: InMemoryCloud, service: ServiceName, path: str, level: str
) -> None:
    fake.fail(service, "GET", path, status=403, body="You are not authorized.", times=None)

    findings = examine(fake)

    assert levels(findings) == {"policies": level}
    assert f"GET {path.rstrip('$')} (" in findings["policies"].message
    assert findings["policies"].explanation.startswith("You are not authorized.")


def test_each_refused_list_is_told_with_its_consequence(fake: InMemoryCloud) -> None:
    fake.fail("nova", "GET", "/limits$", status=403, times=None)
    fake.fail("nova", "GET", "/os-keypairs", status=403, times=None)

    message = examine(fake)["policies"].message

    assert "Quotas of servers are not shown" in message
    assert "Key pairs cannot be chosen" in message


def test_a_check_that_a_policy_refuses_is_no_error(fake: InMemoryCloud) -> None:
    fake.fail("glance", "GET", "/v2/info/usage", status=403, times=None)

    findings = examine(fake)

    assert levels(findings) == dict.fromkeys(("policies", "unified-limits", "lost-places"), "warning")


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


# ----------------------------------------------------------------- Glance's policies, its store, and launches


@pytest.mark.parametrize("rule", ["admin", "nobody"])
@pytest.mark.parametrize(
    ("policy", "level", "told"),
    [
        ("modify_image", "error", "neither edited nor registered from URLs"),
        ("upload_image", "error", "from files or streams"),
        ("download_image", "error", "neither downloaded nor launched"),
        ("delete_image", "error", "failed registrations stay"),
        ("deactivate", "warning", "cannot be disabled"),
        ("reactivate", "warning", "cannot be enabled again"),
    ],
)
def test_a_policy_of_glance_that_refuses_members_something_is_told(
    fake: InMemoryCloud, policy: str, level: str, told: str, rule: Literal["admin", "nobody"]
) -> None:
    fake.glance.policies[policy] = rule

    findings = examine(fake, probe=True)

    found = findings["image-policies"]
    assert found.level == level
    assert f": {policy}." in found.message
    assert told in found.message
    assert f"not authorized to complete {policy} action" in found.explanation
    assert errors(findings) <= {"image-policies", "scratch-record"}
    assert findings["property-protections"].level != "error"


def test_a_policy_that_refuses_volumes_is_told(fake: InMemoryCloud) -> None:
    assert examine(fake, probe=True)["volume-rights"].message.code == "volumes-are-allowed"
    assert fake.cinder.volumes == {}
    fake.fail("cinder", "POST", "/volumes$", status=503, times=4)
    assert examine(fake, probe=True)["volume-rights"].message.code == "no-volume-was-tried"
    body = {"forbidden": {"message": "Policy doesn't allow volume:create to be performed.", "code": 403}}
    fake.fail("cinder", "POST", "/volumes$", status=403, body=body)

    findings = examine(fake, probe=True)

    assert levels(findings) == {"volume-rights": "warning"}
    assert "volume:create" in findings["volume-rights"].explanation


def test_several_policies_are_told_together(fake: InMemoryCloud) -> None:
    fake.glance.policies |= {"reactivate": "admin", "download_image": "nobody"}

    found = examine(fake, probe=True)["image-policies"]

    assert found.level == "error"
    assert ": download_image, reactivate." in found.message
    assert "download_image" in found.explanation


def test_a_store_that_takes_no_data_is_an_error(fake: InMemoryCloud) -> None:
    fake.glance.broken_stores = {"fast"}

    findings = examine(fake, probe=True)

    assert errors(findings) == {"image-store"}
    assert "could not be stored" in findings["image-store"].message
    assert findings["image-store"].explanation
    assert scratch_records(fake) == []


def test_the_probe_shows_the_store_though_it_has_data_refused(fake: InMemoryCloud) -> None:
    assert examine(fake, probe=True)["image-store"].message.code == "store-takes-data"
    fake.glance.disk_formats = ["qcow2", "raw"]
    assert examine(fake, probe=True)["image-store"].message.code == "store-not-tried"


def test_a_department_without_room_for_data_says_nothing_of_the_store(fake: InMemoryCloud) -> None:
    over = "Resource image_size_total is over limit of 1 due to current usage 2 and delta 1"
    fake.fail("glance", "PUT", "/file", status=413, body=over, skip=1, times=None)

    findings = examine(fake, probe=True)

    assert errors(findings) == set()
    assert findings["image-store"].level == "warning"


def test_a_glance_that_cannot_stage_is_an_error(fake: InMemoryCloud) -> None:
    assert examine(fake, probe=True)["imports"].message.code == "imports-end"
    fake.glance.staging_broken = True

    findings = examine(fake, probe=True, pace=hurried())

    assert errors(findings) == {"imports"}
    assert "staging" in findings["imports"].remedy
    assert examine(fake, probe=True, pace=hurried(), transfer="stream")["imports"].level == "warning"


@pytest.mark.parametrize(("status", "level"), [(500, "error"), (409, "ok")])
def test_a_glance_that_fails_to_take_imports_is_an_error(fake: InMemoryCloud, status: int, level: str) -> None:
    fake.fail("glance", "POST", "/import$", status=status, body="no", times=None)

    assert examine(fake, probe=True)["imports"].level == level


def test_an_import_without_a_free_thread_is_inconclusive(fake: InMemoryCloud) -> None:
    fake.glance.task_threads = 0

    findings = examine(fake, probe=True, pace=hurried())

    assert errors(findings) == set()
    assert "threads" in findings["imports"].message


def errors(findings: dict[str, Finding]) -> set[str]:
    return {check for check, finding in findings.items() if finding.level == "error"}


def without_flavors(fake: InMemoryCloud) -> None:
    fake.nova.flavors.clear()


def without_hosts(fake: InMemoryCloud) -> None:
    fake.nova.availability_zones, fake.nova.unavailable_zones = [], fake.nova.availability_zones


def without_networks(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()


def with_an_external_network(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()
    fake.neutron.add_network("outside", project_id=fake.keystone.project_id("dept-a"), external=True)


def with_a_network_without_addresses(fake: InMemoryCloud) -> None:
    fake.neutron.networks.clear()
    fake.neutron.add_network("outside", shared=True, subnets=0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_a_network_without_addresses, "networks-without-subnets"),
        (without_flavors, "no-flavor-is-shown"),
        (without_hosts, "no-zone-is-available"),
        (without_networks, "no-network-is-shown"),
        (with_an_external_network, "only-external-networks"),
    ],
)
def test_what_launches_lack_is_an_error(
    fake: InMemoryCloud, change: Callable[[InMemoryCloud], None], code: str
) -> None:
    assert examine(fake)["launch-choices"].level == "ok"
    change(fake)

    findings = examine(fake)

    assert levels(findings) == {"launch-choices": "error"}
    assert str(say(code, networks=["outside"])) in findings["launch-choices"].message


@pytest.mark.parametrize("path", ["/flavors", "/os-availability-zone", "/networks"])
def test_choices_that_a_policy_hides_are_left_to_the_check_of_policies(fake: InMemoryCloud, path: str) -> None:
    fake.fail("neutron" if path == "/networks" else "nova", "GET", path, status=403, times=None)

    findings = examine(fake)

    assert findings["launch-choices"].level == "ok"
    assert path in findings["policies"].message


@pytest.mark.parametrize(("times", "level"), [(1, "warning"), (None, "error")])
def test_launches_that_policies_refuse_are_told(fake: InMemoryCloud, times: int | None, level: str) -> None:
    words = "Policy doesn't allow os_compute_api:servers:create:attach_volume to be performed."
    fake.fail("nova", "POST", "/servers$", status=403, body={"forbidden": {"message": words, "code": 403}}, times=times)

    found = examine(fake, probe=True)["launch-rights"]

    assert found.level == level
    assert "create:attach_volume" in found.explanation
    assert "create:attach_volume" in found.remedy
    assert fake.nova.servers == {}


def test_a_lost_answer_hides_no_refusal_of_launches(fake: InMemoryCloud) -> None:
    refusal = {"forbidden": {"message": "Policy doesn't allow it to be performed.", "code": 403}}
    fake.fail("nova", "POST", "/servers$", status=504)
    fake.fail("nova", "POST", "/servers$", status=403, body=refusal, times=None, skip=1)

    assert examine(fake, probe=True)["launch-rights"].level == "error"
