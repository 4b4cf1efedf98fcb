"""The in-memory Placement itself: what it answers."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.placement.allocations import Allocations
from hyperx_glance.testing.memory.placement.names import Names
from hyperx_glance.testing.memory.placement.state import NEWEST, Raised, asked_version, is_since
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply, sentence

_VARY = {"Vary": "openstack-api-version"}


class Placement(Allocations, Names):
    """The in-memory Placement."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        table = (
            ("GET", "/resource_providers", self._list_providers),
            ("POST", "/resource_providers", self._create_provider),
            ("GET", "/resource_providers/ID", self._show_provider),
            ("PUT", "/resource_providers/ID", self._update_provider),
            ("DELETE", "/resource_providers/ID", self._delete_provider),
            ("GET", "/resource_providers/ID/inventories", self._list_inventories),
            ("POST", "/resource_providers/ID/inventories", self._create_inventory),
            ("PUT", "/resource_providers/ID/inventories", self._replace_inventories),
            ("DELETE", "/resource_providers/ID/inventories", self._delete_inventories),
            ("GET", "/resource_providers/ID/inventories/ID", self._show_inventory),
            ("PUT", "/resource_providers/ID/inventories/ID", self._update_inventory),
            ("DELETE", "/resource_providers/ID/inventories/ID", self._delete_inventory),
            ("GET", "/resource_providers/ID/usages", self._provider_usages),
            ("GET", "/resource_providers/ID/aggregates", self._list_aggregates),
            ("PUT", "/resource_providers/ID/aggregates", self._replace_aggregates),
            ("GET", "/resource_providers/ID/traits", self._provider_traits),
            ("PUT", "/resource_providers/ID/traits", self._replace_traits),
            ("DELETE", "/resource_providers/ID/traits", self._delete_traits),
            ("GET", "/resource_providers/ID/allocations", self._provider_allocations),
            ("POST", "/allocations", self._set_several_allocations),
            ("GET", "/allocations/ID", self._show_allocations),
            ("PUT", "/allocations/ID", self._set_allocations),
            ("DELETE", "/allocations/ID", self._delete_allocations),
            ("GET", "/allocation_candidates", self._list_candidates),
            ("GET", "/usages", self._total_usages),
            ("GET", "/resource_classes", self._list_classes),
            ("POST", "/resource_classes", self._create_class),
            ("GET", "/resource_classes/ID", self._show_class),
            ("PUT", "/resource_classes/ID", self._put_class),
            ("DELETE", "/resource_classes/ID", self._delete_class),
            ("GET", "/traits", self._list_traits),
            ("GET", "/traits/ID", self._show_trait),
            ("PUT", "/traits/ID", self._put_trait),
            ("DELETE", "/traits/ID", self._delete_trait),
        )
        return (
            Route("GET", "/?", self._versions, public=True),
            *(Route(method, path.replace("ID", "([^/]+)"), handler) for method, path, handler in table),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request, and report the microversion (microversion_parse/middleware.py)."""
        try:
            version = asked_version(call)
        except Refused as refused:
            return self.problem(call, refused)
        reply = super().handle(call)
        if call.caller is not None:
            reply.headers["OpenStack-API-Version"] = f"placement {'.'.join(map(str, version))}"
            if reply.status < 400:
                reply.headers |= _VARY
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Placement does (placement/util.py, json_error_formatter)."""
        titles = {404: "Not Found", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed"}
        titles |= {401: "Unauthorized", 406: "Not Acceptable", 409: "Conflict", 500: "Internal Server Error"}
        status = refused.status
        told = f"{sentence(status)}\n\n {refused.message}  "
        if status == 405:
            told = f"{refused.message}\n\n The method specified is not allowed for this resource."
        elif status == 406:
            told = "The resource could not be generated that was acceptable to your browser (content of type"
            told += f" application/json. \n\n {refused.message}"
        error: Record = {
            "status": status,
            "title": titles.get(status, "Error"),
            "detail": told,
            "request_id": call.request_id,
        }
        if status == 406:
            error |= {"max_version": ".".join(map(str, NEWEST)), "min_version": "1.0"}
        elif is_since(call, (1, 23)):
            own = refused.detail.startswith("placement.")
            error["code"] = refused.detail if own else "placement.undefined_code"
        reply = json_reply(status, {"errors": [error]})
        if not isinstance(refused, Raised) and (refused.message or refused.detail):
            reply.headers |= _VARY
        return reply

    def _versions(self, call: Call) -> Reply:
        del call
        version = {"id": "v1.0", "max_version": ".".join(map(str, NEWEST)), "min_version": "1.0"}
        return json_reply(200, {"versions": [{**version, "status": "CURRENT", "links": [{"rel": "self", "href": ""}]}]})
