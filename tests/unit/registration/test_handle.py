"""Waiting for a registration, and what other callers do meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance import (
    ChecksumMismatchError,
    InvalidRequestError,
    NewImage,
    NotAllowedError,
    Phase,
    Progress,
    Registration,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlProblem,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Department, Departments
from hyperx_glance.registration.following import RegistrationFollower
from hyperx_glance.registration.order import RegistrationOrder, Way
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from tests import samples
from tests.support.clouds import HASTY, LOOPBACK, ClientFactory
from tests.support.file_server import FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, disk, kept, sha256

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


class TestCallbacks:
    @pytest.mark.parametrize("transfer", ["import", "stream"])
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("mine"),
            ServiceUnavailableError(Text("mine")),
            WaitTimeoutError(Text("mine")),
            NotAllowedError(Text("mine")),
            UrlRejectedError(Text("mine"), url="", reason=UrlProblem.TIMEOUT),
        ],
    )
    def test_an_exception_in_the_callback_cancels_and_is_raised_unchanged(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, transfer: str, error: Exception
    ) -> None:
        def fail(_: Progress) -> None:
            raise error from KeyError()

        with pytest.raises(type(error), match="mine") as caught:
            client("alice", transfer=transfer).register(NewImage(name="a", url=disk(file_server)), on_progress=fail)

        assert caught.value is error
        assert isinstance(error.__cause__, KeyError)
        assert not [image for image in cloud.glance.images.values() if not image.deleted]


class TestTimeouts:
    def test_silence_of_the_source_ends_the_waiting_only(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
        policy = LOOPBACK.model_copy(update={"timeout_seconds": 60})
        registration = client("alice", transfer="stream", url_policy=policy).start_registration(
            NewImage(name="a", url=held.url)
        )

        with pytest.raises(WaitTimeoutError, match="start it again"):
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
        order = RegistrationOrder(
            image_id="7c1", url=None, disk_format="qcow2", department=department, checksum=sha256()
        )
        cloud = Cloud.from_session(session)
        record = RegistrationRecord(Context(cloud, Departments(cloud), HASTY), order, own=False)
        registration = Registration(RegistrationFollower(record, Way.FOLLOW))

        with pytest.raises(WaitTimeoutError, match="not verified yet"):
            registration.wait(timeout=0.3)

        held.release()
        assert len(file_server.requested("/v2/images/7c1/file")) == 1

    def test_a_second_wait_during_a_stream_honours_its_own_timeout(
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


class TestWaitingAgain:
    @pytest.mark.parametrize("checksum", [None, f"md5:{'0' * 32}"])
    @pytest.mark.parametrize("trouble", [KeyboardInterrupt(), ServiceUnavailableError(Text("refused"))])
    def test_cleans_up_what_could_not_be_cleaned_up_before(
        self,
        cloud: InMemoryCloud,
        client: ClientFactory,
        file_server: FileServer,
        checksum: str | None,
        trouble: BaseException,
    ) -> None:
        alice = client("alice", url_policy=BLIND)
        url = disk(file_server) if checksum else file_server.fail("/a", 404)
        registration = alice.start_registration(
            NewImage(name="a", url=url, disk_format="qcow2", checksum=checksum), keep_failed=True
        )

        def interrupt() -> None:
            raise trouble

        # Both are sent again if Glance was out of reach.
        times = 4 if isinstance(trouble, ServiceUnavailableError) else 1
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
            NewImage(name="a", url=disk(file_server), checksum=f"sha256:{'0' * 64}")
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
        # See "How many requests" in the guide: a failure is written once.
        assert len([request for request in cloud.requests if request.method == "PATCH"]) == 1

    @pytest.mark.parametrize("reason", ["cancelled", "deleted"])
    def test_for_data_that_has_gone_tells_why(
        self, client: ClientFactory, file_server: FileServer, reason: str
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server), checksum=sha256()))
        end = registration.cancel if reason == "cancelled" else lambda: client("alice").delete(registration.image_id)
        Interference(alice).before("GET", "/file$", end)

        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()

        assert caught.value.reason == reason


def test_an_import_to_several_stores_that_became_ready_without_one_of_them_says_so_and_is_kept(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    cloud.glance.imports_stall = True
    alice = client("alice")
    begun = alice.start_registration(NewImage(name="a", url=disk(file_server), stores=("fast", "slow")))
    resumed = alice.resume_registration(begun.image_id)
    image = cloud.glance.images[begun.image_id]
    image.status, image.stores, image.data = "active", ["fast"], b"data"
    image.properties.pop("os_glance_import_task")
    image.properties |= {"os_glance_importing_to_stores": "", "os_glance_failed_import": "slow"}

    for registration in (resumed, begun, resumed):
        with pytest.raises(RegistrationFailedError, match="missing from: slow") as caught:
            registration.wait()
        assert (caught.value.phase, caught.value.image_id) == (Phase.READY, begun.image_id)

    assert kept(cloud) == [begun.image_id]
    assert alice.resume_registration(begun.image_id).wait().phase is Phase.READY


def test_a_store_that_a_registration_was_not_to_fill_is_no_matter_of_its_own(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """Another user has tried to copy the image there, without success."""
    registration = client("alice").start_registration(NewImage(name="a", url=disk(file_server), stores=("fast",)))
    while registration.progress().phase is not Phase.READY:
        pass
    cloud.glance.images[registration.image_id].properties["os_glance_failed_import"] = "slow"

    assert registration.wait().stores == ("fast",)


@pytest.mark.parametrize("timeout", [-1, float("nan"), "abc", True])
def test_a_time_that_is_none_is_refused_before_anything_is_done(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, timeout: float
) -> None:
    alice, request = client("alice"), NewImage(name="a", url=disk(file_server))

    with pytest.raises(InvalidRequestError, match="timeout"):
        alice.register(request, timeout=timeout)
    assert kept(cloud) == []
    registration = alice.start_registration(request)
    with pytest.raises(InvalidRequestError, match="timeout"):
        registration.wait(timeout=timeout)
    with pytest.raises(InvalidRequestError, match="on_progress"):
        registration.wait(on_progress=5)  # type: ignore[arg-type]
    assert registration.wait(timeout=60).state == "ACTIVE"
