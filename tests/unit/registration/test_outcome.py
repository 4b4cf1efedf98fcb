"""The state of a registration, read from its record and its tasks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Image,
)
from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.tasks import Task, Tasks, newest_task, stale, stall
from hyperx_glance.models.record import failed_stores, recorded_checksum, verified
from hyperx_glance.registration.outcome import (
    Outcome,
    admission_rank,
    import_outcome,
)
from tests.support.registrations import NOW

if TYPE_CHECKING:
    pass


def record(image_id: str = "7c1", **properties: object) -> Image:
    return Image.model_validate({"id": image_id, **properties})


class TestOutcome:
    @pytest.mark.parametrize(
        ("properties", "outcome"),
        [
            ({"status": "queued", "os_glance_import_task": "81f"}, Outcome.RUNNING),
            ({"status": "queued"}, Outcome.FAILED),
            ({"status": "queued", "os_glance_failed_import": "fast"}, Outcome.FAILED),
            ({"status": "queued", "os_glance_failed_import": "fast", "os_glance_import_task": "81f"}, Outcome.RUNNING),
            ({"status": "importing", "os_glance_import_task": "81f"}, Outcome.RUNNING),
            ({"status": "importing"}, Outcome.RUNNING),
            ({"status": "importing", "os_glance_failed_import": "fast"}, Outcome.FAILED),
            (
                {"status": "importing", "os_glance_failed_import": "fast", "os_glance_import_task": "81f"},
                Outcome.RUNNING,
            ),
            ({"status": "saving"}, Outcome.RUNNING),
            ({"status": "uploading"}, Outcome.RUNNING),
            ({"status": "active", "os_glance_import_task": "81f"}, Outcome.RUNNING),
            ({"status": "active", "os_glance_importing_to_stores": "slow"}, Outcome.RUNNING),
            ({"status": "active"}, Outcome.DONE),
            ({"status": "active", "os_glance_importing_to_stores": "", "os_glance_failed_import": ""}, Outcome.DONE),
            ({"status": "active", "os_glance_failed_import": "slow"}, Outcome.DONE),
            ({"status": "deactivated"}, Outcome.DONE),
            ({"status": "killed"}, Outcome.FAILED),
            ({"status": "deleted"}, Outcome.FAILED),
            ({"status": "pending_delete"}, Outcome.FAILED),
        ],
    )
    def test_every_state(self, properties: dict[str, object], outcome: Outcome) -> None:
        assert import_outcome(Image.model_validate({"id": "7c1", **properties})) is outcome

    def test_the_newest_import_counts(self) -> None:
        tasks = [
            {"type": "api_image_import", "status": "failure", "created_at": "2026-01-01T10:00:00.000000"},
            {"type": "api_image_import", "status": "processing", "created_at": "2026-01-01T11:00:00.000000"},
            {"type": "other", "status": "success", "created_at": "2026-01-01T12:00:00.000000"},
        ]

        task = newest_task(Tasks.model_validate_json(json.dumps({"tasks": tasks})).tasks)

        assert task is not None
        assert task.status == "processing"
        assert newest_task([]) is None

    @pytest.mark.parametrize("text", ["2026-01-01T10:00:00.000000", "2026-01-01T10:00:00Z"])
    def test_times_of_tasks_are_utc(self, text: str) -> None:
        task = Task.model_validate_json(json.dumps({"type": "api_image_import", "updated_at": text}))

        assert newest_task([task]) is task
        assert task.updated_at == datetime(2026, 1, 1, 10, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("date", "time"),
        [
            ("Thu, 01 Jan 2026 10:00:00 GMT", NOW - timedelta(hours=2)),
            ("Thu, 01 Jan 2026 10:00:00 -0000", NOW - timedelta(hours=2)),
            ("yesterday", NOW),
            ("Thu, 01 Jan 99999 10:00:00 GMT", NOW),
            ("Thu, 01 Jan 2026 10:00:00 +9999999999999", NOW),
            ("Thu, 99 Jan 2026 " + "9" * 100_000, NOW),
            ("", NOW),
            (None, NOW),
        ],
    )
    def test_the_clock_that_glance_tells(self, date: str | None, time: datetime) -> None:
        assert (server_time(date) or NOW) == time

    @pytest.mark.parametrize(
        ("status", "minutes", "words"),
        [("processing", 59, ""), ("processing", 61, "not touched"), ("pending", 1, "busy"), ("pending", 121, "busy")],
    )
    def test_why_an_import_does_not_move(self, status: str, minutes: int, words: str) -> None:
        message = stall(Task(status=status, updated_at=NOW - timedelta(minutes=minutes)), NOW)

        assert words in message
        assert bool(words) == bool(message)
        assert not stale(None, NOW)

    def test_admission_prefers_started_then_older_records_then_lower_ids(self) -> None:
        records = [
            record("d", status="queued", created_at="2026-01-01T10:00:01Z"),
            record("c", status="queued", created_at="2026-01-01T10:00:00Z"),
            record("b", status="queued", created_at="2026-01-01T10:00:00Z"),
            record("a", status="queued", created_at="2026-01-01T10:00:02Z", os_glance_import_task="81f"),
            record("z", status="active", created_at="2026-01-01T10:00:03Z"),
        ]

        assert [admission_rank(image_id, records) for image_id in ("a", "z", "b", "c", "d", "unseen")] == [
            1,
            2,
            3,
            4,
            5,
            6,
        ]

    def test_checksums_of_records(self) -> None:
        image = record(checksum="m", os_hash_algo="sha512", os_hash_value="s", hyperx_checksum="md5:m")

        assert recorded_checksum(image, "md5") == "md5:m"
        assert recorded_checksum(image, "sha512") == "sha512:s"
        assert recorded_checksum(image, "sha256") is None
        assert verified(image, "md5:m")
        assert not verified(image, "md5:other")
        assert not verified(image, "sha256:unknown")
        assert verified(record(hyperx_checksum_verified="true"), "sha256:unknown")


def test_a_store_that_holds_the_data_has_not_failed() -> None:
    def failed(**properties: str) -> frozenset[str]:
        return failed_stores(Image.model_validate({"id": "7c1", "status": "active", **properties}))

    assert failed(stores="fast", os_glance_failed_import="slow,slower") == {"slow", "slower"}
    assert failed(stores="fast,slow", os_glance_failed_import="slow") == frozenset()
    assert failed(os_glance_failed_import="") == frozenset()
