"""Registering, where the cloud must misbehave on request; what records and tasks mean."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance import (
    Category,
    ChecksumMismatchError,
    Client,
    ConflictError,
    HyperxGlanceError,
    Image,
    InvalidRequestError,
    NewImage,
    NotAllowedError,
    NotFoundError,
    Phase,
    Progress,
    QuotaExceededError,
    Registration,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlPolicy,
    UrlProblem,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.answers import told_time
from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Department, Departments
from hyperx_glance.registration import admission
from hyperx_glance.registration.order import Order, Site
from hyperx_glance.registration.outcome import (
    Outcome,
    Task,
    Tasks,
    Way,
    admission_rank,
    exceeded_quota,
    import_outcome,
    newest_task,
    recorded_checksum,
    stale,
    stall,
    verified,
)
from hyperx_glance.registration.record import Record
from hyperx_glance.registration.streaming import Upload, body_of
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.wire import Call, Refused
from hyperx_glance.urls import open_url
from tests import samples
from tests.clouds import HASTY, LOOPBACK, REGION, ClientFactory
from tests.file_server import BigBody, FileServer
from tests.interference import Interference, interrupt, unreachable

BLIND = LOOPBACK.model_copy(update={"preflight": False})
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


FAILED_TASK = {
    "type": "api_image_import",
    "status": "failure",
    "message": "Cannot read http://127.0.0.1/a?sig=5ecre7",
    "created_at": "2026-01-01T10:00:00.000000",
    "updated_at": "2026-01-01T10:00:00.000000",
}


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
        assert told_time(date, here=NOW) == time

    @pytest.mark.parametrize(
        ("status", "minutes", "words"),
        [("processing", 59, ""), ("processing", 61, "not touched"), ("pending", 1, "busy"), ("pending", 121, "busy")],
    )
    def test_why_an_import_does_not_move(self, status: str, minutes: int, words: str) -> None:
        message = stall(Task(status=status, updated_at=NOW - timedelta(minutes=minutes)), NOW)

        assert words in message
        assert bool(words) == bool(message)
        assert not stale(None, NOW)

    def test_figures_of_exceeded_limits(self) -> None:
        message = (
            "Project 81f is over a limit for [Resource image_size_total is over limit of 5 due to current usage 6 and "
            "delta 0, Resource image_count_total is over limit of 3 due to current usage 3 and delta 1]"
        )

        error = exceeded_quota(message, "dept-a")

        assert error is not None
        assert (error.department, error.resource, error.limit, error.used, error.requested) == (
            "dept-a",
            "images",
            3,
            3,
            1,
        )
        assert error.exceeded == ("images", "image_size_mib")
        assert exceeded_quota("Task failed due to Internal Error", "dept-a") is None

    def test_who_has_begun_ranks_first_then_who_is_older_then_the_id(self) -> None:
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


# ----------------------------------------------------------------- clouds that misbehave


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)


def qcow2(server: FileServer) -> str:
    return server.serve("/disk.qcow2", samples.data("disk.qcow2"))


class Clock:
    """Let time pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def timed(cloud: InMemoryCloud, clock: Clock, user: str = "alice", **settings: object) -> Client:
    pace = dataclasses.replace(HASTY.pace, first_interval=0.1, longest_interval=1.5, clock=clock, sleep=clock.sleep)
    chosen = dataclasses.replace(HASTY, pace=dataclasses.replace(pace, deadline=36000), **settings)  # type: ignore[arg-type]
    return Client.from_session(cloud.session(user), region_name=REGION, settings=chosen)


def test_polls_of_a_long_import_grow_apart(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.import_polls = 40
    clock = Clock()
    looks: list[float] = []

    timed(cloud, clock).register(
        NewImage(name="a", url=qcow2(file_server)), on_progress=lambda progress: looks.append(progress.elapsed_seconds)
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
    clock = Clock()
    alice = timed(cloud, clock, url_policy=BLIND)
    alice.start_registration(NewImage(name="first", url="http://127.0.0.1/slow", disk_format="qcow2"))
    told: list[Progress] = []

    second = alice.start_registration(NewImage(name="second", url=qcow2(file_server), disk_format="qcow2"))
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
    clock = Clock()
    alice = timed(cloud, clock)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=qcow2(file_server)))

    assert caught.value.reason == "glance"
    assert clock.now < 1004
    assert not cloud.glance.image(caught.value.image_id)


def test_a_task_that_fails_late_is_noticed_in_two_seconds(cloud: InMemoryCloud, file_server: FileServer) -> None:
    cloud.glance.imports_stall = True
    clock = Clock()
    alice = timed(cloud, clock)
    registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
    cloud.glance.images[registration.image_id].status = "queued"
    gave_up = clock.now + 100

    def tasks() -> None:
        if clock.now >= gave_up:
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
        alice.register(NewImage(name="a", url=qcow2(file_server)), keep_failed=True)

    assert list(alice.unfinished_registrations()) == []
    assert [image.failure != "" for image in alice.images()] == [True]


def test_a_worker_that_died_is_told_apart_by_time_alone(cloud: InMemoryCloud, file_server: FileServer) -> None:
    """It may be a slow download, so nothing is deleted; by Glance's own clock, not by ours."""
    cloud.glance.imports_stall = True
    alice = timed(cloud, Clock())
    registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
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
    clock = Clock()

    timed(cloud, clock).register(NewImage(name="a", url=qcow2(file_server)))

    assert clock.now > 1600
    assert not [request for request in cloud.requests if request.path.endswith("/tasks")]


@pytest.mark.parametrize("status", [404, 500])
def test_a_single_store_glance_tells_no_failed_store(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, status: int
) -> None:
    cloud.glance.stores = []

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND).register(
            NewImage(name="a", url=file_server.fail("/a", status), disk_format="qcow2")
        )

    assert caught.value.reason == UrlProblem.HTTP_STATUS
    assert client("alice").register(NewImage(name="b", url=qcow2(file_server))).state == "ACTIVE"


