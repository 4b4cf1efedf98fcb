"""What can be done to a server of the in-memory Nova: actions, tags, metadata, its end."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import VM_STATES, Server
from hyperx_glance.testing.memory.nova.servers import Servers, addresses_of
from hyperx_glance.testing.memory.nova.validation import (
    check_keys,
    check_metadata,
    check_name,
    check_tags,
    enveloped,
    invalid,
)
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_ACTION_POLICIES = {
    "changePassword": "os-admin-password",
    "os-start": "servers:start",
    "os-stop": "servers:stop",
    "reboot": "servers:reboot",
}

_UPDATED_KEYS = (
    "OS-DCF:diskConfig",
    "accessIPv4",
    "accessIPv6",
    "addresses",
    "created",
    "flavor",
    "hostId",
    "id",
    "image",
    "links",
    "metadata",
    "name",
    "progress",
    "status",
    "tenant_id",
    "updated",
    "user_id",
    "locked",
    "description",
    "tags",
)


class Changing(Servers):
    """Change servers."""

    def _delete(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "servers:delete")
        if not server.deleting:
            server.deleting, server.reads_left = True, self.delete_polls
        return Reply(204)

    def _act(self, call: Call, server_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise Refused(400, "Malformed request body")
        action = next(iter(body))
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
        check_keys("changePassword", asked, allowed=["adminPass"], required=["adminPass"])
        if not isinstance(asked["adminPass"], str):
            raise invalid("adminPass", asked["adminPass"], f"{asked['adminPass']!r} is not of type 'string'")
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

    def _reboot(self, server: Server, asked: Record) -> None:
        check_keys("reboot", asked, allowed=["type"], required=["type"])
        kinds = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]
        if asked["type"] not in kinds:
            raise invalid("type", asked["type"], f"{asked['type']!r} is not one of {kinds!r}")
        self._demand_state(server, "reboot", "ACTIVE")

    def _demand_state(self, server: Server, action: str, status: str) -> None:
        if server.status != status:
            state = VM_STATES[server.status]
            raise Refused(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {state}")

    def _rename(self, call: Call, server_id: str) -> Reply:
        version = microversion(call)
        asked = enveloped(call, "server")
        more = [*(["description"] if version >= (2, 19) else []), *(["hostname"] if version >= (2, 90) else [])]
        check_keys("server", asked, allowed=["name", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6", *more])
        if "name" in asked:
            check_name(asked["name"])
        server = self._writable(call, server_id, "servers:update")
        server.name = asked.get("name", server.name)
        server.hostname = asked.get("hostname", server.hostname)
        server.body = {**server.body, **{key: value for key, value in asked.items() if key != "name"}}
        return json_reply(200, {"server": self._updated_view(call, server)})

    def _updated_view(self, call: Call, server: Server) -> Record:
        """Show a server after a change: before 2.75 without what extensions add (servers.py, _update)."""
        view = self._view(call, server)
        if microversion(call) >= (2, 75):
            return view
        view["addresses"] = addresses_of(server)
        return {key: value for key, value in view.items() if key in _UPDATED_KEYS}

    def _list_tags(self, call: Call, server_id: str) -> Reply:
        if microversion(call) < (2, 26):
            raise Refused(404, "The resource could not be found.")
        return json_reply(200, {"tags": self._found(call, server_id).tags})

    def _replace_tags(self, call: Call, server_id: str) -> Reply:
        tags = call.member("tags")
        check_tags(tags)
        server = self._writable(call, server_id, "os-server-tags:update_all")
        server.tags = sorted(set(tags))
        return json_reply(200, {"tags": server.tags})

    def _add_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        if not tag or "," in tag:
            words = f"Tag '{tag}' is invalid. It must be a non empty string without characters '/' and ','. "
            raise Refused(400, f"{words}Validation error message: '{tag}' does not match '^[^,/]*$'")
        check_tags([tag])
        server = self._writable(call, server_id, "os-server-tags:update")
        new = tag not in server.tags
        server.tags = sorted({*server.tags, tag})
        return Reply(201 if new else 204, b"", {"Content-Type": "text/html; charset=UTF-8"})

    def _remove_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        server = self._writable(call, server_id, "os-server-tags:delete")
        if tag not in server.tags:
            raise Refused(404, f"Instance {server_id} has no tag '{tag}'")
        server.tags.remove(tag)
        return Reply(204)

    def _show_metadata(self, call: Call, server_id: str) -> Reply:
        return json_reply(200, {"metadata": self._found(call, server_id).metadata})

    def _update_metadata(self, call: Call, server_id: str) -> Reply:
        metadata = call.member("metadata")
        check_metadata(metadata)
        server = self._writable(call, server_id, "server-metadata:create")
        server.metadata.update(metadata)
        return json_reply(200, {"metadata": server.metadata})

    def _replace_metadata(self, call: Call, server_id: str) -> Reply:
        metadata = call.member("metadata")
        check_metadata(metadata)
        server = self._writable(call, server_id, "server-metadata:update_all")
        server.metadata = dict(metadata)
        return json_reply(200, {"metadata": server.metadata})

    def _show_metadata_item(self, call: Call, server_id: str, key: str) -> Reply:
        metadata = self._found(call, server_id).metadata
        if key not in metadata:
            raise Refused(404, "Metadata item was not found")
        return json_reply(200, {"meta": {key: metadata[key]}})

    def _set_metadata_item(self, call: Call, server_id: str, key: str) -> Reply:
        item = call.member("meta")
        check_metadata(item)
        if key not in item:
            raise Refused(400, "Request body and URI mismatch")
        server = self._writable(call, server_id, "server-metadata:update")
        server.metadata[key] = item[key]
        return json_reply(200, {"meta": {key: item[key]}})

    def _delete_metadata_item(self, call: Call, server_id: str, key: str) -> Reply:
        server = self._writable(call, server_id, "server-metadata:delete")
        if key not in server.metadata:
            raise Refused(404, "Metadata item was not found")
        del server.metadata[key]
        return Reply(204)

    def _show_tag(self, call: Call, server_id: str, tag: str) -> Reply:
        if tag not in self._found(call, server_id).tags:
            raise Refused(404, f"Server {server_id} has no tag '{tag}'")
        return Reply(204)

    def _remove_tags(self, call: Call, server_id: str) -> Reply:
        self._writable(call, server_id, "os-server-tags:delete_all").tags = []
        return Reply(204)
