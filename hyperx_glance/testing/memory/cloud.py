"""The in-memory cloud itself: its services, the ways into it, and its state.

>>> cloud = InMemoryCloud()
>>> [service.name for service in cloud.keystone.services]
['keystone', 'glance', 'neutron', 'nova', 'cinder', 'placement']
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, Unpack

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.sources.network import as_default
from hyperx_glance.testing import capabilities, known
from hyperx_glance.testing.memory import files
from hyperx_glance.testing.memory.answering import Answering
from hyperx_glance.testing.memory.cinder import Cinder
from hyperx_glance.testing.memory.filling import fill
from hyperx_glance.testing.memory.glance import Glance
from hyperx_glance.testing.memory.ids import Ids
from hyperx_glance.testing.memory.keystone import REGION, SYSTEM, Grant, Keystone
from hyperx_glance.testing.memory.neutron import Neutron
from hyperx_glance.testing.memory.nova import Nova
from hyperx_glance.testing.memory.placement import Placement
from hyperx_glance.testing.memory.wire import Failure, Reply
from hyperx_glance.testing.profiles import PROFILES, ProfileName, entries, written
from hyperx_glance.texts import Text

if TYPE_CHECKING:
    import requests
    import requests_mock
    from keystoneauth1.session import Session

    from hyperx_glance.client import Client
    from hyperx_glance.testing.clients import ClientSettings
    from hyperx_glance.testing.memory.entrance import Entrance
    from hyperx_glance.waiting.pace import Pace

_LONGEST_INTERVAL = 30.0


class InMemoryCloud(Answering):
    """A cloud with a fake of each service, which records requests and fails on demand; threads may share it.

    ``now`` is the clock of all its services, the system's by default. The cloud behaves like the OpenStack release
    ``release``, as far as ``capabilities`` knows a difference. ``profile`` "devstack" adds what DevStack makes. Clouds
    with the same ``seed`` give the same ids, passwords and tokens to the same requests.
    """

    _unsaved: ClassVar[frozenset[str]] = frozenset({"network", "files_url", "_mocker", "_entered", "_entrance"})
    """Attributes that a saved state leaves out."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        release: str = capabilities.NEWEST,
        profile: ProfileName = "default",
        seed: int | None = None,
    ) -> None:
        known.require("profile", profile, PROFILES)
        check_release(release)
        if seed is not None and type(seed) is not int:
            raise InvalidRequestError(Text(f"seed must be a whole number, not {seed!r}."))
        super().__init__(Keystone(), Ids(seed))
        self.release = release
        """The OpenStack release that the cloud plays."""
        self.profile: ProfileName = profile
        """The name of its initial content."""
        self.glance = Glance(self.keystone)
        """Images, imports and what URLs hold."""
        self.neutron = Neutron()
        """Networks, ports, security groups and routers."""
        self.cinder = Cinder(self.keystone, self.glance)
        """Volumes and their quotas."""
        self.nova = Nova(self.keystone, self.glance, self.cinder, self.neutron)
        """Servers, flavors and their quotas."""
        self.placement = Placement(self.nova)
        """The host of Nova's servers, and what they use."""
        self.glance.lookers += [self.nova.look_at_image, self.cinder.look_at_image]
        self.glance.writers += [self.nova.writes_to_image, self.cinder.writes_to_image]
        self.keystone.services += [self.glance, self.neutron, self.nova, self.cinder, self.placement]
        for service in self.keystone.services:
            service.now, service.ids = now, self.ids
        self.keystone.lacks = self.glance.lacks = capabilities.lacking(release)
        self.glance.import_filter.of_redirects = "redirects-filtered" not in self.glance.lacks
        self._slept = 0.0
        self._mocker: requests_mock.Mocker | None = None
        self._entered = contextlib.ExitStack()
        self.files_url = ""
        """The URL below which a server answers with those of ``glance.downloads`` that are there; "" if none does."""
        self.network = files.network(lambda: self.glance.downloads)
        """The network with the files of ``glance.downloads``: ``Settings(network=cloud.network)``."""
        admin = self.keystone.add_user("admin", "admin", role="admin")
        self.keystone.grants.add(Grant(("user", admin), SYSTEM, self.keystone.role_id("admin")))
        fill(self, PROFILES[profile])
        for service in self.keystone.services:
            service.seal()

    @property
    def departments(self) -> Mapping[str, str]:
        """Project ids by name."""
        return self.keystone.departments

    @property
    def failures(self) -> list[Failure]:
        """Requests that this cloud answered with 500 because of its own mistake."""
        return [failure for service in self.keystone.services for failure in service.failures]

    @property
    def unused_failures(self) -> list[str]:
        """What was planned and has not happened: a test of an error that never occurred proves nothing.

        These are the calls of `fail`, `cut` and `before` of which no request was struck, and what is left in
        ``nova.faults``, ``nova.snapshot_faults``, ``cinder.faults`` and ``cinder.upload_faults``.

        >>> cloud = InMemoryCloud()
        >>> cloud.fail("glance", "GET", "/v2/images$", status=500)
        >>> cloud.unused_failures
        ["fail('glance', 'GET', '/v2/images$', status=500)"]
        """
        with self._lock:
            plans = [plan.words for plan in self._plans if not plan.fired]
        left = {
            "nova.faults": self.nova.faults,
            "nova.snapshot_faults": self.nova.snapshot_faults,
            "cinder.faults": self.cinder.faults,
            "cinder.upload_faults": self.cinder.upload_faults,
        }
        return plans + [f"{name}: {fault!r}" for name, faults in left.items() for fault in faults]

    def check(self, *, passed: bool = True) -> None:
        """Raise `AssertionError` if there are `failures` or `unused_failures`.

        The end of the ``with`` block and of the fixture call this. ``passed`` False ignores `unused_failures`, since a
        test that failed may have ended before they were due.
        """
        unused = self.unused_failures if passed else []
        problems = [*map(str, self.failures), *(f"This planned failure never happened: {plan}" for plan in unused)]
        if problems:
            raise AssertionError("\n".join(problems))

    @property
    def users(self) -> Mapping[str, str]:
        """User ids by name."""
        return self.keystone.users

    @property
    def pace(self) -> Pace:
        """A pace whose clock advances only, and at once, when a caller sleeps, so waiting takes no time.

        Its intervals grow to 30 seconds, so that even hours of waiting are few requests: an hour is some 140 looks.
        """
        from hyperx_glance.waiting.pace import Pace  # noqa: PLC0415 - a served cloud needs none

        return Pace(longest_interval=_LONGEST_INTERVAL, sleep=self._sleep, clock=lambda: self._slept)

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += max(seconds, 0.001)

    # ------------------------------------------------------------- ways in

    def auth(self, user: str) -> dict[str, str]:
        """Return the keywords with which ``connect`` logs in as this user."""
        return {
            "auth_url": f"{self.keystone.url}/v3",
            "username": user,
            "password": self.keystone.password_of(user),
            "project_name": self.keystone.department_of(user),
            "user_domain_id": "default",
            "project_domain_id": "default",
            "region_name": REGION,
        }

    def clouds_yaml(self) -> str:
        """Return a ``clouds.yaml`` with a cloud for each user, for programs that connect by name inside ``with``."""
        return written(entries(self.auth, self.users, self.profile))

    def session(self, user: str) -> Session:
        """Return a new keystoneauth session of this user that reaches this cloud and nothing else."""
        return self._entrance.session(self.auth(user))

    def client(self, user: str, **settings: Unpack[ClientSettings]) -> Client:
        """Return a new client of this user, with the cloud's `network` and `pace`.

        ``settings`` are fields of `~hyperx_glance.Settings`.

        >>> InMemoryCloud().client("bob", transfer="stream").is_administrator
        False
        """
        from hyperx_glance.testing.clients import client  # noqa: PLC0415 - a served cloud needs none

        chosen: ClientSettings = {"network": self.network, "pace": self.pace, **settings}
        return client(self.session(user), REGION, **chosen)

    def _answer(self, request: requests.PreparedRequest) -> Reply | None:
        url = str(request.url)
        if self.service_at(url) is None:
            return None
        return self.answer(request.method or "GET", url, request.headers, request.body)

    @functools.cached_property
    def _entrance(self) -> Entrance:
        from hyperx_glance.testing.memory.entrance import Entrance  # noqa: PLC0415 - a served cloud needs none

        return Entrance(self._answer)

    def __enter__(self) -> Self:
        """Let every requests session of this process reach the cloud."""
        self._mocker = self._entrance.mocker()
        self._mocker.start()
        self._entered.enter_context(as_default(self.network))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Restore requests."""
        self._entered.close()
        if self._mocker is not None:
            self._mocker.stop()
            self._mocker = None
        if error is None:
            self.check()

    # ------------------------------------------------------------- state

    def state(self) -> bytes:
        """Return everything that the cloud holds as one JSON document: `restore` loads it into any cloud.

        It has what the services hold, tokens and settings included, and what is planned; not `requests` and
        `failures`. Wait for real downloads of imports first. Raise `~hyperx_glance.InvalidRequestError` for what no
        document can hold: functions, such as those of `before`.

        >>> saved = InMemoryCloud()
        >>> image_id = saved.glance.add_image(name="debian-12", status="active")
        >>> cloud = InMemoryCloud()
        >>> cloud.restore(saved.state())
        >>> list(cloud.glance.images) == [image_id]
        True
        """
        from hyperx_glance.testing.memory import saving  # noqa: PLC0415 - most clouds are never saved

        with self._lock:
            while running := self.glance.downloading():
                with self._unlocked():
                    running[0].join()
            return saving.written(self)

    def restore(self, document: bytes) -> None:
        """Replace everything that the cloud holds with that of a document of `state`.

        Raise `~hyperx_glance.InvalidRequestError`, and change nothing, if it is no such document, or one of another
        version of this library.
        """
        from hyperx_glance.testing.memory import saving  # noqa: PLC0415 - most clouds are never saved

        values = saving.read(document)
        check_release(values["cloud"]["release"])
        with self._lock:
            saving.assign(self, values)


def check_release(release: str) -> None:
    """Raise `InvalidRequestError` if this is no name of a release."""
    if not re.fullmatch(r"20[0-9]{2}\.[12]", release):
        raise InvalidRequestError(Text(f"release must be a name such as {capabilities.NEWEST}, not {release!r}."))
