"""Failed registrations: each raises the error that says why, and leaves what the caller chose."""

from __future__ import annotations

import hashlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest
import trustme

from hyperx_glance import (
    ChecksumMismatchError,
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NewIso,
    Phase,
    RegistrationFailedError,
    UrlProblem,
    UrlRejectedError,
)
from hyperx_glance.testing.timing import scaled
from hyperx_glance.texts import Text
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, CloudUnderTest, image_ids, unique
from tests.support.file_server import FileServer
from tests.support.interference import Interference
from tests.support.registrations import BLIND, Format, Steps, cut_late, disk, new


def another_authority(_: FileServer) -> str:
    """Serve by TLS with an untrusted authority; the server lives as long as the process."""
    server = FileServer(authority=trustme.CA())
    server.__enter__()
    SERVERS.append(server)
    return disk(server)


SERVERS: list[FileServer] = []


@pytest.fixture(autouse=True)
def _close_servers() -> Iterator[None]:
    yield
    while SERVERS:
        SERVERS.pop().close()


BAD_URLS: dict[str, tuple[Callable[[FileServer], str], UrlProblem]] = {
    "404": (lambda server: server.fail("/a", 404), UrlProblem.HTTP_STATUS),
    "403": (lambda server: server.fail("/a", 403), UrlProblem.HTTP_STATUS),
    "500": (lambda server: server.fail("/a", 500), UrlProblem.HTTP_STATUS),
    "no such name": (lambda _: "http://nowhere.invalid/disk.qcow2", UrlProblem.NAME_NOT_FOUND),
    "refused": (lambda server: server.refusing_url("/a"), UrlProblem.REFUSED),
    "hung up": (lambda server: server.hang_up("/a"), UrlProblem.REFUSED),
    "tls": (another_authority, UrlProblem.TLS),
    "cut short": (
        lambda server: server.cut("/a", samples.data("disk.qcow2"), after=1000),
        UrlProblem.TRUNCATED,
    ),
    "redirect loop": (lambda server: server.redirect_loop("/a"), UrlProblem.REDIRECT_LOOP),
    "redirect to a denied place": (
        lambda server: server.redirect("/a", "http://127.0.0.9:9/disk"),
        UrlProblem.DENIED_ADDRESS,
    ),
    "page": (lambda server: server.page("/a"), UrlProblem.HTML),
    "other format": (lambda server: disk(server, "disk.raw"), UrlProblem.WRONG_FORMAT),
    "iso": (lambda server: disk(server, "installer.iso"), UrlProblem.WRONG_FORMAT),
    "backing file": (lambda server: disk(server, "backed.qcow2"), UrlProblem.UNSAFE_IMAGE),
    "data file": (lambda server: disk(server, "external.qcow2"), UrlProblem.UNSAFE_IMAGE),
    "empty": (lambda server: server.serve("/a", b""), UrlProblem.EMPTY),
}


IMPORTED_UNSEEN = pytest.mark.needs("formats-checked")
"""What this library lets Glance import without a look, where Glance looks."""


