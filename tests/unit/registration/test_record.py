"""The record of a registration: how it is named, given up and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import (
    AuthenticationError,
    ChecksumMismatchError,
    ConflictError,
    InvalidRequestError,
    NewImage,
    NotAllowedError,
    NotFoundError,
    Phase,
    Progress,
    ProtectedError,
    RegistrationFailedError,
    ServiceUnavailableError,
    WaitTimeoutError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.texts import Text
from tests.support.clouds import ClientFactory
from tests.support.file_server import FileServer
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.registrations import OWN_ID, disk, kept, record_of

if TYPE_CHECKING:
    from tests.support.file_server import FileServer


class TestRecord:
    @pytest.mark.parametrize("times", [1, 3])
    def test_a_deletion_whose_answer_is_lost_is_sent_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, times: int
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
        between = Interference(alice)
        between.lose("DELETE", "/images/", times=times)

        registration.cancel()

        assert kept(cloud) == []
        assert between.count("DELETE", "/images/") == times + 1

    def test_one_that_never_came_is_too(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
        Interference(alice).before("DELETE", "/images/", unreachable, times=2)

        registration.cancel()

        assert kept(cloud) == []

    def test_a_cancellation_while_its_failure_is_looked_into_is_told_as_such(
        self, cloud: InMemoryCloud, client: ClientFactory
    ) -> None:
        record = record_of(cloud, client("alice"), keep_failed=True)
        record.cancel()

        error = record.fail(NotFoundError(Text("an import that failed")), phase=Phase.DOWNLOADING)

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

    def test_a_cancellation_that_is_refused_cancels_nothing(self, cloud: InMemoryCloud, client: ClientFactory) -> None:
        record = record_of(cloud, client("alice"), own=False, status="active", protected=True)

        with pytest.raises(ProtectedError):
            record.cancel()

        record.stop_if_cancelled(phase=Phase.READY)  # raises nothing
        assert kept(cloud) == [record.image_id]

    def test_one_that_the_policy_lets_nobody_delete_says_that_it_has_failed(
        self, cloud: InMemoryCloud, client: ClientFactory
    ) -> None:
        cloud.glance.policies["delete_image"] = "admin"
        alice = client("alice")
        record = record_of(cloud, alice)

        with pytest.raises(ConflictError, match="may still exist") as caught, record.named():
            raise record.fail(ConflictError(Text("No such file.")))

        assert alice.image(record.image_id).failure.startswith("No such file.")
        assert "policy delete_image" in caught.value.__notes__[0]

    def test_a_failure_names_nothing_any_more_when_a_later_clean_up_succeeds(
        self, cloud: InMemoryCloud, client: ClientFactory
    ) -> None:
        alice = client("alice")
        record = record_of(cloud, alice)
        Interference(alice).before("DELETE", "", unreachable, times=4)

        with pytest.raises(ConflictError, match="may still exist"), record.named():
            raise record.fail(ConflictError(Text("no")))
        with pytest.raises(ConflictError) as caught, record.named():
            raise record.clean_up() or AssertionError

        assert kept(cloud) == []
        assert "may still exist" not in str(caught.value)

    @pytest.mark.parametrize("failure", [ConflictError(Text("no")), KeyboardInterrupt()])
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


class TestNamesInErrors:
    def test_a_kept_record_whose_quota_cannot_be_read_again(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/info/usage", status=400, skip=1, times=None)

        with pytest.raises(InvalidRequestError) as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server)), keep_failed=True)

        assert kept(cloud) == [caught.value.image_id]
        assert f"may still exist: image {caught.value.image_id}" in str(caught.value)
        assert cloud.glance.images[str(caught.value.image_id)].properties["hyperx_failure"]

    def test_a_kept_record_says_why_though_an_answer_is_lost(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/info/usage", status=400, skip=1, times=None)
        alice = client("alice")
        Interference(alice).lose("PATCH", "", times=3)

        with pytest.raises(InvalidRequestError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server)), keep_failed=True)

        assert alice.cloud.image(str(caught.value.image_id)).failure
        assert not hasattr(caught.value, "__notes__")

    def test_none_that_was_deleted_for_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "GET", "/info/usage", status=400, skip=1, times=None)

        with pytest.raises(InvalidRequestError) as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server)))

        assert kept(cloud) == []
        assert caught.value.image_id is None
        assert "may still exist" not in str(caught.value)

    def test_none_of_a_taken_id(self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer) -> None:
        alice, request = client("alice"), NewImage(name="a", url=disk(file_server), id=OWN_ID)
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
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert kept(cloud) == [caught.value.image_id]

    @pytest.mark.parametrize("transfer", ["import", "stream"])
    def test_the_callers_own_error_names_it_while_the_registration_goes_on(
        self, client: ClientFactory, file_server: FileServer, transfer: str
    ) -> None:
        def complain(_: Progress) -> None:
            raise ZeroDivisionError

        registration = client("alice", transfer=transfer).start_registration(NewImage(name="a", url=disk(file_server)))
        with pytest.raises(ZeroDivisionError) as caught:
            registration.wait(on_progress=complain)

        assert f"may still exist: image {registration.image_id}" in caught.value.__notes__[0]
        assert registration.wait().state == "ACTIVE"

    def test_and_does_not_where_register_has_deleted_it(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        def complain(_: Progress) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError) as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server)), on_progress=complain)

        assert kept(cloud) == []
        assert not hasattr(caught.value, "__notes__")

    @pytest.mark.parametrize("refused", [True, False])
    def test_a_time_out_says_that_it_is_deleted_only_where_it_is(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, *, refused: bool
    ) -> None:
        if refused:
            cloud.fail("glance", "DELETE", "/images/", status=403, times=None)

        with pytest.raises(WaitTimeoutError, match="not ready yet") as caught:
            client("alice").register(NewImage(name="a", url=disk(file_server)), timeout=0)

        assert kept(cloud) == [caught.value.image_id] * refused
        assert ("Its record is deleted" in caught.value.hint) is not refused
        assert ("delete to stop it" in caught.value.hint) is refused

    def test_ctrl_c_while_waiting(self, client: ClientFactory, file_server: FileServer) -> None:
        alice = client("alice")
        registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
        Interference(alice).before("GET", "^/images/", interrupt)

        with pytest.raises(KeyboardInterrupt) as caught:
            registration.wait()

        assert vars(caught.value)["image_id"] == registration.image_id


class TestALostLogin:
    """A lost login says nothing about the record, and nothing can be cleaned up."""

    @pytest.mark.parametrize(("method", "path"), [("POST", "/import$"), ("GET", "^/v2/images/[^/]+$")])
    def test_deletes_nothing(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, method: str, path: str
    ) -> None:
        cloud.fail("glance", method, path, status=401, times=None)
        alice = client("alice")
        between = Interference(alice)

        with pytest.raises(AuthenticationError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert kept(cloud) == [caught.value.image_id]
        assert between.count("DELETE", "") == 0

    def test_nor_does_one_that_ends_each_upload(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        cloud.fail("glance", "PUT", "/file$", status=401, times=None)
        alice = client("alice", transfer="stream")
        between = Interference(alice)

        with pytest.raises(AuthenticationError) as caught:
            alice.register(NewImage(name="a", url=disk(file_server)))

        assert kept(cloud) == [caught.value.image_id]
        # An upload is begun three times, and an expired token deletes nothing.
        assert (between.count("PUT", "/file$"), between.count("DELETE", "")) == (3, 0)

    def test_nor_does_a_refusal_while_resuming(
        self, cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer
    ) -> None:
        image_id = (
            client("alice", transfer="stream").start_registration(NewImage(name="a", url=disk(file_server))).image_id
        )
        cloud.fail("glance", "GET", "/info/usage", status=400, times=None)

        with pytest.raises(InvalidRequestError) as caught:
            client("alice").resume_registration(image_id)

        assert caught.value.image_id == image_id
        assert kept(cloud) == [image_id]


def test_a_cancellation_whose_answer_is_lost_tells_its_id(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    registration = alice.start_registration(NewImage(name="a", url=disk(file_server)))
    Interference(alice).lose("DELETE", "/images/", times=9)

    with pytest.raises(ServiceUnavailableError) as caught:
        registration.cancel()

    assert caught.value.image_id == registration.image_id


@pytest.mark.parametrize("moment", ["before", "after"])
def test_of_two_who_cancel_a_protected_one_neither_fails(
    cloud: InMemoryCloud, client: ClientFactory, file_server: FileServer, moment: str
) -> None:
    alice = client("alice")
    registration = alice.start_registration(NewImage(name="a", url=disk(file_server), protected=True))
    between = Interference(alice)
    (between.before if moment == "before" else between.after)(
        "PATCH", registration.image_id, lambda: cloud.glance.remove_image(registration.image_id)
    )

    registration.cancel()

    assert not cloud.glance.image(registration.image_id)


def test_a_record_that_stays_is_told(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")

    Interference(alice).before("GET", "^/images/", unreachable, times=9)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(NewImage(name="a", url=disk(file_server), id=OWN_ID))

    assert f"may still exist: image {OWN_ID}" in str(caught.value)
