"""Registrations on real services: promptness, crashes, races, and unusual configurations of Glance."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import (
    NewImage,
    NewIso,
    Pace,
    Phase,
    QuotaExceededError,
    RegistrationFailedError,
    ServiceUnavailableError,
    Settings,
    UrlProblem,
    WaitTimeoutError,
)
from hyperx_glance.models.record import LOCK
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.local.crashes import (
    CALLER_STEPS,
    ENDINGS,
    GLANCE_STEPS,
    SHA256,
    UPLOADER_STEPS,
    named,
    race,
    slow,
    start,
    survive_a_killed_caller,
    survive_a_killed_glance,
    survive_a_killed_uploader,
)
from tests.support.clouds import LOOPBACK, ClientFactory, image_ids, unique
from tests.support.conversion import CONVERSION, qemu_img
from tests.support.file_server import BigBody, FileServer
from tests.support.interference import Interference
from tests.support.lossy_proxy import Fate, LossyProxy
from tests.support.registrations import BLIND, disk, new, until_phase
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud

Options = dict[str, dict[str, str | int | float | bool | None]]


@pytest.fixture
def nothing_left(local_cloud: LocalCloud) -> Iterator[None]:
    """Fail if a test leaves a record behind."""
    before = image_ids(local_cloud)
    yield
    assert image_ids(local_cloud) == before


# ----------------------------------------------------------------- promptness


def settled_at(
    local_cloud: LocalCloud, image_id: str, settled: Callable[[dict[str, Any]], bool]
) -> Callable[[], float]:
    """Watch a record closely, past this library; the result waits for the moment at which it was settled."""
    moments: list[float] = []
    session = local_cloud.session("admin")
    url = local_cloud.url("glance") + f"/v2/images/{image_id}"

    def is_settled() -> bool:
        answer = session.get(url, raise_exc=False)
        return answer.status_code == 404 or settled(answer.json())

    def watch() -> None:
        until(is_settled)
        moments.append(time.monotonic())

    thread = threading.Thread(target=watch)
    thread.start()

    def moment() -> float:
        thread.join()
        return moments[0]

    return moment


def best_of(measure: Callable[[], float], limit: float) -> float:
    """Measure until one try is good enough, at most five times: the machine may be busy with other things."""
    best = float("inf")
    for _ in range(5):
        best = min(best, measure())
        if best <= limit:
            break
    return best


def median_of_five(measure: Callable[[], float], limit: float) -> float:
    """Measure until three tries of at most five are good enough, which settles on which side the median is."""
    tries: list[float] = []
    while len(tries) < 5 and sum(each <= limit for each in tries) < 3:
        tries.append(measure())
    return sorted(tries)[2]


@pytest.mark.parametrize(("kind", "transfer"), [("image", "import"), ("image", "stream"), ("iso", "import")])
def test_register_returns_soon_after_glance_is_done(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, kind: str, transfer: str
) -> None:
    """Within the interval between two polls, at most half a second while they are near."""
    url = file_server.serve("/file", samples.data("disk.qcow2" if kind == "image" else "installer.iso"))
    alice = client("alice", transfer=transfer)

    def delay() -> float:
        registration = alice.start_registration((NewImage if kind == "image" else NewIso)(name=unique(kind), url=url))
        done = settled_at(
            local_cloud, registration.image_id, lambda image: image["status"] == "active" and LOCK not in image
        )
        registration.wait()
        return time.monotonic() - done()

    assert median_of_five(delay, 0.5) <= 0.5


@pytest.mark.parametrize("seconds", [0, pytest.param(8, marks=pytest.mark.needs("formats-checked"))])
@pytest.mark.usefixtures("nothing_left")
def test_a_failure_is_noticed_soon_after_glance_gave_up(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, seconds: float
) -> None:
    """Also when the import had run for a while, and polls have grown apart."""

    assert best_of(lambda: noticed_after(local_cloud, client, file_server, seconds), 2) <= 2


def noticed_after(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, seconds: float) -> float:
    """Let an import run for some seconds and fail; measure from there until the waiting caller gets the error."""
    held = file_server.hold("/disk.qcow2", b"no disk at all" * 100, after=10)
    registration = client("alice", url_policy=BLIND).start_registration(new(held.url, disk_format="qcow2"))
    given_up = settled_at(
        local_cloud, registration.image_id, lambda image: image["status"] == "queued" and LOCK not in image
    )
    threading.Timer(seconds, held.release).start()
    with pytest.raises(RegistrationFailedError) as caught:
        registration.wait(timeout=scaled(60))
    assert caught.value.reason == UrlProblem.WRONG_FORMAT
    return time.monotonic() - given_up()


@pytest.mark.usefixtures("nothing_left")
def test_polls_grow_apart(client: ClientFactory, file_server: FileServer) -> None:
    """One request each, and no other while all seems well."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    held = slow(file_server)
    alice = client("alice", pace=Pace(sleep=sleep))
    between = Interference(alice)
    registration = alice.start_registration(new(held.url))
    held.wait_until_reached()
    before = len(between.seen)
    del slept[:]
    threading.Timer(3, held.release).start()

    image = registration.wait()

    assert between.seen[before:] == [("GET", f"/images/{image.id}")] * (len(slept) + 1)
    assert slept == sorted(slept)
    assert slept[-1] > 3 * slept[0]
    alice.delete(image)


