"""Helpers for the tests of both clouds: clients and their settings, and what a test leaves behind."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any, Final, Protocol

from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance import Client, Pace, Settings, UrlPolicy

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud, LocalCloud
    from hyperx_glance.testing.memory import Recorded

REGION: Final = "RegionOne"
LOOPBACK: Final = UrlPolicy(trusted_hosts=("127.0.0.1", "localhost"), timeout_seconds=2)
"""The tests' file server is on loopback, which is denied otherwise."""
PATIENT: Final = Settings(url_policy=LOOPBACK)
HASTY: Final = Settings(url_policy=LOOPBACK, pace=Pace(first_interval=0, longest_interval=0, deadline=30))
"""Nothing takes time in memory, so nothing is waited for."""


@dataclasses.dataclass
class Clock:
    """A clock that advances only during sleeps, by a ``tick`` at least."""

    now: float = 0.0
    tick: float = 0.0
    naps: list[float] = dataclasses.field(default_factory=list)

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.naps.append(seconds)
        self.now += max(seconds, self.tick)


class CloudUnderTest(Protocol):
    """An `InMemoryCloud` or a `LocalCloud`."""

    def session(self, user: str) -> Session:
        """Return a session of this user."""


def login(cloud: InMemoryCloud | LocalCloud, user: str) -> dict[str, Any]:
    """Return the keywords of keystoneauth's ``Password`` for this user."""
    return {key: text for key, text in cloud.auth(user).items() if key != "region_name"}


def own_session(session: Session) -> Session:
    """Return a session with the same login and connections; what a test changes in it leaves the cloud's own alone."""
    return Session(session.auth, session.session, timeout=session.timeout)


class ClientFactory:
    """A factory of clients, as in ``client("bob", transfer="stream")`` and ``client("rita", steward="admin")``."""

    def __init__(self, cloud: CloudUnderTest, settings: Settings) -> None:
        self.cloud = cloud
        self.settings = settings

    def __call__(self, user: str = "alice", *, steward: str | None = None, **settings: object) -> Client:
        """Connect ``user``; ``settings`` are fields of `Settings` that differ from the tests' own."""
        return Client.from_session(
            own_session(self.cloud.session(user)),
            region_name=REGION,
            steward=self.cloud.session(steward) if steward else None,
            settings=dataclasses.replace(self.settings, **settings),  # type: ignore[arg-type]  # as given
        )


def unique(name: str) -> str:
    """Return a name that no other test uses: all share one cloud."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def sent(cloud: InMemoryCloud, method: str = "", path: str = "") -> list[Recorded]:
    """Return the requests of users so far, without logins: with this method, and this in the path."""
    return [
        request
        for request in cloud.requests
        if request.user and path in request.path and method in ("", request.method)
        # A token that is had for another one is a login too.
        if not request.path.endswith("/auth/tokens")
    ]


def system_session(cloud: CloudUnderTest) -> Session:
    """Return the administrator's session for the whole system: before 2026.1 no other one sees every limit."""
    session = cloud.session("admin")
    base = session.get_endpoint(service_type="identity", interface="public")
    login = v3.Token(base or "", token=session.get_token() or "", system_scope="all")
    return Session(login, session.session)


def image_ids(cloud: CloudUnderTest) -> set[str]:
    """List every image of every department, the hidden ones too, past this library."""
    session = cloud.session("admin")
    found = set()
    for hidden in ("false", "true"):
        path: str | None = f"/v2/images?limit=1000&os_hidden={hidden}&visibility=all"
        while path:
            page = session.get(path, endpoint_filter={"service_type": "image"}).json()
            found |= {image["id"] for image in page["images"]}
            path = page.get("next")
    return found


def remove_images(cloud: CloudUnderTest, ids: set[str]) -> None:
    """Delete images, protected ones too, past this library."""
    session = cloud.session("admin")
    image_service = {"service_type": "image"}
    for image_id in ids:
        session.patch(
            f"/v2/images/{image_id}",
            json=[{"op": "replace", "path": "/protected", "value": False}],
            headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
            endpoint_filter=image_service,
            raise_exc=False,
        )
        session.delete(f"/v2/images/{image_id}", endpoint_filter=image_service, raise_exc=False)