def test_what_only_glance_can_see_is_not_blamed_for_a_failure(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.downloads["http://files.invalid/a"] = 404

    with pytest.raises(RegistrationFailedError, match="Internal Error") as caught:
        client("alice", url_policy=BLIND).register(
            NewImage(name="a", url="http://files.invalid/a", disk_format="qcow2"), timeout=20
        )

    assert caught.value.reason == "glance"


def test_without_preflight_what_this_machine_sees_is_told_as_such(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.refusing_url("/a")
    cloud.glance.downloads[url] = 404

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND).register(NewImage(name="a", url=url, disk_format="qcow2"), timeout=20)

    assert caught.value.reason == UrlProblem.REFUSED
    assert caught.value.hint.startswith("So it looks from this machine")


def test_a_store_that_cannot_be_written(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.glance.broken_stores = {"slow"}

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").register(NewImage(name="a", url=qcow2(file_server), stores=("fast", "slow")))

    assert caught.value.reason == "glance"
    assert not cloud.glance.image(caught.value.image_id)


@pytest.mark.parametrize("methods", [["glance-direct"], []])
def test_a_glance_without_web_download(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, methods: list[str]
) -> None:
    cloud.glance.import_methods = methods

    assert client("alice").register(NewImage(name="a", url=qcow2(file_server))).state == "ACTIVE"
    with pytest.raises(RegistrationFailedError, match="stream") as caught:
        client("alice", transfer="import").register(NewImage(name="b", url=qcow2(file_server)))
    assert not cloud.glance.image(caught.value.image_id)
    with pytest.raises(RegistrationFailedError, match="one store") as caught:
        client("alice").register(NewImage(name="c", url=qcow2(file_server), stores=("fast", "slow")))
    assert not cloud.glance.image(caught.value.image_id)


def test_auto_streams_what_glances_filter_refuses(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.import_filter.allowed_ports = [80, 443]

    assert client("alice").register(NewImage(name="a", url=qcow2(file_server))).state == "ACTIVE"
    assert [request.status for request in cloud.requests if request.path.endswith("/import")] == [400]


class TestConversion:
    def test_a_checksum_of_converted_data_is_unverifiable_never_wrong(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))
        digest = hashlib.sha512(samples.data("disk.qcow2")).hexdigest()

        with pytest.raises(RegistrationFailedError, match="cannot be verified") as caught:
            client("alice").register(NewImage(name="a", url=qcow2(file_server), checksum=f"sha512:{digest}"))

        assert caught.value.reason == "unverifiable"
        assert not cloud.glance.image(caught.value.image_id)

    def test_streaming_verifies_what_came(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        digest = hashlib.sha256(samples.data("disk.qcow2")).hexdigest()

        image = client("alice", transfer="stream").register(
            NewImage(name="a", url=qcow2(file_server), checksum=f"sha256:{digest}")
        )

        assert image.state == "ACTIVE"
        assert not [request for request in cloud.requests if request.path.endswith("/file") and request.method == "GET"]

    def test_converted_data_without_checksum_is_fine(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))

        assert client("alice").register(NewImage(name="a", url=qcow2(file_server))).disk_format == "raw"


class TestAdmission:
    """Glance let in more than fit: the limit falls right after the creates."""

    def crowd(self, client: ClientFactory, file_server: FileServer, *, room: int) -> Client:
        """Connect alice, whose next record will be one too many."""
        alice = client("alice")
        used = client("admin").quota("dept-a").images
        assert used is not None
        Interference(alice).after(
            "POST", "^/images$", lambda: client("admin").set_quota("dept-a", images=used.used + room)
        )
        return alice

    def test_the_last_one_withdraws(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        client("alice").register(NewImage(name="there", url=qcow2(file_server)))

        with pytest.raises(QuotaExceededError) as caught:
            self.crowd(client, file_server, room=0).register(NewImage(name="late", url=qcow2(file_server)))

        assert (caught.value.resource, caught.value.limit) == ("images", 1)
        assert [image.name for image in cloud.glance.images.values() if not image.deleted] == ["there"]

    def test_an_older_one_waits_for_a_younger_to_withdraw(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = self.crowd(client, file_server, room=1)
        young = ""
        between = Interference(alice)

        def join() -> None:
            nonlocal young
            young = cloud.glance.add_image(owner="dept-a", name="young", created_at="2999-01-01T00:00:00+00:00")

        between.after("POST", "^/images$", join)
        looks = iter(range(100))
        between.after(
            "GET", "^/images$", lambda: cloud.glance.remove_image(young) if next(looks) == 5 else None, times=99
        )

        assert alice.register(NewImage(name="old", url=qcow2(file_server))).state == "ACTIVE"
        assert next(looks) > 5

    def test_who_waits_for_a_dead_one_goes_on_in_the_end(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(admission, "STANDSTILL_SECONDS", 0.1)
        alice = self.crowd(client, file_server, room=1)
        young = {"name": "dead", "disk_format": "qcow2", "created_at": "2999-01-01T00:00:00+00:00"}
        Interference(alice).after("POST", "^/images$", lambda: cloud.glance.add_image(owner="dept-a", **young))

        assert alice.register(NewImage(name="old", url=qcow2(file_server))).state == "ACTIVE"

        (dead,) = (image.id for image in cloud.glance.images.values() if image.name == "dead")
        with pytest.raises(QuotaExceededError):
            client("alice").resume_registration(dead, url=qcow2(file_server))
        assert [image.name for image in client("alice").images()] == ["old"]

    @pytest.mark.parametrize("seed", range(30))
    def test_in_whatever_order_things_happen_the_places_are_filled_exactly(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, seed: int
    ) -> None:
        """Requests are served one after another in an order that is drawn; a create counts first and inserts later."""
        racers, room = 9, 4
        client("admin").set_quota("dept-a", images=room)
        url = qcow2(file_server)
        turns = Turns(random.Random(seed), racers)

        def attempt(number: int) -> str:
            alice = client("alice", url_policy=BLIND)
            between = Interference(alice)

            def count() -> None:
                if cloud.glance.used("image_count_total", "dept-a") < room:
                    turns.wait(number)
                    cloud.glance.use_keystone_limits = False

            def insert() -> None:
                cloud.glance.use_keystone_limits = True

            for method in ("GET", "POST", "DELETE"):
                between.before(method, "", lambda: turns.wait(number), times=sys.maxsize)
            between.before("POST", "^/images$", count)
            between.after("POST", "^/images$", insert)
            try:
                turns.wait(number)
                return alice.register(NewImage(name=str(number), url=url, disk_format="qcow2")).id
            except QuotaExceededError:
                return ""
            finally:
                turns.end()

        with ThreadPoolExecutor(racers) as pool:
            ready = sorted(filter(None, pool.map(attempt, range(racers))))

        assert len(ready) == room
        assert sorted(image.id for image in cloud.glance.images.values() if not image.deleted) == ready


class Turns:
    """Let one thread run at a time; which is next when it waits or ends is drawn."""

    def __init__(self, draw: random.Random, threads: int) -> None:
        self._draw = draw
        self._running = threads
        self._waiting: set[int] = set()
        self._next: int | None = None
        self._changed = threading.Condition()

    def wait(self, number: int) -> None:
        with self._changed:
            self._waiting.add(number)
            self._stop()
            assert self._changed.wait_for(lambda: self._next == number, timeout=30)
            self._waiting.remove(number)
            self._next = None
            self._running = 1

    def end(self) -> None:
        with self._changed:
            self._stop()

    def _stop(self) -> None:
        self._running -= 1
        if not self._running and self._waiting:
            self._next = self._draw.choice(sorted(self._waiting))
            self._changed.notify_all()


def test_a_cloud_without_unified_limits(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.glance.use_keystone_limits = False

    assert client("alice").register(NewImage(name="a", url=qcow2(file_server))).state == "ACTIVE"


def test_public_images_are_publicized_where_the_site_says_so(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.policies["publicize_image"] = "member"

    image = client("alice", public_visibility="public").register(
        NewImage(name="a", url=qcow2(file_server), category=Category.PUBLIC)
    )

    assert (image.visibility, image.category) == ("public", "public")


def test_a_site_that_lets_nobody_publicize(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    with pytest.raises(NotAllowedError):
        client("alice", public_visibility="public").register(
            NewImage(name="a", url=qcow2(file_server), category=Category.PUBLIC)
        )

    assert not cloud.glance.images


def test_an_upload_whose_answer_is_lost(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.cut("glance", "PUT", "/file")

    assert client("alice", transfer="stream").register(NewImage(name="a", url=qcow2(file_server))).state == "ACTIVE"


def test_an_upload_is_read_in_constant_memory(file_server: FileServer) -> None:
    """What the body gives out at once stays small, however large the file is."""
    url = file_server.serve("/big", BigBody(20 * 1024 * 1024))
    order = Order(
        image_id="7c1", url=url, disk_format="raw", department=Department("1", "a"), checksum="md5:" + "0" * 32
    )

    with open_url(url, LOOPBACK) as source:
        body = Upload(source, order, lambda _: None)
        pieces = [len(piece) for piece in body]

    assert sum(pieces) == 20 * 1024 * 1024
    assert max(pieces) <= 1024 * 1024
    assert body.digest == f"md5:{hashlib.md5(bytes(20 * 1024 * 1024)).hexdigest()}"


@pytest.mark.parametrize(
    ("chunked", "header"), [(False, ("Content-Length", "393216")), (True, ("Transfer-Encoding", "chunked"))]
)
def test_the_length_is_announced_where_it_is_known(
    file_server: FileServer,
    chunked: bool,  # noqa: FBT001
    header: tuple[str, str],
) -> None:
    url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2"), chunked=chunked)
    order = Order(image_id="7c1", url=url, disk_format="qcow2", department=Department("1", "a"))

    with open_url(url, LOOPBACK) as source:
        request = requests.Request("PUT", "http://glance.example/", data=body_of(source, order, lambda _: None))

        assert header in request.prepare().headers.items()


def test_a_crowded_department_is_counted_page_by_page(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.largest_page = 2
    for number in range(5):
        cloud.glance.add_image(owner="dept-a", name=str(number), status="active", os_hidden=number % 2 == 0)

    with pytest.raises(QuotaExceededError):
        TestAdmission().crowd(client, file_server, room=0).register(NewImage(name="late", url=qcow2(file_server)))

    assert len([image for image in cloud.glance.images.values() if not image.deleted]) == 5


def test_a_record_that_finds_no_room_is_never_kept(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    with pytest.raises(QuotaExceededError):
        TestAdmission().crowd(client, file_server, room=0).register(
            NewImage(name="late", url=qcow2(file_server)), keep_failed=True
        )

    assert not [image for image in cloud.glance.images.values() if not image.deleted]


@pytest.mark.parametrize("path", ["/info/usage", "/import$"])
def test_glance_that_goes_away_after_the_create_leaves_its_id(
    client: ClientFactory, file_server: FileServer, path: str
) -> None:
    alice = client("alice")
    between = Interference(alice)

    between.after(
        "POST",
        "^/images$",
        lambda: between.before("POST" if "import" in path else "GET", path, unreachable, times=9),
    )
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=qcow2(file_server)))

    assert caught.value.image_id
    assert client("alice").resume_registration(caught.value.image_id).wait().state == "ACTIVE"


class TestUploadsThatGlanceRefuses:
    @pytest.mark.parametrize(
        "case",
        [
            (413, "Denying attempt to upload image larger than 1099511627776 bytes.", UrlProblem.TOO_LARGE),
            (413, "The incoming image is too large: The provided image is too large.", UrlProblem.TOO_LARGE),
            (413, "Image storage media is full: There is not enough disk space on the image storage media.", "glance"),
            (415, "Image disk_format qcow2 does not match stream data raw", UrlProblem.WRONG_FORMAT),
            (415, "Image failed safety checks: backing_file", UrlProblem.UNSAFE_IMAGE),
            (403, "You are not permitted to upload.", "glance"),
            (409, "Image status transition from killed to saving is not allowed", "glance"),
        ],
    )
    def test_for_other_reasons_than_quota(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        case: tuple[int, str, str],
    ) -> None:
        status, text, reason = case
        cloud.fail("glance", "PUT", "/file", status=status, body=text, times=None)

        with pytest.raises(RegistrationFailedError) as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=qcow2(file_server)))

        assert (caught.value.reason, caught.value.status) == (reason, status)
        assert not cloud.glance.image(caught.value.image_id)

    @pytest.mark.parametrize(
        "case",
        [
            ("[Resource image_size_total is over limit of 5 due to current usage 6 and delta 0]", "image_size_mib", 5),
            ("Denying attempt to upload image because it exceeds the quota: 5", None, None),
        ],
    )
    def test_for_quota(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        case: tuple[str, str | None, int | None],
    ) -> None:
        text, resource, limit = case
        cloud.fail("glance", "PUT", "/file", status=413, body=f"Project 81f is over a limit for {text}")

        with pytest.raises(QuotaExceededError) as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=qcow2(file_server)))

        error = caught.value
        assert (error.department, error.resource, error.limit, error.status) == ("dept-a", resource, limit, 413)

    def test_an_upload_that_glance_breaks_off(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.cut("glance", "PUT", "/file", handled=False)

        with pytest.raises(ServiceUnavailableError) as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=qcow2(file_server)))

        assert caught.value.image_id
        resumed = client("alice", transfer="stream").resume_registration(caught.value.image_id)
        assert resumed.wait().state == "ACTIVE"

    def test_an_upload_that_breaks_in_the_middle_is_not_taken_for_one_that_is_there(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        """Glance still says "saving" then, and "queued" when it has noticed."""
        alice = client("alice", transfer="stream")

        def broken() -> None:
            for image in cloud.glance.images.values():
                image.status = "saving"
            raise ServiceUnavailableError("reset by peer")

        Interference(alice).before("PUT", "/file$", broken)
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert caught.value.image_id
        cloud.glance.images[caught.value.image_id].status = "queued"
        assert alice.resume_registration(caught.value.image_id).wait().state == "ACTIVE"

    def test_one_that_outgrows_its_department_tells_the_figures(
        self, client: ClientFactory, file_server: FileServer
    ) -> None:
        client("admin").set_quota("dept-a", image_size_mib=1)
        url = file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")), chunked=True)

        with pytest.raises(QuotaExceededError) as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=url))

        error = caught.value
        assert (error.resource, error.limit, error.used, error.requested) == ("image_size_mib", 1, 0, 2)

    @pytest.mark.parametrize("policy", [LOOPBACK, BLIND])
    def test_an_announced_size_counts_for_another_department_too(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, policy: UrlPolicy
    ) -> None:
        """Glance takes it for the administrator's own."""
        client("admin").set_quota("dept-b", image_size_mib=1)
        new = NewImage(
            name="a",
            url=file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2"))),
            disk_format="qcow2",
            owner="dept-b",
        )

        with pytest.raises(QuotaExceededError) as caught:
            client("admin", transfer="stream", url_policy=policy).register(new)

        error = caught.value
        assert (error.department, error.resource, error.limit, error.requested) == ("dept-b", "image_size_mib", 1, 3)
        assert not [image for image in cloud.glance.images.values() if not image.deleted]

    @pytest.mark.parametrize("status", ["queued", "saving"])
    @pytest.mark.parametrize("transfer", ["import", "stream"])
    def test_a_resumed_ones_size_counts_too(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, transfer: str, status: str
    ) -> None:
        url = file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")), chunked=status == "saving")
        image_id = client("alice", transfer="stream").start_registration(NewImage(name="a", url=url)).image_id
        client("admin").set_quota("dept-a", image_size_mib=1)
        cloud.glance.images[image_id].status = status

        def resume() -> None:
            registration = client("alice", transfer=transfer).resume_registration(image_id)
            cloud.glance.images[image_id].status = "queued"
            registration.wait()

        with pytest.raises(QuotaExceededError) as caught:
            resume()

        assert (caught.value.resource, caught.value.limit) == ("image_size_mib", 1)
        assert not cloud.glance.image(image_id)


class TestUploadsThatWereBrokenOff:
    def test_a_resumed_one_waits_for_glance_to_notice(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice", transfer="stream")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
        cloud.glance.images[registration.image_id].status = "saving"
        resumed = alice.resume_registration(registration.image_id)
        looks = iter(range(100))

        def notice() -> None:
            if next(looks) == 3:
                cloud.glance.images[registration.image_id].status = "queued"

        cloud.before("glance", "GET", registration.image_id, notice)

        assert resumed.wait().state == "ACTIVE"
        assert next(looks) > 3

    def test_one_whose_sender_is_alive_after_all_is_left_alone(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice", transfer="stream")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
        cloud.glance.images[registration.image_id].status = "saving"
        resumed = alice.resume_registration(registration.image_id)
        cloud.before(
            "glance",
            "GET",
            registration.image_id,
            lambda: setattr(cloud.glance.images[registration.image_id], "status", "active"),
        )

        assert resumed.wait().state == "ACTIVE"
        assert not [request for request in cloud.requests if request.method == "PUT"]

    def test_one_that_may_not_go_on_any_more_tells_its_first_failure_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        url = file_server.cut("/cut", samples.data("disk.qcow2"), after=200_000)
        registration = client("alice", transfer="stream").start_registration(
            NewImage(name="a", url=url), keep_failed=True
        )
        with pytest.raises(RegistrationFailedError) as first:
            registration.wait()
        file_server.serve("/cut", samples.data("disk.qcow2"))

        with pytest.raises(RegistrationFailedError) as second:
            registration.wait()

        assert (first.value.reason, second.value) == ("truncated", first.value)
        assert cloud.glance.images[registration.image_id].status == "queued"

    def test_who_waits_beside_it_is_told_why_it_failed(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
        registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=held.url))
        cloud.fail("glance", "PUT", "/file", status=415, body="does not match stream data raw")
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(registration.wait) for _ in range(2)]
            held.release()
            failures = [future.exception() for future in waiting]

        assert [getattr(failure, "reason", failure) for failure in failures] == [UrlProblem.WRONG_FORMAT] * 2

    def test_one_whose_token_has_expired_logs_in_anew_and_begins_at_the_first_byte(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """keystoneauth would send what is left of the body."""
        take, refusals = cloud.glance._take, iter([Refused(401, "The token has expired.")])

        def expired(call: Call, *rest: Any) -> object:  # noqa: ANN401  # as it comes
            for refusal in refusals:
                assert isinstance(call.source, Upload)
                assert call.source.read(1000)
                raise refusal
            return take(call, *rest)

        monkeypatch.setattr(cloud.glance, "_take", expired)

        image = client("alice", transfer="stream").register(
            NewImage(name="a", url=qcow2(file_server), checksum=sha256())
        )

        assert image.size == len(samples.data("disk.qcow2"))
        logins = [request for request in cloud.requests if request.path.endswith("/auth/tokens")]
        assert len([request for request in logins if request.method == "POST"]) == 2


def test_a_glance_without_task_lists(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.fail("glance", "GET", "/tasks$", status=404, times=None)
    alice = client("alice", url_policy=BLIND)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(NewImage(name="a", url=file_server.fail("/a", 404), disk_format="qcow2"))

    assert caught.value.reason == UrlProblem.HTTP_STATUS


def test_a_resumed_registration_withdraws_too(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=qcow2(file_server)))
    cloud.glance.add_image(owner="dept-a", name="there", status="active")
    client("admin").set_quota("dept-a", images=1)

    with pytest.raises(QuotaExceededError):
        client("alice").resume_registration(registration.image_id)

    assert not cloud.glance.image(registration.image_id)


# ----------------------------------------------------------------- verifying


def sha256() -> str:
    """Give a checksum of which Glance, with SHA-512, keeps nothing: the data is read back."""
    return f"sha256:{hashlib.sha256(samples.data('disk.qcow2')).hexdigest()}"


class TestVerification:
    def test_what_was_verified_once_is_not_read_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        image = alice.register(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))

        assert image.glance_property("hyperx_checksum_verified") == "true"
        assert list(alice.unfinished_registrations()) == []
        assert alice.resume_registration(image).wait() == image
        assert len([request for request in cloud.requests if request.path.endswith("/file")]) == 1

    def test_what_the_record_shows_is_not_written_down(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        checksum = f"sha512:{hashlib.sha512(samples.data('disk.qcow2')).hexdigest()}"

        client("alice").register(NewImage(name="a", url=qcow2(file_server), checksum=checksum))

        assert not [request for request in cloud.requests if request.method == "PATCH"]

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    def test_who_died_before_it_left_an_unfinished_image(
        self, client: ClientFactory, file_server: FileServer, transfer: str
    ) -> None:
        alice = client("alice", transfer=transfer)
        between = Interference(alice)
        method, path = ("GET", "/file$") if transfer == "import" else ("PATCH", "")

        between.before(method, path, unreachable)
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))

        (found,) = alice.unfinished_registrations()
        assert found.id == caught.value.image_id
        assert alice.resume_registration(found).wait().state == "ACTIVE"
        assert list(alice.unfinished_registrations()) == []

    def test_data_that_nobody_may_read_is_unverifiable(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/file$", status=403, body="You are not authorized to complete download_image.")

        with pytest.raises(RegistrationFailedError, match="cannot be verified") as caught:
            client("alice").register(NewImage(name="a", url=qcow2(file_server), checksum=sha256()), keep_failed=True)

        assert caught.value.reason == "unverifiable"
        assert not cloud.glance.image(caught.value.image_id)

    @pytest.mark.parametrize(("transfer", "status"), [("import", 403), ("stream", 413), ("stream", 409)])
    def test_a_good_image_is_kept_where_that_cannot_be_written_down(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, transfer: str, status: int
    ) -> None:
        cloud.fail("glance", "PATCH", "/images/", status=status)
        alice = client("alice", transfer=transfer)

        image = alice.register(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))

        assert image.state == "ACTIVE"
        assert [unfinished.id for unfinished in alice.unfinished_registrations()] == [image.id]
        assert alice.resume_registration(image).wait().glance_property("hyperx_checksum_verified") == "true"

    def test_data_of_a_disabled_image_is_left_alone(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))
        while registration.progress().phase is not Phase.READY:
            pass
        client("admin").disable(registration.image_id)

        for waiting in registration, alice.resume_registration(registration.image_id):
            with pytest.raises(NotAllowedError):
                waiting.wait()

        client("admin").enable(registration.image_id)
        assert registration.wait().state == "ACTIVE"

    def test_who_registered_it_is_told_and_loses_nothing(self, client: ClientFactory, file_server: FileServer) -> None:
        admin, alice = client("admin"), client("alice")
        Interference(alice).before("GET", "/file$", lambda: admin.disable(OWN_ID))

        with pytest.raises(NotAllowedError) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server), checksum=sha256(), id=OWN_ID))

        assert "resume_registration verifies it later" in caught.value.__notes__[0]
        admin.enable(OWN_ID)
        assert client("alice").resume_registration(OWN_ID).wait().state == "ACTIVE"

    def test_data_that_is_not_there_is_no_deleted_image(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        registration = client("alice").start_registration(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))
        cloud.fail("glance", "GET", "/file$", status=404)

        with pytest.raises(NotFoundError):
            registration.wait()

        assert registration.wait().state == "ACTIVE"

    def test_it_stops_in_time(self, cloud: InMemoryCloud, file_server: FileServer) -> None:
        clock = Clock()
        alice = timed(cloud, clock)
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))
        cloud.before("glance", "GET", "/file$", lambda: clock.sleep(100))

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            registration.wait(timeout=50)

        assert cloud.glance.image(registration.image_id)
        assert registration.wait(timeout=150).state == "ACTIVE"

    def test_a_cancellation_meanwhile_ends_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))
        Interference(alice).after("GET", "/file$", registration.cancel)

        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()

        assert caught.value.reason == "cancelled"

    def test_converted_data_of_a_resumed_one_is_unverifiable_never_wrong(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.converter = lambda _, __: ("raw", samples.data("disk.raw"))
        alice = client("alice")
        new = NewImage(name="a", url=qcow2(file_server), checksum=f"sha512:{'0' * 128}")
        registration = alice.start_registration(new)
        while registration.progress().phase is not Phase.READY:
            pass

        with pytest.raises(RegistrationFailedError) as caught:
            alice.resume_registration(registration.image_id).wait()

        assert caught.value.reason == "unverifiable"

    def test_a_checksum_that_others_wrote_is_read_leniently(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        images = [alice.register(NewImage(name=name, url=qcow2(file_server))).id for name in "ab"]
        for image_id, checksum in zip(images, (sha256().upper(), "crc32:0"), strict=True):
            cloud.glance.images[image_id].properties["hyperx_checksum"] = checksum

        assert alice.resume_registration(images[0]).wait().state == "ACTIVE"
        with pytest.raises(ConflictError, match="cannot be verified"):
            alice.resume_registration(images[1])


# ----------------------------------------------------------------- callers who interrupt


class TestCallbacks:
    @pytest.mark.parametrize("transfer", ["import", "stream"])
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("mine"),
            ServiceUnavailableError("mine"),
            WaitTimeoutError("mine"),
            NotAllowedError("mine"),
            UrlRejectedError("mine", url="", reason="timeout"),
        ],
    )
    def test_whatever_they_raise_cancels_and_comes_back_as_it_is(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, transfer: str, error: Exception
    ) -> None:
        def fail(_: Progress) -> None:
            raise error from KeyError()

        with pytest.raises(type(error), match="mine") as caught:
            client("alice", transfer=transfer).register(NewImage(name="a", url=qcow2(file_server)), on_progress=fail)

        assert caught.value is error
        assert isinstance(error.__cause__, KeyError)
        assert not [image for image in cloud.glance.images.values() if not image.deleted]


