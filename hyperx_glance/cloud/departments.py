"""Departments: Keystone's projects, by id or by name.

    >>> from hyperx_glance.cloud.departments import Departments
    >>> departments = Departments(cloud)
    >>> departments.resolve("dept-a").name
    'dept-a'

Keystone shows members the names of their own departments only (keystone/common/policies/project.py). So the names of
the departments that own images come from the steward, if there is one.
"""

import re
import threading
import time
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from weakref import WeakKeyDictionary

from hyperx_glance.arguments import LARGEST_PAGE, reference
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud, resource_path
from hyperx_glance.cloud.pages import KeystonePage, Listed, cut, keystone_collection, read_as_far_as_shown
from hyperx_glance.errors import AmbiguousNameError, AuthenticationError, NotAllowedError, NotFoundError
from hyperx_glance.texts import say

STALE_SECONDS = 60
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
"""The ids that Keystone gives projects; those of LDAP's are longer (keystone/identity/id_generators/sha256.py)."""


class _Project(Listed):
    name: str


class _OneProject(Shape):
    project: _Project


class _Projects(KeystonePage[_Project], alias_generator=keystone_collection("projects")):
    pass


@dataclass(frozen=True, slots=True)
class Department:
    """One department: the id and the name of a Keystone project."""

    id: str
    name: str