ONLY_FOUND_BY_PREFLIGHT: dict[str, tuple[Callable[[FileServer], str], Format, UrlProblem]] = {
    "silence": (lambda server: server.hold("/a").url, "qcow2", UrlProblem.TIMEOUT),
    "qcow2 declared raw": (disk, "raw", UrlProblem.WRONG_FORMAT),
    "page declared raw": (lambda server: server.page("/a"), "raw", UrlProblem.HTML),
    "empty file declared raw": (lambda server: server.serve("/a", b""), "raw", UrlProblem.EMPTY),
}


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("case", BAD_URLS)
def test_a_bad_url_is_told_before_anything_is_created(
    client: ClientFactory, file_server: FileServer, case: str
) -> None:
    serve, reason = BAD_URLS[case]

    with pytest.raises(UrlRejectedError) as caught:
        client("alice").register(new(serve(file_server), disk_format="qcow2"))

    assert caught.value.reason == reason
    assert caught.value.hint


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("case", ONLY_FOUND_BY_PREFLIGHT)
def test_preflight_reports_problems_that_glance_does_not_notice(
    client: ClientFactory, file_server: FileServer, case: str
) -> None:
    serve, declared, reason = ONLY_FOUND_BY_PREFLIGHT[case]

    with pytest.raises(UrlRejectedError) as caught:
        client("alice").register(new(serve(file_server), disk_format=declared))

    assert caught.value.reason == reason


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("case", "transfer"),
    [
        *((case, "auto") for case in BAD_URLS),
        *((case, "stream") for case in ("404", "refused", "cut short", "page", "backing file")),
        pytest.param("no such name", "import", marks=IMPORTED_UNSEEN),
    ],
)
def test_a_bad_url_is_told_where_glance_alone_fails(
    client: ClientFactory, file_server: FileServer, case: str, transfer: str
) -> None:
    serve, reason = BAD_URLS[case]

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND, transfer=transfer).register(
            new(serve(file_server), disk_format="qcow2"), timeout=scaled(20)
        )

    assert caught.value.reason == reason
    assert caught.value.image_id in str(caught.value)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_a_body_cut_short_behind_what_preflight_reads(
    client: ClientFactory, file_server: FileServer, transfer: str
) -> None:
    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", transfer=transfer).register(new(cut_late(file_server)))

    assert caught.value.reason == UrlProblem.TRUNCATED


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("after", [-1, 180_000])
def test_a_server_that_falls_silent_while_streaming(client: ClientFactory, file_server: FileServer, after: int) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=after)
    policy = BLIND.model_copy(update={"timeout_seconds": 0.5})

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=policy, transfer="stream").register(
            new(held.url, disk_format="qcow2"), timeout=scaled(30)
        )

    assert caught.value.reason == UrlProblem.TIMEOUT
    held.release()


@pytest.mark.usefixtures("nothing_left")
def test_an_iso_that_is_none(client: ClientFactory, file_server: FileServer) -> None:
    url = disk(file_server)

    with pytest.raises(UrlRejectedError, match="NewImage"):
        client("alice").register(NewIso(name=unique("iso"), url=url))
    with pytest.raises(RegistrationFailedError, match="not an ISO"):
        client("alice", url_policy=BLIND).register(NewIso(name=unique("iso"), url=url))


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", UrlProblem.DENIED_ADDRESS),
        ("http://0xa9fea9fe/latest/meta-data", UrlProblem.DENIED_ADDRESS),
        ("http://[::ffff:169.254.169.254]/", UrlProblem.DENIED_ADDRESS),
    ],
)
@pytest.mark.parametrize("preflight", [True, False])
def test_denied_places_are_denied_without_preflight_too(
    client: ClientFactory,
    url: str,
    reason: UrlProblem,
    preflight: bool,  # noqa: FBT001
) -> None:
    policy = LOOPBACK.model_copy(update={"preflight": preflight})

    with pytest.raises(UrlRejectedError) as caught:
        client("alice", url_policy=policy).register(new(url, disk_format="raw"))

    assert caught.value.reason == reason


@pytest.mark.usefixtures("nothing_left")
def test_without_preflight_the_format_must_be_given(client: ClientFactory, file_server: FileServer) -> None:
    with pytest.raises(InvalidRequestError, match="disk_format"):
        client("alice", url_policy=BLIND).register(new(disk(file_server)))


@IMPORTED_UNSEEN
@pytest.mark.usefixtures("nothing_left")
def test_a_url_that_glances_filter_refuses(client: ClientFactory) -> None:
    url = "http://alice:5ecre7@127.0.0.1:22/disk.qcow2?X-Amz-Signature=5ecre7".replace("alice:5ecre7@", "")

    with pytest.raises(RegistrationFailedError, match="filter") as caught:
        client("alice", url_policy=BLIND, transfer="import").register(new(url, disk_format="qcow2"))

    assert "import_filtering_opts" in caught.value.hint
    assert "5ecre7" not in str(caught.value)
    assert "5ecre7" not in str(caught.value.__cause__)


@pytest.mark.usefixtures("nothing_left")
def test_a_store_that_is_not_there(client: ClientFactory, file_server: FileServer) -> None:
    with pytest.raises(InvalidRequestError, match=r"stores: .*nowhere.*fast.*slow"):
        client("alice").register(new(disk(file_server), stores=("nowhere",)))


