"""Cancellations, lost responses, interruptions and other callers' changes leave nothing behind."""

from __future__ import annotations

import hashlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from hyperx_glance import (
    ConflictError,
    NotFoundError,
    Phase,
    Progress,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlProblem,
    WaitTimeoutError,
)
from hyperx_glance.testing.timing import scaled
from hyperx_glance.texts import Text
from tests import samples
from tests.support.clouds import ClientFactory
from tests.support.file_server import FileServer
from tests.support.interference import Interference, interrupt, unreachable
from tests.support.registrations import BLIND, disk, images_used, limits, new
from tests.support.waiting import until


@pytest.mark.usefixtures("nothing_left")
def test_cancelling_in_any_phase(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    early = alice.start_registration(new(held.url))
    held.wait_until_reached()
    streaming = client("alice", transfer="stream").start_registration(new(disk(file_server)))
    done = alice.start_registration(new(disk(file_server)))
    done.wait()

    for registration in (early, streaming, done):
        registration.cancel()
        registration.cancel()
        with pytest.raises(NotFoundError):
            alice.cloud.image(registration.image_id)
        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()
        assert caught.value.reason == "cancelled"
    held.release()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_cancelling_from_another_thread(client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    registration = client("alice", transfer=transfer).start_registration(new(held.url))
    canceller = threading.Timer(0.3, registration.cancel)
    canceller.start()
    threading.Timer(0.6, held.release).start()

    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait(timeout=scaled(20))

    assert caught.value.reason == "cancelled"
    canceller.join()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("raised", "transfer"),
    [(KeyboardInterrupt, "import"), (ZeroDivisionError, "import"), (KeyboardInterrupt, "stream"), (OSError, "stream")],
)
def test_an_exception_in_the_callback_cancels_the_registration(
    client: ClientFactory, file_server: FileServer, transfer: str, raised: type[BaseException]
) -> None:
    def complain(_: Progress) -> None:
        raise raised

    with pytest.raises(raised):
        client("alice", transfer=transfer).register(new(disk(file_server)), on_progress=complain)


@pytest.mark.usefixtures("nothing_left")
def test_register_cancels_when_its_time_is_over(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)

    with pytest.raises(WaitTimeoutError) as caught:
        client("alice").register(new(held.url), timeout=0.5)

    assert isinstance(caught.value.last_seen, Progress)
    assert caught.value.image_id
    held.release()


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_wait_only_stops_waiting(client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    held = file_server.hold(
        "/slow.qcow2", samples.data("disk.qcow2"), after=180_000, drip_seconds=0.05 if transfer == "stream" else None
    )
    registration = client("alice", transfer=transfer).start_registration(new(held.url))

    with pytest.raises(WaitTimeoutError) as caught:
        registration.wait(timeout=0.5)
    assert caught.value.image_id == registration.image_id
    held.release()

    assert registration.wait().state == "ACTIVE"


@pytest.mark.parametrize("times", [1, 3])
def test_a_create_whose_answer_is_lost_is_repeated(client: ClientFactory, file_server: FileServer, times: int) -> None:
    alice = client("alice")
    between = Interference(alice)
    between.lose("POST", "^/images$", times=times)

    image = alice.register(new(disk(file_server)))

    assert image.state == "ACTIVE"
    assert between.count("POST", "^/images$") == times + 1


@pytest.mark.usefixtures("nothing_left")
def test_a_create_that_took_the_last_place_and_whose_answer_is_lost(
    client: ClientFactory, file_server: FileServer
) -> None:
    """Glance looks at the quota before it looks at the id, so that the repetition is refused for want of room."""
    alice = client("alice")
    between = Interference(alice)
    between.lose("POST", "^/images$")

    with limits(client, "dept-a", {"images": images_used(client) + 1}):
        image = alice.register(new(disk(file_server)))

    assert image.state == "ACTIVE"
    # See "How many requests" in the guide: a create with our own id is safe to repeat.
    assert between.count("POST", "^/images$") == 2
    alice.delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_a_create_that_never_came_finds_its_department_full(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")

    def lost_before_it_came() -> None:
        client("admin").set_quota("dept-a", images=used)
        raise ServiceUnavailableError(Text("cut on request"), connected=True)

    used = images_used(client)
    Interference(alice).before("POST", "^/images$", lost_before_it_came)
    with limits(client, "dept-a", {"images": used + 1}), pytest.raises(QuotaExceededError) as caught:
        alice.register(new(disk(file_server)))

    assert (caught.value.resource, caught.value.status) == ("images", 413)


def test_a_create_that_stays_unclear_tells_its_id(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    Interference(alice).lose("POST", "^/images$", times=99)

    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(new(disk(file_server)))

    assert caught.value.image_id
    assert client("alice").resume_registration(caught.value.image_id).wait().state == "ACTIVE"


@pytest.mark.usefixtures("nothing_left")
def test_a_taken_id_is_not_mistaken_for_a_lost_answer(client: ClientFactory, file_server: FileServer) -> None:
    theirs = client("bob").register(new(disk(file_server)))
    alice = client("alice")
    between = Interference(alice)

    def lost_before_it_came() -> None:
        raise ServiceUnavailableError(Text("cut on request"), connected=True)

    between.before("POST", "^/images$", lost_before_it_came)
    with pytest.raises(ConflictError, match="taken"):
        alice.register(new(disk(file_server), id=theirs.id))

    assert client("bob").cloud.image(theirs.id).state == "ACTIVE"
    client("bob").delete(theirs)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupted_create_burns_its_id(client: ClientFactory, file_server: FileServer, moment: str) -> None:
    """A bare DELETE could come before the record does; POST and DELETE leave an id that is never given again."""
    alice = client("alice")
    between = Interference(alice)
    chosen = str(uuid.uuid4())

    (between.before if moment == "before" else between.after)("POST", "^/images$", interrupt)
    with pytest.raises(KeyboardInterrupt):
        alice.register(new(disk(file_server), id=chosen))

    with pytest.raises(ConflictError):
        client("alice").register(new(disk(file_server), id=chosen))


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupted_create_where_one_place_was_left(
    client: ClientFactory, file_server: FileServer, moment: str
) -> None:
    alice = client("alice")
    between = Interference(alice)

    (between.before if moment == "before" else between.after)("POST", "^/images$", interrupt)
    with limits(client, "dept-a", {"images": images_used(client) + 1}), pytest.raises(KeyboardInterrupt):
        alice.register(new(disk(file_server)))


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("path", ["/import$", "^/images/[^/]+$"])
def test_an_interruption_later_leaves_nothing(
    client: ClientFactory, file_server: FileServer, path: str, moment: str
) -> None:
    alice = client("alice")
    between = Interference(alice)

    method = "POST" if "import" in path else "GET"
    (between.before if moment == "before" else between.after)(method, path, interrupt)
    with pytest.raises(KeyboardInterrupt):
        alice.register(new(disk(file_server)))


@pytest.mark.parametrize("times", [1, 3])
def test_an_import_whose_answer_is_lost_is_asked_for_again(
    client: ClientFactory, file_server: FileServer, times: int
) -> None:
    alice = client("alice")
    between = Interference(alice)
    between.lose("POST", "/import$", times=times)

    assert alice.register(new(disk(file_server))).state == "ACTIVE"
    assert between.count("POST", "/import$") >= 2


@pytest.mark.usefixtures("nothing_left")
def test_a_lock_that_another_import_holds(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    alice, other = client("alice"), client("arthur")
    between = Interference(alice)

    def import_first() -> None:
        (image,) = [image for image in alice.unfinished_registrations() if image.name == request.name]
        body = {"method": {"name": "web-download", "uri": held.url}}
        other.cloud.post("image", f"/images/{image.id}/import", json=body)

    request = new(disk(file_server))
    between.before("POST", "/import$", import_first)
    with pytest.raises(RegistrationFailedError, match="Another import") as caught:
        alice.register(request)

    assert caught.value.status == 409
    held.release()


@pytest.mark.usefixtures("nothing_left")
def test_an_image_that_somebody_deletes_meanwhile(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    registration = client("alice").start_registration(new(held.url))
    held.wait_until_reached()

    client("arthur").delete(registration.image_id)

    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait()
    assert caught.value.reason == "deleted"
    held.release()


def test_an_image_that_somebody_deletes_while_it_is_streamed(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
    alice = client("alice", transfer="stream")
    registration = alice.start_registration(new(held.url))

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(registration.wait)
        until(lambda: alice.cloud.image(registration.image_id).phase is Phase.STORING)
        client("arthur").delete(registration.image_id)
        held.release()

    failure = waiting.exception()
    assert isinstance(failure, RegistrationFailedError)
    assert failure.reason == "deleted"


@pytest.mark.parametrize("transfer", ["import", "auto"])
def test_an_image_that_somebody_deletes_before_its_import(
    client: ClientFactory, file_server: FileServer, transfer: str
) -> None:
    alice = client("alice", transfer=transfer)
    request = new(disk(file_server), id=str(uuid.uuid4()))
    Interference(alice).before("POST", "/import$", lambda: client("arthur").delete(str(request.id)))

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(request)

    assert caught.value.reason == "deleted"


@pytest.mark.parametrize("path", ["^/images/[^/]+$", "/file$"])
def test_glance_out_of_reach_deletes_nothing(client: ClientFactory, file_server: FileServer, path: str) -> None:
    digest = hashlib.sha256(samples.data("disk.qcow2")).hexdigest()
    alice = client("alice")
    between = Interference(alice)

    between.before("GET", path, unreachable, times=99)
    with pytest.raises(ServiceUnavailableError) as caught:
        alice.register(new(disk(file_server), checksum=f"sha256:{digest}"))

    assert between.count("DELETE", "") == 0
    assert caught.value.image_id
    assert client("alice").resume_registration(caught.value.image_id).wait().state == "ACTIVE"


def test_a_failed_clean_up_is_a_note_on_the_first_error(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND)
    between = Interference(alice)

    between.before("DELETE", "", unreachable, times=9)
    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(new(file_server.fail("/a", 404), disk_format="qcow2"))

    assert caught.value.reason == UrlProblem.HTTP_STATUS
    assert any("could not be deleted" in note for note in caught.value.__notes__)
