"""Departments: Keystone's projects, by id or by name.

    >>> from hyperx_glance.cloud.departments import Departments
    >>> departments = Departments(cloud)
    >>> departments.resolve("dept-a").name
    'dept-a'

Keystone shows a member the names of the member's own departments only (keystone/common/policies/project.py). So the
names of the departments that own images come from the steward, where there is one.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote
from weakref import WeakKeyDictionary

from hyperx_glance.arguments import reference
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.forks import renew_in_children
from hyperx_glance.errors import AmbiguousNameError, AuthenticationError, NotAllowedError, NotFoundError

STALE_SECONDS = 60


class _Project(Shape):
    id: str
    name: str


class _OneProject(Shape):
    project: _Project


class _Projects(Shape):
    projects: tuple[_Project, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """Name a department."""

    id: str
    name: str


class _Kept:
    """Keep the names that one login may know, for a minute; the lock lets one thread read and the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: Mapping[str, str] = {}
        self._read_at: float | None = None
        renew_in_children(self)

    def renew(self) -> None:
        """Use a lock of this process's own after a fork: a thread of the parent may have held the other."""
        self._lock = threading.Lock()

    def names(self, cloud: Cloud, clock: Callable[[], float]) -> Mapping[str, str]:
        """Give them, after a request of that login where they are too old."""
        with self._lock:
            # Clients that share what a steward told may have different clocks.
            if self._read_at is None or not 0 <= clock() - self._read_at <= STALE_SECONDS:
                self._names = _read(cloud)
                self._read_at = clock()
            return self._names


_KEPT_OF_STEWARDS: WeakKeyDictionary[object, _Kept] = WeakKeyDictionary()
"""What each steward's session told: a back end makes a client for each web request, and all of them share a steward."""


class Departments:
    """Know the departments that Keystone lets the caller know: one request for all, then from memory for a minute."""

    def __init__(
        self, cloud: Cloud, *, steward: Cloud | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cloud = cloud
        self._steward = steward
        self._clock = clock
        self._kept = _Kept()
        self._told = self._kept if steward is None else _KEPT_OF_STEWARDS.setdefault(steward.session, _Kept())

    def own(self) -> Department:
        """Give the caller's department, from the token."""
        access = self._cloud.access
        return Department(access.project_id, access.project_name)

    def names(self) -> Mapping[str, str]:
        """Give all that the caller may know, id to name."""
        return self._kept.names(self._cloud, self._clock)

    def owner_names(self) -> Mapping[str, str]:
        """Give the names of the departments that may own images which the caller sees, id to name."""
        own = self.own()
        return {own.id: own.name, **self._names_of_owners()}

    def _names_of_owners(self) -> Mapping[str, str]:
        if self._steward is None:
            return self.names()
        try:
            return self._told.names(self._steward, self._clock)
        except AuthenticationError as error:  # not the caller's: to log in again would not help
            raise NotAllowedError(
                f"The steward, which tells the names of departments, cannot log in: {error.message}",
                hint="An operator should renew the steward's session or credentials.",
                **error.answer(),
            ) from error

    def known(self) -> list[Department]:
        """List all that the caller may know, by name."""
        own = self.own()
        names = {own.id: own.name, **self.names()}
        return sorted((Department(key, name) for key, name in names.items()), key=lambda each: (each.name, each.id))

    def name(self, department_id: str) -> str:
        """Give the name of a department that owns an image; its id where Keystone does not tell."""
        own = self.own()
        if department_id == own.id:
            return own.name
        return self._names_of_owners().get(department_id, department_id)

    def matching(self, name_or_id: str) -> list[str]:
        """Give the ids of the departments that a filter names: an unknown word is taken for an id."""
        own = self.own()
        if name_or_id == own.id:
            return [own.id]
        found = [key for key, name in self._names_of_owners().items() if name_or_id in (key, name)]
        if name_or_id == own.name and own.id not in found:
            found.append(own.id)
        return found or [name_or_id]

    def resolve(self, name_or_id: str) -> Department:
        """Find the one department of that id or name.

        Raise `NotFoundError` where there is none, `AmbiguousNameError` for a name in several domains, and
        `NotAllowedError` for a member who names a department that Keystone does not show.
        """
        own = self.own()
        if name_or_id in (own.id, own.name) and not self._cloud.is_administrator:
            return own
        if not self._cloud.is_administrator:
            found = {key: name for key, name in self.names().items() if name_or_id in (key, name)}
        else:
            found = self._ask(name_or_id)
        if len(found) > 1:
            raise AmbiguousNameError(f"Several departments are called {name_or_id}.", matches=sorted(found))
        for key, name in found.items():
            return Department(key, name)
        if not self._cloud.is_administrator:
            raise NotAllowedError(
                f"Keystone shows you no department {name_or_id}.", hint="Other departments are for administrators."
            )
        raise NotFoundError(
            f"There is no department {name_or_id}.", hint="openstack hyperx department list shows which there are."
        )

    def _ask(self, name_or_id: str) -> dict[str, str]:
        """Ask Keystone itself: what a quota or an owner is written for must exist now."""
        if not reference(name_or_id):  # or it is no id, and would lead to another path
            with suppress(NotFoundError):
                project = self._cloud.get_parsed(
                    _OneProject, "identity", f"/projects/{quote(name_or_id, safe='')}"
                ).project
                return {project.id: project.name}
        found = self._cloud.get_parsed(_Projects, "identity", "/projects", params={"name": name_or_id}).projects
        return {project.id: project.name for project in found}


def _read(cloud: Cloud) -> Mapping[str, str]:
    path = "/projects" if cloud.is_administrator else "/auth/projects"
    try:
        answer = cloud.get_parsed(_Projects, "identity", path)
    except NotAllowedError:
        # The role admin in a project need not reach Keystone's list (a domain's administrator).
        answer = cloud.get_parsed(_Projects, "identity", "/auth/projects")
    return MappingProxyType({project.id: project.name for project in answer.projects})
