"""The in-memory Keystone's users, projects, domains and roles."""

from __future__ import annotations

import uuid

from hyperx_glance.testing.memory.keystone.state import DOMAIN, NAMESPACE, State, User, administrators_only, filtered
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply


class People(State):
    """Say who there is, and where."""

    def _own_projects(self, call: Call) -> Reply:
        return self._list(call, "projects", [self._project_record(call.who.project_id)])

    def _list_projects(self, call: Call) -> Reply:
        administrators_only(call, "list_projects")
        projects = [self._project_record(project_id) for project_id in self.departments.values()]
        return self._list(call, "projects", filtered(projects, call, ("name", "domain_id", "parent_id")))

    def _show_project(self, call: Call, project_id: str) -> Reply:
        if project_id != call.who.project_id:
            administrators_only(call, "get_project")
        if project_id not in self.departments.values():
            raise Refused(404, f"Could not find project: {project_id}.")
        return json_reply(200, {"project": self._project_record(project_id)})

    def _project_record(self, project_id: str) -> Record:
        return {
            "id": project_id,
            "name": self._project_name(project_id),
            "domain_id": DOMAIN["id"],
            "description": "",
            "enabled": True,
            "parent_id": DOMAIN["id"],
            "is_domain": False,
            "tags": [],
            "options": {},
            "links": {"self": f"{self.url}/v3/projects/{project_id}"},
        }

    def _list_users(self, call: Call) -> Reply:
        administrators_only(call, "list_users")
        users = [self._user_record(user) for user in self._accounts.values()]
        return self._list(call, "users", filtered(users, call, ("name", "domain_id")))

    def _show_user(self, call: Call, user_id: str) -> Reply:
        return json_reply(200, {"user": self._user_record(self._visible_user(call, user_id, "get_user"))})

    def _list_user_projects(self, call: Call, user_id: str) -> Reply:
        user = self._visible_user(call, user_id, "list_user_projects")
        return self._list(call, "projects", [self._project_record(user.project_id)])

    def _visible_user(self, call: Call, user_id: str, action: str) -> User:
        if user_id != call.who.user_id:
            administrators_only(call, action)
        if user_id not in self._accounts:
            raise Refused(404, f"Could not find user: {user_id}.")
        return self._accounts[user_id]

    def _user_record(self, user: User) -> Record:
        return {
            "id": user.id,
            "name": user.name,
            "domain_id": DOMAIN["id"],
            "enabled": True,
            "default_project_id": user.project_id,
            "password_expires_at": None,
            "options": {},
            "links": {"self": f"{self.url}/v3/users/{user.id}"},
        }

    def _list_domains(self, call: Call) -> Reply:
        administrators_only(call, "list_domains")
        return self._list(call, "domains", [self._domain_record()])

    def _show_domain(self, call: Call, domain_id: str) -> Reply:
        if domain_id != DOMAIN["id"]:
            administrators_only(call, "get_domain")
            raise Refused(404, f"Could not find domain: {domain_id}.")
        return json_reply(200, {"domain": self._domain_record()})

    def _domain_record(self) -> Record:
        links = {"self": f"{self.url}/v3/domains/{DOMAIN['id']}"}
        return {
            **DOMAIN,
            "description": "The default domain",
            "enabled": True,
            "tags": [],
            "options": {},
            "links": links,
        }

    def _list_role_assignments(self, call: Call) -> Reply:
        administrators_only(call, "list_role_assignments")
        found = [
            {
                "user": {"id": user.id},
                "scope": {"project": {"id": user.project_id}},
                "role": {"id": uuid.uuid5(NAMESPACE, role).hex, "name": role},
            }
            for user in self._accounts.values()
            for role in sorted(user.roles)
        ]
        return self._list(call, "role_assignments", found)
