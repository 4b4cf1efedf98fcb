"""Successful registrations: each way, each format, each option."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from hyperx_glance import (
    ConflictError,
    HyperxGlanceError,
    InvalidRequestError,
    NewImage,
    NewIso,
    NotAllowedError,
    Phase,
    Progress,
    RegistrationFailedError,
)
from hyperx_glance.testing import InMemoryCloud, LocalCloud
from hyperx_glance.testing.capabilities import Name, lacking
from tests import samples
from tests.support.clouds import LOOPBACK, ClientFactory, CloudUnderTest, unique
from tests.support.file_server import BigBody, FileServer
from tests.support.interference import Interference
from tests.support.registrations import Format, disk, new


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


@pytest.mark.parametrize(("sample", "bootable"), [("installer.iso", True), ("data.iso", False)])
def test_isos(client: ClientFactory, file_server: FileServer, sample: str, bootable: bool) -> None:  # noqa: FBT001
    url = disk(file_server, sample)

    image = client("alice").register(NewIso(name=unique("iso"), url=url, bootable=bootable))

    assert (image.kind, image.disk_format, image.bootable, image.state) == ("iso", "iso", bootable, "ACTIVE")


@pytest.mark.parametrize("transfer", ["auto", "stream"])
def test_isos_that_boot_from_a_memory_stick_too(
    cloud: InMemoryCloud | LocalCloud, client: ClientFactory, file_server: FileServer, transfer: str
) -> None:
    alice, new = client("alice", transfer=transfer), NewIso(name=unique("iso"), url=disk(file_server, "hybrid.iso"))
    if "hybrid-isos" not in lacking(cloud.release):
        assert alice.register(new).phase == "ready"
        return

    with pytest.raises(RegistrationFailedError, match="also boots from a memory stick") as failure:
        alice.register(new)

    assert "dd if=/dev/zero" in failure.value.hint
    assert [image.name for image in alice.images(name=new.name)] == []


@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_https(
    cloud: CloudUnderTest, client: ClientFactory, tls_file_server: FileServer, ca_file: str, transfer: str
) -> None:
    if isinstance(cloud, InMemoryCloud):
        cloud.glance.ca_file = str(ca_file)
    policy = LOOPBACK.model_copy(update={"ca_file": str(ca_file)})

    image = client("alice", url_policy=policy, transfer=transfer).register(new(disk(tls_file_server)))

    assert image.state == "ACTIVE"


NEEDED_FOR_IMPORTS: dict[str, Name] = {"redirects": "redirects-filtered", "chunked": "lengthless-imports"}


@pytest.mark.parametrize("transfer", ["import", "stream"])
@pytest.mark.parametrize("way", ["redirects", "chunked", "presigned", "non-ascii"])
def test_the_ways_of_real_servers(
    cloud: InMemoryCloud | LocalCloud, client: ClientFactory, file_server: FileServer, way: str, transfer: str
) -> None:
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
    if transfer == "import" and NEEDED_FOR_IMPORTS.get(way) in lacking(cloud.release):
        with pytest.raises(HyperxGlanceError, match="transfer='stream' or 'auto'"):
            client("alice", transfer=transfer).register(new(url))
        transfer = "auto"

    image = client("alice", transfer=transfer).register(new(url))

    assert (image.state, image.size) == ("ACTIVE", len(data))
    if way == "presigned":
        assert image.url == file_server.url("/disk.qcow2?v=2")


def test_the_largest_record_that_glance_takes(client: ClientFactory, file_server: FileServer) -> None:
    """It takes 128 properties at creation, of which three are this library's."""
    name = "镜像☕" + "é" * 252
    tags = {f"标签{number}" for number in range(128)}
    properties = {f"key{number}": f"值{number}" for number in range(125)}

    image = client("alice").register(new(disk(file_server), name=name, tags=tags, properties=properties))

    assert (image.name, set(image.tags), image.properties) == (name, tags, properties)


@pytest.mark.usefixtures("nothing_left")
def test_a_property_more_than_glance_takes(client: ClientFactory, file_server: FileServer) -> None:
    properties = {f"key{number}": "value" for number in range(126)}

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


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
@pytest.mark.parametrize("transfer", ["import", "stream"])
def test_a_right_checksum(client: ClientFactory, file_server: FileServer, algorithm: str, transfer: str) -> None:
    digest = hashlib.new(algorithm, samples.data("disk.qcow2")).hexdigest()

    image = client("alice", transfer=transfer).register(
        new(disk(file_server), checksum=f"{algorithm}:{digest.upper()}")
    )

    assert image.glance_property("hyperx_checksum") == f"{algorithm}:{digest}"


def test_urls_are_checked_for_people(client: ClientFactory, file_server: FileServer) -> None:
    found = client("rita").check_url(disk(file_server))

    assert (found.status, found.disk_format, found.would_download) == (200, "qcow2", True)
    assert client("rita").check_url(file_server.page("/a")).warnings


def test_a_registration_sends_only_the_documented_requests(client: ClientFactory, file_server: FileServer) -> None:
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
    # See "How many requests" in the guide: the URL is opened by this process and by Glance.
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
