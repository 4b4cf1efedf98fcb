"""The doctor on how data comes into Glance: web-download and its ports, stuck imports, the staging area, the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.unit.deployment.examining import ODD_URL, errors, examine, hurried, levels, scratch_records

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud


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
