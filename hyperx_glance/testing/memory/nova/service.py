"""The in-memory Nova itself: what it answers."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.nova.changing import Changing
from hyperx_glance.testing.memory.nova.creating import Creating
from hyperx_glance.testing.memory.nova.flavors import Flavors
from hyperx_glance.testing.memory.nova.groups import ServerGroups
from hyperx_glance.testing.memory.nova.keypairs import KeyPairs
from hyperx_glance.testing.memory.nova.microversions import microversion, parsed_version
from hyperx_glance.testing.memory.wire import (
    Call,
    Record,
    Refused,
    Reply,
    Route,
    json_reply,
    paste_problem,
    webob_error,
)


class Nova(Flavors, KeyPairs, ServerGroups, Creating, Changing):
    """Keep servers; what takes time goes on when somebody looks at them."""

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        one = "/v2.1/servers/([^/]+)"
        quota = "/v2.1/os-quota-sets/([^/]+)"
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.1/?", self._version, public=True),
            Route("GET", "/v2.1/flavors", self._list_flavors),
            Route("GET", "/v2.1/flavors/detail", self._list_flavor_details),
            Route("GET", "/v2.1/flavors/([^/]+)", self._show_flavor),
            Route("GET", "/v2.1/flavors/([^/]+)/os-extra_specs", self._show_extra_specs),
            Route("GET", "/v2.1/limits", self._limits),
            Route("GET", quota, self._show_quota),
            Route("PUT", quota, self._update_quota),
            Route("DELETE", quota, self._delete_quota),
            Route("GET", quota + "/detail", self._quota_details),
            Route("GET", quota + "/defaults", self._default_quota),
            Route("GET", "/v2.1/os-availability-zone", self._list_zones),
            Route("GET", "/v2.1/os-keypairs", self._list_keypairs),
            Route("POST", "/v2.1/os-keypairs", self._create_keypair),
            Route("GET", "/v2.1/os-keypairs/([^/]+)", self._show_keypair),
            Route("DELETE", "/v2.1/os-keypairs/([^/]+)", self._delete_keypair),
            Route("GET", "/v2.1/os-server-groups", self._list_groups),
            Route("POST", "/v2.1/os-server-groups", self._create_group),
            Route("GET", "/v2.1/os-server-groups/([^/]+)", self._show_group),
            Route("DELETE", "/v2.1/os-server-groups/([^/]+)", self._delete_group),
            Route("GET", "/v2.1/servers", self._list),
            Route("POST", "/v2.1/servers", self._create),
            Route("GET", "/v2.1/servers/detail", self._list_details),
            Route("GET", one, self._show),
            Route("PUT", one, self._rename),
            Route("DELETE", one, self._delete),
            Route("POST", one + "/action", self._act),
            Route("GET", one + "/tags", self._list_tags),
            Route("PUT", one + "/tags", self._replace_tags),
            Route("PUT", one + "/tags/([^/]+)", self._add_tag),
            Route("DELETE", one + "/tags/([^/]+)", self._remove_tag),
            Route("GET", one + "/metadata", self._show_metadata),
            Route("POST", one + "/metadata", self._update_metadata),
            Route("PUT", one + "/metadata", self._replace_metadata),
            Route("GET", one + "/metadata/([^/]+)", self._show_metadata_item),
            Route("PUT", one + "/metadata/([^/]+)", self._set_metadata_item),
            Route("DELETE", one + "/metadata/([^/]+)", self._delete_metadata_item),
            Route("GET", one + "/tags/([^/]+)", self._show_tag),
            Route("DELETE", one + "/tags", self._remove_tags),
            Route("GET", one + "/ips", self._list_addresses),
            Route("GET", one + "/ips/([^/]+)", self._show_addresses),
            Route("GET", one + "/os-volume_attachments", self._list_attachments),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request, at the microversion asked for."""
        try:
            asked = microversion(call)
        except Refused as refused:
            return self.problem(call, refused)
        version = ".".join(map(str, asked))
        if (2, 1) <= asked <= parsed_version(self.max_microversion):
            reply = super().handle(call)
            if _is_unknown(reply):
                return reply
            if not reply.content:
                reply.headers.setdefault("Content-Type", "application/json")
        else:
            message = f"Version {version} is not supported by the API. "
            message += f"Minimum is 2.1 and maximum is {self.max_microversion}."
            reply = paste_problem(Refused(406, message))
        reply.headers |= {
            "OpenStack-API-Version": f"compute {version}",
            "Vary": "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
            "X-OpenStack-Nova-API-Version": version,
        }
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Nova does; of a path that it does not know webob speaks."""
        if refused.status == 404 and not refused.message:
            return webob_error(404, accept=call.headers.get("accept", ""))
        return paste_problem(refused)

    def _versions(self, call: Call) -> Reply:
        del call
        old = {"id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": ""}
        links = [{"rel": "self", "href": f"{self.url}/v2/"}]
        return json_reply(
            200,
            {"versions": [{**old, "updated": "2025-07-04T12:00:00Z", "links": links}, self._version_record()]},
        )

    def _version(self, call: Call) -> Reply:
        del call
        record = self._version_record()
        record["links"].append({"rel": "describedby", "type": "text/html", "href": f"{self.url}/"})
        kind = "application/vnd.openstack.compute+json;version=2.1"
        record["media-types"] = [{"base": "application/json", "type": kind}]
        return json_reply(200, {"version": record})

    def _version_record(self) -> Record:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": self.max_microversion,
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/"}],
        }


def _is_unknown(reply: Reply) -> bool:
    """Tell webob's answer about an unknown path, which never came to where microversions are known."""
    return reply.status == 404 and b"itemNotFound" not in reply.content
