"""The in-memory Keystone itself: what it answers."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from typing import ClassVar

from hyperx_glance.testing.memory.keystone.endpoint_groups import EndpointGroups
from hyperx_glance.testing.memory.keystone.kinds import KINDS, Kind
from hyperx_glance.testing.memory.keystone.limits import Limits
from hyperx_glance.testing.memory.keystone.state import ENDPOINTS, NAMESPACE, entries, service_id
from hyperx_glance.testing.memory.keystone.tokens import Tokens
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, Service, json_reply

_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}

_NOT_FOUND = (
    b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not "
    b"found on the server. If you entered the URL manually please check your spelling and try again.</p>\n"
)


class Keystone(Tokens, EndpointGroups, Limits):
    """The in-memory Keystone: users, departments and limits."""

    answers_head: ClassVar[bool] = True

    def routes(self) -> Sequence[Route]:
        """List the routes of this service."""
        return (
            Route("GET", "/", self._versions, public=True),
            Route("GET", "/v3/?", self._version, public=True),
            Route("GET", "/v3/auth/catalog", self._own_catalogue),
            *self.token_routes(),
            *self.people_routes(),
            *self.resource_routes(),
            *self.grant_routes(),
            *self.credential_routes(),
            *self.limit_routes(),
            *self.endpoint_group_routes(),
        )

    def handle(self, call: Call) -> Reply:
        """Answer a request; every answer depends on the caller. HEAD is handled as GET."""
        if call.method == "HEAD":
            reply = super().handle(dataclasses.replace(call, method="GET"))
            reply.content = b""
        else:
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

    def _things(self, kind: Kind) -> Iterable[Record]:
        """Add this cloud's own services and endpoints to those that were created."""
        own = {"services": self._own_services, "endpoints": self._own_endpoints}
        return [*(own[kind.collection]() if kind.collection in own else ()), *super()._things(kind)]

    def _own_services(self) -> list[Record]:
        return [
            {"id": service_id(service, name), "name": name, "type": kind, "enabled": True}
            for service in self.services
            if service.present
            for kind, name in entries(service).items()
        ]

    def _own_endpoints(self) -> list[Record]:
        return [
            {**self._endpoint(service, name, *place), "service_id": service_id(service, name), "enabled": True}
            for service in self.services
            if service.present
            for name in entries(service).values()
            for place in (*self.first_endpoints, *ENDPOINTS)
        ]

    def _endpoint(self, service: Service, name: str, interface: str, region: str) -> Record:
        return {
            "id": uuid.uuid5(NAMESPACE, f"endpoint {name} {interface} {region}").hex,
            "interface": interface,
            "region_id": region,
            "url": service.url + service.endpoint_path,
            "region": region,
        }

    def _catalogue(self) -> list[Record]:
        listed: dict[str, list[Record]] = {}
        for endpoint in self._things(KINDS["endpoints"]):
            shown = {key: endpoint[key] for key in ("id", "interface", "region_id", "url", "region")}
            listed.setdefault(endpoint["service_id"], []).append(shown)
        return [
            {
                "endpoints": listed.get(service["id"], []),
                "id": service["id"],
                "type": service["type"],
                "name": service.get("name", ""),
            }
            for service in self._things(KINDS["services"])
            if service["enabled"]
        ]

    def _own_catalogue(self, call: Call) -> Reply:
        return self._list(call, "catalog", self._catalogue())