class Names(Mapping[str, str]):
    """The names of departments by id.

    If Keystone cuts its list (``list_limit``) and does not continue it, the name of any other department is looked up
    when it is needed, so that none is missing. ``is_whole`` says whether iterating shows all of them.
    """

    def __init__(self, known: Mapping[str, str], *, cut_for: Cloud | None = None) -> None:
        self._known = MappingProxyType(dict(known))
        self._cut_for = cut_for
        self._found: dict[str, str | None] = {}

    @property
    def is_whole(self) -> bool:
        """Whether Keystone has listed every department."""
        return self._cut_for is None

    def __getitem__(self, department_id: str) -> str:
        """Return a name."""
        name = self._known.get(department_id)
        if name is None and self._cut_for is not None:
            if department_id not in self._found:
                self._found[department_id] = _by_id(self._cut_for, department_id).get(department_id)
            name = self._found[department_id]
        if name is None:
            raise KeyError(department_id)
        return name

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids that Keystone has listed."""
        return iter(self._known)

    def __len__(self) -> int:
        """Count the names that Keystone has listed."""
        return len(self._known)

    def matching(self, name_or_id: str) -> dict[str, str]:
        """Return the departments with this id or name."""
        found = {key: name for key, name in self._known.items() if name_or_id in (key, name)}
        return found if self._cut_for is None else found | _ask(self._cut_for, name_or_id)


class _Kept:
    """The names that one login may see, kept for a minute; the lock lets one thread read while the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names = Names({})
        self._read_at: float | None = None

    def names(self, cloud: Cloud, clock: Callable[[], float]) -> Names:
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

    def names(self) -> Names:
        """Return the names of the departments that the caller may see, by id."""
        return self._kept.names(self._cloud, self._clock)

    def owner_names(self) -> Mapping[str, str]:
        """Return the names of the departments that may own images that the caller sees, by id."""
        own = self.own()
        return ChainMap({own.id: own.name}, self._shown_names())  # type: ignore[arg-type]  # nobody writes to it

    def _shown_names(self) -> Mapping[str, str]:
        """Return the names of owners, or none if the caller may not list departments, as by an access rule."""
        try:
            return self._names_of_owners()
        except NotAllowedError:
            if self._steward is not None:
                raise
            return {}

    def _names_of_owners(self) -> Names:
        if self._steward is None:
            return self.names()
        with self._steward_in_charge():
            return self._owners.names(self._steward, self._clock)

    @contextmanager
    def _steward_in_charge(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError as error:  # an error of the steward: logging in again would not help the caller
            raise NotAllowedError(
                say("steward-cannot-read-names", problem=error.message),
                hint=say("renew-the-steward"),
                **error.answer(),
            ) from error

    def known(self) -> list[Department]:
        """List the departments that the caller may see, by name; raise if Keystone shows only a part of them."""
        own = self.own()
        shown = self.names()
        if not shown.is_whole:
            raise cut("identity", len(shown))
        names = {own.id: own.name, **shown}
        return sorted((Department(key, name) for key, name in names.items()), key=lambda each: (each.name, each.id))

    def name(self, department_id: str) -> str:
        """Return the name of a department that owns an image, or its id if Keystone does not show the name."""
        own = self.own()
        if department_id == own.id:
            return own.name
        return self._shown_names().get(department_id, department_id)

    def matching(self, name_or_id: str) -> list[str]:
        """Return the ids of the departments that a filter names; an unknown word is treated as an id."""
        own = self.own()
        if name_or_id == own.id:
            return [own.id]
        found = list(self._names_of_owners().matching(name_or_id))
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
        # An administrator's is not from memory: a department for which a quota or an owner is written must exist now.
        administrator = self._cloud.is_administrator
        found = _ask(self._cloud, name_or_id) if administrator else self.names().matching(name_or_id)
        if len(found) > 1:
            raise AmbiguousNameError(say("several-departments", name=name_or_id), matches=sorted(found))
        for key, name in found.items():
            return Department(key, name)
        if not self._cloud.is_administrator:
            raise NotAllowedError(
                say("department-not-visible", name=name_or_id), hint=say("only-administrators-name-departments")
            )
        raise NotFoundError(say("no-such-department", name=name_or_id), hint=say("list-departments"))

    def receiver(self, name_or_id: str) -> Department:
        """Return the department with which an image is to be shared: an administrator or a steward knows every name.

        Otherwise only the caller's own departments have names, and an id is taken as it is. Raise `NotFoundError` or
        `NotAllowedError` for any other word, and `AmbiguousNameError` if several domains have the name.
        """
        if self._cloud.is_administrator:
            return self.resolve(name_or_id)
        found = self._names_of_owners().matching(name_or_id)
        if not found and self._steward is not None:
            with self._steward_in_charge():
                found = _ask(self._steward, name_or_id)
        if len(found) > 1:
            raise AmbiguousNameError(say("several-departments", name=name_or_id), matches=sorted(found))
        for key, name in found.items():
            return Department(key, name)
        if self._steward is not None:
            raise NotFoundError(say("no-such-department", name=name_or_id), hint=say("list-departments"))
        if not _ID.fullmatch(name_or_id):
            raise NotAllowedError(say("department-not-visible", name=name_or_id), hint=say("pass-the-department-s-id"))
        return Department(name_or_id, name_or_id)

    def former_receiver(self, name_or_id: str) -> Department:
        """Return the department from which an image is to be taken back; an id may be that of one that is gone."""
        if _ID.fullmatch(name_or_id):
            return Department(name_or_id, name_or_id)
        return self.receiver(name_or_id)


def _by_id(cloud: Cloud, department_id: str) -> dict[str, str]:
    """Look up a department by its id; return its id and name, or nothing if there is none."""
    if reference(department_id):  # it is not an id, and could lead to another path
        return {}
    with suppress(NotFoundError):
        project = cloud.get_parsed(_OneProject, "identity", resource_path("projects", department_id)).project
        return {project.id: project.name}
    return {}


def _ask(cloud: Cloud, name_or_id: str) -> dict[str, str]:
    """Look up the departments with this id or name."""
    found = _by_id(cloud, name_or_id)
    if found:
        return found
    named, is_whole = read_as_far_as_shown(cloud, _Projects, "/projects", {"name": name_or_id, "limit": LARGEST_PAGE})
    if not is_whole:
        raise cut("identity", len(named))
    return {project.id: project.name for project in named}


def _read(cloud: Cloud) -> Names:
    if cloud.is_administrator:
        # The role admin in a project may not be enough for Keystone's list (a domain's administrator).
        with suppress(NotAllowedError):
            return _read_from(cloud, "/projects", {"limit": LARGEST_PAGE})
    return _read_from(cloud, "/auth/projects", {})


def _read_from(cloud: Cloud, path: str, criteria: Mapping[str, object]) -> Names:
    found, is_whole = read_as_far_as_shown(cloud, _Projects, path, criteria)
    return Names({project.id: project.name for project in found}, cut_for=None if is_whole else cloud)
