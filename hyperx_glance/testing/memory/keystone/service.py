"""The in-memory Keystone itself: what it answers."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.keystone.limits import Limits
from hyperx_glance.testing.memory.keystone.people import People
from hyperx_glance.testing.memory.keystone.state import ENDPOINTS, REGION, administrators_only, filtered, service_id
from hyperx_glance.testing.memory.keystone.tokens import Tokens
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}

_NOT_FOUND = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not "
    b"found on the server. If you entered the URL manually please check your spelling and try again.</p>\n"
)


class Keystone(Tokens, People, Limits):
    """Know who is who, and what each department may use."""

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v3/?", self._version, public=True),
            Route("POST", "/v3/auth/tokens", self._authenticate, public=True),
            Route("GET", "/v3/auth/tokens", self._show_token),
            Route("DELETE", "/v3/auth/tokens", self._revoke_token),
            Route("GET", "/v3/auth/projects", self._own_projects),
            Route("GET", "/v3/auth/catalog", self._own_catalogue),
            Route("GET", "/v3/projects", self._list_projects),
            Route("GET", "/v3/projects/([^/]+)", self._show_project),
            Route("GET", "/v3/users", self._list_users),
            Route("GET", "/v3/users/([^/]+)", self._show_user),
            Route("GET", "/v3/users/([^/]+)/projects", self._list_user_projects),
            Route("GET", "/v3/domains", self._list_domains),
            Route("GET", "/v3/domains/([^/]+)", self._show_domain),
            Route("GET", "/v3/regions", self._list_regions),
            Route("GET", "/v3/services", self._list_services),
            Route("GET", "/v3/endpoints", self._list_endpoints),
            Route("GET", "/v3/role_assignments", self._list_role_assignments),
            Route("GET", "/v3/registered_limits", self._list_registered_limits),
            Route("POST", "/v3/registered_limits", self._create_registered_limits),
            Route("PATCH", "/v3/registered_limits/([^/]+)", self._update_registered_limit),
            Route("DELETE", "/v3/registered_limits/([^/]+)", self._delete_registered_limit),
            Route("GET", "/v3/limits/model", self._limit_model),
            Route("GET", "/v3/limits", self._list_limits),
            Route("POST", "/v3/limits", self._create_limits),
            Route("GET", "/v3/limits/([^/]+)", self._show_limit),
            Route("PATCH", "/v3/limits/([^/]+)", self._update_limit),
            Route("DELETE", "/v3/limits/([^/]+)", self._delete_limit),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request; every answer depends on who asks."""
        reply = super().handle(call)
        reply.headers["Vary"] = "X-Auth-Token"
        return reply

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error as Keystone does."""
        if refused.status == 404 and not refused.message:
            return Reply(404, _NOT_FOUND, {"Content-Type": "text/html; charset=utf-8"})
        if refused.status == 405 and not refused.message:
            return Reply(
                refused.status, b"<!doctype html>\n<title>404 Not Found</title>", {"Content-Type": "text/html"}
            )
        title = _TITLES.get(refused.status, "Error")
        headers = {"WWW_Authenticate": f'Keystone uri="{self.url}/v3"'} if refused.status == 401 else {}
        message = refused.message or "The request you have made requires authentication."
        error = {"code": refused.status, "message": message, "title": title}
        return json_reply(refused.status, {"error": error}, **headers)

    def _versions(self, call: Call) -> Reply:
        del call
        return json_reply(300, {"versions": {"values": [self._version_record()]}}, Location=f"{self.url}/v3/")

    def _version(self, call: Call) -> Reply:
        del call
        return json_reply(200, {"version": self._version_record()})

    def _version_record(self) -> Record:
        media = {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        links = [{"rel": "self", "href": f"{self.url}/v3/"}]
        updated = "2020-04-07T00:00:00Z"
        return {"id": "v3.14", "status": "stable", "updated": updated, "links": links, "media-types": [media]}

    def _list_regions(self, call: Call) -> Reply:
        links = {"self": f"{self.url}/v3/regions/{REGION}"}
        return self._list(
            call, "regions", [{"id": REGION, "description": "", "parent_region_id": None, "links": links}]
        )

    def _list_services(self, call: Call) -> Reply:
        administrators_only(call, "list_services")
        found = [
            {
                "name": service.name,
                "id": service_id(service),
                "type": service.type,
                "enabled": True,
                "links": {"self": f"{self.url}/v3/services/{service_id(service)}"},
            }
            for service in self.services
            if service.present
        ]
        return self._list(call, "services", filtered(found, call, ("type", "name")))

    def _list_endpoints(self, call: Call) -> Reply:
        administrators_only(call, "list_endpoints")
        found = [
            {**self._endpoint(service, *place), "service_id": service_id(service), "enabled": True}
            for service in self.services
            if service.present
            for place in (*self.first_endpoints, *ENDPOINTS)
        ]
        return self._list(call, "endpoints", filtered(found, call, ("service_id", "interface", "region_id")))
