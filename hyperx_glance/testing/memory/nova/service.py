"""The in-memory Nova itself: what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hyperx_glance.testing.memory.nova.attachments import Attachments
from hyperx_glance.testing.memory.nova.changing import Changing
from hyperx_glance.testing.memory.nova.compute_services import ComputeServices
from hyperx_glance.testing.memory.nova.creating import Creating
from hyperx_glance.testing.memory.nova.extensions import Extensions
from hyperx_glance.testing.memory.nova.flavors import Flavors
from hyperx_glance.testing.memory.nova.groups import ServerGroups
from hyperx_glance.testing.memory.nova.images import Images
from hyperx_glance.testing.memory.nova.keypairs import KeyPairs
from hyperx_glance.testing.memory.nova.microversions import microversion, parsed_version
from hyperx_glance.testing.memory.nova.reports import Reports
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

_Row: TypeAlias = tuple[str, str, Callable[..., Reply]]
"""Method, path below the root with ID for the variable parts, and handler."""


class Nova(
    Flavors, KeyPairs, ServerGroups, Images, Reports, ComputeServices, Extensions, Creating, Attachments, Changing
):
    """The in-memory Nova; long operations advance when servers are read."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        table = (
            *self._flavor_table(),
            *self._quota_table(),
            *self._server_table(),
            *self._image_table(),
            *self._host_table(),
            *self._proxy_table(),
        )
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v2.1/?", self._version, public=True),
            Route("GET", "/v2/?", self._old_version, public=True),
            *(Route(method, "/v2.1" + path.replace("ID", "([^/]+)"), handler) for method, path, handler in table),
        )

    def _flavor_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/flavors", self._list_flavors),
            ("POST", "/flavors", self._create_flavor),
            ("GET", "/flavors/detail", self._list_flavor_details),
            ("GET", "/flavors/ID", self._show_flavor),
            ("PUT", "/flavors/ID", self._update_flavor),
            ("DELETE", "/flavors/ID", self._delete_flavor),
            ("POST", "/flavors/ID/action", self._act_on_flavor),
            ("GET", "/flavors/ID/os-flavor-access", self._list_access),
            ("GET", "/flavors/ID/os-extra_specs", self._show_extra_specs),
            ("POST", "/flavors/ID/os-extra_specs", self._create_extra_specs),
            ("GET", "/flavors/ID/os-extra_specs/ID", self._show_extra_spec),
            ("PUT", "/flavors/ID/os-extra_specs/ID", self._update_extra_spec),
            ("DELETE", "/flavors/ID/os-extra_specs/ID", self._delete_extra_spec),
            ("GET", "/os-keypairs", self._list_keypairs),
            ("POST", "/os-keypairs", self._create_keypair),
            ("GET", "/os-keypairs/ID", self._show_keypair),
            ("DELETE", "/os-keypairs/ID", self._delete_keypair),
        )

    def _quota_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/limits", self._limits),
            ("GET", "/os-quota-sets/ID", self._show_quota),
            ("PUT", "/os-quota-sets/ID", self._update_quota),
            ("DELETE", "/os-quota-sets/ID", self._delete_quota),
            ("GET", "/os-quota-sets/ID/detail", self._quota_details),
            ("GET", "/os-quota-sets/ID/defaults", self._default_quota),
            ("GET", "/os-quota-class-sets/ID", self._show_quota_class),
            ("PUT", "/os-quota-class-sets/ID", self._update_quota_class),
            ("GET", "/os-availability-zone", self._list_zones),
            ("GET", "/os-availability-zone/detail", self._list_zone_details),
            ("GET", "/os-server-groups", self._list_groups),
            ("POST", "/os-server-groups", self._create_group),
            ("GET", "/os-server-groups/ID", self._show_group),
            ("DELETE", "/os-server-groups/ID", self._delete_group),
        )

    def _server_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/servers", self._list),
            ("POST", "/servers", self._create),
            ("GET", "/servers/detail", self._list_details),
            ("GET", "/servers/ID", self._show),
            ("PUT", "/servers/ID", self._rename),
            ("DELETE", "/servers/ID", self._delete),
            ("POST", "/servers/ID/action", self._act),
            ("GET", "/servers/ID/tags", self._list_tags),
            ("PUT", "/servers/ID/tags", self._replace_tags),
            ("DELETE", "/servers/ID/tags", self._remove_tags),
            ("GET", "/servers/ID/tags/ID", self._show_tag),
            ("PUT", "/servers/ID/tags/ID", self._add_tag),
            ("DELETE", "/servers/ID/tags/ID", self._remove_tag),
            ("GET", "/servers/ID/metadata", self._show_metadata),
            ("POST", "/servers/ID/metadata", self._update_metadata),
            ("PUT", "/servers/ID/metadata", self._replace_metadata),
            ("GET", "/servers/ID/metadata/ID", self._show_metadata_item),
            ("PUT", "/servers/ID/metadata/ID", self._set_metadata_item),
            ("DELETE", "/servers/ID/metadata/ID", self._delete_metadata_item),
            ("GET", "/servers/ID/ips", self._list_addresses),
            ("GET", "/servers/ID/ips/ID", self._show_addresses),
            ("GET", "/servers/ID/os-interface", self._list_interfaces),
            ("POST", "/servers/ID/os-interface", self._attach_interface),
            ("GET", "/servers/ID/os-interface/ID", self._show_interface),
            ("DELETE", "/servers/ID/os-interface/ID", self._detach_interface),
            ("GET", "/servers/ID/os-volume_attachments", self._list_attachments),
            ("POST", "/servers/ID/os-volume_attachments", self._attach_volume),
            ("GET", "/servers/ID/os-volume_attachments/ID", self._show_attachment),
            ("PUT", "/servers/ID/os-volume_attachments/ID", self._update_attachment),
            ("DELETE", "/servers/ID/os-volume_attachments/ID", self._detach_volume),
            ("GET", "/servers/ID/os-security-groups", self._groups_of_server),
            ("GET", "/servers/ID/os-server-password", self._show_password),
            ("DELETE", "/servers/ID/os-server-password", self._clear_password),
            ("POST", "/servers/ID/remote-consoles", self._remote_console),
            ("GET", "/servers/ID/diagnostics", self._diagnostics),
            ("GET", "/servers/ID/os-instance-actions", self._list_deeds),
            ("GET", "/servers/ID/os-instance-actions/ID", self._show_deed),
            ("GET", "/servers/ID/migrations", self._list_server_migrations),
            ("GET", "/os-migrations", self._list_migrations),
            ("POST", "/os-server-external-events", self._take_events),
        )

    def _image_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/images", self._list_images),
            ("GET", "/images/detail", self._list_image_details),
            ("GET", "/images/ID", self._show_image),
            ("DELETE", "/images/ID", self._delete_image),
            ("GET", "/images/ID/metadata", self._show_image_metadata),
            ("POST", "/images/ID/metadata", self._add_image_metadata),
            ("PUT", "/images/ID/metadata", self._replace_image_metadata),
            ("GET", "/images/ID/metadata/ID", self._show_image_item),
            ("PUT", "/images/ID/metadata/ID", self._set_image_item),
            ("DELETE", "/images/ID/metadata/ID", self._delete_image_item),
        )

    def _host_table(self) -> Sequence[_Row]:
        return (
            ("GET", "/extensions", self._list_extensions),
            ("GET", "/extensions/ID", self._show_extension),
            ("GET", "/os-hypervisors", self._list_hypervisors),
            ("GET", "/os-hypervisors/detail", self._list_hypervisor_details),
            ("GET", "/os-hypervisors/statistics", self._hypervisor_statistics),
            ("GET", "/os-hypervisors/ID", self._show_hypervisor),
            ("GET", "/os-hypervisors/ID/uptime", self._hypervisor_uptime),
            ("GET", "/os-hypervisors/ID/search", self._search_hypervisors),
            ("GET", "/os-hypervisors/ID/servers", self._hypervisors_with_servers),
            ("GET", "/os-instance_usage_audit_log", self._usage_logs),
            ("GET", "/os-instance_usage_audit_log/ID", self._usage_log_before),
            ("GET", "/os-services", self._list_services),
            ("PUT", "/os-services/ID", self._update_service),
            ("GET", "/os-hosts", self._list_hosts),
            ("GET", "/os-hosts/ID", self._show_host),
            ("PUT", "/os-hosts/ID", self._update_host),
            ("GET", "/os-hosts/ID/startup", self._start_host),
            ("GET", "/os-hosts/ID/shutdown", self._shut_down_host),
            ("GET", "/os-hosts/ID/reboot", self._reboot_host),
            ("GET", "/os-simple-tenant-usage", self._list_usages),
            ("GET", "/os-simple-tenant-usage/ID", self._show_usage),
            ("GET", "/os-aggregates", self._list_aggregates),
            ("POST", "/os-aggregates", self._create_aggregate),
            ("GET", "/os-aggregates/ID", self._show_aggregate),
            ("PUT", "/os-aggregates/ID", self._update_aggregate),
            ("DELETE", "/os-aggregates/ID", self._delete_aggregate),
            ("POST", "/os-aggregates/ID/action", self._act_on_aggregate),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request, at the requested microversion."""
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
            "x-compute-request-id": call.request_id,
            "OpenStack-API-Version": f"compute {version}",
            "Vary": "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
            "X-OpenStack-Nova-API-Version": version,
        }
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Nova does; for an unknown path, webob writes it."""
        if refused.status == 404 and not refused.message:
            return webob_error(404, accept=call.headers.get("accept", ""))
        return paste_problem(refused)

    def _versions(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"versions": [self._old_version_record(), self._version_record()]})

    def _version(self, call: Call) -> Reply:
        del call
        return self._described(self._version_record(), "2.1")

    def _old_version(self, call: Call) -> Reply:
        del call
        return self._described(self._old_version_record(), "2")

    def _described(self, record: Record, version: str) -> Reply:
        record["links"].append({"rel": "describedby", "type": "text/html", "href": f"{self.url}/"})
        kind = f"application/vnd.openstack.compute+json;version={version}"
        record["media-types"] = [{"base": "application/json", "type": kind}]
        return json_reply(200, {"version": record})

    def _old_version_record(self) -> Record:
        return {
            "id": "v2.0",
            "status": "DEPRECATED",
            "version": "",
            "min_version": "",
            "updated": "2025-07-04T12:00:00Z",
            "links": [{"rel": "self", "href": f"{self.url}/v2/"}],
        }

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
    """Check whether this is webob's answer for an unknown path, which is sent before microversions are read."""
    return reply.status == 404 and b"itemNotFound" not in reply.content
