"""The in-memory Keystone itself: what it answers, and what a test sets."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar

from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Route, Service, json_reply

PASSWORD = "secret"
REGION = "RegionOne"
DOMAIN = {"id": "default", "name": "Default"}

# A role implies those after it (keystone/cmd/bootstrap.py).
_IMPLIED = {"admin": ("admin", "manager", "member", "reader"), "member": ("member", "reader"), "reader": ("reader",)}
_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
_ENDPOINTS = tuple((interface, REGION) for interface in ("public", "internal", "admin"))
_NAMESPACE = uuid.UUID("6f1c4c6e-7d0a-5c7e-9d1b-2b9c3f1f0a11")


@dataclasses.dataclass
class _User:
    id: str
    name: str
    project_id: str
    roles: frozenset[str]
    password: str = PASSWORD


class Keystone(Service):
    """Know who is who, and what each department may use."""

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
        """Interface and region of endpoints that stand before the usual ones in the catalogue, for every service."""
        self.registered_limits: dict[str, Record] = {}
        self.limits: dict[str, Record] = {}
        self._accounts: dict[str, _User] = {}
        self._tokens: dict[str, Caller] = {}
        for name in ("admin", "service"):
            self.add_department(name)

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v3/?", self._version, public=True),
            Route("POST", "/v3/auth/tokens", self._authenticate, public=True),
            Route("GET", "/v3/auth/tokens", self._show_token),
            Route("DELETE", "/v3/auth/tokens", self._revoke_token),
            Route("GET", "/v3/auth/projects", self._own_projects),
            Route("GET", "/v3/auth/catalog", self._own_catalogue),
            Route("GET", "/v3/projects", self._list_projects),
            Route("GET", "/v3/projects/([^/]+)", self._show_project),
            Route("GET", "/v3/users", self._list_users),
            Route("GET", "/v3/users/([^/]+)", self._show_user),
            Route("GET", "/v3/users/([^/]+)/projects", self._list_user_projects),
            Route("GET", "/v3/domains", self._list_domains),
            Route("GET", "/v3/domains/([^/]+)", self._show_domain),
            Route("GET", "/v3/regions", self._list_regions),
            Route("GET", "/v3/services", self._list_services),
            Route("GET", "/v3/endpoints", self._list_endpoints),
            Route("GET", "/v3/role_assignments", self._list_role_assignments),
            Route("GET", "/v3/registered_limits", self._list_registered_limits),
            Route("POST", "/v3/registered_limits", self._create_registered_limits),
            Route("PATCH", "/v3/registered_limits/([^/]+)", self._update_registered_limit),
            Route("DELETE", "/v3/registered_limits/([^/]+)", self._delete_registered_limit),
            Route("GET", "/v3/limits/model", self._limit_model),
            Route("GET", "/v3/limits", self._list_limits),
            Route("POST", "/v3/limits", self._create_limits),
            Route("GET", "/v3/limits/([^/]+)", self._show_limit),
            Route("PATCH", "/v3/limits/([^/]+)", self._update_limit),
            Route("DELETE", "/v3/limits/([^/]+)", self._delete_limit),
        )

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Keystone does."""
        if refused.status in (404, 405) and not refused.message:
            return Reply(
                refused.status, b"<!doctype html>\n<title>404 Not Found</title>", {"Content-Type": "text/html"}
            )
        title = _TITLES.get(refused.status, "Error")
        headers = {"WWW_Authenticate": f'Keystone uri="{self.url}/v3"'} if refused.status == 401 else {}
        message = refused.message or "The request you have made requires authentication."
        error = {"code": refused.status, "message": message, "title": title}
        return json_reply(refused.status, {"error": error}, **headers)

    # ------------------------------------------------------------- filled from Python

    def add_department(self, name: str) -> str:
        """Create a project; give its id."""
        self.departments[name] = uuid.uuid5(_NAMESPACE, f"project {name}").hex
        return self.departments[name]

    def add_user(self, name: str, department: str, *, role: str, password: str = PASSWORD) -> str:
        """Create a user with one role (admin, member or reader) in one project; give the user's id."""
        user = _User(
            uuid.uuid5(_NAMESPACE, f"user {name}").hex,
            name,
            self.departments[department],
            frozenset(_IMPLIED[role]),
            password,
        )
        self._accounts[user.id] = user
        self.users[name] = user.id
        return user.id

    def password_of(self, user: str) -> str:
        """Give the password with which a user logs in."""
        return self._accounts[self.users[user]].password

    def department_of(self, user: str) -> str:
        """Give the name of a user's department."""
        return self._project_name(self._accounts[self.users[user]].project_id)

    def register_limit(self, service: Service, resource: str, default: int, *, region: str | None = REGION) -> str:
        """Register a unified limit; give its id."""
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
        """Give one department its own limit."""
        project_id = self.departments.get(department, department)
        for record in self.limits.values():
            if (record["resource_name"], record["project_id"]) == (resource, project_id):
                record["resource_limit"] = limit
                return
        self._add_limit(project_id, service_id(service), REGION, resource, limit)

    def limit(self, service: Service, resource: str, project_id: str) -> int:
        """Give a department's limit as oslo.limit finds it: by service and region; 0 where nothing is registered."""
        wanted = (service_id(service), REGION, resource)

        def matches(record: Record) -> bool:
            return (record["service_id"], record["region_id"], record["resource_name"]) == wanted

        for record in self.limits.values():
            if matches(record) and record["project_id"] == project_id:
                return int(record["resource_limit"])
        return next((int(r["default_limit"]) for r in self.registered_limits.values() if matches(r)), 0)

    def expire_tokens(self) -> None:
        """Make every token so far invalid, as time does."""
        self._tokens.clear()

    def caller(self, token: str | None) -> Caller | None:
        """Say who a token speaks for."""
        return self._tokens.get(token or "")

    # ------------------------------------------------------------- tokens

    @property
    def tokens(self) -> frozenset[str]:
        """Every token that is valid: no log and no error may show one."""
        return frozenset(self._tokens)

    def _versions(self, call: Call) -> Reply:
        del call
        return json_reply(300, {"versions": {"values": [self._version_record()]}}, Location=f"{self.url}/v3/")

    def _version(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"version": self._version_record()})

    def _version_record(self) -> Record:
        media = {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        links = [{"rel": "self", "href": f"{self.url}/v3/"}]
        updated = "2020-04-07T00:00:00Z"
        return {"id": "v3.14", "status": "stable", "updated": updated, "links": links, "media-types": [media]}

    def _authenticate(self, call: Call) -> Reply:
        auth = call.json()["auth"]
        identity = auth["identity"]
        method = identity["methods"][0]
        user = self._user_of_token(identity["token"]["id"]) if method == "token" else self._user_of_password(identity)
        project_id = self._scope(auth.get("scope"), user)
        caller = Caller(user.id, user.name, project_id, self._project_name(project_id), user.roles)
        token = uuid.uuid4().hex
        self._tokens[token] = caller
        return json_reply(201, self._token_record(caller, method), X_Subject_Token=token)

    def _user_of_token(self, token: str) -> _User:
        caller = self._tokens.get(token)
        if caller is None:
            raise Refused(401, "The request you have made requires authentication.")
        return self._accounts[caller.user_id]

    def _user_of_password(self, identity: Record) -> _User:
        asked = identity.get("password", {}).get("user", {})
        user = self._accounts.get(asked.get("id") or self.users.get(asked.get("name", ""), ""))
        if user is None or user.password != asked.get("password"):
            raise Refused(401, "The request you have made requires authentication.")
        return user

    def _scope(self, scope: Record | None, user: _User) -> str:
        project = (scope or {}).get("project")
        if project is None:
            return user.project_id
        project_id = project.get("id") or self.departments.get(project.get("name", ""), "")
        if project_id != user.project_id:
            raise Refused(401, "The request you have made requires authentication.")
        return str(project_id)

    def _token_record(self, caller: Caller, method: str) -> Record:
        now = self.now()
        return {
            "token": {
                "methods": [method],
                "user": {
                    "domain": DOMAIN,
                    "id": caller.user_id,
                    "name": caller.user,
                    "password_expires_at": None,
                },
                "audit_ids": [uuid.uuid4().hex[:22]],
                "expires_at": (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "project": {"domain": DOMAIN, "id": caller.project_id, "name": caller.project},
                "is_domain": False,
                "roles": [{"id": uuid.uuid5(_NAMESPACE, role).hex, "name": role} for role in sorted(caller.roles)],
                "catalog": self._catalogue(),
            }
        }

    def _catalogue(self) -> list[Record]:
        return [
            {
                "endpoints": [self._endpoint(service, *place) for place in (*self.first_endpoints, *_ENDPOINTS)],
                "id": service_id(service),
                "type": service.type,
                "name": service.name,
            }
            for service in self.services
            if service.present
        ]

    def _endpoint(self, service: Service, interface: str, region: str) -> Record:
        return {
            "id": uuid.uuid5(_NAMESPACE, f"endpoint {service.name} {interface} {region}").hex,
            "interface": interface,
            "region_id": region,
            "url": service.url + service.endpoint_path,
            "region": region,
        }

    def _show_token(self, call: Call) -> Reply:
        token = call.headers.get("x-subject-token", "")
        caller = self._tokens.get(token)
        if caller is None:
            raise Refused(404, "Could not find token.")
        return json_reply(200, self._token_record(caller, "password"), X_Subject_Token=token)

    def _revoke_token(self, call: Call) -> Reply:
        self._tokens.pop(call.headers.get("x-subject-token", ""), None)
        return Reply(204)

    def _own_catalogue(self, call: Call) -> Reply:
        return self._list(call, "catalog", self._catalogue())

    # ------------------------------------------------------------- who and where

    def _own_projects(self, call: Call) -> Reply:
        return self._list(call, "projects", [self._project_record(call.who.project_id)])

    def _list_projects(self, call: Call) -> Reply:
        _administrators_only(call, "list_projects")
        projects = [self._project_record(project_id) for project_id in self.departments.values()]
        return self._list(call, "projects", _filtered(projects, call, ("name", "domain_id", "parent_id")))

    def _show_project(self, call: Call, project_id: str) -> Reply:
        if project_id != call.who.project_id:
            _administrators_only(call, "get_project")
        if project_id not in self.departments.values():
            raise Refused(404, f"Could not find project: {project_id}.")
        return json_reply(200, {"project": self._project_record(project_id)})

    def _project_name(self, project_id: str) -> str:
        return next((name for name, known in self.departments.items() if known == project_id), project_id)

    def _project_record(self, project_id: str) -> Record:
        return {
            "id": project_id,
            "name": self._project_name(project_id),
            "domain_id": DOMAIN["id"],
            "description": "",
            "enabled": True,
            "parent_id": DOMAIN["id"],
            "is_domain": False,
            "tags": [],
            "options": {},
            "links": {"self": f"{self.url}/v3/projects/{project_id}"},
        }

    def _list_users(self, call: Call) -> Reply:
        _administrators_only(call, "list_users")
        users = [self._user_record(user) for user in self._accounts.values()]
        return self._list(call, "users", _filtered(users, call, ("name", "domain_id")))

    def _show_user(self, call: Call, user_id: str) -> Reply:
        return json_reply(200, {"user": self._user_record(self._visible_user(call, user_id, "get_user"))})

    def _list_user_projects(self, call: Call, user_id: str) -> Reply:
        user = self._visible_user(call, user_id, "list_user_projects")
        return self._list(call, "projects", [self._project_record(user.project_id)])

    def _visible_user(self, call: Call, user_id: str, action: str) -> _User:
        if user_id != call.who.user_id:
            _administrators_only(call, action)
        if user_id not in self._accounts:
            raise Refused(404, f"Could not find user: {user_id}.")
        return self._accounts[user_id]

    def _user_record(self, user: _User) -> Record:
        return {
            "id": user.id,
            "name": user.name,
            "domain_id": DOMAIN["id"],
            "enabled": True,
            "default_project_id": user.project_id,
            "password_expires_at": None,
            "options": {},
            "links": {"self": f"{self.url}/v3/users/{user.id}"},
        }

    def _list_domains(self, call: Call) -> Reply:
        _administrators_only(call, "list_domains")
        return self._list(call, "domains", [self._domain_record()])

    def _show_domain(self, call: Call, domain_id: str) -> Reply:
        if domain_id != DOMAIN["id"]:
            _administrators_only(call, "get_domain")
            raise Refused(404, f"Could not find domain: {domain_id}.")
        return json_reply(200, {"domain": self._domain_record()})

    def _domain_record(self) -> Record:
        links = {"self": f"{self.url}/v3/domains/{DOMAIN['id']}"}
        return {
            **DOMAIN,
            "description": "The default domain",
            "enabled": True,
            "tags": [],
            "options": {},
            "links": links,
        }

    def _list_regions(self, call: Call) -> Reply:
        links = {"self": f"{self.url}/v3/regions/{REGION}"}
        return self._list(
            call, "regions", [{"id": REGION, "description": "", "parent_region_id": None, "links": links}]
        )

    def _list_services(self, call: Call) -> Reply:
        _administrators_only(call, "list_services")
        found = [
            {
                "name": service.name,
                "id": service_id(service),
                "type": service.type,
                "enabled": True,
                "links": {"self": f"{self.url}/v3/services/{service_id(service)}"},
            }
            for service in self.services
            if service.present
        ]
        return self._list(call, "services", _filtered(found, call, ("type", "name")))

    def _list_endpoints(self, call: Call) -> Reply:
        _administrators_only(call, "list_endpoints")
        found = [
            {**self._endpoint(service, *place), "service_id": service_id(service), "enabled": True}
            for service in self.services
            if service.present
            for place in (*self.first_endpoints, *_ENDPOINTS)
        ]
        return self._list(call, "endpoints", _filtered(found, call, ("service_id", "interface", "region_id")))

    def _list_role_assignments(self, call: Call) -> Reply:
        _administrators_only(call, "list_role_assignments")
        found = [
            {
                "user": {"id": user.id},
                "scope": {"project": {"id": user.project_id}},
                "role": {"id": uuid.uuid5(_NAMESPACE, role).hex, "name": role},
            }
            for user in self._accounts.values()
            for role in sorted(user.roles)
        ]
        return self._list(call, "role_assignments", found)

    # ------------------------------------------------------------- unified limits

    def _list_registered_limits(self, call: Call) -> Reply:
        found = list(self.registered_limits.values())
        return self._list(
            call, "registered_limits", _filtered(found, call, ("service_id", "region_id", "resource_name"))
        )

    def _create_registered_limits(self, call: Call) -> Reply:
        _administrators_only(call, "create_registered_limits")
        created = []
        for asked in call.json()["registered_limits"]:
            record: Record = {"region_id": None, "description": None, **asked, "id": uuid.uuid4().hex}
            self.registered_limits[record["id"]] = record
            created.append(record)
        return json_reply(201, {"registered_limits": created})

    def _update_registered_limit(self, call: Call, limit_id: str) -> Reply:
        _administrators_only(call, "update_registered_limit")
        record = self._known(self.registered_limits, limit_id, "registered limit")
        record.update(call.json()["registered_limit"])
        return json_reply(200, {"registered_limit": record})

    def _delete_registered_limit(self, call: Call, limit_id: str) -> Reply:
        _administrators_only(call, "delete_registered_limit")
        record = self._known(self.registered_limits, limit_id, "registered limit")
        if any(
            (limit["resource_name"], limit["service_id"], limit["region_id"])
            == (record["resource_name"], record["service_id"], record["region_id"])
            for limit in self.limits.values()
        ):
            raise Refused(
                403,
                f"Unable to update or delete registered limit {limit_id} because there are project limits "
                "associated with it.",
            )
        del self.registered_limits[limit_id]
        return Reply(204)

    def _limit_model(self, call: Call) -> Reply:
        del call
        description = "Limit enforcement and validation does not take project hierarchy into consideration."
        return json_reply(200, {"model": {"name": "flat", "description": description}})

    def _list_limits(self, call: Call) -> Reply:
        keys = ("service_id", "region_id", "resource_name", "project_id", "domain_id")
        found = _filtered(list(self.limits.values()), call, keys)
        if not call.who.is_administrator:
            # A foreign project's limits are not refused but left out (keystone/api/limits.py).
            found = [record for record in found if record["project_id"] == call.who.project_id]
        return self._list(call, "limits", found)

    def _create_limits(self, call: Call) -> Reply:
        _administrators_only(call, "create_limits")
        asked = call.json()["limits"]
        for new in asked:
            _check_limit(new.get("resource_limit"))
            wanted = (new.get("service_id"), new.get("region_id"), new.get("resource_name"))
            if not any(
                (known["service_id"], known["region_id"], known["resource_name"]) == wanted
                for known in self.registered_limits.values()
            ):
                raise Refused(403, "Unable to create a limit that has no corresponding registered limit.")
            if any(
                (known["service_id"], known["region_id"], known["resource_name"], known["project_id"])
                == (*wanted, new.get("project_id"))
                for known in self.limits.values()
            ):
                raise Refused(409, "Conflict occurred attempting to store limit - Duplicate entry.")
        created = [
            self._add_limit(
                new["project_id"],
                new["service_id"],
                new.get("region_id"),
                new["resource_name"],
                new["resource_limit"],
            )
            for new in asked
        ]
        return json_reply(201, {"limits": created})

    def _show_limit(self, call: Call, limit_id: str) -> Reply:
        record = self._known(self.limits, limit_id, "limit")
        if record["project_id"] != call.who.project_id:
            _administrators_only(call, "get_limit")
        return json_reply(200, {"limit": record})

    def _update_limit(self, call: Call, limit_id: str) -> Reply:
        _administrators_only(call, "update_limit")
        record = self._known(self.limits, limit_id, "limit")
        changes = call.json()["limit"]
        _check_limit(changes.get("resource_limit", 0))
        # A limit of 0 is not taken, and nothing said (keystone/limit/backends/sql.py, update_limit).
        record.update({key: value for key, value in changes.items() if value})
        return json_reply(200, {"limit": record})

    def _delete_limit(self, call: Call, limit_id: str) -> Reply:
        _administrators_only(call, "delete_limit")
        self._known(self.limits, limit_id, "limit")
        del self.limits[limit_id]
        return Reply(204)

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
        links = {"next": None, "self": self.url + call.path, "previous": None}
        return json_reply(200, {key: list(records), "links": links})


def service_id(service: Service) -> str:
    """Give the id under which Keystone knows a service."""
    return uuid.uuid5(_NAMESPACE, f"service {service.name}").hex


def _administrators_only(call: Call, action: str) -> None:
    if not call.who.is_administrator:
        raise Refused(403, f"You are not authorized to perform the requested action: identity:{action}.")


def _check_limit(limit: object) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise Refused(
            400,
            f"Invalid input for field/attribute resource_limit. Value: {limit}. {limit!r} is not of type 'integer'",
        )
    if limit < -1:
        raise Refused(
            400,
            f"Invalid input for field/attribute resource_limit. Value: {limit}. {limit} is less than the minimum of -1",
        )


def _filtered(records: Sequence[Record], call: Call, keys: Sequence[str]) -> list[Record]:
    wanted = {key: call.value(key) for key in keys if call.values(key)}
    keep: Callable[[Record], bool] = lambda record: all(record.get(key) == value for key, value in wanted.items())  # noqa: E731
    return [record for record in records if keep(record)]
