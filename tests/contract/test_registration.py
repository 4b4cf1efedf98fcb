"""Registering, on the cloud in memory and on the real one."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal

import pytest
import trustme

from hyperx_glance import (
    ChecksumMismatchError,
    Client,
    ConflictError,
    HyperxGlanceError,
    Image,
    InvalidRequestError,
    NewImage,
    NewIso,
    NotAllowedError,
    NotFoundError,
    Phase,
    Progress,
    QuotaExceededError,
    QuotaLimits,
    Registration,
    RegistrationFailedError,
    ServiceUnavailableError,
    UrlProblem,
    UrlRejectedError,
    WaitTimeoutError,
)
from hyperx_glance.mapping import new_image_body
from hyperx_glance.registration import checking, creation
from hyperx_glance.registration.order import Deadline, Site
from hyperx_glance.registration.record import Record
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.clouds import LOOPBACK, ClientFactory, CloudUnderTest, image_ids, unique
from tests.file_server import BigBody, FileServer
from tests.interference import Interference, interrupt, unreachable

BLIND = LOOPBACK.model_copy(update={"preflight": False})
Format = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi"]


@pytest.fixture
def nothing_left(cloud: CloudUnderTest) -> Iterator[None]:
    """Fail where a test leaves a record behind."""
    before = image_ids(cloud)
    yield
    assert image_ids(cloud) == before


def disk(server: FileServer, name: str = "disk.qcow2", path: str = "/disk.qcow2") -> str:
    return server.serve(path, samples.data(name))


def cut_late(server: FileServer) -> str:
    """Cut a file short behind what preflight reads."""
    return server.cut("/cut.qcow2", samples.data("disk.qcow2"), after=300_000)


def new(url: str, *, disk_format: Format | None = None, **fields: object) -> NewImage:
    return NewImage.model_validate({"name": unique("image"), "url": url, "disk_format": disk_format, **fields})


class Steps:
    """Take the steps of `start_registration` one by one: the checks are made now."""

    def __init__(self, client: Client, request: NewImage) -> None:
        site = Site(client.cloud, client._departments, client.settings)
        self._request = request
        self._record = Record(site, checking.check(site, request, keep_failed=False), own=True)

    def start(self) -> Registration:
        return creation.start(self._record, self._request, Deadline(time.monotonic))


@contextmanager
def limits(client: ClientFactory, department: str, values: QuotaLimits) -> Iterator[None]:
    """Change a department's limits for a while."""
    admin = client("admin")
    admin.set_quota(department, **values)
    try:
        yield
    finally:
        admin.set_quota(department, **dict.fromkeys(values))


def until(condition: Callable[[], bool]) -> None:
    """Wait, for half a minute at most."""
    pause = threading.Event()
    assert any(condition() or pause.wait(0.02) for _ in range(1500))


def images_used(client: ClientFactory) -> int:
    usage = client("admin").quota("dept-a").images
    assert usage is not None
    return usage.used


# ----------------------------------------------------------------- success


@pytest.mark.parametrize(
    ("sample", "declared", "transfer"),
    [
        ("disk.qcow2", None, "import"),
        ("disk.raw", "raw", "import"),
        ("partitioned.raw", None, "import"),
        ("disk.vmdk", "vmdk", "import"),
        ("stream.vmdk", None, "import"),
        ("disk.vhd", None, "import"),
        ("disk.vhdx", "vhdx", "import"),
        ("disk.vdi", None, "import"),
        ("disk.qcow2", None, "stream"),
        ("disk.raw", "raw", "stream"),
        ("stream.vmdk", "vmdk", "stream"),
    ],
)
def test_images_of_every_format(
    client: ClientFactory, file_server: FileServer, sample: str, declared: Format | None, transfer: str
) -> None:
    alice = client("alice", transfer=transfer)
    url = disk(file_server, sample)

    image = alice.register(new(url, disk_format=declared))

    assert (image.disk_format, image.state, image.phase) == (samples.DISK_FORMATS[sample], "ACTIVE", "ready")
    assert (image.size, image.url, image.category) == (len(samples.data(sample)), url, "private")
    assert (image.created_by, image.owner) == (alice.user_id, alice.project_id)
    assert alice.cloud.get("image", f"/images/{image.id}/file").content == samples.data(sample)


