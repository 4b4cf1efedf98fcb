"""What can be done to a server of the in-memory Nova: actions, tags, metadata, its end."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.records import VM_STATES, Server
from hyperx_glance.testing.memory.nova.snapshots import Snapshots
from hyperx_glance.testing.memory.nova.validation import check_tags, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_ACTION_POLICIES = {
    "changePassword": "os-admin-password",
    "os-start": "servers:start",
    "os-stop": "servers:stop",
    "reboot": "servers:reboot",
}


class Changing(Snapshots):
    """Change servers."""

    def _delete(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "servers:delete")
        if not server.deleting:
            server.deleting, server.reads_left = True, self.delete_polls
        return Reply(204)

    def _act(self, call: Call, server_id: str) -> Reply:
        body = call.json()
        action = next(iter(body), "")
        if action == "createImage":
            return self._create_image(call, server_id, body[action])
        handlers = {
            "changePassword": self._change_password,
            "os-start": self._start,
            "os-stop": self._stop,
            "reboot": self._reboot,
        }
        if action not in handlers:
            raise Refused(400, f"There is no such action: {action}")
        server = self._writable(call, server_id, _ACTION_POLICIES[action])
        handlers[action](server, body[action])
        return Reply(202)

    def _change_password(self, server: Server, asked: Record) -> None:
        if "adminPass" not in asked:
            raise invalid("changePassword", asked, "'adminPass' is a required property")
        self._demand_state(server, "changePassword", "ACTIVE")
        agent = server.image_properties.get("hw_qemu_guest_agent", "").lower() in ("yes", "true", "1")
        if self.password_changes == "no_agent" or (self.password_changes == "by_image" and not agent):
            raise Refused(409, "QEMU guest agent is not enabled")
        if self.password_changes == "silent_agent":
            raise Refused(501, "Unable to set password on instance")
        server.admin_pass = asked["adminPass"]

    def _start(self, server: Server, _: object) -> None:
        self._demand_state(server, "start", "SHUTOFF")
        server.status = "ACTIVE"

    def _stop(self, server: Server, _: object) -> None:
        self._demand_state(server, "stop", "ACTIVE")
        server.status = "SHUTOFF"

    def _reboot(self, server: Server, _: object) -> None:
        self._demand_state(server, "reboot", "ACTIVE")

    def _demand_state(self, server: Server, action: str, status: str) -> None:
        if server.status != status:
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {state}")

    def _list_tags(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"tags": self._found(call, server_id).tags})

    def _replace_tags(self, call: Call, server_id: str) -> Reply:
        tags = call.json()["tags"]
        check_tags(tags)
        server = self._writable(call, server_id, "os-server-tags:update_all")
        server.tags = sorted(set(tags))
        return json_reply(200, {"tags": server.tags})

    def _add_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        check_tags([tag])
        server = self._writable(call, server_id, "os-server-tags:update")
        new = tag not in server.tags
        server.tags = sorted({*server.tags, tag})
        return Reply(201 if new else 204)

    def _remove_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        server = self._writable(call, server_id, "os-server-tags:delete")
        if tag not in server.tags:
            raise Refused(404, f"Instance {server_id} has no tag '{tag}'")
        server.tags.remove(tag)
        return Reply(204)

    def _show_metadata(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"metadata": self._found(call, server_id).metadata})

    def _update_metadata(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "server-metadata:create")
        server.metadata.update(call.json()["metadata"])
        return json_reply(200, {"metadata": server.metadata})
