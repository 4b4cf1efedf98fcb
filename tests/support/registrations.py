"""What tests of registering share: requests, files, clocks, records, and the steps one by one."""

from __future__ import annotations

import dataclasses
import hashlib
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from hyperx_glance import Client, NewImage, QuotaLimits, Registration
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Departments
from hyperx_glance.models.mapping import new_image_body
from hyperx_glance.registration import admission, checking, creation, importing
from hyperx_glance.registration.following import RegistrationFollower
from hyperx_glance.registration.order import Deadline, RegistrationOrder
from hyperx_glance.registration.record import RegistrationRecord
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.clouds import HASTY, LOOPBACK, REGION, ClientFactory, Clock, unique
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance import Phase
    from tests.support.file_server import FileServer

BLIND = LOOPBACK.model_copy(update={"preflight": False})


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


OWN_ID = "0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90"


FAILED_TASK = {
    "type": "api_image_import",
    "status": "failure",
    "message": "Cannot read http://127.0.0.1/a?sig=5ecre7",
    "created_at": "2026-01-01T10:00:00.000000",
    "updated_at": "2026-01-01T10:00:00.000000",
}


def sha256() -> str:
    """Return a checksum that Glance, with SHA-512, does not keep: the data is read back."""
    return f"sha256:{hashlib.sha256(samples.data('disk.qcow2')).hexdigest()}"


def timed(cloud: InMemoryCloud, clock: Clock, user: str = "alice", **settings: object) -> Client:
    pace = dataclasses.replace(HASTY.pace, first_interval=0.1, longest_interval=1.5, clock=clock, sleep=clock.sleep)
    chosen = dataclasses.replace(HASTY, pace=dataclasses.replace(pace, deadline=36000), **settings)  # type: ignore[arg-type]
    return Client.from_session(cloud.session(user), region_name=REGION, settings=chosen)


def kept(cloud: InMemoryCloud) -> list[str]:
    return [image.id for image in cloud.glance.images.values() if not image.deleted]


def context_of(client: Client) -> Context:
    """Return what a client gives its verbs; it has no steward."""
    departments = Departments(client.cloud, clock=client.settings.pace.clock)
    return Context(client.cloud, departments, client.settings)


def record_of(cloud: InMemoryCloud, client: Client, *, own: bool = True, **fields: Any) -> RegistrationRecord:  # noqa: ANN401  # of two kinds
    """Return a record of alice's; ``fields`` belong to the order or, if it has none of the name, to Glance's record."""
    words = {"disk_format": "qcow2", "container_format": "bare", "status": "queued", "name": "a"}
    names = {field.name for field in dataclasses.fields(RegistrationOrder)}
    wanted = {name: value for name, value in fields.items() if name in names}
    words |= {name: value for name, value in fields.items() if name not in names}
    context = context_of(client)
    image_id = cloud.glance.add_image(owner="dept-a", **words)
    order = RegistrationOrder(image_id=image_id, url=None, disk_format="qcow2", department=context.departments.own())
    return RegistrationRecord(context, dataclasses.replace(order, **wanted), own=own)


Format = Literal["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi"]


def disk(server: FileServer, name: str = "disk.qcow2", path: str = "/disk.qcow2") -> str:
    return server.serve(path, samples.data(name))


def cut_late(server: FileServer) -> str:
    """Cut a file short behind what preflight reads."""
    return server.cut("/cut.qcow2", samples.data("disk.qcow2"), after=300_000)


def new(url: str, *, disk_format: Format | None = None, **fields: object) -> NewImage:
    return NewImage.model_validate({"name": unique("image"), "url": url, "disk_format": disk_format, **fields})


class Steps:
    """The steps of `start_registration` in two halves: the first three are taken at once."""

    def __init__(self, client: Client, request: NewImage) -> None:
        context = context_of(client)
        asked = checking.asked(context, request, keep_failed=False)
        found = checking.look(context, asked, declared=request.disk_format, packed=None)
        ways = checking.ways(context, asked, found)
        room = checking.room(context, asked, found)
        order = asked.completed(found, checksum=request.checksum, ways=ways, room=room)
        self._request = request
        self._record = RegistrationRecord(context, order, own=True)

    def start(self) -> Registration:
        record, end = self._record, Deadline(time.monotonic)
        with record.named():
            methods = creation.create(record, self._request)
            with record.given_up_on_failure():
                admission.admit(record.context, record.order, end)
                way = importing.begin(record.context, record.order, methods=methods)
        return Registration(RegistrationFollower(record, way))


@contextmanager
def limits(client: ClientFactory, department: str, values: QuotaLimits) -> Iterator[None]:
    """Change a department's limits for a while."""
    admin = client("admin")
    admin.set_quota(department, **values)
    try:
        yield
    finally:
        admin.set_quota(department, **dict.fromkeys(values))


def until_phase(registration: Registration, phase: Phase) -> None:
    """Wait until a registration has come so far."""
    until(lambda: registration.progress().phase is phase)


def images_used(client: ClientFactory) -> int:
    usage = client("admin").quota("dept-a").images
    assert usage is not None
    return usage.used


def left_behind(client: ClientFactory, request: NewImage, *, disk_format: str = "qcow2") -> str:
    """Create a record as a registration that died right afterwards, and return its id."""
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
