"""The state of the in-memory Keystone, and its settings."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import known
from hyperx_glance.testing.capabilities import Name
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Service, json_reply
from hyperx_glance.texts import Text

PASSWORD = "secret"
REGION = "RegionOne"
DOMAIN = {"id": "default", "name": "Default"}

# A role implies those after it (keystone/cmd/bootstrap.py).
IMPLIED = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
}
ROLES = ("admin", "manager", "member", "reader", "service")
ENDPOINTS = tuple((interface, REGION) for interface in ("public", "internal", "admin"))
_ID = re.compile("[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
NAMESPACE = uuid.UUID("6f1c4c6e-7d0a-5c7e-9d1b-2b9c3f1f0a11")


class Grant(NamedTuple):
    """A role of ("user", id) or ("group", id) on ("project", id), ("domain", id) or the system."""

    actor: tuple[str, str]
    target: tuple[str, str]
    role_id: str


SYSTEM = ("system", "all")


@dataclasses.dataclass
class Token:
    """The content of a token."""

    caller: Caller
    methods: list[str]
    application_credential: Record | None = None


class State(Service):
    """The state that the parts of this Keystone share."""

    name: ClassVar[str] = "keystone"
    type: ClassVar[str] = "identity"
    endpoint_path: ClassVar[str] = "/v3"

    def __init__(self) -> None:
        super().__init__()
        self.departments: dict[str, str] = {}
        """Project ids by name."""
        self.users: dict[str, str] = {}
        """User ids by name."""
        self.services: list[Service] = [self]
        self.first_endpoints: list[tuple[str, str]] = []
        """Interface and region of endpoints that precede the usual ones in the catalogue, for every service."""
        self.registered_limits: dict[str, Record] = {}
        """The unified limits' defaults, by id."""
        self.limits: dict[str, Record] = {}
        """The departments' own unified limits, by id."""
        self.rescopes_tokens = True
        """Whether a token can be exchanged for another: allow_rescope_scoped_token, and no application credential."""
        self.administers_system = True
        """Whether users with the role admin in a project also have it on the whole system, as after a bootstrap."""
        self.list_limit: int | None = None
        """The option list_limit: the largest number of records of a list; the others are left out."""
        self.max_db_limit = 1000
        """The option max_db_limit: no list of projects is longer, whatever is asked for, if it continues."""
        self.continues_lists = True
        """Whether the list of projects continues behind a marker, as since 2025.2."""
        self.lacks: frozenset[Name] = frozenset()
        """The features that this release lacks."""
        self.records: dict[str, dict[str, Record]] = {}
        """The objects by id, in one dictionary for each collection: users, projects, roles and so on."""
        self.grants: set[Grant] = set()
        """The roles of users and groups in projects, in domains and on the system."""
        self.memberships: set[tuple[str, str]] = set()
        """Group ids with the ids of their users."""
        self.endpoint_group_projects: dict[str, list[str]] = {}
        """The ids of the projects that groups of endpoints are for, by the ids of the groups."""
        self._passwords: dict[str, str] = {}
        self._tokens: dict[str, Token] = {}
        self._put(
            "domains", {**DOMAIN, "description": "The default domain", "enabled": True, "tags": [], "options": {}}
        )
        self._put("regions", {"id": REGION, "description": "", "parent_region_id": None})
        for name in ROLES:
            options = {} if name == "service" else {"immutable": True}
            role = {"name": name, "domain_id": None, "description": None, "options": options}
            self._put("roles", {"id": uuid.uuid5(NAMESPACE, name).hex, **role})
        for name in ("admin", "service"):
            self.add_department(name)

    def add_department(self, name: str) -> str:
        """Create a project; return its id."""
        record = {"id": uuid.uuid5(NAMESPACE, f"project {name}").hex, "name": name, "description": ""}
        place = {"domain_id": DOMAIN["id"], "parent_id": DOMAIN["id"], "is_domain": False}
        self._put("projects", {**record, **place, "enabled": True, "tags": [], "options": {}})
        self.departments[name] = str(record["id"])
        return self.departments[name]

    def add_user(self, name: str, department: str, *, role: str, password: str = PASSWORD) -> str:
        """Create a user with one role (admin, member or reader) in one project; return the user's id.

        An administrator has the role on the system, too, as ``keystone-manage bootstrap`` assigns it.
        """
        user_id = uuid.uuid5(NAMESPACE, f"user {name}").hex
        project_id = self.project_id(department)
        record = {"id": user_id, "name": name, "domain_id": DOMAIN["id"], "enabled": True, "options": {}}
        self._put("users", {**record, "default_project_id": project_id, "password_expires_at": None})
        self._passwords[user_id] = password
        self.users[name] = user_id
        for target in [("project", project_id), *([SYSTEM] if role == "admin" else [])]:
            self.grants.add(Grant(("user", user_id), target, self.role_id(role)))
        return user_id

    def role_id(self, name: str) -> str:
        """Return the id of a role."""
        roles = {str(role["name"]): str(role["id"]) for role in self.records["roles"].values()}
        known.require("role", name, roles)
        return roles[name]

    def project_id(self, department: str) -> str:
        """Return the id of a department, given by name or id; raise `InvalidRequestError` if there is none."""
        if department not in self.records["projects"]:
            known.require("department", department, self.departments)
        return self.departments.get(department, department)

    def owner_id(self, owner: str) -> str:
        """Return the id of a department, given by name, or the given id, also of a project that is gone."""
        return owner if _ID.fullmatch(owner) else self.project_id(owner)

    def password_of(self, user: str) -> str:
        """Return the password with which a user logs in."""
        known.require("user", user, self.users)
        return self._passwords[self.users[user]]

    def department_of(self, user: str) -> str:
        """Return the name of a user's department: the one by default, or the first in which there is a role."""
        known.require("user", user, self.users)
        user_id = self.users[user]
        granted = sorted(grant.target[1] for grant in self.grants if grant.actor == ("user", user_id))
        default = self.records["users"][user_id].get("default_project_id")
        return self._project_name(str(default or (granted[0] if granted else "")))

    def roles_of(self, user_id: str, target: tuple[str, str]) -> frozenset[str]:
        """Return the names of a user's roles on a target, direct ones and those of groups, with implied roles."""
        actors = {("user", user_id)} | {("group", group) for group, user in self.memberships if user == user_id}
        names = {
            str(self.records["roles"][grant.role_id]["name"])
            for grant in self.grants
            if grant.target == target and grant.actor in actors
        }
        return frozenset(implied for name in names for implied in IMPLIED.get(name, (name,)))

    def register_limit(self, service: Service, resource: str, default: int, *, region: str | None = REGION) -> str:
        """Register a unified limit; return its id."""
        record: Record = {
            "id": uuid.uuid4().hex,
            "service_id": service_id(service),
            "region_id": region,
            "resource_name": resource,
            "default_limit": default,
            "description": None,
        }
        self.registered_limits[record["id"]] = record
        return str(record["id"])

    def set_limit(self, service: Service, resource: str, department: str, limit: int) -> None:
        """Set a department's own limit of a registered resource; the department is given by name or id.

        >>> from hyperx_glance.testing import InMemoryCloud
        >>> cloud = InMemoryCloud()
        >>> cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-a", 5)
        """
        if service not in self.services:
            raise InvalidRequestError(
                Text(f"The service must be one of the cloud's, for example cloud.glance, not {service!r}.")
            )
        resources = [
            str(r["resource_name"]) for r in self.registered_limits.values() if r["service_id"] == service_id(service)
        ]
        known.require_limits(service.name, {resource: limit}, resources)
        project_id = self.project_id(department)
        for record in self.limits.values():
            if (record["resource_name"], record["project_id"]) == (resource, project_id):
                record["resource_limit"] = limit
                return
        self._add_limit(project_id, service_id(service), REGION, resource, limit)

    def limit(self, service: Service, resource: str, project_id: str) -> int:
        """Return a department's limit as oslo.limit finds it: by service and region; 0 if nothing is registered."""
        wanted = (service_id(service), REGION, resource)

        def matches(record: Record) -> bool:
            return (record["service_id"], record["region_id"], record["resource_name"]) == wanted

        for record in self.limits.values():
            if matches(record) and record["project_id"] == project_id:
                return int(record["resource_limit"])
        return next((int(r["default_limit"]) for r in self.registered_limits.values() if matches(r)), 0)

    def expire_tokens(self) -> None:
        """Make every existing token invalid, as if it had expired."""
        self._tokens.clear()

    def caller(self, token: str | None) -> Caller | None:
        """Return the caller of a token."""
        found = self._tokens.get(token or "")
        return found.caller if found is not None else None

    @property
    def tokens(self) -> frozenset[str]:
        """Every token that is valid: no log and no error may show one."""
        return frozenset(self._tokens)

    def _project_name(self, project_id: str) -> str:
        return str(self.records["projects"].get(project_id, {}).get("name", project_id))

    def _put(self, collection: str, record: Record) -> Record:
        """Keep a record under its id."""
        self.records.setdefault(collection, {})[record["id"]] = record
        return record

    def _revoke(self, concerns: Callable[[Caller], bool]) -> None:
        """Make the tokens of some callers invalid."""
        for token in [token for token, held in self._tokens.items() if concerns(held.caller)]:
            del self._tokens[token]

    def _add_limit(self, project_id: str, service: str, region: str | None, resource: str, limit: int) -> Record:
        limit_id = uuid.uuid4().hex
        record: Record = {
            "id": limit_id,
            "project_id": project_id,
            "domain_id": None,
            "resource_limit": limit,
            "description": None,
            "service_id": service,
            "region_id": region,
            "resource_name": resource,
            "links": {"self": f"{self.url}/v3/limits/{limit_id}"},
        }
        self.limits[limit_id] = record
        return record

    def _known(self, records: dict[str, Record], record_id: str, word: str) -> Record:
        if record_id not in records:
            raise Refused(404, f"Could not find {word} for {record_id}.")
        return records[record_id]

    def _list(self, call: Call, key: str, records: Iterable[Record]) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in call.query)
        links = {"next": None, "self": self.url + call.path + (f"?{query}" if query else ""), "previous": None}
        shown, most = list(records), self.list_limit if call.path.removeprefix("/v3/") in _CUT else None
        if call.path == "/v3/projects" and self.continues_lists:
            return json_reply(200, {key: shown, "links": links} | self._page_of_projects(call, shown))
        if most is None or len(shown) <= most:
            return json_reply(200, {key: shown, "links": links})
        return json_reply(200, {key: shown[:most], "links": links, "truncated": True})

    def _page_of_projects(self, call: Call, projects: list[Record]) -> Record:
        """Cut a page behind the marker, as since 2025.2; without a limit, nothing says that it is cut."""
        behind = [record for record in projects if str(record["id"]) > call.value("marker")]
        behind.sort(key=lambda record: str(record["id"]))
        limit = int(call.value("limit") or 0) or self.list_limit
        page = behind[: min(limit or self.max_db_limit, self.max_db_limit)]
        is_full = limit is not None and len(page) >= min(limit, self.max_db_limit)
        return {"projects": page, **({"truncated": True} if is_full else {})}


