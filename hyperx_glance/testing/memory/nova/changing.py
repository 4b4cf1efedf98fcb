"""Changes of a server of the in-memory Nova: actions, tags, metadata, deletion."""

from __future__ import annotations

from hyperx_glance.testing.memory.nova.actions import Acting
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import Server
from hyperx_glance.testing.memory.nova.validation import (
    check_access,
    check_keys,
    check_metadata,
    check_name,
    check_tags,
    enveloped,
)
from hyperx_glance.testing.memory.wire import Call, Refused, Reply, json_reply


class Changing(Acting):
    """The part of Nova that changes servers."""

    def _delete(self, call: Call, server_id: str) -> Reply:
        server = self._writable(call, server_id, "servers:delete")
        if server.locked and not call.who.is_administrator:
            raise Refused(409, f"Instance {server_id} is locked")
        if not server.deleting:
            # Nova deletes a server for good that was never built, or that is SOFT_DELETED already.
            server.deleting_softly = self.soft_delete and server.status not in ("BUILD", "SOFT_DELETED")
            server.deleting, server.reads_left = True, self.delete_polls
            self._note(call, server, "delete")
        return Reply(204)

    def _rename(self, call: Call, server_id: str) -> Reply:
        version = microversion(call)
        asked = enveloped(call, "server")
        since = {"description": (2, 19), "hostname": (2, 90), "pinned_availability_zone": (2, 104)}
        more = [key for key, first in since.items() if version >= first]
        check_keys("server", asked, allowed=["name", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6", *more])
        check_access(asked)
        if "name" in asked:
            check_name(asked["name"])
        server = self._writable(call, server_id, "servers:update")
        server.name = asked.get("name", server.name)
        server.hostname = asked.get("hostname", server.hostname)
        if "pinned_availability_zone" in asked:
            self._pin(server, asked["pinned_availability_zone"])
        kept = {key: value for key, value in asked.items() if key not in ("name", "pinned_availability_zone")}
        server.body = {**server.body, **kept}
        return json_reply(200, {"server": self._updated_view(call, server)})

    def _pin(self, server: Server, zone: str | None) -> None:
        """Pin a server to its zone, or unpin it (nova/api/openstack/compute/servers.py, _update)."""
        if zone is not None and server.pinned_zone not in (None, zone):
            words = "Cannot change pinned availability zone directly. Unpin first by setting pinned_availability_zone"
            raise Refused(409, f"{words} to null.")
        current = self.availability_zones[0]
        if zone is not None and zone != current:
            words = f"Server can only be pinned to its current availability zone '{current}', but '{zone}'"
            raise Refused(409, f"{words} was requested.")
        server.pinned_zone = zone

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
        place = {"Location": f"{self.url}/v2.1/servers/{server_id}/tags/{tag}"} if new else {}
        return Reply(201 if new else 204, b"", {"Content-Type": "text/html; charset=UTF-8", **place})

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
        self._check_items(server, {**server.metadata, **metadata})
        server.metadata.update(metadata)
        return json_reply(200, {"metadata": server.metadata})

    def _replace_metadata(self, call: Call, server_id: str) -> Reply:
        metadata = call.member("metadata")
        check_metadata(metadata)
        server = self._writable(call, server_id, "server-metadata:update_all")
        self._check_items(server, metadata)
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
        self._check_items(server, {**server.metadata, **item})
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
