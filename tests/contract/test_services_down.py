"""Every verb while a service is down or absent, on both clouds: only what needs the service stops, and says so.

One table has the outcome of each verb in each outage. An error after which something may exist names it.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import pytest

from hyperx_glance import (
    Action,
    Client,
    HyperxGlanceError,
    Image,
    Launch,
    NewCapture,
    NewImage,
    NewIso,
    Pace,
    ServiceUnavailableError,
)
from hyperx_glance.testing import InMemoryCloud
from hyperx_glance.testing.memory import ServiceName
from hyperx_glance.testing.timing import scaled
from tests import samples
from tests.support import launches
from tests.support.clouds import HASTY, PATIENT, ClientFactory, Clock, unique
from tests.support.outages import absent, down
from tests.support.registrations import disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance import Capture
    from tests.support.clouds import CloudUnderTest
    from tests.support.file_server import FileServer

WORKS: Final = "works"
Outage = Callable[["CloudUnderTest", ServiceName], AbstractContextManager[None]]
OUTAGES: Final[dict[str, tuple[Outage, ServiceName]]] = {
    "Cinder is down": (down, "cinder"),
    "Cinder is absent": (absent, "cinder"),
    "Neutron is down": (down, "neutron"),
    "Neutron is absent": (absent, "neutron"),
    "Nova is down": (down, "nova"),
    "Nova is absent": (absent, "nova"),
}


@dataclasses.dataclass
class Scene:
    """What exists before the outage, and the people who work through it."""

    alice: Client
    admin: Client
    url: str
    held: str
    image: Image
    spare: list[Image]
    launch: Launch
    on_volume: Launch
    unfinished: Capture
    going: Launch
    going_on_volume: Launch
    finished: str
    name: str = ""
    """The name of what the present verb makes."""

    @property
    def server(self) -> str:
        return self.launch.servers[0].id

    @property
    def server_on_volume(self) -> str:
        return self.on_volume.servers[0].id


@pytest.fixture
def client(cloud: CloudUnderTest) -> ClientFactory:
    """Connect users who wait a minute at most; in memory, time passes only during sleeps."""
    if not isinstance(cloud, InMemoryCloud):
        return ClientFactory(cloud, dataclasses.replace(PATIENT, pace=Pace(deadline=scaled(60))))
    clock = Clock(tick=1)
    pace = Pace(first_interval=0, longest_interval=0, deadline=60, sleep=clock.sleep, clock=clock)
    return ClientFactory(cloud, dataclasses.replace(HASTY, pace=pace))


@pytest.fixture
def scene(cloud: CloudUnderTest, client: ClientFactory, file_server: FileServer) -> Iterator[Scene]:
    """Prepare what the verbs work on, while every service runs."""
    alice, admin = client("alice"), client("admin")
    admin.set_quota("dept-a", image_size_mib=20_000)
    image = alice.image(launches.put_password_image(cloud))

    def launched(**fields: object) -> Launch:
        return alice.launch(image, launches.ask(name=unique("web"), **fields))

    launch = launched()
    finished = unique("capture")
    alice.capture(launch.servers[0].id, NewCapture(name="finished", capture_id=finished))
    yield Scene(
        alice=alice,
        admin=admin,
        url=disk(file_server),
        held=file_server.hold("/held.iso", samples.data("installer.iso"), after=180_000).url,
        image=image,
        spare=[alice.image(launches.put_image(cloud)) for _ in range(3)],
        launch=launch,
        on_volume=launched(boot_volume_gib=1),
        unfinished=alice.start_capture(launch.servers[0].id, NewCapture(name="unfinished")),
        going=launched(),
        going_on_volume=launched(boot_volume_gib=1, keep_volumes=True),
        finished=finished,
    )
    launches.remove_servers(cloud)
    admin.set_quota("dept-a", image_size_mib=None)
    admin.set_quota("dept-b", cores=None, volumes=None, images=None)


@dataclasses.dataclass(frozen=True)
class Verb:
    """A verb with its outcome where it does not simply work: by the service, or by the outage."""

    run: Callable[[Scene], object]
    otherwise: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def outcome(self, outage: str) -> str:
        return self.otherwise.get(outage) or self.otherwise.get(outage.split(maxsplit=1)[0], WORKS)


def edited(scene: Scene) -> object:
    return [
        scene.alice.update(scene.image, description="edited"),
        scene.alice.disable(scene.image),
        scene.alice.enable(scene.image),
    ]


def saved(scene: Scene) -> object:
    return scene.alice.download(scene.image, io.BytesIO())


def registered_and_cancelled(scene: Scene) -> object:
    started = scene.alice.start_registration(NewIso(name=scene.name, url=scene.held))
    assert started.image_id in [image.id for image in scene.alice.unfinished_registrations()]
    scene.alice.progress(started.image_id)
    return scene.alice.cancel_registration(started.image_id)


def launched(scene: Scene, **fields: object) -> object:
    return scene.alice.launch(scene.image, launches.ask(name=scene.name, **fields))


def captured(scene: Scene, server_id: str, **fields: Any) -> Image:  # noqa: ANN401  # fields of NewCapture
    return scene.alice.capture(server_id, NewCapture(name=scene.name, **fields))


NOVA: Final = {"Nova": "compute"}
CINDER: Final = {"Cinder": "block-storage"}
VOLUMES: Final = {**NOVA, **CINDER}
NETWORK: Final = {"Neutron": "network"}
SERVERS: Final = {**NOVA, **NETWORK}
"""Nova asks Neutron for the security groups of each server that it shows."""
LAUNCHED: Final = {"Nova": "compute, leaving a launch", "Neutron": "network, leaving a launch"}
TABLE: Final = {
    "browse": Verb(lambda s: [list(s.alice.images()), s.alice.page(), s.alice.image(s.image.name)]),
    "leave": Verb(lambda s: s.admin.leave(dry_run=True), {"Nova is down": "compute"}),
    "count": Verb(lambda s: [s.alice.count(), s.alice.summary(), s.alice.tags()]),
    "name owners": Verb(lambda s: [s.alice.owner_name(s.image), s.alice.departments(), s.alice.regions()]),
    "tell what is allowed": Verb(lambda s: [s.alice.allowed(s.image), s.alice.why_not(s.image, Action.DELETE)]),
    "check a URL": Verb(lambda s: s.alice.check_url(s.url)),
    "register a URL": Verb(lambda s: s.alice.register(NewImage(name=s.name, url=s.url))),
    "register a file": Verb(
        lambda s: s.alice.register(NewImage(name=s.name, file=io.BytesIO(samples.data("disk.qcow2"))))
    ),
    "cancel a registration": Verb(registered_and_cancelled),
    "edit": Verb(edited),
    "download": Verb(saved),
    "list the servers of an image": Verb(
        lambda s: s.alice.servers_using(s.image), {**SERVERS, "Cinder is down": "works without block-storage"}
    ),
    "delete": Verb(lambda s: s.alice.delete(s.spare[0])),
    "delete, and report servers": Verb(
        lambda s: s.alice.delete(s.spare[1], report_servers=True),
        {"Nova": "works without compute", "Cinder is down": "works without block-storage"},
    ),
    "list flavors": Verb(lambda s: s.alice.flavors(s.image), NOVA),
    "list key pairs": Verb(lambda s: s.alice.key_pairs(), NOVA),
    "list availability zones": Verb(lambda s: s.alice.availability_zones(), NOVA),
    "list networks": Verb(lambda s: s.alice.networks(), NETWORK),
    "launch": Verb(launched, SERVERS),
    "launch without a network": Verb(
        lambda s: launched(s, networks="none"), {**NOVA, "Neutron": "network, leaving a launch"}
    ),
    "launch on a volume": Verb(lambda s: launched(s, boot_volume_gib=1), {**VOLUMES, **NETWORK}),
    "list servers": Verb(lambda s: list(s.alice.servers()), SERVERS),
    "list launches": Verb(lambda s: s.alice.launches(), SERVERS),
    "find a launch": Verb(lambda s: s.alice.find_launch(s.launch.launch_id).progress(), LAUNCHED),
    "reset a password": Verb(lambda s: s.alice.reset_password(s.server), NOVA),
    "capture a disk": Verb(lambda s: captured(s, s.server), SERVERS),
    "capture a disk, with an id": Verb(lambda s: captured(s, s.server, capture_id=unique("capture")), SERVERS),
    "capture a volume": Verb(lambda s: captured(s, s.server_on_volume), {**VOLUMES, **NETWORK}),
    "finish a capture of a disk": Verb(lambda s: s.alice.find_capture(s.unfinished.capture_id).wait()),
    "find a finished capture": Verb(lambda s: s.alice.find_capture(s.finished), {"Cinder is down": "block-storage"}),
    "cancel a launch": Verb(lambda s: s.going.cancel(), LAUNCHED),
    "cancel a launch on volumes": Verb(
        lambda s: s.going_on_volume.cancel(),
        {**LAUNCHED, "Cinder": "block-storage, leaving a launch"},
    ),
    "read the quota": Verb(
        lambda s: s.alice.quota(), {"Nova": "works without compute", "Cinder is down": "works without block-storage"}
    ),
    "read the quota of a department": Verb(
        lambda s: s.admin.quota("dept-b"),
        {"Nova": "works without compute", "Cinder is down": "works without block-storage"},
    ),
    "limit images": Verb(
        lambda s: s.admin.set_quota("dept-b", images=50),
        {"Nova": "works without compute", "Cinder is down": "works without block-storage"},
    ),
    "limit servers": Verb(
        lambda s: s.admin.set_quota("dept-b", cores=50), {**NOVA, "Cinder is down": "works without block-storage"}
    ),
    "limit volumes": Verb(
        lambda s: s.admin.set_quota("dept-b", volumes=50), {**CINDER, "Nova": "works without compute"}
    ),
    "limit all": Verb(lambda s: s.admin.set_quota("dept-b", images=5, cores=5, volumes=5), VOLUMES),
    "run the doctor": Verb(lambda s: s.alice.doctor(probe=True)),
    "install metadefs": Verb(lambda s: s.admin.install_metadefs()),
}


def outcome(verb: Verb, scene: Scene) -> str:
    """Run a verb; return "works", or the service that it misses and what may exist after its error."""
    try:
        result = verb.run(scene)
    except ServiceUnavailableError as error:
        told_by_nova = error.code in ("no-network-service", "compute-without-network-service")
        service = "network" if told_by_nova else f"{error.service}"
        return ", leaving a ".join([service, *(str(thing).split(maxsplit=1)[0] for thing in error.left)])
    except HyperxGlanceError as error:
        return f"{type(error).__name__}: {error}"
    missing = getattr(result, "not_looked_at", ())
    return f"works without {', '.join(missing)}" if missing else WORKS


def names(cloud: CloudUnderTest) -> list[str]:
    """Name every image, server and unused volume of alice's department, past this library."""
    images = cloud.session("alice").get("/v2/images?limit=1000", endpoint_filter=launches.IMAGES).json()["images"]
    unused = [volume for volume in launches.volumes(cloud) if not volume["attachments"]]
    return [each["name"] for each in [*images, *launches.servers(cloud), *unused]]


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_service_that_is_down_stops_only_what_needs_it(
    cloud: CloudUnderTest, client: ClientFactory, scene: Scene, outage: str
) -> None:
    stop, service = OUTAGES[outage]
    made, outcomes = {name: unique("made") for name in TABLE}, {}
    with stop(cloud, service):
        scene.alice, scene.admin = client("alice"), client("admin")
        for name, verb in TABLE.items():
            scene.name = made[name]
            outcomes[name] = outcome(verb, scene)
    assert outcomes == {name: verb.outcome(outage) for name, verb in TABLE.items()}
    refused = [made[name] for name, outcome in outcomes.items() if outcome in {"compute", "network", "block-storage"}]
    assert [name for name in names(cloud) if not name or name.startswith(tuple(refused))] == []


def test_without_keystone_every_verb_says_so_and_the_doctor_lists_it(
    cloud: CloudUnderTest, client: ClientFactory
) -> None:
    for person in ("alice", "admin"):
        cloud.session(person).invalidate()
    alice, admin = client("alice"), client("admin")
    with down(cloud, "keystone"):
        verbs: list[Callable[[], object]] = [
            alice.quota,
            lambda: list(alice.images()),
            alice.launches,
            lambda: admin.set_quota("dept-b", cores=5),
        ]
        for verb in verbs:
            with pytest.raises(ServiceUnavailableError) as caught:
                verb()
            assert (caught.value.service, caught.value.left) == ("identity", ())
        first, *others = alice.doctor()
        assert (first.check, first.level) == ("identity", "error")
        assert {finding.level for finding in others} == {"warning"}