class TestInterruptions:
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_of_the_clean_up_leave_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, moment: str
    ) -> None:
        alice = client("alice")
        between = Interference(alice)

        (between.before if moment == "before" else between.after)("DELETE", "/images/", interrupt)
        with pytest.raises(KeyboardInterrupt):
            alice.register(NewImage(name="a", url=qcow2(file_server), checksum=f"md5:{'0' * 32}"))

        assert not [image for image in cloud.glance.images.values() if not image.deleted]

    def test_of_the_clean_up_after_a_refused_import_leave_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice", transfer="import")
        cloud.fail("glance", "POST", "/import$", status=409)

        Interference(alice).before("DELETE", "/images/", interrupt)
        with pytest.raises(KeyboardInterrupt):
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert not [image for image in cloud.glance.images.values() if not image.deleted]

    @pytest.mark.parametrize("path", ["^/images$", "/import$"])
    def test_come_back_also_where_glance_has_gone(
        self, client: ClientFactory, file_server: FileServer, path: str
    ) -> None:
        alice = client("alice")
        between = Interference(alice)

        def interrupt() -> None:
            between.before("POST" if path == "^/images$" else "DELETE", "^/images", unreachable, times=9)
            raise KeyboardInterrupt

        between.after("POST", path, interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert any("could not be deleted" in note for note in caught.value.__notes__)


# ----------------------------------------------------------------- time


class TestTimeouts:
    def test_silence_of_the_source_ends_the_waiting_only(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
        policy = LOOPBACK.model_copy(update={"timeout_seconds": 60})
        registration = client("alice", transfer="stream", url_policy=policy).start_registration(
            NewImage(name="a", url=held.url)
        )

        with pytest.raises(WaitTimeoutError, match="begins it anew"):
            registration.wait(timeout=0.3)

        held.release()
        assert cloud.glance.image(registration.image_id)
        assert registration.wait().state == "ACTIVE"

    @pytest.mark.parametrize("after", [-1, 10])
    def test_silence_while_data_is_hashed_ends_the_waiting_only(self, file_server: FileServer, after: int) -> None:
        """The file server plays Glance."""
        ready = {"id": "7c1", "status": "active", "size": 1000, "os_hash_algo": "sha512", "os_hash_value": "0" * 128}
        file_server.serve("/v2/images/7c1", json.dumps(ready).encode(), content_type="application/json")
        held = file_server.hold("/v2/images/7c1/file", bytes(1000), after=after)
        session = Session(auth=Token(file_server.url("").rstrip("/"), "token"))
        department = Department("dept-a", "dept-a")
        order = Order(image_id="7c1", url=None, disk_format="qcow2", department=department, checksum=sha256())
        cloud = Cloud.from_session(session)
        record = Record(Site(cloud, Departments(cloud), HASTY), order, own=False)
        registration = Registration(record, Way.FOLLOW)

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            registration.wait(timeout=0.3)

        held.release()
        assert len(file_server.requested("/v2/images/7c1/file")) == 1

    def test_who_waits_beside_a_stream_waits_no_longer_than_asked(
        self, client: ClientFactory, file_server: FileServer
    ) -> None:
        held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
        registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=held.url))

        with ThreadPoolExecutor(1) as pool:
            streaming = pool.submit(registration.wait)
            held.wait_until_reached()
            with pytest.raises(WaitTimeoutError):
                registration.wait(timeout=0.1)
            held.release()

        assert streaming.result().state == "ACTIVE"


