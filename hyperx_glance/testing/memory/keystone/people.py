"""Requests of the in-memory Keystone about users themselves, projects' tags, and domains' configurations."""

from __future__ import annotations

import pprint
import re
import textwrap
from collections.abc import Sequence

from hyperx_glance.testing.memory.keystone.credentials import Credentials
from hyperx_glance.testing.memory.keystone.kinds import KINDS
from hyperx_glance.testing.memory.keystone.state import administrators_only
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_PASSWORDS = {
    "type": "object",
    "properties": {"original_password": {"type": "string"}, "password": {"type": "string"}},
    "required": ["original_password", "password"],
    "additionalProperties": False,
}
_TAGS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"},
    "required": [],
    "maxItems": 80,
    "uniqueItems": True,
}


def _mismatch(reason: str, rule: str, schema: Record, value: object) -> str:
    """Return what Keystone says of a whole body (jsonschema/exceptions.py, _Error.__str__)."""
    schema_text, value_text = (
        textwrap.indent(pprint.pformat(each, width=72, sort_dicts=False), "    ") for each in (schema, value)
    )
    return f"{reason}\n\nFailed validating {rule!r} in schema:\n{schema_text}\n\nOn instance:\n{value_text}"


def _invalid(key: str, value: object, reason: str) -> Refused:
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")


