"""A connection as one user, made from a session or from another connection; its opener closes it.

    >>> client = hyperx_glance.Client.from_session(session)
    >>> client.is_administrator, client.region_name
    (False, None)

`Client` adds the verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from hyperx_glance.arguments import checked, filled_text, instance, optional, text
from hyperx_glance.cloud.cloud import Cloud, steward_cloud
from hyperx_glance.cloud.connecting import is_connection, is_session, is_steward
from hyperx_glance.cloud.context import Context
from hyperx_glance.cloud.departments import Departments
from hyperx_glance.cloud.tokens import caller_of
from hyperx_glance.settings import Settings, usual
from hyperx_glance.texts import NO_TEXT, Text, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from keystoneauth1.session import Session
    from openstack.connection import Connection


def _is_cloud(value: object) -> Text:
    """Return why this is not a connection that this library's constructors make."""
    if isinstance(value, Cloud):
        return NO_TEXT
    return say("make-clients-otherwise")


class Connected:
    """A connection to one OpenStack cloud, as one user."""

    @checked(cloud=_is_cloud, steward=optional(_is_cloud), settings=optional(instance(Settings)))
    def __init__(self, cloud: Cloud, *, steward: Cloud | None = None, settings: Settings | None = None) -> None:
        settings = settings or usual()
        departments = Departments(cloud, steward=steward, clock=settings.pace.clock)
        self._context = Context(cloud, departments, settings, steward)
        self.on_close: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        """Name the caller as far as that is known without a request; a password or a token is never shown."""
        user, department, cloud = caller_of(self.cloud.session)
        region = self.region_name
        return f"{type(self).__name__}({user=}, {department=}, {region=}, {cloud=})"

    @classmethod
    @checked(connection=is_connection, steward=optional(is_steward), settings=optional(instance(Settings)))
    def from_connection(
        cls, connection: Connection, *, steward: Session | Connection | None = None, settings: Settings | None = None
    ) -> Self:
        """Make a client from an existing openstacksdk connection; no request is sent.

        :param connection: a connection of openstacksdk; you close it yourself
        :param steward: a second session or connection, with the role admin, as for `connect`
        :param settings: choices of the deployment and the caller; None is all defaults
        :raises InvalidRequestError: an argument is of another type
        """
        settings = settings or usual()
        cloud = Cloud.from_connection(connection, pace=settings.pace)
        second = steward_cloud(steward, region_name=cloud.region_name, pace=settings.pace)
        return cls(cloud, steward=second, settings=settings)

    @classmethod
    @checked(
        session=is_session,
        region_name=optional(text),
        interface=filled_text,
        steward=optional(is_steward),
        settings=optional(instance(Settings)),
    )
    def from_session(
        cls,
        session: Session,
        *,
        region_name: str | None = None,
        interface: str = "public",
        steward: Session | Connection | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Make a client from an existing keystoneauth session; no request is sent.

        :param session: a session of keystoneauth; it stays yours
        :param region_name: the region; None is the first of the catalogue
        :param interface: the kind of endpoints: "public", "internal" or "admin"
        :param steward: a second session or connection, with the role admin, as for `connect`
        :param settings: choices of the deployment and the caller; None is all defaults
        :raises InvalidRequestError: an argument is of another type
        """
        settings = settings or usual()
        cloud = Cloud.from_session(session, region_name=region_name, interface=interface, pace=settings.pace)
        second = steward_cloud(steward, region_name=region_name, interface=interface, pace=settings.pace)
        return cls(cloud, steward=second, settings=settings)

    # ------------------------------------------------------------- the caller

    @property
    def cloud(self) -> Cloud:
        """The services of the cloud as this user, for requests of your own."""
        return self._context.cloud

    @property
    def settings(self) -> Settings:
        """The settings of this client."""
        return self._context.settings

    @property
    def project_id(self) -> str:
        """The id of the caller's department."""
        return self.cloud.project_id

    @property
    def user_id(self) -> str:
        """The id of the caller."""
        return self.cloud.user_id

    @property
    def is_administrator(self) -> bool:
        """Whether the caller's token carries the role admin."""
        return self.cloud.is_administrator

    @property
    def region_name(self) -> str | None:
        """The region that the caller named; None means the catalogue's first one."""
        return self.cloud.region_name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that `connect` opened; the caller's own session or connection stays open."""
        self.on_close()
