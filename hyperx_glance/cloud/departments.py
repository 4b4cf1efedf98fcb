"""Departments: Keystone's projects, by id or by name.

    >>> from hyperx_glance.cloud.departments import Departments
    >>> departments = Departments(cloud)
    >>> departments.resolve("dept-a").name
    'dept-a'

Keystone shows members the names of their own departments only (keystone/common/policies/project.py). So the names of
the departments that own images come from the steward, if there is one.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from weakref import WeakKeyDictionary

from hyperx_glance.arguments import reference
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, resource_path
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
    """One department: the id and the name of a Keystone project."""

    id: str
    name: str


class _Kept:
    """The names that one login may see, kept for a minute; the lock lets one thread read while the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: Mapping[str, str] = {}
        self._read_at: float | None = None

    def names(self, cloud: Cloud, clock: Callable[[], float]) -> Mapping[str, str]:
        """Return the names, and read them again with that login if they are too old."""
        cloud.check_process()  # after a fork, a lock of the parent may never be released
        with self._lock:
            # Clients that share the names of a steward may have different clocks.
            if self._read_at is None or not 0 <= clock() - self._read_at <= STALE_SECONDS:
                self._names = _read(cloud)
                self._read_at = clock()
            return self._names


_KEPT_OF_STEWARDS: WeakKeyDictionary[object, _Kept] = WeakKeyDictionary()
"""The names for each steward's session: a back end makes a client for each web request, and all share a steward."""


class Departments:
    """The departments that Keystone shows the caller: one request for all of them, then from memory for a minute."""

    def __init__(
        self, cloud: Cloud, *, steward: Cloud | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cloud = cloud
        self._steward = steward
        self._clock = clock
        self._kept = _Kept()
        self._owners = self._kept if steward is None else _KEPT_OF_STEWARDS.setdefault(steward.session, _Kept())

    def own(self) -> Department:
        """Return the caller's department, from the token."""
        access = self._cloud.access
        return Department(access.project_id, access.project_name)

    def names(self) -> Mapping[str, str]:
        """Return the names of the departments that the caller may see, by id."""
        return self._kept.names(self._cloud, self._clock)

    def owner_names(self) -> Mapping[str, str]:
        """Return the names of the departments that may own images that the caller sees, by id."""
        own = self.own()
        return {own.id: own.name, **self._names_of_owners()}

    def _names_of_owners(self) -> Mapping[str, str]:
        if self._steward is None:
            return self.names()
        try:
            return self._owners.names(self._steward, self._clock)
        except AuthenticationError as error:  # an error of the steward: logging in again would not help the caller
            raise NotAllowedError(
                f"The steward, which reads the names of departments, cannot log in: {error.message}",
                hint="An operator should renew the steward's session or credentials.",
                **error.answer(),
            ) from error

    def known(self) -> list[Department]:
        """List the departments that the caller may see, by name."""
        own = self.own()
        names = {own.id: own.name, **self.names()}
        return sorted((Department(key, name) for key, name in names.items()), key=lambda each: (each.name, each.id))

    def name(self, department_id: str) -> str:
        """Return the name of a department that owns an image, or its id if Keystone does not show the name."""
        own = self.own()
        if department_id == own.id:
            return own.name
        return self._names_of_owners().get(department_id, department_id)

    def matching(self, name_or_id: str) -> list[str]:
        """Return the ids of the departments that a filter names; an unknown word is treated as an id."""
        own = self.own()
        if name_or_id == own.id:
            return [own.id]
        found = [key for key, name in self._names_of_owners().items() if name_or_id in (key, name)]
        if name_or_id == own.name and own.id not in found:
            found.append(own.id)
        return found or [name_or_id]

    def resolve(self, name_or_id: str) -> Department:
        """Return the department with that id or name.

        Raise `NotFoundError` if there is none, `AmbiguousNameError` if several domains have the name, and
        `NotAllowedError` if a member names a department that Keystone does not show.
        """
        own = self.own()
        if name_or_id in (own.id, own.name) and not self._cloud.is_administrator:
            return own
        if not self._cloud.is_administrator:
            found = {key: name for key, name in self.names().items() if name_or_id in (key, name)}
        else:
            found = self._ask(name_or_id)
        if len(found) > 1:
            raise AmbiguousNameError(f"Several departments are named {name_or_id}.", matches=sorted(found))
        for key, name in found.items():
            return Department(key, name)
        if not self._cloud.is_administrator:
            raise NotAllowedError(
                f"You cannot see a department {name_or_id}.", hint="Only administrators may name other departments."
            )
        raise NotFoundError(
            f"There is no department {name_or_id}.", hint="List the departments to see their names and ids."
        )

    def _ask(self, name_or_id: str) -> dict[str, str]:
        """Ask Keystone, not the cache: a department for which a quota or an owner is written must exist now."""
        if not reference(name_or_id):  # otherwise it is not an id, and could lead to another path
            with suppress(NotFoundError):
                path = resource_path("projects", name_or_id)
                project = self._cloud.get_parsed(_OneProject, "identity", path).project
                return {project.id: project.name}
        found = self._cloud.get_parsed(_Projects, "identity", "/projects", params={"name": name_or_id}).projects
        return {project.id: project.name for project in found}


def _read(cloud: Cloud) -> Mapping[str, str]:
    path = "/projects" if cloud.is_administrator else "/auth/projects"
    try:
        answer = cloud.get_parsed(_Projects, "identity", path)
    except NotAllowedError:
        # The role admin in a project may not be enough for Keystone's list (a domain's administrator).
        answer = cloud.get_parsed(_Projects, "identity", "/auth/projects")
    return MappingProxyType({project.id: project.name for project in answer.projects})