# ----------------------------------------------------------------- answers lost


def test_a_create_that_may_have_happened_tells_its_id_though_the_last_try_never_connected(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice")
    between = Interference(alice)

    def lost() -> None:
        between.before("POST", "^/images$", unreachable, times=9)
        raise ServiceUnavailableError("cut on request")

    between.after("POST", "^/images$", lost)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=qcow2(file_server)))

    assert caught.value.connected
    assert [image.id for image in cloud.glance.images.values()] == [caught.value.image_id]


def test_a_cancellation_whose_answer_is_lost_tells_its_id(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
    Interference(alice).lose("DELETE", "/images/", times=9)

    with pytest.raises(ServiceUnavailableError) as caught:
        registration.cancel()

    assert caught.value.image_id == registration.image_id


@pytest.mark.parametrize("moment", ["before", "after"])
def test_of_two_who_cancel_a_protected_one_neither_fails(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, moment: str
) -> None:
    alice = client("alice")
    registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server), protected=True))
    between = Interference(alice)
    (between.before if moment == "before" else between.after)(
        "PATCH", registration.image_id, lambda: cloud.glance.remove_image(registration.image_id)
    )

    registration.cancel()

    assert not cloud.glance.image(registration.image_id)


# ----------------------------------------------------------------- callers' mistakes


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), 1e12])
def test_an_age_that_is_none_is_refused(client: ClientFactory, seconds: float) -> None:
    with pytest.raises(InvalidRequestError, match="older_than_seconds"):
        client("alice").unfinished_registrations(older_than_seconds=seconds)