_CUT = ("domains", "endpoints", "groups", "limits", "projects", "regions", "registered_limits", "services", "users")
"""The lists that Keystone cuts (keystone/common/manager.py, response_truncated)."""


def service_id(service: Service, name: str = "") -> str:
    """Return the id under which Keystone knows a service, or the entry of this name, one of several that it has."""
    return uuid.uuid5(NAMESPACE, f"service {name or service.name}").hex


def entries(service: Service) -> Mapping[str, str]:
    """Return the entries of a service in the catalogue: types and names, the official type first."""
    return {service.type: service.name, **service.older_types}


def administrators_only(call: Call, action: str) -> None:
    """Refuse everybody else."""
    if not call.who.is_administrator:
        raise Refused(403, f"You are not authorized to perform the requested action: identity:{action}.")


def filtered(records: Sequence[Record], call: Call, keys: Sequence[str]) -> list[Record]:
    """Apply those query parameters that are filters."""
    wanted = {key: call.value(key) for key in keys if call.values(key)}

    def keep(record: Record) -> bool:
        return all(_plain(record.get(key)) == _plain(value) for key, value in wanted.items())

    return [record for record in records if keep(record)]


def _plain(value: object) -> str:
    """Write a value as queries do: "enabled=1" means the same as "enabled=true"."""
    text = str(value)
    return {"1": "true", "0": "false"}.get(text, text.lower() if isinstance(value, bool) or text in _FLAGS else text)


_FLAGS = ("True", "False")