@pytest.mark.parametrize(("sample", "bootable"), [("installer.iso", True), ("hybrid.iso", True), ("data.iso", False)])
def test_isos(client: ClientFactory, file_server: FileServer, sample: str, bootable: bool) -> None:  # noqa: FBT001
    url = disk(file_server, sample)

    image = client("alice").register(NewIso(name=unique("iso"), url=url, bootable=bootable))

    assert (image.kind, image.disk_format, image.bootable, image.state) == ("iso", "iso", bootable, "ACTIVE")


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_https(
    cloud: CloudUnderTest, client: ClientFactory, tls_file_server: FileServer, ca_file: str, transfer: str
) -> None:
    if isinstance(cloud, InMemoryCloud):
        cloud.glance.ca_file = str(ca_file)
    policy = LOOPBACK.model_copy(update={"ca_file": str(ca_file)})

    image = client("alice", url_policy=policy, transfer=transfer).register(new(disk(tls_file_server)))

    assert image.state == "ACTIVE"


@pytest.mark.parametrize("transfer", ["import", "stream"])
@pytest.mark.parametrize("way", ["redirects", "chunked", "presigned", "non-ascii"])
def test_the_ways_of_real_servers(client: ClientFactory, file_server: FileServer, way: str, transfer: str) -> None:
    data = samples.data("disk.qcow2")
    url = file_server.serve(
        "/disk.qcow2", data, chunked=way == "chunked", head_status=403 if way == "presigned" else None
    )
    if way == "redirects":
        url = file_server.redirect_chain("/a", "/disk.qcow2", statuses=(301, 302, 307))
    if way == "presigned":
        url += "?X-Amz-Algorithm=AWS4&X-Amz-Signature=5ecre7&v=2"
    if way == "non-ascii":
        file_server.serve("/%E9%95%9C%E5%83%8F%20a.qcow2", data)
        url = file_server.url("/镜像%20a.qcow2")

    image = client("alice", transfer=transfer).register(new(url))

    assert (image.state, image.size) == ("ACTIVE", len(data))
    if way == "presigned":
        assert image.url == file_server.url("/disk.qcow2?v=2")


def test_the_largest_record_that_glance_takes(client: ClientFactory, file_server: FileServer) -> None:
    """It takes 128 properties at creation, of which two are this library's."""
    name = "镜像☕" + "é" * 252
    tags = {f"标签{number}" for number in range(128)}
    properties = {f"key{number}": f"值{number}" for number in range(126)}

    image = client("alice").register(new(disk(file_server), name=name, tags=tags, properties=properties))

    assert (image.name, set(image.tags), image.properties) == (name, tags, properties)


@pytest.mark.usefixtures("nothing_left")
def test_a_property_more_than_glance_takes(client: ClientFactory, file_server: FileServer) -> None:
    properties = {f"key{number}": "value" for number in range(127)}

    with pytest.raises(InvalidRequestError, match="Maximum: 128"):
        client("alice").register(new(disk(file_server), properties=properties))


@pytest.mark.usefixtures("nothing_left")
def test_a_character_that_glance_does_not_store(client: ClientFactory, file_server: FileServer) -> None:
    """Glance takes emoji of three bytes in UTF-8, not those of four (glance/common/utils.py, no_4byte_params)."""
    with pytest.raises(InvalidRequestError, match="4 byte"):
        client("alice").register(new(disk(file_server), name="Tux 🐧"))


def test_every_field_is_kept(client: ClientFactory, file_server: FileServer) -> None:
    fields = {
        "description": "A disk\nfor 测试",
        "password_enabled": True,
        "admin_user": "debian",
        "os_name": "Debian GNU/Linux 12",
        "os_distro": "debian",
        "os_version": "12",
        "os_type": "linux",
        "hypervisor": "KVM",
        "architecture": "x86_64",
        "min_disk_gib": 2,
        "min_ram_mib": 512,
        "protected": True,
    }

    image = client("alice").register(
        NewImage.model_validate({"name": unique("image"), "url": disk(file_server), **fields})
    )

    assert {key: getattr(image, key) for key in fields} == fields