@pytest.mark.parametrize("url", ["http://[bad/x", f"http://{'ä' * 80}/x", "x"])
def test_a_stored_url_that_is_none_is_not_used(cloud: InMemoryCloud, client: ClientFactory, url: str) -> None:
    fields = {"owner": "dept-a", "name": "a", "disk_format": "qcow2", "container_format": "bare", "hyperx_url": url}
    alice = client("alice")
    lost = cloud.glance.add_image(status="queued", **fields)
    failed = cloud.glance.add_image(status="importing", **fields)

    with pytest.raises(InvalidRequestError, match="the whole one is needed"):
        alice.resume_registration(lost)
    registration = alice.resume_registration(failed)
    cloud.glance.images[failed].status = "queued"
    with pytest.raises(RegistrationFailedError, match="Glance failed to import"):
        registration.wait()

    assert cloud.glance.image(lost)
    assert not cloud.glance.image(failed)


def test_a_url_of_which_something_was_taken_out_must_be_given_again(
    client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.serve("/get", samples.data("disk.qcow2")) + "?id=7"
    alice = client("alice", transfer="stream")
    image_id = alice.start_registration(NewImage(name="a", url=url)).image_id
    lost = alice.image(image_id)
    assert (lost.url, lost.glance_property("hyperx_url_stripped")) == (file_server.url("/get"), "true")

    with pytest.raises(InvalidRequestError, match="the whole one is needed"):
        alice.resume_registration(image_id)

    assert alice.resume_registration(image_id, url=url).wait().state == "ACTIVE"


def test_a_resuming_callers_mistake_deletes_nothing(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = qcow2(file_server)
    registration = client("alice", transfer="stream").start_registration(NewImage(name="a", url=url))
    nowhere = BLIND.model_copy(update={"ca_file": "/nowhere/ca.pem"})

    with pytest.raises(InvalidRequestError, match="no URL"):
        client("alice").resume_registration(registration.image_id, url="http://[bad")
    with pytest.raises(InvalidRequestError, match="ca_file"):
        client("alice", url_policy=nowhere).resume_registration(registration.image_id)

    assert cloud.glance.image(registration.image_id)


def test_an_authority_that_cannot_be_read_is_told_before_anything_is_created(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    policy = BLIND.model_copy(update={"ca_file": "/nowhere/ca.pem"})

    with pytest.raises(InvalidRequestError, match="ca_file"):
        client("alice", url_policy=policy).register(NewImage(name="a", url=qcow2(file_server), disk_format="qcow2"))

    assert not cloud.glance.images


def test_a_name_that_only_glance_fails_to_resolve_is_told(cloud: InMemoryCloud, client: ClientFactory) -> None:
    cloud.glance.import_filter.allowed_hosts = ["elsewhere"]

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND, transfer="import").register(
            NewImage(name="a", url="http://files.invalid/a", disk_format="qcow2")
        )

    assert caught.value.reason == UrlProblem.NAME_NOT_FOUND


def test_what_a_task_says_is_shown_without_secrets(cloud: InMemoryCloud, client: ClientFactory) -> None:
    url = "http://127.0.0.1/a?sig=5ecre7"
    cloud.glance.downloads[url] = 404
    registration = client("alice", url_policy=BLIND).start_registration(
        NewImage(name="a", url=url, disk_format="qcow2")
    )
    cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, times=None)
    while (seen := registration.progress()).phase is not Phase.FAILED:
        pass

    assert seen.message == "Cannot read http://127.0.0.1/a"


@pytest.mark.parametrize("status", [500, 503, 429, 401, 400])
def test_what_glance_says_of_an_import_is_shown_without_secrets(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, status: int
) -> None:
    url = f"{qcow2(file_server)}?a=1&lt;b=2&sig=5ecre7"
    file_server.serve("/disk.qcow2?a=1&lt;b=2&sig=5ecre7", samples.data("disk.qcow2"))
    body = {"message": f"Cannot take {url}, nor http://127.0.0.2/b?sig=5ecre7"}
    cloud.fail("glance", "POST", "/import$", status=status, body=body, times=None)

    with pytest.raises(HyperxGlanceError) as caught:
        client("alice", transfer="import").register(NewImage(name="a", url=url))

    assert "5ecre7" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


def test_what_glance_says_of_a_url_that_is_not_known_is_shown_without_secrets(
    cloud: InMemoryCloud, client: ClientFactory
) -> None:
    properties = {"hyperx_url": "http://127.0.0.1/a", "hyperx_url_stripped": "true"}
    image_id = cloud.glance.add_image(
        owner="dept-a", name="a", status="importing", disk_format="qcow2", container_format="bare", **properties
    )
    registration = client("alice").resume_registration(image_id, keep_failed=True)
    cloud.glance.images[image_id].status = "queued"
    cloud.fail("glance", "GET", "/tasks$", status=200, body={"tasks": [FAILED_TASK]}, times=None)

    assert registration.progress().message == "Cannot read http://127.0.0.1/a"
    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait()
    assert "5ecre7" not in f"{caught.value} {cloud.glance.images[image_id].properties}"


# ----------------------------------------------------------------- ids of the caller's own


OWN_ID = "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"


class TestAnIdThatIsTaken:
    """Whoever registers again under an id of their own, and loses an answer, must not touch the first image."""

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    @pytest.mark.parametrize("running", [True, False])
    def test_is_refused(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        transfer: str,
        running: bool,  # noqa: FBT001
    ) -> None:
        new = NewImage(name="a", url=qcow2(file_server), id=OWN_ID)
        cloud.glance.imports_stall = running
        first = client("alice").start_registration(new)
        if not running:
            first.wait()
        again = client("alice", transfer=transfer)
        Interference(again).lose("POST", "^/images$")
        cloud.fail("glance", "POST", "/v2/images$", status=503)

        with pytest.raises(ConflictError, match="is taken"):
            again.register(new)

        cloud.glance.imports_stall = False
        assert first.wait().state == "ACTIVE"

    def test_and_ctrl_c_leaves_it_alone(self, client: ClientFactory, file_server: FileServer) -> None:
        new = NewImage(name="a", url=qcow2(file_server), id=OWN_ID)
        image = client("alice").register(new)
        again = client("alice")

        Interference(again).before("POST", "^/images$", interrupt)
        with pytest.raises(KeyboardInterrupt):
            again.register(new)

        assert client("alice").image(image.id).state == "ACTIVE"


# ----------------------------------------------------------------- what errors tell, and how often


@pytest.mark.parametrize(("field", "path"), [("image_size_mib", "/import$"), ("image_size_mib", "/file$")])
def test_glances_own_refusal_names_the_department_whose_quota_it_looked_at(
    client: ClientFactory, file_server: FileServer, field: str, path: str
) -> None:
    """That of the caller, whoever shall own the image."""
    admin = client("admin", transfer="stream" if path == "/file$" else "import")
    admin.register(NewImage(name="full", url=file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")))))
    method = "PUT" if path == "/file$" else "POST"
    Interference(admin).before(method, path, lambda: admin.set_quota("admin", **{field: 0}))

    with pytest.raises(QuotaExceededError) as caught:
        admin.register(NewImage(name="a", url=qcow2(file_server), owner="dept-b"))

    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("admin", field, 0)


def test_who_waits_in_vain_for_a_place_gives_up_in_time(cloud: InMemoryCloud, file_server: FileServer) -> None:
    """A younger one died before it began, and nobody withdraws."""
    timed(cloud, Clock(), "admin").set_quota("dept-a", images=1)
    clock = Clock()
    alice = timed(cloud, clock)

    def die() -> None:
        cloud.glance.add_image(
            id="f" * 32, owner="dept-a", name="dead", status="queued", disk_format="raw", container_format="bare"
        )

    Interference(alice).after("POST", "^/images$", die)
    before = clock.now
    with pytest.raises(WaitTimeoutError, match="in vain") as caught:
        alice.register(NewImage(name="a", url=qcow2(file_server)), timeout=5, keep_failed=True)

    assert clock.now - before == pytest.approx(5)
    assert "Its record is deleted" in caught.value.hint
    assert [image.name for image in cloud.glance.images.values() if not image.deleted] == ["dead"]


class TestWaitingAgain:
    @pytest.mark.parametrize("checksum", [None, f"md5:{'0' * 32}"])
    @pytest.mark.parametrize("trouble", [KeyboardInterrupt(), ServiceUnavailableError("refused")])
    def test_cleans_up_what_could_not_be_cleaned_up_before(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        checksum: str | None,
        trouble: BaseException,
    ) -> None:
        alice = client("alice", url_policy=BLIND)
        url = qcow2(file_server) if checksum else file_server.fail("/a", 404)
        registration = alice.start_registration(
            NewImage(name="a", url=url, disk_format="qcow2", checksum=checksum), keep_failed=True
        )

        def interrupt() -> None:
            raise trouble

        # A deletion is sent again where Glance was out of reach.
        times = 4 if checksum and isinstance(trouble, ServiceUnavailableError) else 1
        Interference(alice).before("DELETE" if checksum else "PATCH", "/images/", interrupt, times=times)
        with pytest.raises((KeyboardInterrupt, RegistrationFailedError)):
            registration.wait()
        assert alice.image(registration.image_id).failure == ""
        with pytest.raises(RegistrationFailedError):
            registration.wait()

        kept = [image for image in cloud.glance.images.values() if not image.deleted]
        assert [bool(image.properties.get("hyperx_failure")) for image in kept] == ([] if checksum else [True])

    def test_neither_grows_the_error_nor_changes_its_cause(
        self, client: ClientFactory, file_server: FileServer
    ) -> None:
        registration = client("alice", url_policy=BLIND).start_registration(
            NewImage(name="a", url=file_server.fail("/a", 404), disk_format="qcow2")
        )
        frames = []
        for look in (registration.wait, registration.progress) * 3:
            with pytest.raises(RegistrationFailedError) as caught:
                look()
            assert isinstance(caught.value.__cause__, UrlRejectedError)
            frames.append(len(caught.traceback))

        assert max(frames) < 20

    def test_beside_others_while_wrong_data_is_deleted(self, client: ClientFactory, file_server: FileServer) -> None:
        registration = client("alice").start_registration(
            NewImage(name="a", url=qcow2(file_server), checksum=f"sha256:{'0' * 64}")
        )
        with ThreadPoolExecutor(6) as pool:
            waiting = [pool.submit(registration.wait) for _ in range(6)]

        assert {type(future.exception()) for future in waiting} == {ChecksumMismatchError}

    def test_is_told_the_first_failure_by_all(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        registration = client("alice", url_policy=BLIND).start_registration(
            NewImage(name="a", url=file_server.fail("/a", 404), disk_format="qcow2"), keep_failed=True
        )
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(registration.wait) for _ in range(4)]

        assert len({id(future.exception()) for future in waiting}) == 1
        assert len([request for request in cloud.requests if request.method == "PATCH"]) == 1

    @pytest.mark.parametrize("reason", ["cancelled", "deleted"])
    def test_for_data_that_has_gone_tells_why(
        self, client: ClientFactory, file_server: FileServer, reason: str
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server), checksum=sha256()))
        end = registration.cancel if reason == "cancelled" else lambda: client("alice").delete(registration.image_id)
        Interference(alice).before("GET", "/file$", end)

        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()

        assert caught.value.reason == reason


def test_no_error_is_its_own_cause(client: ClientFactory, file_server: FileServer) -> None:
    client("admin").set_quota("dept-a", image_size_mib=1)
    url = file_server.serve("/big", BigBody(3 << 20, samples.data("disk.qcow2")), chunked=True)

    with pytest.raises(QuotaExceededError) as caught:
        client("alice", transfer="stream").register(NewImage(name="a", url=url))

    assert caught.value.__cause__ is None


def test_a_refused_import_is_told_though_an_answer_was_lost_before(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "POST", "/import$", status=503)

    with pytest.raises(RegistrationFailedError, match="refuses to import"):
        client("alice").register(NewImage(name="a", url=qcow2(file_server), stores=("nope",)))


def test_a_record_that_stays_is_told(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")

    Interference(alice).before("GET", "^/images/", unreachable, times=9)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=qcow2(file_server), id=OWN_ID))

    assert f"may still be there: image {OWN_ID}" in str(caught.value)


