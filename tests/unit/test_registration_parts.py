"""The parts of a registration, each without the others."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    AuthenticationError,
    ChecksumMismatchError,
    ConflictError,
    Image,
    InvalidRequestError,
    NewImage,
    NotAllowedError,
    NotFoundError,
    Pace,
    Phase,
    Progress,
    RegistrationFailedError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.registration.admission import admit
from hyperx_glance.registration.callbacks import CallbackError, teller
from hyperx_glance.registration.order import Deadline, Order, Site
from hyperx_glance.registration.outcome import Outcome, Task, failed_stores
from hyperx_glance.registration.progress import Journal
from hyperx_glance.registration.record import Record
from hyperx_glance.registration.tasks import ImportWatch
from hyperx_glance.registration.uploading import Uploader
from hyperx_glance.registration.verification import Verification
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.clouds import HASTY, LOOPBACK, ClientFactory
from tests.interference import Interference, interrupt, unreachable

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.file_server import FileServer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWN_ID = "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"
BLIND = LOOPBACK.model_copy(update={"preflight": False})


@pytest.fixture
def cloud() -> InMemoryCloud:
    return InMemoryCloud()


@pytest.fixture
def client(cloud: InMemoryCloud) -> ClientFactory:
    return ClientFactory(cloud, HASTY)


class Clock:
    """Let time pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def qcow2(server: FileServer) -> str:
    return server.serve("/disk.qcow2", samples.data("disk.qcow2"))


def kept(cloud: InMemoryCloud) -> list[str]:
    return [image.id for image in cloud.glance.images.values() if not image.deleted]


def site_of(client: Client) -> Site:
    return Site(client.cloud, client._departments, client.settings)


def record_of(cloud: InMemoryCloud, client: Client, *, own: bool = True, **fields: Any) -> Record:  # noqa: ANN401  # of two kinds
    """Give a record of alice's; ``fields`` are those of the order and, for the rest, of Glance's record."""
    words = {"disk_format": "qcow2", "container_format": "bare", "status": "queued", "name": "a"}
    names = {field.name for field in dataclasses.fields(Order)}
    wanted = {name: value for name, value in fields.items() if name in names}
    words |= {name: value for name, value in fields.items() if name not in names}
    site = site_of(client)
    image_id = cloud.glance.add_image(owner="dept-a", **words)
    order = Order(image_id=image_id, url=None, disk_format="qcow2", department=site.departments.own())
    return Record(site, dataclasses.replace(order, **wanted), own=own)


# ----------------------------------------------------------------- judging an import


class TestImportWatch:
    def watch(self, clock: Clock, *statuses: str) -> tuple[ImportWatch, list[float]]:
        """Give a watch, and the moments at which it reads the task."""
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
        clock = Clock()
        watch, reads = self.watch(clock)

        for tenth in range(35):
            self.look(watch, clock, tenth / 10, status="queued", os_glance_import_task="81f")

        assert reads == [1.0, 2.0, 3.0]

    def test_an_import_that_runs_is_not_asked_about_though_it_is_locked(self) -> None:
        clock = Clock()
        watch, reads = self.watch(clock)

        for second in range(100):
            self.look(watch, clock, second, status="importing", os_glance_import_task="81f")

        assert reads == []

    def test_the_second_begins_when_the_record_is_locked(self) -> None:
        clock = Clock()
        watch, reads = self.watch(clock)

        self.look(watch, clock, 0, status="queued", os_glance_import_task="81f")
        self.look(watch, clock, 0.9, status="importing", os_glance_import_task="81f")
        self.look(watch, clock, 5, status="queued", os_glance_import_task="81f")
        self.look(watch, clock, 5.9, status="queued", os_glance_import_task="81f")
        assert reads == []
        self.look(watch, clock, 6, status="queued", os_glance_import_task="81f")
        assert reads == [6.0]

    def test_a_record_that_nobody_touches_is_asked_about_less_and_less(self) -> None:
        clock = Clock()
        watch, reads = self.watch(clock)

        for second in range(100):
            self.look(watch, clock, second, status="importing", updated_at=NOW - timedelta(minutes=61))

        assert reads == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]

    def test_a_failed_record_whose_task_is_late_is_asked_again(self) -> None:
        clock = Clock()
        watch, reads = self.watch(clock, "pending", "processing", "failure")

        assert self.look(watch, clock, 0, status="queued") is Outcome.FAILED
        assert len(reads) == 3


