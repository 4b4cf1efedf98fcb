"""The in-memory Nova's server groups."""

from __future__ import annotations

import uuid

from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.wire import Call, Reply, json_reply


class ServerGroups(State):
    """Answer for server groups."""

    def _list_groups(self, call: Call) -> Reply:
        own = [group for group in self.server_groups.values() if group["project_id"] == call.who.project_id]
        return json_reply(200, {"server_groups": own})

    def _create_group(self, call: Call) -> Reply:
        asked = call.json()["server_group"]
        group = {
            "id": str(uuid.uuid4()),
            "rules": {},
            **asked,
            "members": [],
            "project_id": call.who.project_id,
            "user_id": call.who.user_id,
        }
        self.server_groups[group["id"]] = group
        return json_reply(200, {"server_group": group})

    def _show_group(self, call: Call, group_id: str) -> Reply:
        return json_reply(200, {"server_group": self._group(call, group_id, 404)})

    def _delete_group(self, call: Call, group_id: str) -> Reply:
        self._group(call, group_id, 404)
        del self.server_groups[group_id]
        return Reply(204)
