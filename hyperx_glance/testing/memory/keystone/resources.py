"""Creating, showing, changing and deleting objects of every kind in the in-memory Keystone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

from hyperx_glance.testing.memory.keystone.kinds import KINDS, Kind, checked
from hyperx_glance.testing.memory.keystone.state import DOMAIN, State, administrators_only, filtered
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

# The kinds whose changes are answered with "extra", and the keys that have columns in Keystone.
_EXTRA = ("project", "user")
_COLUMNS = (
    "id",
    "name",
    "domain_id",
    "enabled",
    "options",
    "password_expires_at",
    "default_project_id",
    "parent_id",
    "is_domain",
    "tags",
)


class Resources(State):
    """The part of Keystone that handles records: five requests for each kind."""

    def resource_routes(self) -> Sequence[Route]:
        """List these requests."""
        routes = []
        for kind in KINDS.values():
            every = f"/v3{kind.prefix}/{kind.collection}"
            one = every + "/([^/]+)"
            routes += [
                Route(method, path, functools.partial(handler, kind))
                for method, path, handler in (
                    ("GET", every, self._list_things),
                    ("POST", every, self._create_thing),
                    ("GET", one, self._show_thing),
                    ("PATCH", one, self._update_thing),
                    ("DELETE", one, self._delete_thing),
                )
            ]
        return routes

    def _things(self, kind: Kind) -> Iterable[Record]:
        """Return all things of a kind, including those that are not records."""
        return self.records.get(kind.collection, {}).values()

    def _list_things(self, kind: Kind, call: Call) -> Reply:
        if kind.collection != "regions":
            administrators_only(call, f"list_{kind.collection}")
        found = filtered(list(self._things(kind)), call, kind.filters)
        return self._list(call, kind.collection, [self._view(kind, record) for record in found])

    def _show_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        if not self._own(kind, call, thing_id):
            self._of_caller(kind, call, "get", thing_id)
        return json_reply(200, {kind.member: self._view(kind, self._thing(kind, thing_id))})

    def _of_caller(self, kind: Kind, call: Call, action: str, thing_id: str) -> Record:
        """Return a thing that the caller may access: credentials are their users', others the administrators'."""
        self._allowed(kind, call, action, self.records.get(kind.collection, {}).get(thing_id))
        return self._thing(kind, thing_id)

    def _allowed(self, kind: Kind, call: Call, action: str, record: object) -> None:
        is_own = isinstance(record, dict) and record.get("user_id", call.who.user_id) == call.who.user_id
        if kind.member != "credential" or not is_own:
            administrators_only(call, f"{action}_{kind.member}")

    def _own(self, kind: Kind, call: Call, thing_id: str) -> bool:
        """Check whether everybody of the caller's kind may see this thing."""
        own = {"users": call.who.user_id, "projects": call.who.project_id, "domains": DOMAIN["id"]}
        return kind.collection == "regions" or own.get(kind.collection) == thing_id

    def _create_thing(self, kind: Kind, call: Call) -> Reply:
        body = call.json() if call.content() else {}
        self._allowed(kind, call, "create", body.get(kind.member) if isinstance(body, dict) else None)
        given = checked(kind, body, creating=True)
        drawn = self.ids.uuid4().hex
        record: Record = {**kind.defaults, **given, "id": given.get("id", drawn) if kind.member == "region" else drawn}
        record["tags"] = sorted(record["tags"]) if "tags" in record else None
        if record["tags"] is None:
            del record["tags"]
        if kind.in_domain:
            record["domain_id"] = given.get("domain_id") or DOMAIN["id"]
            if record["domain_id"] not in self.records["domains"]:
                status = 400 if kind.member == "project" else 404
                raise Refused(status, f"Could not find domain: {record['domain_id']}.")
        if kind.member == "region" and record["id"] in self.records["regions"]:
            raise self._conflict(kind, f"Duplicate ID, {record['id']}.")
        self._check_unique(kind, record)
        self._prepared(kind, record)
        self._put(kind.collection, record)
        return json_reply(201, {kind.member: self._view(kind, record)})

    def _update_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        record = self._of_caller(kind, call, "update", thing_id)
        body = call.json() if call.content() else {}
        # Keystone accepts a change of a project that changes nothing.
        idle = kind.member == "project" and body in ({}, {"project": {}})
        given = {} if idle else checked(kind, body, creating=False)
        if given.get("id", thing_id) != thing_id:
            raise Refused(400, "Cannot change ID")
        self._check_unique(kind, {**record, **given})
        former = dict(record)
        record.update(given)
        self._prepared(kind, record)
        self._changed(kind, record, former)
        extra = {"extra": _extra(kind, record)} if kind.member in _EXTRA else {}
        return json_reply(200, {kind.member: {**self._view(kind, record), **extra}})

    def _delete_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        record = self._of_caller(kind, call, "delete", thing_id)
        if record.get("options", {}).get("immutable"):
            words = f"Unable to delete immutable {kind.member} resource: `{thing_id}. "
            raise Refused(403, f'{words}Set resource option "immutable" to false first.')
        if kind.collection == "domains" and record["enabled"]:
            raise Refused(403, "Cannot delete a domain that is enabled, please disable it first.")
        del self.records[kind.collection][thing_id]
        self._gone(kind, record)
        return Reply(204)

    def _thing(self, kind: Kind, thing_id: str) -> Record:
        found = next((record for record in self._things(kind) if record["id"] == thing_id), None)
        if found is None:
            raise Refused(404, f"Could not find {kind.called}: {thing_id}.")
        return found

    def _check_unique(self, kind: Kind, record: Record) -> None:
        others = [other for other in self._things(kind) if other["id"] != record["id"]]
        if not kind.unique:
            return
        for other in others:
            if other["name"] == record["name"] and other.get("domain_id") == record.get("domain_id"):
                creating = record["id"] not in self.records[kind.collection]
                stored = KINDS["projects"] if kind.member == "domain" else kind
                raise self._conflict(stored, _duplicate(kind, record, creating=creating))

    def _conflict(self, kind: Kind, details: str) -> Refused:
        return Refused(409, f"Conflict occurred attempting to store {kind.member} - {details}.")

    def _view(self, kind: Kind, record: Record) -> Record:
        shown = {key: value for key, value in record.items() if key not in ("password", "original_password")}
        return {**shown, "links": {"self": f"{self.url}/v3{kind.prefix}/{kind.collection}/{record['id']}"}}

    # ------------------------------------------------------------- what goes with a change

    def _prepared(self, kind: Kind, record: Record) -> None:
        """Check and complete a record before it is kept."""
        prepare: Mapping[str, Callable[[Record], None]] = {
            "users": self._prepare_user,
            "projects": self._prepare_project,
            "endpoints": self._prepare_endpoint,
        }
        if kind.collection in prepare:
            prepare[kind.collection](record)

    def _prepare_user(self, record: Record) -> None:
        if "password" in record:
            self._passwords[record["id"]] = record.pop("password")
        if record["domain_id"] == DOMAIN["id"]:
            self.users = {name: user for name, user in self.users.items() if user != record["id"]}
            self.users[record["name"]] = record["id"]

    def _prepare_project(self, record: Record) -> None:
        record["parent_id"] = record.get("parent_id") or record["domain_id"]
        if record["parent_id"] not in (self.records["projects"].keys() | self.records["domains"].keys()):
            raise Refused(404, f"Could not find project: {record['parent_id']}.")
        if record["domain_id"] == DOMAIN["id"]:
            for name in [name for name, known in self.departments.items() if known == record["id"]]:
                del self.departments[name]
            self.departments[record["name"]] = record["id"]

    def _prepare_endpoint(self, record: Record) -> None:
        if all(service["id"] != record["service_id"] for service in self._things(KINDS["services"])):
            raise Refused(400, f"Could not find service: {record['service_id']}.")
        record["region"] = record["region_id"] = record.get("region_id") or record.get("region")

    def _changed(self, kind: Kind, record: Record, former: Record) -> None:
        """Revoke tokens whose holder or scope has changed."""
        if record.get("enabled", True) == former.get("enabled", True):
            return
        if kind.collection == "users":
            self._revoke(lambda caller: caller.user_id == record["id"])
        if kind.collection == "projects":
            self._revoke(lambda caller: caller.project_id == record["id"])

    def _gone(self, kind: Kind, record: Record) -> None:
        """Remove the things that belonged to a deleted thing."""
        gone = record["id"]
        place = (kind.member, gone)
        self.grants = {
            grant for grant in self.grants if place not in (grant.actor, grant.target) and grant.role_id != gone
        }
        self.memberships = {pair for pair in self.memberships if gone not in pair}
        for names in (self.users, self.departments):
            for name in [name for name, known in names.items() if known == gone]:
                del names[name]
        lost = record["name"] if kind.collection == "roles" else None
        self._revoke(lambda caller: gone in (caller.user_id, caller.project_id) or lost in caller.roles)
        if kind.collection == "domains":
            for inner in ("users", "groups", "projects"):
                for each in [each for each in self._things(KINDS[inner]) if each.get("domain_id") == gone]:
                    del self.records[inner][each["id"]]
                    self._gone(KINDS[inner], each)


def _extra(kind: Kind, record: Record) -> Record:
    columns = (*_COLUMNS, "description") if kind.member == "project" else _COLUMNS
    return {key: value for key, value in record.items() if key not in columns}


def _duplicate(kind: Kind, record: Record, *, creating: bool) -> str:
    if kind.member == "domain":
        return f"it is not permitted to have two projects acting as domains with the same name: {record['name']}"
    if kind.member == "project":
        words = "it is not permitted to have two projects with either the same name or same id in the same domain"
        return f"{words}: name is {record['name']}, project id {record['id']}"
    return f"Duplicate entry found with name {record['name']}" + (
        f" at domain ID {record['domain_id']}" if kind.in_domain and creating else ""
    )
