"""Uploads through this process: constant memory, exact limits, no false success."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests
import requests_mock

from hyperx_glance import (
    ChecksumMismatchError,
    Client,
    NewImage,
    NotAllowedError,
    Pace,
    Phase,
    Progress,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlPolicy,
    UrlProblem,
    WaitTimeoutError,
)
from hyperx_glance.cloud.departments import Department
from hyperx_glance.registration.looking import Journal
from hyperx_glance.registration.order import Deadline, RegistrationOrder
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.registration.streaming import Upload, body_of
from hyperx_glance.registration.uploading import Uploader
from hyperx_glance.sources.urls import open_url
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from hyperx_glance.waiting.callbacks import CallbackError, teller
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, Clock
from tests.support.file_server import BigBody, FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, disk, kept, record_of, sha256
from tests.support.wire import stand_between

if TYPE_CHECKING:
    from collections.abc import Callable

    from hyperx_glance.testing.memory.glance.records import ImageRecord


def test_an_upload_whose_answer_is_lost(cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
    cloud.cut("glance", "PUT", "/file")

    assert client("alice", transfer="stream").register(NewImage(name="a", url=disk(file_server))).state == "ACTIVE"


def test_an_upload_is_read_in_constant_memory(file_server: FileServer) -> None:
    """Each piece of the body stays small, regardless of the size of the file."""
    url = file_server.serve("/big", BigBody(20 * 1024 * 1024))
    order = RegistrationOrder(
        image_id="7c1",
        url=url,
        disk_format="raw",
        department=Department("1", "a"),
        checksum=f"md5:{hashlib.md5(bytes(20 * 1024 * 1024)).hexdigest()}",
    )

    with open_url(url, LOOPBACK) as source:
        body = Upload(source, order, lambda *_: None)
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
    order = RegistrationOrder(image_id="7c1", url=url, disk_format="qcow2", department=Department("1", "a"))

    with open_url(url, LOOPBACK) as source:
        request = requests.Request("PUT", "http://glance.example/", data=body_of(source, order, lambda *_: None))

        assert header in request.prepare().headers.items()


class TestUploadsThatGlanceRefuses:
    @pytest.mark.parametrize(
        "case",
        [
            (413, "Denying attempt to upload image larger than 1099511627776 bytes.", UrlProblem.TOO_LARGE),
            (413, "The incoming image is too large: The provided image is too large.", UrlProblem.TOO_LARGE),
            (413, "Image storage media is full: There is not enough disk space on the image storage media.", "glance"),
            (415, "Image disk_format qcow2 does not match stream data raw", UrlProblem.WRONG_FORMAT),
            (415, "Image failed safety checks: backing_file", UrlProblem.UNSAFE_IMAGE),
            # Before 2026.2 there was no reason; what has the format that it should have can only be unsafe.
            (415, "The request media type application/octet-stream is not supported.", UrlProblem.UNSAFE_IMAGE),
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
            client("alice", transfer="stream").register(NewImage(name="a", url=disk(file_server)))

        assert (caught.value.reason, caught.value.status) == (reason, status)
        assert not cloud.glance.image(caught.value.image_id)

    def test_by_a_proxy_whose_limit_is_smaller(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        page, unnumbered = b"<html><h1>413 Request Entity Too Large</h1></html>", {"x-openstack-request-id": ""}
        cloud.fail("glance", "PUT", "/file", status=413, body=page, headers=unnumbered)

        with pytest.raises(RegistrationFailedError, match="A server in front of the image service") as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=disk(file_server)))

        assert (caught.value.reason, caught.value.status) == (UrlProblem.TOO_LARGE, 413)
        assert "transfer='import'" in caught.value.hint
        assert not cloud.glance.image(caught.value.image_id)

    def test_a_partitioned_raw_disk_is_refused_for_its_content_and_not_for_its_format(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        text = "The request media type application/octet-stream is not supported."
        cloud.fail("glance", "PUT", "/file", status=415, body=text, times=None)
        url = file_server.serve("/disk.raw", samples.data("partitioned.raw"))

        with pytest.raises(RegistrationFailedError, match="its beginning is valid raw") as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=url, disk_format="raw"))

        assert caught.value.reason == UrlProblem.UNSAFE_IMAGE

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
            client("alice", transfer="stream").register(NewImage(name="a", url=disk(file_server)))

        error = caught.value
        assert (error.department, error.resource, error.limit, error.status) == ("dept-a", resource, limit, 413)

    def test_an_upload_that_glance_breaks_off(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.cut("glance", "PUT", "/file", handled=False)

        with pytest.raises(ServiceUnavailableError) as caught:
            client("alice", transfer="stream").register(NewImage(name="a", url=disk(file_server)))

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
            raise ServiceUnavailableError(Text("reset by peer"))

        Interference(alice).before("PUT", "/file$", broken)
        with pytest.raises(ServiceUnavailableError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server)))

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
    @pytest.mark.parametrize(("looks", "status"), [(3, "queued"), (10**6, "saving")])
    def test_glance_notices_before_the_record_is_deleted_but_is_not_waited_for_long(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, looks: int, status: str
    ) -> None:
        clock = Clock(tick=0.1)
        alice = client("alice", transfer="stream", pace=Pace(sleep=clock.sleep, clock=clock))
        looked, at_deletion = itertools.count(1), []

        def record() -> ImageRecord:
            (only,) = cloud.glance.images.values()
            return only

        def break_off() -> None:
            record().status = "saving"
            cloud.before("glance", "GET", "/images/", notice)

        def notice() -> None:
            if next(looked) == looks:
                record().status = "queued"

        between = Interference(alice)
        between.after("PUT", "/file$", break_off)
        between.before("DELETE", "/images/", lambda: at_deletion.append(record().status))
        with pytest.raises(ChecksumMismatchError):
            alice.register(NewImage(name="a", url=disk(file_server), checksum=f"sha256:{'0' * 64}"))

        assert at_deletion == [status]
        assert clock.now < 10

    def test_a_resumed_one_waits_for_glance_to_notice(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice", transfer="stream")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
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
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
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

    def test_every_waiting_caller_gets_the_reason_of_the_failure(
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

    def test_an_expired_token_is_renewed_and_the_upload_starts_again_at_the_first_byte(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        """keystoneauth would send what is left of the body."""
        statuses = iter([401])

        def expired(request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
            if request.method != "PUT" or next(statuses, None) is None:
                return send()
            assert isinstance(request.body, Upload)
            assert next(iter(request.body))
            return requests_mock.create_response(request, status_code=401, text="The token has expired.")

        session = stand_between(cloud.session("alice"), expired)
        alice = Client.from_session(session, settings=dataclasses.replace(client.settings, transfer="stream"))

        image = alice.register(NewImage(name="a", url=disk(file_server), checksum=sha256()))

        assert image.size == len(samples.data("disk.qcow2"))
        logins = [request for request in cloud.requests if request.path.endswith("/auth/tokens")]
        assert len([request for request in logins if request.method == "POST"]) == 2  # one for each token


def uploader(record: RegistrationRecord, **more: bool) -> Uploader:
    return Uploader(record, record.order, Journal(record.order, record.context.settings.pace.clock), **more)


class TestUploader:
    def test_it_stops_at_the_very_moment(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        clock = Clock(1000)
        alice = client("alice", pace=Pace(clock=clock, sleep=clock.sleep))
        record = record_of(cloud, alice, url=disk(file_server))
        told: list[Progress] = []

        def tell(progress: Progress) -> None:
            told.append(progress)
            clock.now = 1010.0

        with pytest.raises(WaitTimeoutError, match="start it again"):
            uploader(record).run(tell, Deadline(clock, 1010.0))

        assert len(told) == 1
        assert cloud.glance.images[record.image_id].status == "queued"
        assert not record.own or kept(cloud) == [record.image_id]

    def test_a_cancellation_stops_the_reading(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), url=disk(file_server))
        told: list[Progress] = []

        def tell(progress: Progress) -> None:
            told.append(progress)
            record.cancel()

        with pytest.raises(RegistrationFailedError) as caught:
            uploader(record).run(tell, Deadline(lambda: 0.0))

        assert caught.value.reason == "cancelled"
        assert len(told) == 1

    def test_the_uploader_owns_the_data(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), own=False, url=disk(file_server))

        uploader(record).run(teller(None), Deadline(lambda: 0.0))

        assert record.own
        assert cloud.glance.images[record.image_id].status == "active"

    def test_a_caller_that_finds_the_upload_done_does_not_own_the_data(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), own=False, status="active", url=disk(file_server))

        uploader(record, interrupted=True).run(teller(None), Deadline(lambda: 0.0))

        assert not record.own
        assert file_server.requests == []

    def test_an_exception_in_the_callback_is_not_a_refusal_by_glance(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        record = record_of(cloud, client("alice"), url=disk(file_server))
        mine = NotAllowedError(Text("mine"))

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
        record = record_of(cloud, client("alice"), url=disk(file_server))

        with pytest.raises(RegistrationFailedError if last_resort else ServiceUnavailableError):
            uploader(record, last_resort=last_resort).run(teller(None), Deadline(lambda: 0.0))

        assert (kept(cloud) == []) is last_resort


class TestStreamingAfterAFailedImport:
    """Glance cannot read what this machine can."""

    def unreadable(self, cloud: InMemoryCloud, server: FileServer) -> str:
        url = disk(server)
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
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert between.count("PUT", "/file$") == 0
        assert kept(cloud) == []

    def test_is_not_tried_with_a_url_that_is_not_good_from_here_either(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        url = file_server.fail("/disk.qcow2", 404)

        with pytest.raises(RegistrationFailedError) as caught:
            client("alice", url_policy=BLIND).register(NewImage(name="a", url=url, disk_format="qcow2"))

        assert caught.value.reason == UrlProblem.HTTP_STATUS
        assert len(file_server.requested("/disk.qcow2")) == 2  # by Glance, and by the look for the cause
        assert kept(cloud) == []

    def test_that_fails_too_is_told(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        cloud.fail("glance", "PUT", "/file$", status=415, body="does not match stream data raw", times=None)

        with pytest.raises(RegistrationFailedError) as caught:
            client("alice").register(NewImage(name="a", url=self.unreadable(cloud, file_server)), keep_failed=True)

        assert caught.value.reason == "wrong_format"
        assert cloud.glance.images[caught.value.image_id].properties["hyperx_failure"]
