"""What one look at rare records returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hyperx_glance import Phase
from hyperx_glance.testing import InMemoryCloud
from tests.support.lists import JSON, connect
from tests.support.registrations import FAILED_TASK

LONG_AGO = (datetime.now(UTC) - timedelta(hours=3)).isoformat()


@pytest.mark.parametrize(
    ("record", "phase", "message", "explanation"),
    [
        ({"status": "queued"}, Phase.FAILED, "Glance failed to import", "Cannot read"),
        ({"status": "queued", "os_glance_import_task": "81f"}, Phase.FAILED, "Glance failed to import", "Cannot read"),
        ({"status": "queued", "hyperx_failure": "no room"}, Phase.FAILED, "The registration failed.", "no room"),
        ({"status": "importing", "updated_at": LONG_AGO}, Phase.FAILED, "Glance failed to import", "Cannot read"),
        ({"status": "importing"}, Phase.FAILED, "Glance failed to import", "Cannot read"),
        ({"status": "importing", "os_glance_import_task": "81f"}, Phase.DOWNLOADING, "", ""),
        ({"status": "saving"}, Phase.STORING, "", ""),
        ({"status": "active", "size": 5}, Phase.READY, "", ""),
        ({"status": "active", "size": 5, "hyperx_checksum": "md5:" + "0" * 32}, Phase.READY, "not been verified", ""),
        ({"status": "deactivated", "size": 5}, Phase.DISABLED, "", ""),
    ],
)
def test_a_look_tells_the_phase_and_why(
    record: dict[str, object], phase: Phase, message: str, explanation: str
) -> None:
    cloud = InMemoryCloud()
    image_id = cloud.glance.add_image(owner="dept-a", name="a", **record)
    cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, headers=JSON)

    look = connect(cloud).progress(image_id)

    assert look.phase is phase
    assert message in look.message
    assert explanation in look.explanation
    assert "5ecre7" not in f"{look.message} {look.explanation}"
    assert [request.method for request in cloud.requests if request.service == "glance"].count("GET") <= 2


def test_an_import_that_waits_for_a_thread_says_so() -> None:
    cloud = InMemoryCloud()
    image_id = cloud.glance.add_image(owner="dept-a", name="a", status="queued", os_glance_import_task="81f")
    body = {"tasks": [{**FAILED_TASK, "status": "pending"}]}
    cloud.fail("glance", "GET", "/tasks$", status=200, body=body, headers=JSON)

    look = connect(cloud).progress(image_id)

    assert (look.phase, look.message) == (Phase.DOWNLOADING, "All of Glance's import threads are busy.")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"status": "importing", "hyperx_expected_size": "65536"}, 65536),
        ({"status": "active", "size": 5, "hyperx_expected_size": "65536"}, 5),
        ({"status": "importing"}, None),
        ({"status": "importing", "hyperx_expected_size": "-1"}, None),
        ({"status": "importing", "hyperx_expected_size": "9" * 5000}, None),
        ({"status": "queued", "hyperx_expected_size": "65536", "instance_uuid": "7c1"}, None),
    ],
    ids=["import", "ready", "nothing written", "negative", "absurd", "snapshot that copied it"],
)
def test_a_look_tells_the_size_that_the_registration_expects(record: dict[str, object], expected: int | None) -> None:
    cloud = InMemoryCloud()
    image_id = cloud.glance.add_image(owner="dept-a", name="a", **record)

    assert connect(cloud).progress(image_id).bytes_expected == expected