class People(Credentials):
    """The users, projects and roles, and methods that add them."""

    def people_routes(self) -> Sequence[Route]:
        """List the routes."""
        tags = "/v3/projects/([^/]+)/tags"
        config = "/v3/domains/([^/]+)/config"
        return (
            Route("GET", "/v3/auth/projects", self._own_projects),
            Route("GET", "/v3/auth/domains", self._own_domains),
            Route("GET", "/v3/auth/system", self._own_system),
            Route("GET", "/v3/users/([^/]+)/projects", self._list_user_projects),
            Route("POST", "/v3/users/([^/]+)/password", self._change_password),
            Route("GET", tags, self._list_tags),
            Route("PUT", tags, self._replace_tags),
            Route("DELETE", tags, self._remove_tags),
            Route("GET", tags + "/([^/]+)", self._check_tag),
            Route("PUT", tags + "/([^/]+)", self._add_tag),
            Route("DELETE", tags + "/([^/]+)", self._remove_tag),
            *(
                Route(method, config + "(?:/([^/]+))?(?:/([^/]+))?", handler)
                for method, handler in (
                    ("GET", self._show_config),
                    ("PUT", self._create_config),
                    ("PATCH", self._update_config),
                    ("DELETE", self._delete_config),
                )
            ),
        )

    def places_of(self, user_id: str, kind: str) -> list[Record]:
        """Return the projects or domains in which a user has a role."""
        groups = {group for group, user in self.memberships if user == user_id}
        ids = {
            grant.target[1]
            for grant in self.grants
            if grant.target[0] == kind and (grant.actor == ("user", user_id) or grant.actor[1] in groups)
        }
        return [self._view(KINDS[f"{kind}s"], self.records[f"{kind}s"][each]) for each in sorted(ids)]

    def _own_projects(self, call: Call) -> Reply:
        return self._list(call, "projects", self.places_of(call.who.user_id, "project"))

    def _own_domains(self, call: Call) -> Reply:
        return self._list(call, "domains", self.places_of(call.who.user_id, "domain"))

    def _own_system(self, call: Call) -> Reply:
        on_system = self.roles_of(call.who.user_id, ("system", "all")) and self.administers_system
        return json_reply(200, {"system": [{"all": True}] if on_system else []})

    def _list_user_projects(self, call: Call, user_id: str) -> Reply:
        if user_id != call.who.user_id:
            administrators_only(call, "list_user_projects")
        self._thing(KINDS["users"], user_id)
        return self._list(call, "projects", self.places_of(user_id, "project"))

    def _change_password(self, call: Call, user_id: str) -> Reply:
        asked = call.member("user")
        for key in ("original_password", "password"):
            if key not in asked:
                raise Refused(400, _mismatch(f"{key!r} is a required property", "required", _PASSWORDS, asked))
        if self._passwords.get(user_id) != asked["original_password"]:
            raise Refused(401, "The request you have made requires authentication.")
        self._passwords[user_id] = asked["password"]
        self._revoke(lambda caller: caller.user_id == user_id)
        return Reply(204)

    # ------------------------------------------------------------- tags

    def _tagged(self, call: Call, project_id: str, action: str, *, writes: bool) -> Record:
        if writes or project_id != call.who.project_id:
            administrators_only(call, action)
        return self._thing(KINDS["projects"], project_id)

    def _list_tags(self, call: Call, project_id: str) -> Reply:
        project = self._tagged(call, project_id, "list_project_tags", writes=False)
        return json_reply(200, {"tags": project["tags"], "links": {"self": f"{self.url}/v3"}})

    def _replace_tags(self, call: Call, project_id: str) -> Reply:
        project = self._tagged(call, project_id, "update_project_tags", writes=True)
        tags = call.member("tags")
        if not isinstance(tags, list):
            raise _invalid("tags", tags, f"{tags!r} is not of type 'array'")
        for position, tag in enumerate(tags):
            if not isinstance(tag, str):
                raise _invalid(str(position), tag, f"{tag!r} is not of type 'string'")
            if not re.fullmatch("[^,/]*", tag):
                raise _invalid(str(position), tag, f"{tag!r} does not match '^[^,/]*$'")
        if len(set(tags)) < len(tags):
            raise Refused(400, _mismatch(f"{tags!r} has non-unique elements", "uniqueItems", _TAGS, tags))
        project["tags"] = sorted(tags)
        return self._list_tags(call, project_id)

    def _remove_tags(self, call: Call, project_id: str) -> Reply:
        self._tagged(call, project_id, "delete_project_tags", writes=True)["tags"] = []
        return Reply(204)

    def _check_tag(self, call: Call, project_id: str, tag: str) -> Reply:
        project = self._tagged(call, project_id, "get_project_tag", writes=False)
        if tag not in project["tags"]:
            raise Refused(404, f"Could not find project tag: {tag}.")
        return Reply(204)

    def _add_tag(self, call: Call, project_id: str, tag: str) -> Reply:
        project = self._tagged(call, project_id, "create_project_tag", writes=True)
        project["tags"] = sorted({*project["tags"], tag})
        place = f"{self.url}/v3/projects/{project_id}/tags/{tag}"
        return Reply(201, b"", {"Location": place, "Content-Type": "text/html; charset=utf-8"})

    def _remove_tag(self, call: Call, project_id: str, tag: str) -> Reply:
        project = self._tagged(call, project_id, "delete_project_tag", writes=True)
        if tag not in project["tags"]:
            raise Refused(404, f"Could not find project tag: {tag}.")
        project["tags"] = [each for each in project["tags"] if each != tag]
        return Reply(204)

    # ------------------------------------------------------------- configurations of domains

    def _config(self, call: Call, domain_id: str, action: str) -> Record:
        administrators_only(call, f"{action}_domain_config")
        domain = self._thing(KINDS["domains"], domain_id)
        return self.records.setdefault("configs", {}).setdefault(str(domain["id"]), {})

    def _show_config(self, call: Call, domain_id: str, *path: str | None) -> Reply:
        found = self._config(call, domain_id, "get")
        names = [name for name in path if name]
        for name in names:
            if name not in found:
                raise self._no_config(domain_id, names)
            found = found[name]
        if not found:
            raise self._no_config(domain_id, names)
        return json_reply(200, {names[-1]: found} if names else {"config": found})

    def _create_config(self, call: Call, domain_id: str, *_: str | None) -> Reply:
        config, asked = self._config(call, domain_id, "create"), call.member("config")
        there = bool(config)
        config.clear()
        config.update(asked)
        return json_reply(200 if there else 201, {"config": config})

    def _update_config(self, call: Call, domain_id: str, *path: str | None) -> Reply:
        config, asked = self._config(call, domain_id, "update"), call.member("config")
        names = [name for name in path if name]
        if not config:
            raise self._no_config(domain_id, names)
        for group, options in asked.items():
            config.setdefault(group, {}).update(options)
        return json_reply(200, {"config": config})

    def _delete_config(self, call: Call, domain_id: str, *path: str | None) -> Reply:
        found = self._config(call, domain_id, "delete")
        names = [name for name in path if name]
        if not names:
            found.clear()
            return Reply(204)
        for name in names[:-1]:
            found = found.get(name, {})
        if found.pop(names[-1], None) is None:
            raise self._no_config(domain_id, names)
        return Reply(204)

    def _no_config(self, domain_id: str, names: Sequence[str]) -> Refused:
        what = {0: "any options", 1: f"group {names[0]}" if names else "", 2: f"option {names[-1]}" if names else ""}
        return Refused(404, f"Could not find {what[len(names)]} in domain configuration for domain {domain_id}.")
