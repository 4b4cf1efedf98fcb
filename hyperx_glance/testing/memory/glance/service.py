"""The in-memory Glance itself: what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hyperx_glance.testing.memory.glance import schemas
from hyperx_glance.testing.memory.glance.listing import Listing
from hyperx_glance.testing.memory.glance.members import Members
from hyperx_glance.testing.memory.glance.patches import PATCH_TYPES, Patches
from hyperx_glance.testing.memory.glance.tasks import Tasks
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply, webob_error

_IMAGE = "/v2/images/([^/]+)"
_RESET = rf"GET {_IMAGE}/file|DELETE {_IMAGE}/members/.*"


class Glance(Listing, Tasks, Patches, Members):
    """The in-memory Glance: its attributes are settings, and long operations advance when they are read."""

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/versions/?", self._versions, public=True),
            Route("GET", "/v2/info/import", self._import_info),
            Route("GET", "/v2/info/stores", self._store_info),
            Route("GET", "/v2/info/stores/detail", self._store_details),
            Route("GET", "/v2/info/usage", self._usage),
            Route("GET", "/v2/schemas/(.+)", self._schema),
            Route("GET", "/v2/tasks", self._list_all_tasks),
            Route("POST", "/v2/tasks", self._create_task),
            Route("GET", "/v2/tasks/([^/]+)", self._show_task),
            Route("DELETE", "/v2/tasks/([^/]+)", self._delete_task),
            Route("DELETE", "/v2/stores/([^/]+)/([^/]+)", self._delete_from_store),
            Route("GET", "/v2/images", self._list),
            Route("POST", "/v2/images", self._create),
            Route("GET", _IMAGE, self._show),
            Route("PATCH", _IMAGE, self._update),
            Route("DELETE", _IMAGE, self._delete),
            Route("PUT", _IMAGE + "/file", self._upload),
            Route("GET", _IMAGE + "/file", self._download),
            Route("PUT", _IMAGE + "/stage", self._stage),
            Route("POST", _IMAGE + "/import", self._import),
            Route("GET", _IMAGE + "/tasks", self._list_tasks),
            Route("PUT", _IMAGE + "/tags/(.+)", self._add_tag),
            Route("DELETE", _IMAGE + "/tags/(.+)", self._remove_tag),
            Route("POST", _IMAGE + "/actions/deactivate", self._deactivate),
            Route("POST", _IMAGE + "/actions/reactivate", self._reactivate),
            Route("GET", _IMAGE + "/members", self._list_members),
            Route("POST", _IMAGE + "/members", self._add_member),
            Route("GET", _IMAGE + "/members/([^/]+)", self._show_member),
            Route("PUT", _IMAGE + "/members/([^/]+)", self._update_member),
            Route("DELETE", _IMAGE + "/members/([^/]+)", self._remove_member),
            Route("GET", _IMAGE + "/locations", self._list_locations),
            *self.metadefs.routes(),
            *self.cache.routes(),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request; even an answer without a body has a type, webob's default."""
        reply = super().handle(call)
        if reply.status == 204 and not re.fullmatch(_RESET, f"{call.method} {call.path}"):
            reply.headers.setdefault("Content-Type", "text/html; charset=UTF-8")
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Glance does: webob's HTML document, or JSON if the client accepts that."""
        message, detail = refused.message, refused.detail
        if refused.status == 415:
            sent = call.headers.get("content-type", "")
            told = "" if "unsafe-told" in self.lacks else message
            message, detail = f"The request media type {sent} is not supported by this server.\n", told
        reply = webob_error(refused.status, message, detail=detail, accept=call.headers.get("accept", ""))
        if refused.status == 415 and call.method == "PATCH":
            reply.headers["Accept-Patch"] = ", ".join(PATCH_TYPES)
        return reply

    def _versions(self, call: Call) -> Reply:
        several = ("2.13", "2.12", "2.11", "2.10", "2.9", "2.8") if self.stores else ("2.9",)
        newest = "2.16" if "redirects-filtered" in self.lacks else "2.17"
        known = ("2.15", *several, newest, "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")
        versions = [
            {
                "id": f"v{version}",
                "status": "CURRENT" if version == newest else "SUPPORTED",
                "links": [{"rel": "self", "href": f"{self.url}/v2/"}],
            }
            for version in known
        ]
        return json_reply(300 if call.path == "/" else 200, {"versions": versions})

    def _import_info(self, call: Call) -> Reply:
        del call
        methods = {"description": "Import methods available.", "type": "array", "value": self.import_methods}
        return json_reply(200, {"import-methods": methods})

    def _store_info(self, call: Call) -> Reply:
        del call
        if not self.stores:
            raise Refused(404, "Multi backend is not supported at this site.")
        default: Record = {"id": self.stores[0], "default": "true"}
        return json_reply(200, {"stores": [default, *({"id": store} for store in self.stores[1:])]})

    def _store_details(self, call: Call) -> Reply:
        if not call.who.is_administrator:
            raise Refused(403, "You are not authorized to complete stores_info_detail action.")
        if not self.stores:
            raise Refused(404, "Multi backend is not supported at this site.")
        return json_reply(200, {"stores": [{"id": store, "type": "file", "weight": 0} for store in self.stores]})

    def _schema(self, call: Call, name: str) -> Reply:
        del call
        document = schemas.document(name)
        if document is None:
            raise Refused(404)
        if name == "image":
            properties = dict(document["properties"])
            for key, words in (("disk_format", self.disk_formats), ("container_format", self.container_formats)):
                properties[key] = {**properties[key], "enum": [None, *words]}
            properties["status"] = {**properties["status"], "enum": list(self.statuses)}
            document = {**document, "properties": properties}
        return json_reply(200, document)

    def _list_locations(self, call: Call, image_id: str) -> Reply:
        image = self._found(call, image_id)
        if not call.who.is_administrator:
            raise Refused(403, "You are not authorized to complete fetch_image_location action.")
        places = [
            {"url": f"file:///cloud/glance/{store}/{image_id}", "metadata": {"store": store}} for store in image.stores
        ]
        return json_reply(200, places)

    def _usage(self, call: Call) -> Reply:
        if not self.use_keystone_limits:
            return json_reply(200, {"usage": {}})
        project_id = call.who.project_id
        names = ("image_size_total", "image_stage_total", "image_count_total", "image_count_uploading")
        usage = {
            name: {"usage": self.used(name, project_id), "limit": self._keystone.limit(self, name, project_id)}
            for name in names
        }
        return json_reply(200, {"usage": usage})