def test_a_url_that_was_stored_with_what_counts_as_a_secret_today_is_the_same(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    url = f"{qcow2(file_server)}?temp_url_expires=1"
    fields = {"disk_format": "qcow2", "container_format": "bare", "hyperx_url": url}
    image_id = cloud.glance.add_image(owner="dept-a", name="a", status="queued", **fields)

    assert client("alice").resume_registration(image_id, url=url).wait().state == "ACTIVE"


def test_an_entity_in_a_login_breaks_no_error(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "PUT", "/file$", status=415, body="does not match")

    with pytest.raises(RegistrationFailedError, match="does not match"):
        client("alice").register(NewImage(name="a", url=qcow2(file_server).replace("://", "://user&lbrack;:pw@")))


@pytest.mark.parametrize("url", ["http:///x", "http://h:abc/x", "http://h:99999/x", "ftp://h/x", "x"])
def test_a_mistyped_url_deletes_no_record(cloud: InMemoryCloud, client: ClientFactory, url: str) -> None:
    image_id = cloud.glance.add_image(
        owner="dept-a", name="a", status="queued", disk_format="qcow2", container_format="bare"
    )

    with pytest.raises(InvalidRequestError, match="no URL"):
        client("alice").resume_registration(image_id, url=url)

    assert cloud.glance.image(image_id)
