"""The in-memory Nova's server groups."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.microversions import GROUP, microversion, shown
from hyperx_glance.testing.memory.nova.paging import page_size
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_keys, check_name, enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class ServerGroups(State):
    """The part of Nova that handles server groups."""

    def _list_groups(self, call: Call) -> Reply:
        own = [group for group in self.server_groups.values() if group["project_id"] == call.who.project_id]
        first = int(call.value("offset") or 0)
        page = own[first : first + page_size(call, self.max_limit)]
        return json_reply(200, {"server_groups": [self._group_view(call, group) for group in page]})

    def _create_group(self, call: Call) -> Reply:
        asked, version = enveloped(call, "server_group"), microversion(call)
        name = asked.get("name")
        word = "policy" if version >= (2, 64) else "policies"
        allowed = ["name", word, *(["rules"] if version >= (2, 64) else [])]
        check_keys("server_group", asked, allowed=allowed, required=["name", word])
        check_name(name)
        soft = ["soft-anti-affinity", "soft-affinity"] if version >= (2, 15) else []
        policies = ["anti-affinity", "affinity", *soft]
        policy = asked["policy"] if version >= (2, 64) else _only(asked["policies"])
        if policy not in policies:
            place = "policy" if version >= (2, 64) else "0"
            raise invalid(place, policy, f"{policy!r} is not one of {policies!r}")
        if asked.get("rules") and policy != "anti-affinity":
            raise Refused(400, "Only anti-affinity policy supports rules.")
        group = {
            "id": str(self.ids.uuid4()),
            "name": name,
            "policy": policy,
            "rules": asked.get("rules", {}),
            "members": [],
            "project_id": call.who.project_id,
            "user_id": call.who.user_id,
        }
        self.server_groups[group["id"]] = group
        return json_reply(200, {"server_group": self._group_view(call, group)})

    def _show_group(self, call: Call, group_id: str) -> Reply:
        return json_reply(200, {"server_group": self._group_view(call, self._group(call, group_id, 404))})

    def _group_view(self, call: Call, group: Record) -> Record:
        members = [server for server in group["members"] if server in self.servers]
        view = {**group, "members": members, "policies": [group["policy"]], "metadata": {}}
        return shown(view, GROUP, microversion(call))

    def _delete_group(self, call: Call, group_id: str) -> Reply:
        self._group(call, group_id, 404)
        del self.server_groups[group_id]
        return Reply(204)


def _only(policies: object) -> object:
    if not isinstance(policies, list):
        raise invalid("policies", policies, f"{policies!r} is not of type 'array'")
    if len(policies) != 1:
        raise invalid("policies", policies, f"{policies!r} is too {'long' if policies else 'short'}")
    return policies[0]
