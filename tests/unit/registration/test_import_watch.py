"""Whether an import still runs, judged by its record and its tasks."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    Image,
    NewImage,
    Pace,
    Phase,
    Progress,
    RegistrationFailedError,
    UrlProblem,
    WaitTimeoutError,
)
from hyperx_glance.cloud.tasks import Task
from hyperx_glance.registration.looking import ImportWatch
from hyperx_glance.registration.outcome import (
    Outcome,
)
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import ClientFactory, Clock
from tests.support.file_server import FileServer
from tests.support.registrations import BLIND, FAILED_TASK, NOW, disk, timed

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


class TestImportWatch:
    def watch(self, clock: Clock, *statuses: str) -> tuple[ImportWatch, list[float]]:
        """Return a watch, and the moments at which it reads the task."""
        reads: list[float] = []
        answers = iter(statuses)

        def newest() -> Task:
            reads.append(clock.now - 1000)
            return Task(status=next(answers, "processing"), updated_at=NOW)

        return ImportWatch(newest, Pace(clock=clock, sleep=clock.sleep)), reads

    def look(self, watch: ImportWatch, clock: Clock, seconds: float, **properties: object) -> Outcome:
        clock.now = 1000 + seconds
        image = Image.model_validate({"id": "7c1", "updated_at": NOW, **properties})
        return watch.judge(image, NOW)[0]

    def test_a_locked_record_that_stays_queued_is_asked_about_each_second(self) -> None:
        clock = Clock(1000)
        watch, reads = self.watch(clock)

        for tenth in range(35):
            self.look(watch, clock, tenth / 10, status="queued", os_glance_import_task="81f")

        assert reads == [1.0, 2.0, 3.0]

    def test_an_import_that_runs_is_not_asked_about_though_it_is_locked(self) -> None:
        clock = Clock(1000)
        watch, reads = self.watch(clock)

        for second in range(100):
            self.look(watch, clock, second, status="importing", os_glance_import_task="81f")

        assert reads == []

    def test_the_second_begins_when_the_record_is_locked(self) -> None:
        clock = Clock(1000)
        watch, reads = self.watch(clock)

        self.look(watch, clock, 0, status="queued", os_glance_import_task="81f")
        self.look(watch, clock, 0.9, status="importing", os_glance_import_task="81f")
        self.look(watch, clock, 5, status="queued", os_glance_import_task="81f")
        self.look(watch, clock, 5.9, status="queued", os_glance_import_task="81f")
        assert reads == []
        self.look(watch, clock, 6, status="queued", os_glance_import_task="81f")
        assert reads == [6.0]

    def test_a_record_that_nobody_touches_is_asked_about_less_and_less(self) -> None:
        clock = Clock(1000)
        watch, reads = self.watch(clock)

        for second in range(100):
            old = NOW - timedelta(minutes=61)
            self.look(watch, clock, second, status="importing", os_glance_import_task="81f", updated_at=old)

        assert reads == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]

    def test_an_import_without_its_lock_is_asked_about(self) -> None:
        """A Glance with a single store leaves no other trace of a failed import of staged data."""
        clock = Clock(1000)
        watch, reads = self.watch(clock, "processing", "failure")

        outcomes = [self.look(watch, clock, second, status="importing") for second in range(3)]

        assert outcomes == [Outcome.RUNNING, Outcome.RUNNING, Outcome.FAILED]
        assert reads == [1.0, 2.0]

    def test_a_failed_record_whose_task_is_late_is_asked_again(self) -> None:
        clock = Clock(1000)
        watch, reads = self.watch(clock, "pending", "processing", "failure")

        assert self.look(watch, clock, 0, status="queued") is Outcome.FAILED
        assert len(reads) == 3


def test_polls_of_a_long_import_grow_apart(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.import_polls = 40
    clock = Clock(1000)
    looks: list[float] = []

    timed(cloud, clock).register(
        NewImage(name="a", url=disk(file_server)), on_progress=lambda progress: looks.append(progress.elapsed_seconds)
    )

    intervals = [round(later - earlier, 6) for earlier, later in itertools.pairwise(looks)]
    assert intervals[0] == pytest.approx(0.1)
    assert intervals == sorted(intervals)
    assert max(intervals) == pytest.approx(1.5)


def test_a_pending_task_is_waiting(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.task_threads = 1
    release = threading.Event()

    def slow() -> bytes:
        assert release.wait(10)
        return samples.data("disk.qcow2")

    cloud.glance.downloads["http://127.0.0.1/slow"] = slow
    cloud.glance.imports_stall = True
    clock = Clock(1000)
    alice = timed(cloud, clock, url_policy=BLIND)
    alice.start_registration(NewImage(name="first", url="http://127.0.0.1/slow", disk_format="qcow2"))
    told: list[Progress] = []

    second = alice.start_registration(NewImage(name="second", url=disk(file_server), disk_format="qcow2"))
    with pytest.raises(WaitTimeoutError):
        second.wait(on_progress=told.append, timeout=600)
    release.set()
    cloud.glance.imports_stall = False
    cloud.glance.finish_imports()

    assert told[-1].phase is Phase.DOWNLOADING
    assert "busy" in told[-1].message
    assert second.wait().state == "ACTIVE"


def test_a_task_that_fails_while_its_lock_stays(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.staging_broken = True
    clock = Clock(1000)
    alice = timed(cloud, clock)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server)))

    assert caught.value.reason == "glance"
    assert clock.now < 1004
    assert not cloud.glance.image(caught.value.image_id)


def test_a_task_that_fails_late_is_noticed_in_two_seconds(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.imports_stall = True
    clock = Clock(1000)
    alice = timed(cloud, clock)
    registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
    cloud.glance.images[registration.image_id].status = "queued"
    gave_up, due = clock.now + 100, [FAILED_TASK]

    def tasks() -> None:
        if clock.now >= gave_up and due:
            due.clear()
            cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, times=None)

    cloud.before("glance", "GET", registration.image_id, tasks)
    with pytest.raises(RegistrationFailedError):
        registration.wait()

    assert clock.now - gave_up <= 2


def test_a_kept_failure_is_not_unfinished_while_its_lock_stays(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.staging_broken = True
    alice = client("alice")

    with pytest.raises(RegistrationFailedError):
        alice.register(NewImage(name="a", url=disk(file_server)), keep_failed=True)

    assert list(alice.unfinished_registrations()) == []
    assert [image.failure != "" for image in alice.images()] == [True]


def test_a_worker_that_died_is_told_apart_by_time_alone(cloud: InMemoryCloud, file_server: FileServer) -> None:
    """It may be a slow download, so nothing is deleted; by Glance's own clock, not by ours."""
    cloud.glance.imports_stall = True
    alice = timed(cloud, Clock(1000))
    registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
    registration.progress()

    with pytest.raises(WaitTimeoutError) as caught:
        registration.wait(timeout=600)
    assert "not touched" not in str(caught.value)
    cloud.glance.skew_seconds = 3700
    with pytest.raises(WaitTimeoutError, match="not touched"):
        registration.wait(timeout=600)

    assert cloud.glance.image(registration.image_id)
    registration.cancel()


def test_tasks_are_not_read_while_all_is_well(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.import_polls = 500
    clock = Clock(1000)

    timed(cloud, clock).register(NewImage(name="a", url=disk(file_server)))

    assert clock.now > 1600
    assert not [request for request in cloud.requests if request.path.endswith("/tasks")]


def test_a_glance_without_task_lists(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.fail("glance", "GET", "/tasks$", status=404, times=None)
    alice = client("alice", url_policy=BLIND)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=file_server.fail("/a", 404), disk_format="qcow2"))

    assert caught.value.reason == UrlProblem.HTTP_STATUS
