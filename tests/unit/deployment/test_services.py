"""The doctor on a healthy cloud, and on services that are down, absent, old, or whose clocks are off."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.deployment.facts import skew
from hyperx_glance.testing import InMemoryCloud
from tests.unit.deployment.examining import ODD_URL, PLAIN_URL, READING, TRYING, examine, levels, scratch_records

if TYPE_CHECKING:
    from hyperx_glance.testing.memory import ServiceName


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
