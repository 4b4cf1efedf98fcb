"""The in-memory Keystone's unified limits."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.keystone.state import State, administrators_only, filtered
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply


class Limits(State):
    """The part of Keystone that handles limits, registered ones and projects' own."""

    def limit_routes(self) -> Sequence[Route]:
        """List the routes."""
        return (
            Route("GET", "/v3/registered_limits", self._list_registered_limits),
            Route("POST", "/v3/registered_limits", self._create_registered_limits),
            Route("GET", "/v3/registered_limits/([^/]+)", self._show_registered_limit),
            Route("PATCH", "/v3/registered_limits/([^/]+)", self._update_registered_limit),
            Route("DELETE", "/v3/registered_limits/([^/]+)", self._delete_registered_limit),
            Route("GET", "/v3/limits/model", self._limit_model),
            Route("GET", "/v3/limits", self._list_limits),
            Route("POST", "/v3/limits", self._create_limits),
            Route("GET", "/v3/limits/([^/]+)", self._show_limit),
            Route("PATCH", "/v3/limits/([^/]+)", self._update_limit),
            Route("DELETE", "/v3/limits/([^/]+)", self._delete_limit),
        )

    def _show_registered_limit(self, call: Call, limit_id: str) -> Reply:
        del call
        record = self._known(self.registered_limits, limit_id, "registered limit")
        return json_reply(200, {"registered_limit": record})

    def _list_registered_limits(self, call: Call) -> Reply:
        found = [
            {**limit, "links": {"self": f"{self.url}/v3/registered_limits/{limit['id']}"}}
            for limit in self.registered_limits.values()
        ]
        return self._list(
            call, "registered_limits", filtered(found, call, ("service_id", "region_id", "resource_name"))
        )

    def _create_registered_limits(self, call: Call) -> Reply:
        administrators_only(call, "create_registered_limits")
        created = []
        for asked in call.member("registered_limits"):
            record: Record = {"region_id": None, "description": None, **asked, "id": self.ids.uuid4().hex}
            self.registered_limits[record["id"]] = record
            created.append(record)
        return json_reply(201, {"registered_limits": created})

    def _update_registered_limit(self, call: Call, limit_id: str) -> Reply:
        administrators_only(call, "update_registered_limit")
        record = self._known(self.registered_limits, limit_id, "registered limit")
        record.update(call.member("registered_limit"))
        return json_reply(200, {"registered_limit": record})

    def _delete_registered_limit(self, call: Call, limit_id: str) -> Reply:
        administrators_only(call, "delete_registered_limit")
        record = self._known(self.registered_limits, limit_id, "registered limit")
        if any(
            (limit["resource_name"], limit["service_id"], limit["region_id"])
            == (record["resource_name"], record["service_id"], record["region_id"])
            for limit in self.limits.values()
        ):
            raise Refused(
                403,
                f"Unable to update or delete registered limit {limit_id} because there are project limits "
                "associated with it.",
            )
        del self.registered_limits[limit_id]
        return Reply(204)

    def _limit_model(self, call: Call) -> Reply:
        del call
        description = "Limit enforcement and validation does not take project hierarchy into consideration."
        return json_reply(200, {"model": {"name": "flat", "description": description}})

    def _list_limits(self, call: Call) -> Reply:
        keys = ("service_id", "region_id", "resource_name", "project_id", "domain_id")
        found = filtered([self._limit_view(limit) for limit in self.limits.values()], call, keys)
        hidden = not call.who.is_administrator or "limits-shown" in self.lacks
        if hidden and not call.who.on_system:
            # Another project's limits are not refused but left out (keystone/api/limits.py).
            found = [record for record in found if record["project_id"] == call.who.project_id]
        return self._list(call, "limits", found)

    def _limit_view(self, limit: Record) -> Record:
        return {**limit, "links": {"self": f"{self.url}/v3/limits/{limit['id']}"}}

    def _create_limits(self, call: Call) -> Reply:
        administrators_only(call, "create_limits")
        asked = call.member("limits")
        for new in asked:
            _check_limit(new.get("resource_limit"))
            wanted = (new.get("service_id"), new.get("region_id"), new.get("resource_name"))
            if not any(
                (known["service_id"], known["region_id"], known["resource_name"]) == wanted
                for known in self.registered_limits.values()
            ):
                raise Refused(403, "Unable to create a limit that has no corresponding registered limit.")
            if any(
                (known["service_id"], known["region_id"], known["resource_name"], known["project_id"])
                == (*wanted, new.get("project_id"))
                for known in self.limits.values()
            ):
                raise Refused(409, "Conflict occurred attempting to store limit - Duplicate entry.")
        created = [
            self._add_limit(
                new["project_id"],
                new["service_id"],
                new.get("region_id"),
                new["resource_name"],
                new["resource_limit"],
            )
            for new in asked
        ]
        return json_reply(201, {"limits": [self._limit_view(limit) for limit in created]})

    def _show_limit(self, call: Call, limit_id: str) -> Reply:
        record = self._known(self.limits, limit_id, "limit")
        if record["project_id"] != call.who.project_id:
            administrators_only(call, "get_limit")
        return json_reply(200, {"limit": self._limit_view(record)})

    def _update_limit(self, call: Call, limit_id: str) -> Reply:
        administrators_only(call, "update_limit")
        record = self._known(self.limits, limit_id, "limit")
        changes = call.member("limit")
        _check_limit(changes.get("resource_limit", 0))
        # A limit of 0 is silently ignored (keystone/limit/backends/sql.py, update_limit).
        record.update({key: value for key, value in changes.items() if value})
        return json_reply(200, {"limit": self._limit_view(record)})

    def _delete_limit(self, call: Call, limit_id: str) -> Reply:
        administrators_only(call, "delete_limit")
        self._known(self.limits, limit_id, "limit")
        del self.limits[limit_id]
        return Reply(204)


def _check_limit(limit: object) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise Refused(
            400,
            f"Invalid input for field/attribute resource_limit. Value: {limit}. {limit!r} is not of type 'integer'",
        )
    if limit < -1:
        raise Refused(
            400,
            f"Invalid input for field/attribute resource_limit. Value: {limit}. {limit} is less than the minimum of -1",
        )