def test_a_store_that_holds_the_data_has_not_failed() -> None:
    def failed(**properties: str) -> frozenset[str]:
        return failed_stores(Image.model_validate({"id": "7c1", "status": "active", **properties}))

    assert failed(stores="fast", os_glance_failed_import="slow,slower") == {"slow", "slower"}
    assert failed(stores="fast,slow", os_glance_failed_import="slow") == frozenset()
    assert failed(os_glance_failed_import="") == frozenset()


# ----------------------------------------------------------------- the record


class TestRecord:
    @pytest.mark.parametrize("times", [1, 3])
    def test_a_deletion_whose_answer_is_lost_is_sent_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, times: int
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
        between = Interference(alice)
        between.lose("DELETE", "/images/", times=times)

        registration.cancel()

        assert kept(cloud) == []
        assert between.count("DELETE", "/images/") == times + 1

    def test_one_that_never_came_is_too(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
        Interference(alice).before("DELETE", "/images/", unreachable, times=2)

        registration.cancel()

        assert kept(cloud) == []

    def test_a_cancellation_while_its_failure_is_looked_into_is_told_as_such(
        self, cloud: InMemoryCloud, client: ClientFactory
    ) -> None:
        record = record_of(cloud, client("alice"), keep_failed=True)
        record.cancel()

        error = record.fail(NotFoundError("an import that failed"), phase=Phase.DOWNLOADING)

        assert isinstance(error, RegistrationFailedError)
        assert (error.reason, error.phase) == ("cancelled", Phase.DOWNLOADING)
        assert not [request for request in cloud.requests if request.method == "PATCH"]

    def test_a_protected_one_that_never_became_ready_goes(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        record_of(cloud, client("alice"), own=False, protected=True).cancel()

        assert kept(cloud) == []

    def test_ready_data_of_another_process_stays_whatever_is_wrong(
        self, cloud: InMemoryCloud, client: ClientFactory
    ) -> None:
        record = record_of(cloud, client("alice"), own=False, status="active")

        error = record.reject(ChecksumMismatchError(image_id=record.image_id, expected="md5:0", actual="md5:1"))

        assert "left as it was found" in error.hint
        assert kept(cloud) == [record.image_id]
        assert record.clean_up() is error
        assert kept(cloud) == [record.image_id]

    @pytest.mark.parametrize("failure", [ConflictError("no"), KeyboardInterrupt()])
    def test_it_is_named_while_it_may_exist(
        self, cloud: InMemoryCloud, client: ClientFactory, failure: BaseException
    ) -> None:
        record = record_of(cloud, client("alice"))

        with pytest.raises(type(failure)) as caught, record.named():
            raise failure
        assert vars(caught.value)["image_id"] == record.image_id

        record.delete()
        later = type(failure)("later")
        with pytest.raises(type(failure)), record.named():
            raise later
        assert "image_id" not in vars(later)


# ----------------------------------------------------------------- what errors name


class TestWhatErrorsName:
    def test_a_kept_record_whose_quota_cannot_be_read_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/info/usage", status=403, skip=1, times=None)

        with pytest.raises(NotAllowedError) as caught:
            client("alice").register(NewImage(name="a", url=qcow2(file_server)), keep_failed=True)

        assert kept(cloud) == [caught.value.image_id]
        assert f"may still be there: image {caught.value.image_id}" in str(caught.value)
        assert cloud.glance.images[str(caught.value.image_id)].properties["hyperx_failure"]

    def test_none_that_was_deleted_for_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/info/usage", status=403, skip=1, times=None)

        with pytest.raises(NotAllowedError) as caught:
            client("alice").register(NewImage(name="a", url=qcow2(file_server)))

        assert kept(cloud) == []
        assert caught.value.image_id is None
        assert "may still be there" not in str(caught.value)

    def test_none_of_a_taken_id(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        alice, request = client("alice"), NewImage(name="a", url=qcow2(file_server), id=OWN_ID)
        alice.register(request)

        with pytest.raises(ConflictError, match="is taken") as caught:
            alice.register(request)

        assert caught.value.image_id is None
        assert kept(cloud) == [OWN_ID]

    def test_a_record_that_a_lost_answer_may_have_made(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        Interference(alice).lose("POST", "^/images$")
        cloud.fail("glance", "POST", "/v2/images$", status=403, skip=1)

        with pytest.raises(NotAllowedError) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert kept(cloud) == [caught.value.image_id]

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    def test_the_callers_own_error_names_it_while_the_registration_goes_on(
        self, client: ClientFactory, file_server: FileServer, transfer: str
    ) -> None:
        def complain(_: Progress) -> None:
            raise ZeroDivisionError

        registration = client("alice", transfer=transfer).start_registration(NewImage(name="a", url=qcow2(file_server)))
        with pytest.raises(ZeroDivisionError) as caught:
            registration.wait(on_progress=complain)

        assert f"may still be there: image {registration.image_id}" in caught.value.__notes__[0]
        assert registration.wait().state == "ACTIVE"

    def test_and_does_not_where_register_has_deleted_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        def complain(_: Progress) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError) as caught:
            client("alice").register(NewImage(name="a", url=qcow2(file_server)), on_progress=complain)

        assert kept(cloud) == []
        assert not hasattr(caught.value, "__notes__")

    def test_ctrl_c_while_waiting(self, client: ClientFactory, file_server: FileServer) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=qcow2(file_server)))
        Interference(alice).before("GET", "^/images/", interrupt)

        with pytest.raises(KeyboardInterrupt) as caught:
            registration.wait()

        assert vars(caught.value)["image_id"] == registration.image_id


class TestALostLogin:
    """Says nothing about the record, and nothing can be cleaned up."""

    @pytest.mark.parametrize(("method", "path"), [("POST", "/import$"), ("GET", "^/v2/images/[^/]+$")])
    def test_deletes_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, method: str, path: str
    ) -> None:
        cloud.fail("glance", method, path, status=401, times=None)
        alice = client("alice")
        between = Interference(alice)

        with pytest.raises(AuthenticationError) as caught:
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert kept(cloud) == [caught.value.image_id]
        assert between.count("DELETE", "") == 0

    def test_nor_does_a_lack_of_rights_while_resuming(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        image_id = (
            client("alice", transfer="stream").start_registration(NewImage(name="a", url=qcow2(file_server))).image_id
        )
        cloud.fail("glance", "GET", "/info/usage", status=403, times=None)

        with pytest.raises(NotAllowedError) as caught:
            client("alice").resume_registration(image_id)

        assert caught.value.image_id == image_id
        assert kept(cloud) == [image_id]


# ----------------------------------------------------------------- beginning an import


def test_where_importing_is_switched_off_the_record_is_not_taken_for_a_deleted_one(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "POST", "/import$", status=404, times=None)

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", transfer="import").register(NewImage(name="a", url=qcow2(file_server)))

    assert caught.value.reason == "glance"
    assert "transfer='stream'" in caught.value.hint


def test_a_record_without_tasks_has_never_begun(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.fail("glance", "GET", "/tasks$", status=404, times=None)
    image_id = (
        client("alice", transfer="stream").start_registration(NewImage(name="a", url=qcow2(file_server))).image_id
    )

    assert client("alice").resume_registration(image_id).wait().state == "ACTIVE"


def test_of_two_who_resume_at_once_the_second_follows_and_deletes_no_ready_data(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    request = NewImage(name="a", url=qcow2(file_server), checksum=f"sha512:{'0' * 128}")
    image_id = client("alice", transfer="stream").start_registration(request).image_id
    first, second = client("alice"), client("alice")
    begun = []
    Interference(second).before("POST", "/import$", lambda: begun.append(first.resume_registration(image_id)))
    registration = second.resume_registration(image_id)

    with pytest.raises(ChecksumMismatchError, match="left as it was found"):
        registration.wait()
    assert kept(cloud) == [image_id]
    with pytest.raises(ChecksumMismatchError):
        begun[0].wait()
    assert kept(cloud) == []


def test_a_department_that_is_just_full_is_not_listed(client: ClientFactory, file_server: FileServer) -> None:
    client("admin").set_quota("dept-a", images=1)
    alice = client("alice")
    between = Interference(alice)

    alice.register(NewImage(name="a", url=qcow2(file_server)))

    assert between.count("GET", "^/images$") == 0


def test_who_waits_for_a_place_gives_up_at_the_very_moment(cloud: InMemoryCloud, client: ClientFactory) -> None:
    clock = Clock()
    alice = client("alice", pace=Pace(clock=clock, sleep=clock.sleep))
    record = record_of(cloud, alice)
    cloud.glance.add_image(owner="dept-a", name="younger", created_at="2999-01-01T00:00:00+00:00")
    client("admin").set_quota("dept-a", images=1)

    with pytest.raises(WaitTimeoutError):
        admit(record.site, record.order, Deadline(clock, clock.now + 5))

    assert clock.now == pytest.approx(1005)


# ----------------------------------------------------------------- uploading


def uploader(record: Record, **more: bool) -> Uploader:
    return Uploader(record, record.order, Journal(record.order, record.site.settings.pace.clock), **more)


class TestUploader:
    def test_it_stops_at_the_very_moment(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        clock = Clock()
        alice = client("alice", pace=Pace(clock=clock, sleep=clock.sleep))
        record = record_of(cloud, alice, url=qcow2(file_server))
        told: list[Progress] = []

        def tell(progress: Progress) -> None:
            told.append(progress)
            clock.now = 1010.0

        with pytest.raises(WaitTimeoutError, match="begins it anew"):
            uploader(record).run(tell, Deadline(clock, 1010.0))

        assert len(told) == 1
        assert cloud.glance.images[record.image_id].status == "queued"
        assert not record.own or kept(cloud) == [record.image_id]

    def test_whoever_has_uploaded_owns_the_data(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), own=False, url=qcow2(file_server))

        uploader(record).run(teller(None), Deadline(lambda: 0.0))

        assert record.own
        assert cloud.glance.images[record.image_id].status == "active"

    def test_whoever_finds_it_done_does_not(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), own=False, status="active", url=qcow2(file_server))

        uploader(record, interrupted=True).run(teller(None), Deadline(lambda: 0.0))

        assert not record.own
        assert file_server.requests == []

    def test_what_the_callback_raises_is_no_refusal(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), url=qcow2(file_server))
        mine = NotAllowedError("mine")

        def complain(_: Progress) -> None:
            raise mine

        with pytest.raises(CallbackError) as caught:
            uploader(record).run(teller(complain), Deadline(lambda: 0.0))

        assert caught.value.raised is mine
        assert (record.failure, record.ended) == (None, False)

    @pytest.mark.parametrize("last_resort", [True, False])
    def test_a_500_is_an_outage_but_after_a_failed_import_it_is_the_answer(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        last_resort: bool,  # noqa: FBT001
    ) -> None:
        """Glance found the failed import's data in its store, and would for ever."""
        cloud.fail("glance", "PUT", "/file$", status=500)
        record = record_of(cloud, client("alice"), url=qcow2(file_server))

        with pytest.raises(RegistrationFailedError if last_resort else ServiceUnavailableError):
            uploader(record, last_resort=last_resort).run(teller(None), Deadline(lambda: 0.0))

        assert (kept(cloud) == []) is last_resort


# ----------------------------------------------------------------- verification


class TestVerification:
    def verify(self, record: Record, end: Deadline) -> None:
        record.order = dataclasses.replace(record.order, checksum=f"sha256:{'0' * 64}")
        verification = Verification(record, Journal(record.order, end.clock))
        verification.run(record.site.cloud.image(record.image_id), end, digest=None)

    def big(self, cloud: InMemoryCloud, client: Client) -> Record:
        record = record_of(cloud, client, status="active")
        cloud.glance.images[record.image_id].data = bytes(10 << 20)
        return record

    def test_a_cancellation_stops_the_reading(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        alice = client("alice")
        record = self.big(cloud, alice)
        Interference(alice).after("GET", "/file$", record.cancel)

        with pytest.raises(RegistrationFailedError) as caught:
            self.verify(record, Deadline(lambda: 0.0))

        assert caught.value.reason == "cancelled"
        assert record.failure is None

    def test_it_stops_at_the_very_moment(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        clock = Clock()
        alice = client("alice")
        record = self.big(cloud, alice)
        Interference(alice).after("GET", "/file$", lambda: clock.sleep(10))

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            self.verify(record, Deadline(clock, 1010.0))

        assert kept(cloud) == [record.image_id]


# ----------------------------------------------------------------- streaming after a failed import


class TestStreamingAfterAFailedImport:
    """Glance cannot read what this machine can."""

    def unreadable(self, cloud: InMemoryCloud, server: FileServer) -> str:
        url = qcow2(server)
        cloud.glance.downloads[url] = OSError("certificate verify failed")
        return url

    def test_fills_the_same_record_and_tells_progress(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        told: list[Progress] = []

        image = client("alice").register(
            NewImage(name="a", url=self.unreadable(cloud, file_server)), on_progress=told.append
        )

        assert kept(cloud) == [image.id]
        sent = [progress.bytes_done for progress in told if progress.phase is Phase.STORING and progress.bytes_done]
        assert sent[-1] == len(samples.data("disk.qcow2"))
        assert told[-1].phase is Phase.READY
        assert not [progress for progress in told if progress.phase is Phase.FAILED]

    def test_on_a_glance_with_one_store(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.stores = []

        image = client("alice").register(NewImage(name="a", url=self.unreadable(cloud, file_server)))

        assert (image.state, image.stores) == ("ACTIVE", ())

    def test_keeps_to_the_room_that_is_left_then(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        url = file_server.serve("/disk.qcow2", samples.data("disk.qcow2") + bytes(3 << 20), chunked=True)
        cloud.glance.downloads[url] = OSError("certificate verify failed")
        registration = client("alice").start_registration(NewImage(name="a", url=url))
        client("admin").set_quota("dept-a", image_size_mib=1)

        with pytest.raises(Exception, match="1 MiB are left"):
            registration.wait()

        assert kept(cloud) == []

    def test_is_begun_once_by_all_who_wait(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=self.unreadable(cloud, file_server)))
        between = Interference(alice)
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(registration.wait) for _ in range(4)]

        assert {future.result().state for future in waiting} == {"ACTIVE"}
        assert between.count("PUT", "/file$") == 1

    def test_takes_no_record_that_glance_keeps_locked(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.glance.staging_broken = True
        alice = client("alice")
        between = Interference(alice)

        with pytest.raises(RegistrationFailedError):
            alice.register(NewImage(name="a", url=qcow2(file_server)))

        assert between.count("PUT", "/file$") == 0
        assert kept(cloud) == []

    def test_that_fails_too_is_told(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        cloud.fail("glance", "PUT", "/file$", status=415, body="does not match stream data raw", times=None)

        with pytest.raises(RegistrationFailedError) as caught:
            client("alice").register(NewImage(name="a", url=self.unreadable(cloud, file_server)), keep_failed=True)

        assert caught.value.reason == "wrong_format"
        assert cloud.glance.images[caught.value.image_id].properties["hyperx_failure"]


def test_an_import_to_several_stores_that_became_ready_without_one_of_them_says_so_and_is_kept(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.imports_stall = True
    alice = client("alice")
    begun = alice.start_registration(NewImage(name="a", url=qcow2(file_server), stores=("fast", "slow")))
    resumed = alice.resume_registration(begun.image_id)
    image = cloud.glance.images[begun.image_id]
    image.status, image.stores, image.data = "active", ["fast"], b"data"
    image.properties.pop("os_glance_import_task")
    image.properties |= {"os_glance_importing_to_stores": "", "os_glance_failed_import": "slow"}

    for registration in (resumed, begun, resumed):
        with pytest.raises(RegistrationFailedError, match="missing in: slow") as caught:
            registration.wait()
        assert (caught.value.phase, caught.value.image_id) == (Phase.READY, begun.image_id)

    assert kept(cloud) == [begun.image_id]
    assert alice.resume_registration(begun.image_id).wait().phase is Phase.READY


# ----------------------------------------------------------------- callers' mistakes


@pytest.mark.parametrize("timeout", [-1, float("nan"), "abc", True])
def test_a_time_that_is_none_is_refused_before_anything_is_done(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, timeout: float
) -> None:
    alice, request = client("alice"), NewImage(name="a", url=qcow2(file_server))

    with pytest.raises(InvalidRequestError, match="timeout"):
        alice.register(request, timeout=timeout)
    assert kept(cloud) == []
    registration = alice.start_registration(request)
    with pytest.raises(InvalidRequestError, match="timeout"):
        registration.wait(timeout=timeout)
    with pytest.raises(InvalidRequestError, match="on_progress"):
        registration.wait(on_progress=5)  # type: ignore[arg-type]
    assert registration.wait(timeout=60).state == "ACTIVE"
