"""Each verb with what must be there before it, and with the truth that its success claims."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import lzma
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

import requests_mock

from hyperx_glance import (
    CaptureFailedError,
    ChecksumMismatchError,
    Client,
    HyperxGlanceError,
    ImagePage,
    LaunchFailedError,
    LaunchRequest,
    NewCapture,
    NewImage,
    NewIso,
    NotFoundError,
    Pace,
    Phase,
    Settings,
    UrlPolicy,
)
from hyperx_glance.models.releases import release_id
from hyperx_glance.quotas.resources import FIELDS
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import Clock

if TYPE_CHECKING:
    import requests
    from keystoneauth1.session import Session

DEADLINE: Final = 120.0
TICK: Final = 1.0
"""What each sleep takes at least on the simulated clock, since no sleep is asked for."""
LOGIN: Final = "5ecre7-login"
IN_URL: Final = "5ecre7-url"
SIGNATURE: Final = "5ecre7-signature"
ADMIN_PASSWORD: Final = "5ecre7-Admin-Passw0rd"
SECRETS: Final = (LOGIN, IN_URL, SIGNATURE, ADMIN_PASSWORD)
URL: Final = "http://files.example/disk.qcow2"
ISO_URL: Final = "http://files.example/installer.iso"
PACKED_URL: Final = "http://files.example/disk.qcow2.xz"
SUMS_URL: Final = "http://files.example/SHA256SUMS"
PACKED: Final = lzma.compress(samples.data("disk.qcow2"))
SUMS: Final = f"{hashlib.sha256(PACKED).hexdigest()}  disk.qcow2.xz\n".encode()
SIGNED_URL: Final = f"{URL}?X-Amz-Signature={SIGNATURE}"
SECRET_URL: Final = f"http://reader:{IN_URL}@files.example/disk.qcow2?X-Amz-Signature={SIGNATURE}"
CHECKSUM: Final = "sha256:" + hashlib.sha256(samples.data("disk.qcow2")).hexdigest()
ELSEWHERE: Final = "elsewhere.test"
"""A server that is none of the cloud's, at which nothing of a caller's may arrive."""
BOTH: Final = ("fast", "slow")
UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
LAUNCH_ID: Final = "resilience-launch"
CAPTURE_ID: Final = "resilience-capture"


class _Elsewhere(requests_mock.Adapter):
    """A server that answers every request as a portal does, and notes it."""

    def __init__(self, arrived: list[str]) -> None:
        super().__init__()
        self._arrived = arrived
        self.register_uri(requests_mock.ANY, requests_mock.ANY, json=self._note)

    def _note(self, request: Any, _context: object) -> dict[str, object]:  # noqa: ANN401  # as requests_mock has it
        self._arrived.append(f"{request.method} {request.url} {dict(request.headers)} {request.body!r:.200}")
        return {}


@dataclasses.dataclass
class Stage:
    """The cloud of one cell, its users, and the arguments of a verb."""

    verb: Verb
    cloud: InMemoryCloud = dataclasses.field(default_factory=InMemoryCloud)
    clock: Clock = dataclasses.field(default_factory=lambda: Clock(tick=TICK))
    known: dict[str, Any] = dataclasses.field(default_factory=dict)
    before: Mapping[str, set[str]] = dataclasses.field(default_factory=dict)
    elsewhere: list[str] = dataclasses.field(default_factory=list)
    """What has arrived at `ELSEWHERE`."""
    shown: threading.local = dataclasses.field(default_factory=threading.local)
    """The ``token`` of this thread's last request."""

    def __post_init__(self) -> None:
        self.cloud.keystone.add_user("carol", "dept-a", role="member", password=LOGIN)
        self.cloud.keystone.add_user("root", "admin", role="admin", password=LOGIN)
        self.cloud.glance.downloads |= {
            URL: samples.data("disk.qcow2"),
            ISO_URL: samples.data("installer.iso"),
            PACKED_URL: PACKED,
            SUMS_URL: SUMS,
            SIGNED_URL: samples.data("disk.qcow2"),
        }
        self.client = self.connect()
        self.helper = self.connect()
        """A client of the same user on which no fault ever strikes: it prepares, and it recovers."""

    def connect(self) -> Client:
        pace = Pace(first_interval=0, longest_interval=0, deadline=DEADLINE, sleep=self.clock.sleep, clock=self.clock)
        settings = Settings(pace=pace, network=self.cloud.network, url_policy=UrlPolicy(timeout_seconds=5))
        return Client.from_session(
            self.session(self.verb.user),
            region_name="RegionOne",
            steward=self.session(self.verb.steward) if self.verb.steward else None,
            settings=dataclasses.replace(settings, **self.verb.settings),  # type: ignore[arg-type]  # as the verb says
        )

    def session(self, user: str) -> Session:
        session = self.cloud.session(user)
        for scheme in ("http", "https"):
            for place in (ELSEWHERE, f"reader:{LOGIN}@{ELSEWHERE}"):
                session.mount(f"{scheme}://{place}", _Elsewhere(self.elsewhere))
        session.session.auth = self._note_token
        return session

    def _note_token(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Keep the token that a request shows, for services that repeat it; requests calls this before it sends."""
        self.shown.token = request.headers.get("X-Auth-Token") or ""
        return request

    def existing(self) -> Mapping[str, set[str]]:
        """Name all that exists, as only the cloud itself knows it."""
        return {
            "images": {image.id for image in self.cloud.glance.images.values() if not image.deleted},
            "servers": set(self.cloud.nova.servers),
            "volumes": set(self.cloud.cinder.volumes),
        }

    def new(self, kind: str) -> set[str]:
        return self.existing()[kind] - self.before[kind]

    def image(self, **record: object) -> str:
        """Put a ready image of the caller's department there."""
        fields = {
            "name": "debian",
            "status": "active",
            "disk_format": "qcow2",
            "visibility": "private",
            "size": 1 << 20,
        }
        owner = self.cloud.keystone.department_of(self.verb.user)
        return self.cloud.glance.add_image(**{"owner": owner, **fields, **record})  # type: ignore[arg-type]  # columns

    def record(self, image_id: str) -> dict[str, Any] | None:
        """Return an image as it really is."""
        image = self.cloud.glance.image(image_id)
        if image is None:
            return None
        return {**image.properties, "name": image.name, "status": image.status, "visibility": image.visibility}


def nothing(_stage: Stage) -> None:
    """Prepare nothing."""


@dataclasses.dataclass(frozen=True)
class Verb:
    """A verb: the call, the user, what it may make, and what its success means."""

    name: str
    run: Callable[[Stage], object]
    check: Callable[[Stage, Any], None]
    prepare: Callable[[Stage], None] = nothing
    user: str = "carol"
    steward: str | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    images: int = 0
    servers: int = 0
    volumes: int = 0
    fails: type[HyperxGlanceError] | None = None
    """What it raises where no fault strikes."""
    again: Callable[[Stage], object] | None = None
    """Repeats it after an error, with the helper; then `check` must hold."""
    says: Callable[[Stage, BaseException], None] | None = None
    """Checks what an error says of the departments that have the image."""
    believes_a_lost_answer: bool = False
    """What it deletes counts as deleted, once the answer to its deletion was lost."""


# ----------------------------------------------------------------- browsing


def some_images(stage: Stage) -> None:
    stage.known["images"] = {
        stage.image(name=f"image {number}", tags=["a", "b"][: number % 3], visibility="community")
        for number in range(5)
    }
    stage.cloud.glance.add_image(name="foreign", owner="dept-b", status="active", visibility="private")


def one_image(stage: Stage, **record: object) -> None:
    stage.known["image"] = stage.image(**record)


def listed(stage: Stage, result: Any) -> None:  # noqa: ANN401  # the result of the verb
    assert [image.id for image in result] == [image.id for image in stage.helper.images()]
    assert {image.id for image in result} == stage.known["images"]


def turned(stage: Stage, criteria: dict[str, Any]) -> list[ImagePage]:
    """Turn a page forwards, and back."""
    first = stage.client.page(size=2, **criteria)
    second = stage.client.page(size=2, cursor=first.next, **criteria)
    return [first, second, stage.client.page(size=2, cursor=second.previous, **criteria)]


def pages_are_right(stage: Stage, result: Any) -> None:  # noqa: ANN401
    first, second, again = result
    assert [image.id for image in again.images] == [image.id for image in first.images]
    assert len({image.id for page in (first, second) for image in page.images}) == 4
    assert {image.id for page in (first, second) for image in page.images} < stage.known["images"]


def is_registered_only(_stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result.phase in (Phase.REGISTERED, Phase.DOWNLOADING, Phase.STORING, Phase.READY)


def tags_are_right(_stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result == {"a": 3, "b": 1}


def same_image(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result.id == stage.known["image"]


# ----------------------------------------------------------------- registering


def register(stage: Stage, **fields: object) -> object:
    new: dict[str, Any] = {"name": "fresh", "url": SIGNED_URL, **fields}
    return stage.client.register(NewImage(**new))


def registered(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert stage.new("images") == {result.id}
    image = stage.cloud.glance.image(result.id)
    assert image is not None
    assert image.status == "active"
    assert image.size == len(samples.data("installer.iso" if image.disk_format == "iso" else "disk.qcow2"))


def register_a_file(stage: Stage, data: bytes, **fields: object) -> object:
    new: dict[str, Any] = {"name": "fresh", "file": io.BytesIO(data), **fields}
    return stage.client.register(NewImage(**new))


def in_both_stores(stage: Stage, result: Any) -> None:  # noqa: ANN401
    registered(stage, result)
    image = stage.cloud.glance.image(result.id)
    assert image is not None
    assert image.stores == list(BOTH)
    tasks = [task for task in stage.cloud.glance.tasks.values() if task["image_id"] == image.id]
    assert len(tasks) == 1


def dead_staging(stage: Stage) -> None:
    """Leave what a registrant of a file leaves that died before it asked Glance to import what it had staged."""
    dead_upload(stage)
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/images/{stage.known['image']}/stage"
    stage.helper.cloud.put("image", path, data=samples.data("disk.qcow2"), headers=headers)


def cancel_the_staging(stage: Stage) -> object:
    stage.client.cancel_registration(stage.known["image"])
    return None


def is_gone(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert stage.record(stage.known["image"]) is None


def dead_upload(stage: Stage) -> None:
    """Leave what a registrant of a file leaves that died behind its POST."""
    new = NewImage(name="fresh", file=io.BytesIO(samples.data("disk.qcow2")), checksum=CHECKSUM)
    stage.known["image"] = stage.helper.start_registration(new).image_id


def resume_the_upload(stage: Stage) -> object:
    file = io.BytesIO(samples.data("disk.qcow2"))
    return stage.client.resume_registration(stage.known["image"], file=file).wait()


def dead_packed_upload(stage: Stage) -> None:
    """Leave what a registrant of packed data leaves that died between its upload and its mark."""
    checksum = f"sha256:{hashlib.sha256(PACKED).hexdigest()}"
    new = NewImage(name="fresh", url=PACKED_URL, checksum=checksum)
    image_id = stage.known["image"] = stage.helper.start_registration(new).image_id
    data = samples.data("disk.qcow2")
    headers = {"Content-Type": "application/octet-stream"}
    stage.helper.cloud.put("image", f"/images/{image_id}/file", data=data, headers=headers)


def image_with_data(stage: Stage) -> None:
    new = NewImage(name="debian", file=io.BytesIO(samples.data("disk.qcow2")))
    stage.known["image"] = stage.helper.register(new).id


def download(stage: Stage) -> object:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return stage.client.download(stage.known["image"], Path(folder) / "disk.qcow2")
        finally:
            stage.known["saved"] = {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def saved(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert stage.known["saved"] == {"disk.qcow2": samples.data("disk.qcow2")}


def dead_registration(stage: Stage) -> None:
    """Leave what a registrant leaves that died behind its POST."""
    stage.known["image"] = stage.helper.start_registration(NewImage(name="fresh", url=URL)).image_id


def dead_stalled_registration(stage: Stage) -> None:
    """Leave what was to become a protected image, and does not."""
    stage.cloud.glance.imports_stall = True
    new = NewImage(name="fresh", url=URL, protected=True)
    stage.known["image"] = stage.helper.start_registration(new).image_id


def resumed(stage: Stage, result: Any) -> None:  # noqa: ANN401
    image = stage.cloud.glance.image(stage.known["image"])
    assert image is not None
    assert (image.status, result.id) == ("active", image.id)


def cancel_registration(stage: Stage) -> object:
    stage.client.start_registration(NewImage(name="fresh", url=URL)).cancel()
    return None


def nothing_new(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert not any(stage.new(kind) for kind in stage.before)


# ----------------------------------------------------------------- editing and deleting


def updated(stage: Stage, result: Any) -> None:  # noqa: ANN401
    record = stage.record(stage.known["image"])
    assert record is not None
    assert (record["name"], record.get("os_distro"), record["visibility"]) == ("renamed", "debian", "community")
    assert (result.name, result.os_distro) == ("renamed", "debian")


def foreign_public_image(stage: Stage) -> None:
    owner = "dept-b"
    flags = {"hyperx_created_by": stage.cloud.users["bob"]}
    one_image(stage, owner=owner, visibility="community", **flags)


def disabled(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert (stage.record(stage.known["image"]) or {})["status"] == "deactivated"


def enabled(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert (stage.record(stage.known["image"]) or {})["status"] == "active"


def deleted(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    assert stage.record(stage.known["image"]) is None


def image_in_use(stage: Stage) -> None:
    one_image(stage)
    stage.known["launch"] = stage.helper.launch(
        stage.known["image"], LaunchRequest(name="web", flavor="m1.tiny", count=2, launch_id=LAUNCH_ID)
    )


def users_named(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert {server.id for server in result.servers} == set(stage.cloud.nova.servers)


def servers_listed(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert {server.id for server in result} == set(stage.cloud.nova.servers)


def deleted_and_users_named(stage: Stage, result: Any) -> None:  # noqa: ANN401
    deleted(stage, result)
    assert len(result.servers or ()) in (0, 2)


# ----------------------------------------------------------------- sharing


def shared_image(stage: Stage, *departments: str, visibility: str = "shared", status: str = "pending") -> None:
    """Have an image with members, who are hidden if it is not shared."""
    one_image(stage, visibility=visibility, owner="dept-a")
    for department in departments:
        stage.cloud.glance.share(stage.known["image"], department, status=status)


def formerly_shared(stage: Stage) -> None:
    """Have an image whose sharing another tool has ended: its members are hidden, and return when it is shared."""
    shared_image(stage, "dept-c", visibility="private", status="accepted")
    stage.known["former"] = {"dept-c"}
    record = stage.cloud.glance.images[stage.known["image"]]
    record.updated_at += timedelta(seconds=1)


def offered_image(stage: Stage, status: str = "pending") -> None:
    one_image(stage, owner="dept-b", visibility="shared")
    stage.cloud.glance.share(stage.known["image"], "dept-a", status=status)


def share(client: Client, stage: Stage, *departments: str, accept: bool = False) -> object:
    """Share with departments: an administrator or a steward knows names, and others give ids."""
    knows = stage.verb.steward or stage.verb.user == ADMIN
    named = [each if knows else stage.cloud.departments[each] for each in departments]
    return client.share(stage.known["image"], *named, accept=accept)


class Repeated(TypedDict):
    """A verb, and the same with the helper."""

    run: Callable[[Stage], object]
    again: Callable[[Stage], object]


def sharing(*departments: str, **options: bool) -> Repeated:
    return {
        "run": lambda stage: share(stage.client, stage, *departments, **options),
        "again": lambda stage: share(stage.helper, stage, *departments, **options),
    }


def unsharing(*departments: str, **options: bool) -> Repeated:
    def unshare(client: Client, stage: Stage) -> object:
        named = [stage.cloud.departments[each] for each in departments]
        return client.unshare(stage.known["image"], *named, **options)

    return {
        "run": lambda stage: unshare(stage.client, stage),
        "again": lambda stage: unshare(stage.helper, stage),
    }


def members_of(stage: Stage) -> dict[str, str]:
    """Return the names and answers of the departments that have the image."""
    record = stage.cloud.glance.image(stage.known["image"])
    if record is None or record.visibility != "shared":
        return {}
    names = {key: name for name, key in stage.cloud.departments.items()}
    return {names[key]: member.status for key, member in record.members.items()}


def shared_with(**wanted: str) -> Callable[[Stage, Any], None]:
    """Check the departments that have the image, such as ``dept_b="pending"``."""
    departments = {name.replace("_", "-"): status for name, status in wanted.items()}

    def check(stage: Stage, result: Any) -> None:  # noqa: ANN401
        assert members_of(stage) == departments
        assert {share.department_id: share.status.value for share in result} == {
            stage.cloud.departments[name]: status for name, status in departments.items()
        }

    return check


def withdrawn(stage: Stage, result: Any) -> None:  # noqa: ANN401
    record = stage.cloud.glance.image(stage.known["image"])
    assert record is not None
    assert (record.visibility, record.members, result.visibility) == ("private", {}, "private")


def answered_with(status: str) -> Callable[[Stage, Any], None]:
    def check(stage: Stage, result: Any) -> None:  # noqa: ANN401
        assert members_of(stage) == {"dept-a": status}
        assert result is None or result.share_status == status

    return check


def offers(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert [(image.id, image.share_status) for image in result] == [(stage.known["image"], "pending")]


def says_who_has_it(stage: Stage, error: BaseException) -> None:
    """Check that what an error says of departments is true, and that no former member has the image unsaid."""
    names = {key: name for name, key in stage.cloud.departments.items()}
    notes = {getattr(note, "code", ""): note for note in getattr(error, "__notes__", ())}
    said: dict[str, set[str]] = {}
    for code in ("departments-have-it", "departments-may-have-it", "departments-do-not-have-it"):
        listed = notes[code].values["departments"] if code in notes else ()
        said[code] = {names.get(each, each) for each in listed}
    have = set(members_of(stage))
    assert said["departments-have-it"] <= have
    assert not said["departments-do-not-have-it"] & have
    if "former" in stage.known and "former-members-may-have-it" not in notes:
        assert not stage.known["former"] & (have - said["departments-may-have-it"])


# ----------------------------------------------------------------- launching


def launch(**fields: object) -> Callable[[Stage], object]:
    def run(stage: Stage) -> object:
        wanted: dict[str, Any] = {"name": "web", "flavor": "m1.tiny", **fields}
        return stage.client.launch(stage.known["image"], LaunchRequest(**wanted))

    return run


def launched(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert {server.id for server in result.servers} == stage.new("servers")
    assert len(result.servers) == stage.verb.servers
    assert len(stage.new("volumes")) == stage.verb.volumes
    assert {server.status for server in result.servers} == {"ACTIVE"}


def iso(stage: Stage) -> None:
    one_image(stage, disk_format="iso", name="installer")


def password_image(stage: Stage) -> None:
    one_image(stage, hyperx_password_enabled="true", os_admin_user="debian", hw_qemu_guest_agent="yes")


def windows_image(stage: Stage) -> None:
    one_image(stage, hyperx_password_enabled="true", os_type="windows", hw_qemu_guest_agent="yes")


def failing_build(stage: Stage) -> None:
    one_image(stage)
    stage.cloud.nova.faults.append("No valid host was found.")


def a_launch(stage: Stage, **fields: object) -> None:
    one_image(stage)
    wanted: dict[str, Any] = {"name": "web", "flavor": "m1.tiny", "count": 2, "launch_id": LAUNCH_ID, **fields}
    stage.helper.launch(stage.known["image"], LaunchRequest(**wanted))


def cancel_launch(stage: Stage) -> object:
    stage.client.find_launch(LAUNCH_ID).cancel()
    return None


def all_gone(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    left = stage.existing()
    assert (left["servers"], left["volumes"]) == (set(), set())


def launch_found(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert {server.id for server in result.servers} == set(stage.cloud.nova.servers)
    assert result.count == 2


def password_server(stage: Stage) -> None:
    one_image(stage)
    launch = stage.helper.launch(stage.known["image"], LaunchRequest(name="web", flavor="m1.tiny"))
    stage.known["server"] = launch.servers[0].id


def password_is_set(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result.get_secret_value() == ADMIN_PASSWORD
    assert stage.cloud.nova.servers[stage.known["server"]].admin_pass == ADMIN_PASSWORD


# ----------------------------------------------------------------- families

FAMILY: Final = "debian-12"


def release(stage: Stage, **more: Any) -> object:  # noqa: ANN401  # of many kinds
    new = NewImage(name="Debian 12", url=URL, checksum=CHECKSUM, category="public")
    return stage.client.release(new, family=FAMILY, version="12.9", **more)


def a_release(stage: Stage, version: str = "12.8", *, is_out: bool = True, **record: Any) -> str:  # noqa: ANN401
    """Put a release there, as it is when names have settled; it is the latest unless a greater one follows."""
    owner = stage.cloud.keystone.department_of(stage.verb.user)
    rows = {
        "hyperx_family": FAMILY, "hyperx_version": version, "hyperx_release_name": "Debian 12",
        "hyperx_released_at": "2026-11-01T00:00:00Z", "hyperx_checksum": CHECKSUM,
        "hyperx_checksum_verified": "true",
    }  # fmt: skip
    project = stage.cloud.departments[owner]
    if not is_out:
        del rows["hyperx_released_at"]
    fields = {"name": "Debian 12", "visibility": "community", **rows, **record}
    return stage.image(id=release_id(project, FAMILY, version, 0), **fields)


def two_releases(stage: Stage, **record: Any) -> None:  # noqa: ANN401  # columns and properties
    """Have a latest release and an older one, which is hidden."""
    stage.known["older"] = a_release(stage, "12.8", name="Debian 12 (12.8)", os_hidden=True, **record)
    stage.known["image"] = stage.known["newer"] = a_release(stage, "12.9")


def a_rolled_back_release(stage: Stage) -> None:
    stage.known["older"] = a_release(stage, "12.8")
    marks: dict[str, Any] = {
        "hyperx_deprecated_at": "2026-11-02T00:00:00Z",
        "hyperx_obsolete_at": "2026-11-03T00:00:00Z",
    }
    stage.known["image"] = a_release(
        stage, "12.9", name="Debian 12 (12.9)", os_hidden=True, status="deactivated", **marks
    )


def a_release_before_its_switch(stage: Stage) -> None:
    """Leave what a program leaves that was killed when its image was ready."""
    record: dict[str, Any] = {"name": "Debian 12 (12.9)", "visibility": "private", "hyperx_url": URL}
    stage.known["image"] = a_release(stage, "12.9", is_out=False, **record)


def is_the_release(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert stage.new("images") == {result.id}
    released(stage, result)


def released(stage: Stage, result: Any) -> None:  # noqa: ANN401
    record = stage.record(result.id)
    assert record is not None
    assert (record["status"], record["visibility"], record["hyperx_version"]) == ("active", "community", "12.9")
    assert record["hyperx_released_at"]


def is_the_latest(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result.id == stage.known["newer"]


def all_releases(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert [image.id for image in result] == [stage.known["newer"], stage.known["older"]]


def one_family(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert [(family.name, family.releases) for family in result] == [(FAMILY, 2)]
    assert result[0].latest.id == stage.known["newer"]


def rolled_back(stage: Stage, result: Any) -> None:  # noqa: ANN401
    record = stage.record(stage.known["image"])
    assert record is not None
    assert "hyperx_deprecated_at" in record
    assert (result.lifecycle, record["name"]) == ("deprecated", "Debian 12 (12.9)")
    assert stage.helper.latest(FAMILY).id == stage.known["older"]


def reinstated(stage: Stage, result: Any) -> None:  # noqa: ANN401
    record = stage.record(stage.known["image"])
    assert record is not None
    assert not {"hyperx_deprecated_at", "hyperx_obsolete_at"} & record.keys()
    assert (record["status"], result.lifecycle) == ("active", "current")


def retired(stage: Stage, result: Any) -> None:  # noqa: ANN401
    """The latest is never touched, and what was told is true."""
    told = {each.image.id: each.action for each in result}
    assert told.get(stage.known["newer"], "kept") == "kept"
    assert stage.helper.latest(FAMILY).id == stage.known["newer"]
    assert (stage.record(stage.known["older"]) is None) == (told.get(stage.known["older"]) == "deleted")


# ----------------------------------------------------------------- capturing


def a_server(stage: Stage, **fields: object) -> None:
    """Have a server that runs from an image with words of its own, and room for its whole volume."""
    one_image(stage, os_distro="debian", hyperx_url="http://files.example/debian.qcow2", tags=["linux"])
    Client.from_session(stage.session(ADMIN)).set_quota("dept-a", image_size_mib=10_000)
    wanted: dict[str, Any] = {"name": "web", "flavor": "m1.tiny", **fields}
    stage.known["server"] = stage.helper.launch(stage.known["image"], LaunchRequest(**wanted)).servers[0].id


def a_server_on_a_volume(stage: Stage) -> None:
    a_server(stage, boot_volume_gib=1)


def capture(stage: Stage) -> object:
    new = NewCapture(name="captured", description="with nginx", category="public", capture_id=CAPTURE_ID)
    return stage.client.capture(stage.known["server"], new)


def captured(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert (stage.new("images"), stage.new("volumes"), stage.new("servers")) == ({result.id}, set(), set())
    record = stage.record(result.id)
    assert record is not None
    assert (record["name"], record["status"], record["visibility"]) == ("captured", "active", "community")
    assert (record["description"], record["os_distro"]) == ("with nginx", "debian")
    notes = {"image_type", "instance_uuid", "hyperx_url", "hyperx_capture_order_0"}
    assert not notes & record.keys()
    assert (record["hyperx_capture_id"], record["hyperx_captured_from"]) == (CAPTURE_ID, stage.known["server"])
    assert stage.cloud.nova.servers[stage.known["server"]].status == "ACTIVE"


def dead_capture(stage: Stage, prepare: Callable[[Stage], None]) -> None:
    """Leave what a caller leaves who was killed after the first request."""
    prepare(stage)
    new = NewCapture(name="captured", description="with nginx", category="public", capture_id=CAPTURE_ID)
    stage.helper.start_capture(stage.known["server"], new)


def capture_finished(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result.capture_id == CAPTURE_ID
    records = [image for image in stage.cloud.glance.images.values() if not image.deleted]
    assert [image.id for image in records if "hyperx_capture_id" in image.properties] == [result.id]
    assert [each for each in stage.cloud.cinder.volumes.values() if each.metadata.get("hyperx_capture_id")] == []


def cancel_capture(stage: Stage) -> object:
    stage.client.find_capture(CAPTURE_ID).cancel()
    return None


def capture_gone(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    records = [image for image in stage.cloud.glance.images.values() if not image.deleted]
    assert [image.id for image in records if "hyperx_capture_id" in image.properties] == []
    assert [each for each in stage.cloud.cinder.volumes.values() if each.metadata.get("hyperx_capture_id")] == []


def failing_snapshot(stage: Stage) -> None:
    a_server(stage)
    stage.cloud.nova.snapshot_faults.append("lost")


def failing_upload(stage: Stage) -> None:
    a_server_on_a_volume(stage)
    stage.cloud.cinder.upload_faults.append("lost")


# ----------------------------------------------------------------- quotas and deployment


def quota_is_right(stage: Stage, result: Any) -> None:  # noqa: ANN401
    """Every reported value is true; a service that does not report one leaves None, and each that fails is named."""
    truth = stage.helper.quota("dept-a")
    for field in FIELDS:
        assert getattr(result, field) in (None, getattr(truth, field)), field
    assert len(result.notes) == len(result.not_looked_at)


def quota_is_set(stage: Stage, result: Any) -> None:  # noqa: ANN401
    truth = stage.helper.quota("dept-a")
    assert (truth.images, truth.cores, truth.volumes) == (result.images, result.cores, result.volumes)
    assert [usage.limit if usage else None for usage in (truth.images, truth.cores, truth.volumes)] == [7, 8, 9]


def findings(_stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result
    assert all(finding.message for finding in result)


def namespace_is_there(stage: Stage, _result: Any) -> None:  # noqa: ANN401
    namespace = stage.cloud.glance.metadefs.namespaces["OS::HyperX::Image"]
    assert namespace


OURS: Final = {
    "hyperx_created_by": "carol",
    "hyperx_url": "http://files.example/disk.qcow2",
    "hyperx_os_name": "Debian",
}


def images_of_ours(stage: Stage) -> None:
    """Have images with and without what this library writes, a hidden one, and one that is being registered."""
    for number in range(3):
        stage.image(name=f"image {number}", owner="dept-a", visibility="community", my_key="1", **OURS)
    stage.image(name="hidden", owner="dept-a", os_hidden=True, **OURS)
    stage.image(name="ordinary", owner="dept-a", my_key="1")
    stage.image(name="waiting", owner="dept-a", status="queued", **OURS)
    stage.known["records"] = {image_id: stage.record(image_id) for image_id in stage.existing()["images"]}


def left(stage: Stage, result: Any) -> None:  # noqa: ANN401
    """Tell of each image what is gone and what may still be there, and change nothing else of any."""
    told = {departure.image_id: departure for departure in result}
    for image_id, before in stage.known["records"].items():
        record = stage.record(image_id) or {}
        there, was = OURS.keys() & record.keys(), OURS.keys() & before.keys()
        assert {key: record[key] for key in record.keys() - OURS.keys()} == {
            key: before[key] for key in before.keys() - OURS.keys()
        }
        if not was:
            assert image_id not in told
            continue
        departure = told[image_id]
        assert there <= set(departure.left)
        assert set(departure.left) | set(departure.removed) == was
        assert bool(departure.left) is bool(departure.reason)
        if before["name"] == "waiting":
            assert (departure.outcome, there) == ("skipped", was)
    # Nothing is lost: the next run goes on where this one ended.
    if stage.cloud.keystone.department_of(stage.verb.user) != "dept-a" and result:
        again = {departure.image_id: departure for departure in stage.helper.leave()}
        assert {departure.outcome for departure in again.values()} <= {"removed", "skipped"}
        assert again.keys() <= {image_id for image_id, departure in told.items() if departure.left}


def is_one(_stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result == 1


def owner_is_right(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert result in ("dept-a", stage.cloud.departments["dept-a"])


def dead_one_is_found(stage: Stage, result: Any) -> None:  # noqa: ANN401
    assert [image.id for image in result] == [stage.known["image"]]


ADMIN: Final = "root"
_OF_UNKNOWN_IDS: Final[Mapping[str, Callable[[Stage], object]]] = {
    "image": lambda stage: stage.client.image(UNKNOWN),
    "update": lambda stage: stage.client.update(UNKNOWN, name="renamed"),
    "disable": lambda stage: stage.client.disable(UNKNOWN),
    "delete": lambda stage: stage.client.delete(UNKNOWN),
    "progress": lambda stage: stage.client.progress(UNKNOWN),
    "resume": lambda stage: stage.client.resume_registration(UNKNOWN).wait(),
    "cancel a registration": lambda stage: stage.client.cancel_registration(UNKNOWN),
    "servers using": lambda stage: stage.client.servers_using(UNKNOWN),
    "share": lambda stage: stage.client.share(UNKNOWN, stage.cloud.departments["dept-b"]),
    "unshare": lambda stage: stage.client.unshare(UNKNOWN, everyone=True),
    "shares": lambda stage: stage.client.shares(UNKNOWN),
    "accept": lambda stage: stage.client.accept(UNKNOWN),
    "decline": lambda stage: stage.client.decline(UNKNOWN),
    "launch": lambda stage: stage.client.launch(UNKNOWN, LaunchRequest(name="web", flavor="m1.tiny")),
    "find a launch": lambda stage: stage.client.find_launch("unknown-launch").cancel(),
    "capture": lambda stage: stage.client.capture(UNKNOWN, NewCapture(name="captured")),
    "find a capture": lambda stage: stage.client.find_capture("unknown-capture").cancel(),
    "reset a password": lambda stage: stage.client.reset_password(UNKNOWN, ADMIN_PASSWORD),
    "deprecate": lambda stage: stage.client.deprecate(UNKNOWN),
    "reinstate": lambda stage: stage.client.reinstate(UNKNOWN),
}
"""Nothing that becomes of a request makes a success of what cannot succeed."""

VERBS: Final[Mapping[str, Verb]] = {
    verb.name: verb
    for verb in [
        Verb("list", lambda stage: list(stage.client.images()), listed, some_images, settings={"page_size": 3}),
        Verb(
            "list everything",
            lambda stage: list(stage.client.images(view="everything", search="image")),
            listed,
            some_images,
            user=ADMIN,
            settings={"page_size": 3},
        ),
        Verb("page", lambda stage: turned(stage, {}), pages_are_right, some_images),
        Verb("page by name", lambda stage: turned(stage, {"sort": ["name"]}), pages_are_right, some_images),
        Verb("count", lambda stage: stage.client.count(search="debian"), is_one, one_image),
        Verb("image", lambda stage: stage.client.image("debian"), same_image, one_image),
        Verb("tags", lambda stage: stage.client.tags(), tags_are_right, some_images),
        Verb("owner name", lambda stage: stage.client.owner_name(stage.known["image"]), owner_is_right, one_image),
        Verb(
            "list offered",
            lambda stage: list(stage.client.images(view="offered")),
            offers,
            offered_image,
        ),
        Verb(
            "share",
            check=shared_with(dept_b="pending", dept_c="pending"),
            prepare=one_image,
            says=says_who_has_it,
            **sharing("dept-b", "dept-c"),
        ),
        Verb(
            "share and forget former members",
            check=shared_with(dept_b="pending"),
            prepare=formerly_shared,
            says=says_who_has_it,
            **sharing("dept-b"),
        ),
        Verb(
            "share by names, and let the steward accept",
            check=shared_with(dept_b="accepted", dept_c="accepted"),
            prepare=lambda stage: shared_image(stage, "dept-b"),
            steward=ADMIN,
            settings={"share_acceptance": "steward"},
            says=says_who_has_it,
            **sharing("dept-b", "dept-c"),
        ),
        Verb(
            "share and accept",
            check=shared_with(dept_b="accepted", dept_c="rejected"),
            prepare=lambda stage: shared_image(stage, "dept-c", status="rejected"),
            user=ADMIN,
            says=says_who_has_it,
            **sharing("dept-b", "dept-c", accept=True),
        ),
        Verb(
            "shares",
            lambda stage: stage.client.shares(stage.known["image"]),
            shared_with(dept_b="pending"),
            lambda stage: shared_image(stage, "dept-b"),
        ),
        Verb(
            "unshare",
            check=shared_with(dept_c="accepted"),
            prepare=lambda stage: shared_image(stage, "dept-b", "dept-c", status="accepted"),
            says=says_who_has_it,
            **unsharing("dept-b"),
        ),
        Verb(
            "unshare everyone",
            check=shared_with(),
            prepare=lambda stage: shared_image(stage, "dept-b", "dept-c"),
            says=says_who_has_it,
            **unsharing(everyone=True),
        ),
        Verb(
            "withdraw",
            lambda stage: stage.client.update(stage.known["image"], category="private"),
            withdrawn,
            lambda stage: shared_image(stage, "dept-b"),
            again=lambda stage: stage.helper.update(stage.known["image"], category="private"),
            says=says_who_has_it,
        ),
        Verb(
            "accept",
            lambda stage: stage.client.accept(stage.known["image"]),
            answered_with("accepted"),
            offered_image,
            again=lambda stage: stage.helper.accept(stage.known["image"]),
        ),
        Verb(
            "decline",
            lambda stage: stage.client.decline(stage.known["image"]),
            answered_with("rejected"),
            lambda stage: offered_image(stage, "accepted"),
            again=lambda stage: stage.helper.decline(stage.known["image"]),
        ),
        Verb("register by import", register, registered, images=1, settings={"transfer": "import"}),
        Verb(
            "register by stream",
            lambda stage: register(stage, url=SECRET_URL),
            registered,
            images=1,
            settings={"transfer": "stream"},
        ),
        Verb(
            "register by either",
            lambda stage: stage.client.register(NewIso(name="fresh", url=ISO_URL)),
            registered,
            images=1,
        ),
        Verb("register with a checksum", lambda stage: register(stage, checksum=CHECKSUM), registered, images=1),
        Verb(
            "register and fail",
            lambda stage: register(stage, checksum="sha256:" + "0" * 64),
            nothing_new,
            images=1,
            fails=ChecksumMismatchError,
        ),
        Verb(
            "register a file",
            lambda stage: register_a_file(stage, samples.data("disk.qcow2"), checksum=CHECKSUM),
            registered,
            images=1,
        ),
        Verb("register a packed file", lambda stage: register_a_file(stage, PACKED), registered, images=1),
        Verb(
            "register a packed URL with its published checksum",
            lambda stage: register(stage, url=PACKED_URL, checksum_url=SUMS_URL),
            registered,
            images=1,
        ),
        Verb("resume a file", resume_the_upload, resumed, dead_upload),
        Verb(
            "register a file in several stores",
            lambda stage: register_a_file(stage, samples.data("disk.qcow2"), checksum=CHECKSUM, stores=BOTH),
            in_both_stores,
            images=1,
        ),
        Verb(
            "register a URL with a login in several stores",
            lambda stage: register(stage, url=SECRET_URL, stores=BOTH),
            in_both_stores,
            images=1,
        ),
        Verb(
            "resume staged data",
            lambda stage: stage.client.resume_registration(stage.known["image"]).wait(),
            resumed,
            dead_staging,
        ),
        Verb("cancel staged data", cancel_the_staging, is_gone, dead_staging),
        Verb(
            "resume a packed URL",
            lambda stage: stage.client.resume_registration(stage.known["image"]).wait(),
            resumed,
            dead_packed_upload,
        ),
        Verb("download", download, saved, image_with_data),
        Verb("cancel a registration", cancel_registration, nothing_new, images=1),
        Verb(
            "cancel a registration of a dead program",
            lambda stage: stage.client.cancel_registration(stage.known["image"]),
            deleted,
            dead_stalled_registration,
        ),
        Verb(
            "resume",
            lambda stage: stage.client.resume_registration(stage.known["image"]).wait(),
            resumed,
            dead_registration,
        ),
        Verb(
            "progress",
            lambda stage: stage.client.progress(stage.known["image"]),
            is_registered_only,
            dead_registration,
        ),
        Verb(
            "unfinished registrations",
            lambda stage: list(stage.client.unfinished_registrations()),
            dead_one_is_found,
            dead_registration,
        ),
        Verb(
            "update",
            lambda stage: stage.client.update(
                stage.known["image"], name="renamed", os_distro="debian", category="public"
            ),
            updated,
            one_image,
        ),
        Verb(
            "steward's update",
            lambda stage: stage.client.update(stage.known["image"], name="renamed", os_distro="debian"),
            updated,
            foreign_public_image,
            steward=ADMIN,
        ),
        Verb("disable", lambda stage: stage.client.disable(stage.known["image"]), disabled, one_image),
        Verb(
            "enable",
            lambda stage: stage.client.enable(stage.known["image"]),
            enabled,
            lambda stage: one_image(stage, status="deactivated"),
        ),
        Verb("delete", lambda stage: stage.client.delete(stage.known["image"]), deleted, one_image),
        Verb(
            "delete and report",
            lambda stage: stage.client.delete(stage.known["image"], report_servers=True),
            deleted_and_users_named,
            image_in_use,
        ),
        Verb(
            "servers using", lambda stage: stage.client.servers_using(stage.known["image"]), users_named, image_in_use
        ),
        Verb("servers", lambda stage: list(stage.client.servers()), servers_listed, image_in_use),
        Verb("launch one", launch(), launched, one_image, servers=1),
        Verb("launch three", launch(count=3, networks=("net1",), tags={"front"}), launched, one_image, servers=3),
        Verb("launch from an ISO", launch(install_disk_gib=2), launched, iso, servers=1, volumes=2),
        Verb(
            "launch with a boot volume",
            launch(boot_volume_gib=3, keep_volumes=True),
            launched,
            one_image,
            servers=1,
            volumes=1,
        ),
        Verb("launch with a password", launch(admin_password=ADMIN_PASSWORD), launched, password_image, servers=1),
        Verb(
            "launch Windows with a password", launch(admin_password=ADMIN_PASSWORD), launched, windows_image, servers=1
        ),
        Verb(
            "launch and fail",
            launch(count=2, on_failure="delete"),
            nothing_new,
            failing_build,
            servers=2,
            fails=LaunchFailedError,
        ),
        Verb("cancel a launch", cancel_launch, all_gone, a_launch),
        Verb(
            "cancel a launch with volumes",
            cancel_launch,
            all_gone,
            lambda stage: a_launch(stage, boot_volume_gib=3, keep_volumes=True),
        ),
        Verb("find a launch", lambda stage: stage.client.find_launch(LAUNCH_ID), launch_found, a_launch),
        Verb("capture", capture, captured, a_server, images=1),
        Verb("capture a volume", capture, captured, a_server_on_a_volume, images=1, volumes=1),
        Verb("capture and fail", capture, nothing_new, failing_snapshot, images=1, fails=CaptureFailedError),
        Verb(
            "capture a volume and fail",
            capture,
            nothing_new,
            failing_upload,
            images=1,
            volumes=1,
            fails=CaptureFailedError,
        ),
        Verb(
            "finish a capture",
            lambda stage: stage.client.find_capture(CAPTURE_ID).wait(),
            capture_finished,
            lambda stage: dead_capture(stage, a_server),
            images=1,
        ),
        Verb(
            "finish a capture of a volume",
            lambda stage: stage.client.find_capture(CAPTURE_ID).wait(),
            capture_finished,
            lambda stage: dead_capture(stage, a_server_on_a_volume),
            images=1,
        ),
        Verb("cancel a capture", cancel_capture, capture_gone, lambda stage: dead_capture(stage, a_server)),
        Verb(
            "cancel a capture of a volume",
            cancel_capture,
            capture_gone,
            lambda stage: dead_capture(stage, a_server_on_a_volume),
        ),
        Verb(
            "reset a password",
            lambda stage: stage.client.reset_password(stage.known["server"], ADMIN_PASSWORD),
            password_is_set,
            password_server,
        ),
        Verb("quota", lambda stage: stage.client.quota(), quota_is_right),
        Verb("quota of another", lambda stage: stage.client.quota("dept-a"), quota_is_right, user=ADMIN),
        Verb(
            "set quota",
            lambda stage: stage.client.set_quota("dept-a", images=7, cores=8, volumes=9),
            quota_is_set,
            user=ADMIN,
        ),
        Verb("doctor", lambda stage: stage.client.doctor(), findings, user=ADMIN),
        Verb("doctor as a member", lambda stage: stage.client.doctor(), findings),
        Verb("probe", lambda stage: stage.client.doctor(probe=True), findings, images=1),
        Verb("release", release, is_the_release, lambda stage: stage.known.update(older=a_release(stage)), images=1),
        Verb(
            "release and retire",
            lambda stage: release(stage, keep=1),
            is_the_release,
            lambda stage: stage.known.update(older=a_release(stage)),
            images=1,
        ),
        Verb("release what was not released yet", release, released, a_release_before_its_switch, images=1),
        Verb("release what is released", release, released, two_releases, images=1),
        Verb("latest", lambda stage: stage.client.latest(FAMILY), is_the_latest, two_releases),
        Verb("releases", lambda stage: stage.client.releases(FAMILY), all_releases, two_releases),
        Verb("families", lambda stage: stage.client.families(), one_family, two_releases),
        Verb("deprecate", lambda stage: stage.client.deprecate(stage.known["image"]), rolled_back, two_releases),
        Verb(
            "reinstate", lambda stage: stage.client.reinstate(stage.known["image"]), reinstated, a_rolled_back_release
        ),
        Verb("retire", lambda stage: stage.client.retire(FAMILY, keep=1), retired, two_releases),
        Verb(
            "retire and delete",
            lambda stage: stage.client.retire(FAMILY, keep=1, delete=True),
            retired,
            lambda stage: two_releases(stage, visibility="private", hyperx_deprecated_at="2026-11-02T00:00:00Z"),
        ),
        Verb(
            "retire and disable",
            lambda stage: stage.client.retire(FAMILY, keep=1, obsolete_after=timedelta(days=1)),
            retired,
            lambda stage: two_releases(stage, hyperx_deprecated_at="2026-11-02T00:00:00Z"),
        ),
        *(
            Verb(
                f"{name} of an unknown id",
                run,
                nothing_new,
                fails=NotFoundError,
                believes_a_lost_answer=name == "delete",
            )
            for name, run in _OF_UNKNOWN_IDS.items()
        ),
        Verb(
            "quota of an unknown department",
            lambda stage: stage.client.quota("unknown"),
            nothing_new,
            user=ADMIN,
            fails=NotFoundError,
        ),
        Verb(
            "set quota of an unknown department",
            lambda stage: stage.client.set_quota("unknown", images=7),
            nothing_new,
            user=ADMIN,
            fails=NotFoundError,
        ),
        Verb("leave", lambda stage: stage.client.leave(), left, images_of_ours, user=ADMIN),
        Verb("leave as a member", lambda stage: stage.client.leave(), left, images_of_ours),
        Verb("metadefs", lambda stage: stage.client.install_metadefs(), namespace_is_there, user=ADMIN),
    ]
}