# ----------------------------------------------------------------- a Glance that is set up otherwise


@pytest.mark.needs("formats-checked")
def test_a_single_store_glance(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    """`os_glance_failed_import` stays empty there (merge_store_list), and still no caller waits for the deadline."""
    store = local_cloud.directory / "glance" / "single"
    store.mkdir(parents=True, exist_ok=True)
    options: Options = {
        "DEFAULT": {"enabled_backends": None},
        "glance_store": {
            "stores": "file",
            "default_store": "file",
            "default_backend": None,
            "filesystem_store_datadir": str(store),
        },
    }
    alice = client("alice", url_policy=BLIND)
    with local_cloud.configured("glance", options):
        before = image_ids(local_cloud)
        for url, reason in (
            (file_server.fail("/a", 404), UrlProblem.HTTP_STATUS),
            (file_server.serve("/b", samples.data("disk.raw")), UrlProblem.WRONG_FORMAT),
            (file_server.cut("/c", samples.data("disk.qcow2"), after=1000), UrlProblem.TRUNCATED),
        ):
            registration = alice.start_registration(new(url, disk_format="qcow2"))
            until_phase(registration, Phase.FAILED)
            record = alice.cloud.image(registration.image_id)
            assert record.glance_property("os_glance_failed_import") == ""
            with pytest.raises(RegistrationFailedError) as caught:
                registration.wait(timeout=5)
            assert caught.value.reason == reason
        assert best_of(lambda: noticed_after(local_cloud, client, file_server, 1), 2) <= 2
        assert image_ids(local_cloud) == before

        image = alice.register(new(disk(file_server), disk_format="qcow2", checksum=SHA256))
        assert (image.state, image.stores) == ("ACTIVE", ())
        streamed = client("alice", transfer="stream").register(new(disk(file_server)))
        assert streamed.state == "ACTIVE"
        for done in (image, streamed):
            alice.delete(done)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("methods", ["[glance-direct]", "[]"])
def test_a_glance_without_web_download(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, methods: str
) -> None:
    """Or without any import at all."""
    with local_cloud.configured("glance", {"DEFAULT": {"enabled_import_methods": methods}}):
        with pytest.raises(RegistrationFailedError, match="stream"):
            client("alice", transfer="import").register(new(disk(file_server)))
        image = client("alice").register(new(disk(file_server)))
        assert image.state == "ACTIVE"
        client("alice").delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_glances_default_filter(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    """As it is shipped, it lets ports 80 and 443 pass only."""
    options = {"import_filtering_opts": {"allowed_ports": None, "disallowed_ports": None}}
    with local_cloud.configured("glance", options):
        with pytest.raises(RegistrationFailedError, match="import_filtering_opts"):
            client("alice", transfer="import").register(new(disk(file_server)))
        image = client("alice").register(new(disk(file_server)))
        assert image.state == "ACTIVE"
        client("alice").delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_a_second_store_that_cannot_be_written(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """What the first store has by then goes, too."""
    with (
        local_cloud.configured("glance", {"slow": {"filesystem_store_datadir": "/proc/nowhere"}}),
        pytest.raises(RegistrationFailedError) as caught,
    ):
        client("alice").register(new(disk(file_server), stores=("fast", "slow")), timeout=scaled(30))

    assert caught.value.reason == "glance"


@pytest.mark.usefixtures("nothing_left")
def test_an_image_larger_than_glance_takes(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """A stream shows the reason; for an import, Glance only reports that it failed."""
    reasons = []
    with local_cloud.configured("glance", {"DEFAULT": {"image_size_cap": 100_000}}):
        for transfer in ("stream", "import"):
            with pytest.raises(RegistrationFailedError) as caught:
                client("alice", transfer=transfer).register(new(disk(file_server)))
            reasons.append(caught.value.reason)

    assert reasons == [UrlProblem.TOO_LARGE, "glance"]


def test_imports_that_wait_for_a_thread(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    """With every thread of Glance's held by a slow download, the next import is pending: waiting, not failed."""
    held = slow(file_server)
    alice = client("alice")
    with local_cloud.configured("glance", {"wsgi": {"task_pool_threads": 1}}):
        first = alice.start_registration(new(held.url))
        held.wait_until_reached()
        second = alice.start_registration(new(disk(file_server)))
        with pytest.raises(WaitTimeoutError) as caught:
            second.wait(timeout=3)
        assert "busy" in caught.value.last_seen.message  # type: ignore[attr-defined]
        held.release()
        assert first.wait().state == "ACTIVE"
        assert second.wait().state == "ACTIVE"
        for registration in (first, second):
            registration.cancel()


@pytest.mark.usefixtures("nothing_left")
def test_a_glance_that_cannot_stage(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    """It fails promptly, whether the task does or the request. Such a Glance deletes no record, either."""
    options: Options = {
        "os_glance_staging_store": {"filesystem_store_datadir": "/proc/nowhere"},
        "DEFAULT": {"node_staging_uri": "file:///proc/nowhere"},
    }
    with (
        local_cloud.configured("glance", options),
        pytest.raises(RegistrationFailedError) as caught,
    ):
        client("alice", transfer="import").register(new(disk(file_server)), timeout=scaled(30))

    assert caught.value.reason == "glance"
    (note,) = caught.value.__notes__
    assert f"{caught.value.image_id} could not be deleted" in note
    client("alice").delete(str(caught.value.image_id))


@pytest.fixture
def converter(tools: Path) -> Iterator[None]:
    with qemu_img(tools):
        yield


@pytest.mark.usefixtures("converter", "nothing_left")
def test_a_glance_that_converts(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer) -> None:
    """Glance's digest is of its own output, not of the publisher's file: unverifiable, never wrong."""
    alice = client("alice")
    url = disk(file_server)
    reasons = []
    with local_cloud.configured("glance", CONVERSION):
        done = [alice.register(new(url))]
        for checksum in (SHA256, f"sha512:{hashlib.sha512(samples.data('disk.qcow2')).hexdigest()}"):
            registration = alice.start_registration(new(url, checksum=checksum))
            lost = alice.start_registration(new(url, checksum=checksum))
            until_phase(lost, Phase.READY)
            for begun in (registration, alice.resume_registration(lost.image_id)):
                with pytest.raises(RegistrationFailedError) as caught:
                    begun.wait()
                reasons.append(caught.value.reason)
            alice.delete(lost.image_id)  # what was ready when its wait was taken up is kept
        done.append(client("alice", transfer="stream").register(new(url, checksum=SHA256)))

    assert reasons == ["unverifiable"] * 4
    assert [(image.disk_format, image.state) for image in done] == [("raw", "ACTIVE"), ("qcow2", "ACTIVE")]
    for image in done:
        alice.delete(image)


# ----------------------------------------------------------------- names that MariaDB holds to be one


@pytest.mark.usefixtures("nothing_left")
def test_names_that_differ_in_case_alone(
    client: ClientFactory, file_server: FileServer, pytestconfig: pytest.Config
) -> None:
    alice, both = client("alice"), {"Abc": "1", "abc": "2"}
    image = alice.register(new(disk(file_server), properties={"Abc": "1"}))
    if pytestconfig.getoption("--database") == "mariadb":
        with pytest.raises(ServiceUnavailableError):
            alice.register(new(disk(file_server), properties=both))
        with pytest.raises(ServiceUnavailableError):
            alice.update(image, properties={"abc": "2"})
        both = {"Abc": "1"}
    else:
        alice.update(image, properties={"abc": "2"})

    assert alice.image(image.id).properties == both
    alice.delete(image)


# ----------------------------------------------------------------- lost answers


def lossy(local_cloud: LocalCloud, fate: Fate, *, creation: str = "/images$") -> LossyProxy:
    return LossyProxy(local_cloud.url("glance"), [fate], service="image", creation=creation)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("fate", ["cut_early", "cut_late", "bad_gateway"])
@pytest.mark.parametrize("request_path", ["/images$", "/import$"])
def test_a_lost_answer_makes_no_image_twice(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, request_path: str, fate: Fate
) -> None:
    request = new(disk(file_server))
    with lossy(local_cloud, fate, creation=request_path) as proxy:
        image = proxy.client(local_cloud.session("alice"), client.settings).register(request)
        for _ in range(2):
            assert proxy.answered.acquire(timeout=scaled(30))

    assert proxy.creations == 2
    assert (image.state, image.size) == ("ACTIVE", len(samples.data("disk.qcow2")))
    assert named(client, request.name) == [image.id]
    client("alice").delete(image)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("fate", ["cut_early", "cut_late", "bad_gateway"])
def test_control_c_after_a_lost_answer(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, fate: Fate
) -> None:
    """It comes while the library pauses before it asks again."""
    interrupted = threading.Event()

    def interrupt(_: float) -> None:
        assert not interrupted.is_set()
        interrupted.set()
        raise KeyboardInterrupt

    settings = Settings(url_policy=LOOPBACK, pace=Pace(sleep=interrupt))
    request = new(disk(file_server))
    with lossy(local_cloud, fate) as proxy:
        with pytest.raises(KeyboardInterrupt):
            proxy.client(local_cloud.session("alice"), settings).register(request)
        # What was cut off may reach Glance's database later than what came after it.
        for _ in range(2):
            assert proxy.answered.acquire(timeout=scaled(30))

    assert interrupted.is_set()
    assert named(client, request.name) == []


@pytest.mark.usefixtures("nothing_left")
def test_control_c_while_no_answer_comes(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    request = new(disk(file_server))
    main = threading.main_thread().ident
    assert main is not None
    with lossy(local_cloud, "hold") as proxy:

        def interrupt() -> None:
            if proxy.received.acquire(timeout=scaled(30)):
                signal.pthread_kill(main, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            proxy.client(local_cloud.session("alice"), client.settings).register(request)
        thread.join()
        for _ in range(2):
            assert proxy.answered.acquire(timeout=scaled(30))

    assert named(client, request.name) == []


# ----------------------------------------------------------------- crashes


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("step", CALLER_STEPS)
def test_a_killed_caller(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str, ending: str
) -> None:
    survive_a_killed_caller(local_cloud, client, file_server, step, ending)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", [(step, packed) for step in UPLOADER_STEPS for packed in (False, True)])
def test_a_killed_uploader(
    local_cloud: LocalCloud, client: ClientFactory, tmp_path: Path, case: tuple[str, bool], ending: str
) -> None:
    step, packed = case
    survive_a_killed_uploader(local_cloud, client, tmp_path, step, ending, packed=packed)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("step", GLANCE_STEPS)
def test_a_killed_glance(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, step: str, ending: str
) -> None:
    survive_a_killed_glance(local_cloud, client, file_server, step, ending)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_control_c(local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    held = slow(file_server)
    name = unique("interrupted")
    process = start(
        local_cloud, {"name": name, "url": held.url, "disk_format": "qcow2"}, settings={"transfer": transfer}
    )
    until(lambda: process.poll() is not None or named(client, name))
    assert process.poll() is None
    held.wait_until_reached()

    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    held.release()
    _, errors = process.communicate(timeout=scaled(60))

    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert named(client, name) == []


# ----------------------------------------------------------------- races


@pytest.mark.usefixtures("nothing_left")
def test_twenty_processes_against_room_for_five(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    race(local_cloud, client, file_server, processes=20, room=5)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("checksum", [None, "sha256"])
def test_streaming_takes_constant_memory(client: ClientFactory, file_server: FileServer, checksum: str | None) -> None:
    size = 64 * 1024 * 1024
    digest = hashlib.new(checksum, bytes(size)).hexdigest() if checksum else ""
    request = new(
        file_server.serve("/big.raw", BigBody(size)),
        disk_format="raw",
        checksum=f"{checksum}:{digest}" if checksum else None,
    )
    alice = client("alice", transfer="stream")

    tracemalloc.start()
    try:
        image = alice.register(request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert image.size == size
    assert peak < size / 4
    alice.delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_a_stream_larger_than_the_quota_that_glance_would_take(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(64 * 1024 * 1024, samples.data("disk.qcow2")), chunked=True)
    client("admin").set_quota("dept-a", image_size_mib=3)
    try:
        with pytest.raises(QuotaExceededError) as caught:
            client("alice", transfer="stream").register(new(url))
    finally:
        client("admin").set_quota("dept-a", image_size_mib=None)

    assert caught.value.resource == "image_size_mib"
