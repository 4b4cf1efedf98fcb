"""Groups of endpoints in the in-memory Keystone: what is in them, and which projects they are for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from hyperx_glance.testing.memory.keystone.kinds import KINDS
from hyperx_glance.testing.memory.keystone.resources import Resources
from hyperx_glance.testing.memory.keystone.state import administrators_only
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_GROUP = "/v3/OS-EP-FILTER/endpoint_groups/([^/]+)"


class EndpointGroups(Resources):
    """The part of Keystone that joins groups of endpoints with projects (keystone/api/os_ep_filter.py)."""

    def endpoint_group_routes(self) -> Sequence[Route]:
        """List the requests besides those for every kind."""
        joined = f"{_GROUP}/projects/([^/]+)"
        table: Sequence[tuple[str, str, Callable[..., Reply]]] = (
            ("GET", f"{_GROUP}/endpoints", self._endpoints_of_group),
            ("GET", f"{_GROUP}/projects", self._projects_of_group),
            ("GET", "/v3/OS-EP-FILTER/projects/([^/]+)/endpoint_groups", self._groups_of_project),
            ("GET", joined, functools.partial(self._joined, "get")),
            ("PUT", joined, functools.partial(self._joined, "add")),
            ("DELETE", joined, functools.partial(self._joined, "remove")),
        )
        return [Route(method, path, handler) for method, path, handler in table]

    def _endpoints_of_group(self, call: Call, group_id: str) -> Reply:
        administrators_only(call, "list_endpoints_associated_with_endpoint_group")
        filters = self._thing(KINDS["endpoint_groups"], group_id)["filters"]
        found = [
            endpoint
            for endpoint in self._things(KINDS["endpoints"])
            if all(endpoint.get(key) == value for key, value in filters.items())
        ]
        return self._list(call, "endpoints", [self._view(KINDS["endpoints"], endpoint) for endpoint in found])

    def _projects_of_group(self, call: Call, group_id: str) -> Reply:
        administrators_only(call, "list_projects_associated_with_endpoint_group")
        self._thing(KINDS["endpoint_groups"], group_id)
        projects = [self._thing(KINDS["projects"], each) for each in self.endpoint_group_projects.get(group_id, ())]
        return self._list(call, "projects", [self._view(KINDS["projects"], project) for project in projects])

    def _groups_of_project(self, call: Call, project_id: str) -> Reply:
        administrators_only(call, "list_endpoint_groups_for_project")
        groups = [
            self._view(KINDS["endpoint_groups"], group)
            for group in self._things(KINDS["endpoint_groups"])
            if project_id in self.endpoint_group_projects.get(group["id"], ())
        ]
        return self._list(call, "endpoint_groups", groups)

    def _joined(self, action: str, call: Call, group_id: str, project_id: str) -> Reply:
        names = {"get": "get_endpoint_group_in", "add": "add_endpoint_group_to", "remove": "remove_endpoint_group_from"}
        administrators_only(call, f"{names[action]}_project")
        self._thing(KINDS["projects"], project_id)
        self._thing(KINDS["endpoint_groups"], group_id)
        projects = self.endpoint_group_projects.setdefault(group_id, [])
        if action == "add":
            if project_id in projects:
                raise Refused(409, "Conflict occurred attempting to store project_endpoint_group - Duplicate entry.")
            projects.append(project_id)
        elif project_id not in projects:
            raise Refused(404, "Endpoint Group Project Association not found")
        elif action == "remove":
            projects.remove(project_id)
        else:
            return json_reply(200, {"project_endpoint_group": self._membership(group_id, project_id)})
        return Reply(204)

    def _membership(self, group_id: str, project_id: str) -> Record:
        path = f"/OS-EP-FILTER/endpoint_groups/{group_id}/projects/{project_id}"
        return {"endpoint_group_id": group_id, "project_id": project_id, "links": {"self": path}}
