"""Grants of roles and memberships of groups in the in-memory Keystone."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from hyperx_glance.testing.memory.keystone.kinds import KINDS
from hyperx_glance.testing.memory.keystone.resources import Resources
from hyperx_glance.testing.memory.keystone.state import IMPLIED, SYSTEM, Grant, administrators_only, filtered
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply


class Grants(Resources):
    """The part of Keystone that handles grants and memberships."""

    def grant_routes(self) -> Sequence[Route]:
        """List the routes."""
        routes = []
        for actor in ("user", "group"):
            for target in ("project", "domain", "system"):
                place = "/v3/system" if target == "system" else f"/v3/{target}s/([^/]+)"
                every = f"{place}/{actor}s/([^/]+)/roles"
                routes += [
                    Route(method, path, functools.partial(handler, actor, target))
                    for method, path, handler in (
                        ("GET", every, self._list_grants),
                        ("GET", every + "/([^/]+)", self._check_grant),
                        ("PUT", every + "/([^/]+)", self._add_grant),
                        ("DELETE", every + "/([^/]+)", self._remove_grant),
                    )
                ]
        return (
            *routes,
            Route("GET", "/v3/role_assignments", self._list_role_assignments),
            Route("GET", "/v3/role_inferences", self._list_inferences),
            Route("GET", "/v3/users/([^/]+)/groups", self._list_groups_of),
            Route("GET", "/v3/groups/([^/]+)/users", self._list_members),
            Route("GET", "/v3/groups/([^/]+)/users/([^/]+)", self._check_member),
            Route("PUT", "/v3/groups/([^/]+)/users/([^/]+)", self._add_member),
            Route("DELETE", "/v3/groups/([^/]+)/users/([^/]+)", self._remove_member),
        )

    # ------------------------------------------------------------- grants

    def _grant(self, actor: str, target: str, ids: Sequence[str]) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return the holder and the target that a path names."""
        place = SYSTEM if target == "system" else (target, ids[0])
        whom = (actor, ids[0] if target == "system" else ids[1])
        self._thing(KINDS[f"{actor}s"], whom[1])
        if target != "system":
            self._thing(KINDS[f"{target}s"], place[1])
        return whom, place

    def _list_grants(self, actor: str, target: str, call: Call, *ids: str) -> Reply:
        administrators_only(call, _action("list", target, actor, plural=True))
        whom, place = self._grant(actor, target, ids)
        roles = [
            self._view(KINDS["roles"], self.records["roles"][grant.role_id])
            for grant in self.grants
            if (grant.actor, grant.target) == (whom, place)
        ]
        return self._list(call, "roles", sorted(roles, key=lambda role: str(role["name"])))

    def _check_grant(self, actor: str, target: str, call: Call, *ids: str) -> Reply:
        administrators_only(call, _action("check", target, actor))
        self._existing(actor, target, ids)
        return Reply(204)

    def _add_grant(self, actor: str, target: str, call: Call, *ids: str) -> Reply:
        administrators_only(call, _action("create", target, actor))
        self._thing(KINDS["roles"], ids[-1])
        self.grants.add(Grant(*self._grant(actor, target, ids), ids[-1]))
        return Reply(204)

    def _remove_grant(self, actor: str, target: str, call: Call, *ids: str) -> Reply:
        administrators_only(call, _action("revoke", target, actor))
        grant = self._existing(actor, target, ids)
        self.grants.discard(grant)
        users = {user for group, user in self.memberships if grant.actor == ("group", group)}
        users |= {grant.actor[1]} if actor == "user" else set()
        self._revoke(lambda caller: caller.user_id in users and grant.target[1] in (caller.project_id, "all"))
        return Reply(204)

    def _existing(self, actor: str, target: str, ids: Sequence[str]) -> Grant:
        whom, place = self._grant(actor, target, ids)
        self._thing(KINDS["roles"], ids[-1])
        grant = Grant(whom, place, ids[-1])
        if grant not in self.grants:
            words = f"Could not find role assignment with role: {ids[-1]}, user or group: {whom[1]}, "
            raise Refused(404, f"{words}project, domain, or system: {place[1]}.")
        return grant

    def _list_role_assignments(self, call: Call) -> Reply:
        administrators_only(call, "list_role_assignments")
        effective = "effective" in dict(call.query) and call.value("effective") not in ("0", "false")
        named = "include_names" in dict(call.query) and call.value("include_names") not in ("0", "false")
        grants = sorted(self._effective() if effective else self.grants)
        found = [grant for grant in grants if self._asked_for(call, grant)]
        return self._list(call, "role_assignments", [self._assignment(grant, named=named) for grant in found])

    def _effective(self) -> set[Grant]:
        """Return the effective grants: groups as their users, roles with those that they imply."""
        spread = set()
        for grant in self.grants:
            actors = [grant.actor]
            if grant.actor[0] == "group":
                actors = [("user", user) for group, user in self.memberships if group == grant.actor[1]]
            name = str(self.records["roles"][grant.role_id]["name"])
            roles = [self.role_id(implied) for implied in IMPLIED.get(name, (name,))]
            spread |= {Grant(actor, grant.target, role) for actor in actors for role in roles}
        return spread

    def _asked_for(self, call: Call, grant: Grant) -> bool:
        (actor, actor_id), (target, target_id), role_id = grant
        kept = {f"{actor}.id": actor_id, "role.id": role_id, f"scope.{target}.id": target_id}
        kept |= {"scope.system": "all"} if target == "system" else {}
        keys = ("user.id", "group.id", "role.id", "scope.project.id", "scope.domain.id", "scope.system")
        return all(kept.get(key) == call.value(key) for key in keys if call.value(key))

    def _assignment(self, grant: Grant, *, named: bool) -> Record:
        (actor, actor_id), (target, target_id), role_id = grant
        place = "/system" if target == "system" else f"/{target}s/{target_id}"
        scope: Any = {"all": True} if target == "system" else self._reference(f"{target}s", target_id, named=named)
        return {
            "role": self._reference("roles", role_id, named=named),
            actor: self._reference(f"{actor}s", actor_id, named=named),
            "scope": {target: scope},
            "links": {"assignment": f"{self.url}/v3{place}/{actor}s/{actor_id}/roles/{role_id}"},
        }

    def _reference(self, collection: str, thing_id: str, *, named: bool) -> Record:
        if not named:
            return {"id": thing_id}
        record = self._thing(KINDS[collection], thing_id)
        reference = {"id": thing_id, "name": record["name"]}
        if record.get("domain_id"):
            domain = self.records["domains"][record["domain_id"]]
            reference["domain"] = {"id": domain["id"], "name": domain["name"]}
        return reference

    def _list_inferences(self, call: Call) -> Reply:
        administrators_only(call, "list_role_inference_rules")
        found = [
            {"prior_role": self._role(prior), "implies": [self._role(implied[1])]} for prior, implied in IMPLIED.items()
        ]
        return json_reply(200, {"role_inferences": found})

    def _role(self, name: str) -> Record:
        role = self._view(KINDS["roles"], self.records["roles"][self.role_id(name)])
        return {key: role[key] for key in ("id", "name", "links")}

    # ------------------------------------------------------------- groups

    def _list_groups_of(self, call: Call, user_id: str) -> Reply:
        if user_id != call.who.user_id:
            administrators_only(call, "list_groups_for_user")
        self._thing(KINDS["users"], user_id)
        groups = [self.records["groups"][group] for group, user in sorted(self.memberships) if user == user_id]
        return self._list(
            call,
            "groups",
            [
                {**self._view(KINDS["groups"], group), "membership_expires_at": None}
                for group in filtered(groups, call, ("name",))
            ],
        )

    def _list_members(self, call: Call, group_id: str) -> Reply:
        administrators_only(call, "list_users_in_group")
        self._thing(KINDS["groups"], group_id)
        users = [self.records["users"][user] for group, user in sorted(self.memberships) if group == group_id]
        kept = filtered(users, call, KINDS["users"].filters)
        return self._list(call, "users", [self._view(KINDS["users"], user) for user in kept])

    def _pair(self, group_id: str, user_id: str) -> tuple[str, str]:
        self._thing(KINDS["groups"], group_id)
        self._thing(KINDS["users"], user_id)
        return group_id, user_id

    def _check_member(self, call: Call, group_id: str, user_id: str) -> Reply:
        administrators_only(call, "check_user_in_group")
        self._existing_pair(group_id, user_id)
        return Reply(204)

    def _add_member(self, call: Call, group_id: str, user_id: str) -> Reply:
        administrators_only(call, "add_user_to_group")
        self.memberships.add(self._pair(group_id, user_id))
        return Reply(204)

    def _remove_member(self, call: Call, group_id: str, user_id: str) -> Reply:
        administrators_only(call, "remove_user_from_group")
        self.memberships.discard(self._existing_pair(group_id, user_id))
        self._revoke(lambda caller: caller.user_id == user_id)
        return Reply(204)

    def _existing_pair(self, group_id: str, user_id: str) -> tuple[str, str]:
        pair = self._pair(group_id, user_id)
        if pair not in self.memberships:
            raise Refused(404, f"User '{user_id}' not found in group '{group_id}'")
        return pair


def _action(verb: str, target: str, actor: str, *, plural: bool = False) -> str:
    if target == "system":
        words = {"list": f"list_system_grants_for_{actor}", "check": f"check_system_grant_for_{actor}"}
        return words.get(verb, f"{verb}_system_grant_for_{actor}")
    return f"{verb}_grant{'s' if plural else ''}"