@pytest.mark.usefixtures("nothing_left")
def test_streaming_fills_one_store(client: ClientFactory, file_server: FileServer) -> None:
    url, stores = disk(file_server), ("fast", "slow")
    with pytest.raises(InvalidRequestError, match="stores"):
        client("alice", transfer="stream").register(new(url, stores=stores))
    with pytest.raises(InvalidRequestError, match="stores"):
        client("alice").register(new(url.replace("//", "//alice:5ecre7@"), stores=stores))


def test_a_url_with_login_is_streamed(client: ClientFactory, file_server: FileServer) -> None:
    url = disk(file_server).replace("//", "//alice:5ecre7@")

    image = client("alice").register(new(url))

    assert (image.state, image.url) == ("ACTIVE", file_server.url("/disk.qcow2"))
    assert image.glance_property("hyperx_url_stripped") == "true"
    with pytest.raises(InvalidRequestError, match="log in"):
        client("alice", transfer="import").register(new(url))


@pytest.mark.parametrize(
    ("case", "transfer", "failure"),
    [
        pytest.param("404", "import", "The server answers 404", marks=IMPORTED_UNSEEN),
        ("404", "stream", "The server answers 404"),
        pytest.param("cut late", "import", "cut the file short", marks=IMPORTED_UNSEEN),
        ("cut late", "stream", "cut the file short"),
        pytest.param("other format", "import", "not qcow2", marks=IMPORTED_UNSEEN),
        ("other format", "stream", "not qcow2"),
    ],
)
def test_a_failed_record_can_be_kept(
    client: ClientFactory, file_server: FileServer, case: str, transfer: str, failure: str
) -> None:
    alice = client("alice", url_policy=BLIND, transfer=transfer)
    serve, reason = (BAD_URLS | {"cut late": (cut_late, UrlProblem.TRUNCATED)})[case]

    with pytest.raises(RegistrationFailedError) as caught:
        alice.register(new(serve(file_server), disk_format="qcow2"), keep_failed=True)

    assert caught.value.reason == reason
    image = alice.cloud.image(caught.value.image_id)
    assert (image.state, image.phase) == ("INACTIVE", "failed")
    assert failure in image.failure
    assert image.failure.rstrip(".") in str(caught.value)
    with pytest.raises(ConflictError, match=failure):
        alice.resume_registration(image)


def test_a_protected_record_goes_too(client: ClientFactory, file_server: FileServer, cloud: CloudUnderTest) -> None:
    before = image_ids(cloud)

    with pytest.raises(RegistrationFailedError):
        client("alice", url_policy=BLIND).register(
            new(file_server.fail("/a", 404), disk_format="qcow2", protected=True)
        )

    assert image_ids(cloud) == before


@IMPORTED_UNSEEN
def test_a_handle_shows_the_failure_before_wait_tells_it(client: ClientFactory, file_server: FileServer) -> None:
    registration = client("alice", url_policy=BLIND, transfer="import").start_registration(
        new(file_server.fail("/a", 404), disk_format="qcow2")
    )
    for _ in range(200):
        progress = registration.progress()
        if progress.phase is Phase.FAILED:
            break
        threading.Event().wait(0.02)

    assert (progress.phase, progress.explanation) == (Phase.FAILED, "Task failed due to Internal Error")
    for _ in "told again":
        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()
        assert caught.value.reason == UrlProblem.HTTP_STATUS


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("algorithm", "transfer", "keep_failed"),
    [("md5", "import", False), ("sha256", "import", True), ("sha512", "import", False), ("sha256", "stream", True)],
)
def test_a_wrong_checksum(
    client: ClientFactory,
    file_server: FileServer,
    algorithm: str,
    transfer: str,
    keep_failed: bool,  # noqa: FBT001
) -> None:
    right = hashlib.new(algorithm, samples.data("disk.qcow2")).hexdigest()
    wrong = f"{algorithm}:{'0' * len(right)}"

    with pytest.raises(ChecksumMismatchError) as caught:
        client("alice", transfer=transfer).register(new(disk(file_server), checksum=wrong), keep_failed=keep_failed)

    assert (caught.value.expected, caught.value.actual) == (wrong, f"{algorithm}:{right}")