@pytest.mark.parametrize("category", ["private", "public"])
@pytest.mark.parametrize("user", ["alice", "admin"])
def test_categories_at_creation(client: ClientFactory, file_server: FileServer, user: str, category: str) -> None:
    assert client(user).register(new(disk(file_server), category=category)).category == category


def test_an_administrator_features_at_creation(client: ClientFactory, file_server: FileServer) -> None:
    image = client("admin").register(new(disk(file_server), category="featured"))

    assert image.category == "featured"
    assert client("bob").cloud.image(image.id).category == "featured"


@pytest.mark.usefixtures("nothing_left")
def test_a_member_may_not_feature(client: ClientFactory, file_server: FileServer) -> None:
    with pytest.raises(NotAllowedError):
        client("alice").register(new(disk(file_server), category="featured"))

    assert file_server.requests == []


@pytest.mark.usefixtures("nothing_left")
def test_a_reader_may_not_register(client: ClientFactory, file_server: FileServer) -> None:
    with pytest.raises(NotAllowedError):
        client("rita").register(new(disk(file_server)))


def test_an_administrator_registers_for_a_department(client: ClientFactory, file_server: FileServer) -> None:
    image = client("admin").register(new(disk(file_server), owner="dept-b"))

    bob = client("bob")
    assert image.owner == bob.project_id
    assert bob.cloud.image(image.id).category == "private"


@pytest.mark.usefixtures("nothing_left")
def test_a_member_may_not_register_for_another_department(client: ClientFactory, file_server: FileServer) -> None:
    with pytest.raises(NotAllowedError):
        client("alice").register(new(disk(file_server), owner="dept-b"))