@IMPORTED_UNSEEN
def test_a_reply_that_changes_between_check_and_use(client: ClientFactory, file_server: FileServer) -> None:
    """Preflight saw a disk; what Glance got was a page."""
    url = disk(file_server)
    alice = client("alice")
    request = new(url)
    begun = Steps(alice, request)
    file_server.page("/disk.qcow2")

    with pytest.raises(RegistrationFailedError) as caught:
        begun.start().wait()

    assert caught.value.reason == UrlProblem.HTML


def test_a_kept_record_is_named_where_the_department_s_usage_cannot_be_read_again(
    client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice")
    between = Interference(alice)

    def denied() -> None:
        raise InvalidRequestError(Text("Not any more."))

    between.after("GET", "/info/usage", lambda: between.before("GET", "/info/usage", denied, times=-1))
    with pytest.raises(InvalidRequestError) as caught:
        alice.register(new(disk(file_server)), keep_failed=True)

    (name,) = caught.value.left
    assert name == f"image {caught.value.image_id}"
    assert alice.image(str(caught.value.image_id)).failure


def test_a_cancellation_whose_answer_is_lost_is_done(
    cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer
) -> None:
    alice = client("alice")
    registration = alice.start_registration(new(disk(file_server)))
    between = Interference(alice)
    between.lose("DELETE", "/images/")

    registration.cancel()

    # See "How many requests" in the guide: a deletion is safe to repeat.
    assert between.count("DELETE", "/images/") == 2
    assert registration.image_id not in image_ids(cloud)


@IMPORTED_UNSEEN
def test_no_secret_is_in_any_log(
    client: ClientFactory, file_server: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "?X-Amz-Signature=5ecre7&X-Amz-Credential=5ecre7&sig=5ecre7&X-Goog-Signature=5ecre7"
    alice = client("alice", url_policy=BLIND)
    good, bad = disk(file_server) + secret, file_server.fail("/a", 404) + secret

    image = alice.register(new(good, disk_format="qcow2"))
    registration = alice.start_registration(new(good, disk_format="qcow2"))
    registration.wait()
    client("alice", transfer="stream").register(new(good.replace("//", "//alice:5ecre7@")))
    errors = []
    for transfer in ("import", "stream"):
        with pytest.raises(RegistrationFailedError) as caught:
            client("alice", url_policy=BLIND, transfer=transfer).register(new(bad, disk_format="qcow2"))
        errors.append(caught.value)

    shown = [caplog.text, repr(registration), repr(image), image.model_dump_json(), repr(new(good)), *map(str, errors)]
    shown += [repr(error) + str(error.__cause__) + str(vars(error)) for error in errors]
    assert not [text for text in shown if "5ecre7" in text]


SECRETS = "?X-Amz-Signature=5ecre7&X-Amz-Credential=5ecre7&sig=5ecre7&X-Goog-Signature=5ecre7"


def with_login(url: str) -> str:
    return url.replace("//", "//5ecre7user:5ecre7@")


SIGNED_URLS: dict[str, Callable[[FileServer], str]] = {
    "cut late": cut_late,
    "redirect": lambda server: server.redirect("/a", with_login("http://169.254.169.254/disk") + SECRETS),
    "filtered": lambda _: "http://127.0.0.1:22/disk.qcow2",
}


def traceback_of(failing: Callable[[], object]) -> str:
    with pytest.raises(HyperxGlanceError) as caught:
        failing()
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("case", SIGNED_URLS)
def test_no_secret_is_in_any_traceback(client: ClientFactory, file_server: FileServer, case: str) -> None:
    url = SIGNED_URLS[case](file_server) + SECRETS
    request, with_password = (new(each, disk_format="qcow2") for each in (url, with_login(url)))
    importing, streaming = (client("alice", url_policy=BLIND, transfer=each) for each in ("import", "stream"))

    shown = [
        traceback_of(lambda: importing.register(request, timeout=scaled(30))),
        traceback_of(lambda: importing.register(with_password)),
        traceback_of(lambda: streaming.register(with_password, timeout=scaled(30))),
        traceback_of(lambda: client("alice").register(with_password)),
    ]

    assert not [text for text in shown if "5ecre7" in text]