def test_a_member_may_name_the_own_department(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")

    assert alice.register(new(disk(file_server), owner="dept-a")).owner == alice.project_id


@pytest.mark.parametrize(
    ("transfer", "stores"), [("import", ("slow",)), ("import", ("fast", "slow")), ("stream", ("slow",))]
)
def test_named_stores(client: ClientFactory, file_server: FileServer, transfer: str, stores: tuple[str, ...]) -> None:
    image = client("alice", transfer=transfer).register(new(disk(file_server), stores=stores))

    assert set(image.stores) == set(stores)
    assert image.phase == "ready"


def test_an_id_of_the_callers_own(client: ClientFactory, file_server: FileServer) -> None:
    chosen = str(uuid.uuid4())

    assert client("alice").register(new(disk(file_server), id=chosen)).id == chosen
    with pytest.raises(ConflictError, match=chosen):
        client("alice").register(new(disk(file_server), id=chosen))
    assert client("alice").cloud.image(chosen).state == "ACTIVE"


def test_progress_is_told(client: ClientFactory, file_server: FileServer) -> None:
    told: list[Progress] = []
    size = len(samples.data("disk.qcow2"))

    client("alice").register(new(disk(file_server)), on_progress=told.append)

    assert (told[-1].phase, told[-1].bytes_expected, told[-1].bytes_done) == (Phase.READY, size, size)
    assert all(progress.bytes_done is None for progress in told if progress.phase is Phase.DOWNLOADING)


def test_progress_of_a_stream_is_exact(client: ClientFactory, file_server: FileServer) -> None:
    told: list[Progress] = []
    size = 5 * 1024 * 1024 + 17
    url = file_server.serve("/big.raw", BigBody(size, b"not a disk format"))

    client("alice", transfer="stream").register(new(url, disk_format="raw"), on_progress=told.append)

    sent = [progress.bytes_done for progress in told if progress.phase is Phase.STORING]
    assert sent == sorted(sent, key=lambda done: done or 0)
    assert sent[-1] == size
    assert len(set(sent)) > 4
    assert all(progress.bytes_expected == size for progress in told)


def test_a_handle_can_be_looked_at_and_waited_for(client: ClientFactory, file_server: FileServer) -> None:
    registration = client("alice").start_registration(new(disk(file_server)))

    assert registration.progress().phase in (Phase.REGISTERED, Phase.DOWNLOADING, Phase.STORING, Phase.READY)
    image = registration.wait()

    assert (image.id, image.state) == (registration.image_id, "ACTIVE")
    assert registration.progress().phase is Phase.READY
    assert repr(registration) == f"Registration(image_id='{image.id}')"


# ----------------------------------------------------------------- failure


def another_authority(_: FileServer) -> str:
    """Serve by TLS of an authority that nobody trusts; the server lives as long as the process."""
    server = FileServer(authority=trustme.CA())
    server._thread.daemon = True
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
        lambda server: server.redirect("/a", "http://169.254.169.254/disk"),
        UrlProblem.DENIED_ADDRESS,
    ),
    "page": (lambda server: server.page("/a"), UrlProblem.HTML),
    "other format": (lambda server: disk(server, "disk.raw"), UrlProblem.WRONG_FORMAT),
    "iso": (lambda server: disk(server, "installer.iso"), UrlProblem.WRONG_FORMAT),
    "backing file": (lambda server: disk(server, "backed.qcow2"), UrlProblem.UNSAFE_IMAGE),
    "data file": (lambda server: disk(server, "external.qcow2"), UrlProblem.UNSAFE_IMAGE),
    "empty": (lambda server: server.serve("/a", b""), UrlProblem.EMPTY),
}
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
def test_what_glance_would_not_notice_is_told_by_preflight(
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
        ("no such name", "import"),
    ],
)
def test_a_bad_url_is_told_where_glance_alone_fails(
    client: ClientFactory, file_server: FileServer, case: str, transfer: str
) -> None:
    serve, reason = BAD_URLS[case]

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND, transfer=transfer).register(
            new(serve(file_server), disk_format="qcow2"), timeout=20
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
        client("alice", url_policy=policy, transfer="stream").register(new(held.url, disk_format="qcow2"), timeout=30)

    assert caught.value.reason == UrlProblem.TIMEOUT
    held.release()


@pytest.mark.usefixtures("nothing_left")
def test_an_iso_that_is_none(client: ClientFactory, file_server: FileServer) -> None:
    url = disk(file_server)

    with pytest.raises(UrlRejectedError, match="NewImage"):
        client("alice").register(NewIso(name=unique("iso"), url=url))
    with pytest.raises(RegistrationFailedError, match="no ISO"):
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
    with pytest.raises(RegistrationFailedError, match="store"):
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
        ("404", "import", "The server answers 404"),
        ("404", "stream", "The server answers 404"),
        ("cut late", "import", "cut the file short"),
        ("cut late", "stream", "cut the file short"),
        ("other format", "import", "not qcow2"),
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
    assert image.failure in caught.value.message
    with pytest.raises(ConflictError, match=failure):
        alice.resume_registration(image)


def test_a_protected_record_goes_too(client: ClientFactory, file_server: FileServer, cloud: CloudUnderTest) -> None:
    before = image_ids(cloud)

    with pytest.raises(RegistrationFailedError):
        client("alice", url_policy=BLIND).register(
            new(file_server.fail("/a", 404), disk_format="qcow2", protected=True)
        )

    assert image_ids(cloud) == before


def test_a_handle_shows_the_failure_before_wait_tells_it(client: ClientFactory, file_server: FileServer) -> None:
    registration = client("alice", url_policy=BLIND).start_registration(
        new(file_server.fail("/a", 404), disk_format="qcow2")
    )
    for _ in range(200):
        progress = registration.progress()
        if progress.phase is Phase.FAILED:
            break
        threading.Event().wait(0.02)

    assert (progress.phase, progress.message) == (Phase.FAILED, "Task failed due to Internal Error")
    for _ in "told again":
        with pytest.raises(RegistrationFailedError) as caught:
            registration.wait()
        assert caught.value.reason == UrlProblem.HTTP_STATUS


# ----------------------------------------------------------------- checksums


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_a_right_checksum(client: ClientFactory, file_server: FileServer, algorithm: str, transfer: str) -> None:
    digest = hashlib.new(algorithm, samples.data("disk.qcow2")).hexdigest()

    image = client("alice", transfer=transfer).register(
        new(disk(file_server), checksum=f"{algorithm}:{digest.upper()}")
    )

    assert image.glance_property("hyperx_checksum") == f"{algorithm}:{digest}"


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


# ----------------------------------------------------------------- quotas


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_the_size(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(5 * 1024 * 1024 + 1, samples.data("disk.qcow2")))

    with limits(client, "dept-a", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(new(url))

    error = caught.value
    assert (error.department, error.resource, error.limit, error.requested) == ("dept-a", "image_size_mib", 5, 6)
    assert error.status is None


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_the_size_in_another_department(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(5 * 1024 * 1024 + 1, samples.data("disk.qcow2")))
    admin = client("admin")
    between = Interference(admin)

    with limits(client, "dept-b", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        admin.register(new(url, owner="dept-b"))

    error = caught.value
    assert (error.department, error.resource, error.limit, error.requested) == ("dept-b", "image_size_mib", 5, 6)
    assert between.count("POST", "") == 0


@pytest.mark.usefixtures("nothing_left")
def test_each_store_counts(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(3 * 1024 * 1024, samples.data("disk.qcow2")))

    with limits(client, "dept-a", {"image_size_mib": 5}), pytest.raises(QuotaExceededError) as caught:
        client("alice").register(new(url, stores=("fast", "slow")))

    assert caught.value.requested == 6


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("user", ["alice", "admin"])
def test_no_room_for_one_more(client: ClientFactory, file_server: FileServer, user: str) -> None:
    owner = "dept-a" if user == "admin" else None
    used = images_used(client)

    with limits(client, "dept-a", {"images": used}), pytest.raises(QuotaExceededError) as caught:
        client(user).register(new(disk(file_server), owner=owner))

    assert (caught.value.department, caught.value.resource, caught.value.requested) == ("dept-a", "images", 1)


def test_glances_own_refusal_at_import_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND)
    alice.register(new(disk(file_server, "disk.raw"), disk_format="raw"))

    with limits(client, "dept-a", {"image_size_mib": 0}), pytest.raises(QuotaExceededError) as caught:
        alice.register(new(disk(file_server), disk_format="qcow2"))

    assert (caught.value.department, caught.value.resource, caught.value.limit) == ("dept-a", "image_size_mib", 0)


@pytest.mark.usefixtures("nothing_left")
def test_a_stream_without_length_stops_at_the_remaining_quota(client: ClientFactory, file_server: FileServer) -> None:
    url = file_server.serve("/big", BigBody(20 * 1024 * 1024, samples.data("disk.qcow2")), chunked=True)

    with limits(client, "dept-a", {"image_size_mib": 2}), pytest.raises(QuotaExceededError) as caught:
        client("alice", transfer="stream").register(new(url))

    assert (caught.value.department, caught.value.resource) == ("dept-a", "image_size_mib")


@pytest.mark.usefixtures("nothing_left")
def test_glances_own_refusal_at_create_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    begun = Steps(client("alice"), new(disk(file_server)))
    used = images_used(client)

    with limits(client, "dept-a", {"images": used}), pytest.raises(QuotaExceededError) as caught:
        begun.start()

    error = caught.value
    assert (error.department, error.resource, error.limit, error.used) == ("dept-a", "images", used, used)
    assert (error.requested, error.status) == (1, 413)


@pytest.mark.usefixtures("nothing_left")
def test_glances_own_refusal_is_of_the_department_that_is_connected(
    client: ClientFactory, file_server: FileServer
) -> None:
    """Glance looks at the caller's quota, whoever shall own the image."""
    used = client("admin").quota().images
    assert used is not None
    begun = Steps(client("admin"), new(disk(file_server), owner="dept-b"))

    with limits(client, "admin", {"images": used.used}), pytest.raises(QuotaExceededError) as caught:
        begun.start()

    assert (caught.value.department, caught.value.resource, caught.value.used) == ("admin", "images", used.used)


@pytest.mark.usefixtures("nothing_left")
def test_glances_refusal_inside_the_task_is_the_same_error(client: ClientFactory, file_server: FileServer) -> None:
    """Preflight saw room; when Glance's task looks, somebody else has taken it."""
    alice = client("alice")
    begun = Steps(alice, new(disk(file_server)))
    between = Interference(alice)

    with limits(client, "dept-a", {"uploading": 0}), pytest.raises(QuotaExceededError) as caught:
        begun.start().wait()

    assert [status for method, path, status in between.answered if path.endswith("/import")] == [202]
    error = caught.value
    assert (error.department, error.resource, error.limit) == ("dept-a", "uploading", 0)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pass whatever is to be streamed: Glance alone looks at it."""
    monkeypatch.setattr("hyperx_glance.registration.streaming.urls.check", lambda *_: None)


@pytest.mark.usefixtures("nothing_left", "unchecked")
def test_glances_own_refusal_of_a_streams_size_is_the_same_error(
    client: ClientFactory, file_server: FileServer
) -> None:
    url = file_server.serve("/big", BigBody(3 * 1024 * 1024, samples.data("disk.qcow2")))
    usage = client("admin").quota("dept-a").image_size_mib
    assert usage is not None
    steps = Steps(client("alice", url_policy=BLIND, transfer="stream"), new(url, disk_format="qcow2"))

    with limits(client, "dept-a", {"image_size_mib": usage.used + 2}), pytest.raises(QuotaExceededError) as caught:
        steps.start().wait()

    error = caught.value
    assert (error.department, error.resource, error.limit) == ("dept-a", "image_size_mib", usage.used + 2)
    assert (error.service, error.status) == ("image", 413)


@pytest.mark.usefixtures("nothing_left", "unchecked")
@pytest.mark.parametrize(
    ("sample", "reason"), [("disk.raw", UrlProblem.WRONG_FORMAT), ("backed.qcow2", UrlProblem.UNSAFE_IMAGE)]
)
def test_glances_own_refusal_of_a_streams_format(
    client: ClientFactory, file_server: FileServer, sample: str, reason: UrlProblem
) -> None:
    url = disk(file_server, sample)

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice", url_policy=BLIND, transfer="stream").register(new(url, disk_format="qcow2"))

    error = caught.value
    assert (error.reason, error.service, error.status) == (reason, "image", 415)


# ----------------------------------------------------------------- cancelling


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
        registration.wait(timeout=20)

    assert caught.value.reason == "cancelled"
    canceller.join()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("raised", "transfer"),
    [(KeyboardInterrupt, "import"), (ZeroDivisionError, "import"), (KeyboardInterrupt, "stream"), (OSError, "stream")],
)
def test_what_the_callback_raises_cancels(
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


# ----------------------------------------------------------------- resuming


def left_behind(client: ClientFactory, request: NewImage, *, disk_format: str = "qcow2") -> str:
    """Create a record as a registration that died right afterwards, and give its id."""
    alice = client("alice")
    body = new_image_body(
        request,
        image_id=str(uuid.uuid4()),
        disk_format=disk_format,
        public_visibility="community",
        user_id=alice.user_id,
        owner=None,
    )
    return str(alice.cloud.post("image", "/images", json=body).json()["id"])


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_an_import_that_never_began_is_begun(client: ClientFactory, file_server: FileServer, transfer: str) -> None:
    alice = client("alice", transfer=transfer)
    image_id = left_behind(client, new(disk(file_server)))

    assert image_id in {image.id for image in alice.unfinished_registrations()}
    image = alice.resume_registration(image_id).wait()

    assert (image.id, image.state) == (image_id, "ACTIVE")
    assert image_id not in {image.id for image in alice.unfinished_registrations()}


def test_an_import_that_runs_is_followed(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=180_000)
    alice = client("alice")
    image_id = alice.start_registration(new(held.url)).image_id
    held.wait_until_reached()

    resumed = alice.resume_registration(image_id)
    again = alice.resume_registration(image_id)
    held.release()

    assert (resumed.wait().state, again.wait().state) == ("ACTIVE", "ACTIVE")


def test_an_upload_that_runs_is_left_alone(client: ClientFactory, file_server: FileServer) -> None:
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
    alice = client("alice", transfer="stream", url_policy=LOOPBACK.model_copy(update={"timeout_seconds": 60}))
    registration = alice.start_registration(new(held.url))
    resumed = alice.resume_registration(registration.image_id)
    pushing = Interference(alice)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(registration.wait)]
        until(lambda: alice.cloud.image(registration.image_id).phase is Phase.STORING)
        waiting.append(pool.submit(resumed.wait))
        until(lambda: pushing.count("PUT", "/file$") == 2)
        held.release()

    assert [future.result().state for future in waiting] == ["ACTIVE", "ACTIVE"]


@pytest.mark.parametrize("kind", ["snapshot", "backup", "of a volume"])
def test_what_nova_made_of_a_server_is_no_registration(
    client: ClientFactory, file_server: FileServer, kind: str
) -> None:
    """It inherits who registered the image, and from where."""
    own = {"block_device_mapping": "[]"} if kind == "of a volume" else {"image_type": kind}
    image_id = left_behind(client, new(disk(file_server), properties=own))
    alice = client("alice")

    assert image_id not in {image.id for image in alice.unfinished_registrations()}
    with pytest.raises(ConflictError, match="made of a server"):
        alice.resume_registration(image_id)
    assert alice.cloud.image(image_id).phase is Phase.REGISTERED


@pytest.mark.parametrize("right", [True, False])
def test_an_import_that_is_done_is_verified(
    cloud: CloudUnderTest,
    client: ClientFactory,
    file_server: FileServer,
    right: bool,  # noqa: FBT001
) -> None:
    alice = client("alice")
    digest = hashlib.sha512(samples.data("disk.qcow2")).hexdigest() if right else "0" * 128
    registration = alice.start_registration(new(disk(file_server), checksum=f"sha512:{digest}"))
    while registration.progress().phase is not Phase.READY:
        threading.Event().wait(0.02)

    assert (registration.image_id in {image.id for image in alice.unfinished_registrations()}) is not right
    if right:
        assert alice.resume_registration(registration.image_id).wait().state == "ACTIVE"
    else:
        with pytest.raises(ChecksumMismatchError, match="delete it if you do not trust it"):
            alice.resume_registration(registration.image_id).wait()
        assert alice.cloud.image(registration.image_id).state == "ACTIVE"
        with pytest.raises(ChecksumMismatchError):
            registration.wait()
        assert registration.image_id not in image_ids(cloud)


@pytest.mark.usefixtures("nothing_left")
def test_an_import_that_failed_unseen_is_told(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice", url_policy=BLIND)
    registration = alice.start_registration(new(file_server.fail("/a", 404), disk_format="qcow2"))
    while registration.progress().phase is not Phase.FAILED:
        threading.Event().wait(0.02)

    with pytest.raises(RegistrationFailedError) as caught:
        alice.resume_registration(registration.image_id).wait()

    assert caught.value.reason == UrlProblem.HTTP_STATUS


@pytest.mark.usefixtures("nothing_left")
def test_a_resumed_url_that_went_bad_is_told(client: ClientFactory, file_server: FileServer) -> None:
    image_id = left_behind(client, new(file_server.fail("/a", 404)))

    with pytest.raises(RegistrationFailedError) as caught:
        client("alice").resume_registration(image_id)

    assert caught.value.reason == UrlProblem.HTTP_STATUS


def test_a_url_that_lost_its_secrets_is_asked_for(client: ClientFactory, file_server: FileServer) -> None:
    url = disk(file_server) + "?X-Amz-Signature=5ecre7"
    image_id = left_behind(client, new(url))
    alice = client("alice")

    with pytest.raises(InvalidRequestError, match="whole"):
        alice.resume_registration(image_id)
    with pytest.raises(InvalidRequestError, match="another URL"):
        alice.resume_registration(image_id, url=file_server.url("/other.qcow2"))
    assert alice.resume_registration(image_id, url=url).wait().state == "ACTIVE"


def test_what_does_not_exist_cannot_be_resumed(client: ClientFactory) -> None:
    with pytest.raises(NotFoundError):
        client("alice").resume_registration("00000000-0000-4000-8000-000000000000")


def test_unfinished_registrations_are_the_callers_own_and_old_enough(
    client: ClientFactory, file_server: FileServer
) -> None:
    image_id = left_behind(client, new(disk(file_server), category="public"))

    assert image_id in {image.id for image in client("alice").unfinished_registrations()}
    assert image_id not in {image.id for image in client("arthur").unfinished_registrations()}
    assert image_id not in {image.id for image in client("alice").unfinished_registrations(older_than_seconds=3600)}


# ----------------------------------------------------------------- many, and what they cost


def test_urls_are_checked_for_people(client: ClientFactory, file_server: FileServer) -> None:
    found = client("rita").check_url(disk(file_server))

    assert (found.status, found.disk_format, found.would_download) == (200, "qcow2", True)
    assert client("rita").check_url(file_server.page("/a")).warnings


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


# ----------------------------------------------------------------- lost answers, interruptions, interference


def test_what_the_normal_path_costs(client: ClientFactory, file_server: FileServer) -> None:
    """One usage request for the quota, one for the race, then one request for each look."""
    alice = client("alice")
    between = Interference(alice)

    image = alice.register(new(disk(file_server)))

    looks = between.count("GET", f"^/images/{image.id}$")
    assert looks >= 1
    assert between.seen == [
        ("GET", "/info/usage"),
        ("POST", "/images"),
        ("GET", "/info/usage"),
        ("POST", f"/images/{image.id}/import"),
        *([("GET", f"/images/{image.id}")] * looks),
    ]
    assert len(file_server.requests) == 2


def test_twenty_at_once_from_one_client(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")
    between = Interference(alice)
    url = disk(file_server)

    with ThreadPoolExecutor(20) as pool:
        images = list(pool.map(lambda _: alice.register(new(url)), range(20)))

    assert {image.state for image in images} == {"ACTIVE"}
    others = [path for method, path in between.seen if not (method == "GET" and path.startswith("/images/"))]
    assert len(others) == 20 * 4


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
    assert between.count("POST", "^/images$") == 2
    alice.delete(image)


@pytest.mark.usefixtures("nothing_left")
def test_a_create_that_never_came_finds_its_department_full(client: ClientFactory, file_server: FileServer) -> None:
    alice = client("alice")

    def lost_before_it_came() -> None:
        client("admin").set_quota("dept-a", images=used)
        raise ServiceUnavailableError("cut on request", connected=True)

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
        raise ServiceUnavailableError("cut on request", connected=True)

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


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(("user", "owner"), [("alice", None), ("admin", "dept-a")])
def test_a_race_for_the_last_places(
    client: ClientFactory, file_server: FileServer, user: str, owner: str | None
) -> None:
    """Glance counts and then inserts; who was let in too many withdraws before its import begins."""
    url = disk(file_server)
    barrier = threading.Barrier(8)

    def attempt(number: int) -> Image | QuotaExceededError:
        racer = client(user)
        Interference(racer).before("POST", "^/images$", lambda: barrier.wait(30))
        try:
            return racer.register(new(url, os_distro=f"racer{number}", owner=owner))
        except QuotaExceededError as error:
            return error

    with limits(client, "dept-a", {"images": images_used(client) + 3}), ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(8)))

    ready = [result for result in results if isinstance(result, Image)]
    refused = [result for result in results if isinstance(result, QuotaExceededError)]
    assert (len(ready), len(refused)) == (3, 5)
    assert {(error.department, error.resource) for error in refused} == {("dept-a", "images")}
    for image in ready:
        client("alice").delete(image)


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
        traceback_of(lambda: importing.register(request, timeout=30)),
        traceback_of(lambda: importing.register(with_password)),
        traceback_of(lambda: streaming.register(with_password, timeout=30)),
        traceback_of(lambda: client("alice").register(with_password)),
    ]

    assert not [text for text in shown if "5ecre7" in text]
