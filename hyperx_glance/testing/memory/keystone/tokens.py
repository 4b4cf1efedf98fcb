"""The in-memory Keystone's tokens and the catalogue in them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from hyperx_glance.testing.memory.keystone.state import DOMAIN, ENDPOINTS, NAMESPACE, State, User, service_id
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Service, json_reply


class Tokens(State):
    """Answer for tokens."""

    def _authenticate(self, call: Call) -> Reply:
        auth = call.json()["auth"]
        identity = auth["identity"]
        method = identity["methods"][0]
        user = self._user_of_token(identity["token"]["id"]) if method == "token" else self._user_of_password(identity)
        if method == "token" and not self.rescopes_tokens:
            raise Refused(403, "You are not authorized to perform the requested action: rescope a scoped token.")
        if "system" in (auth.get("scope") or {}):
            if "admin" not in user.roles or not self.administers_system:
                raise Refused(401, "The request you have made requires authentication.")
            caller = Caller(user.id, user.name, "", "", user.roles, on_system=True)
        else:
            project_id = self._scope(auth.get("scope"), user)
            caller = Caller(user.id, user.name, project_id, self._project_name(project_id), user.roles)
        token = uuid.uuid4().hex
        self._tokens[token] = caller
        return json_reply(201, self._token_record(caller, method), X_Subject_Token=token)

    def _user_of_token(self, token: str) -> User:
        caller = self._tokens.get(token)
        if caller is None:
            raise Refused(401, "The request you have made requires authentication.")
        return self._accounts[caller.user_id]

    def _user_of_password(self, identity: Record) -> User:
        asked = identity.get("password", {}).get("user", {})
        user = self._accounts.get(asked.get("id") or self.users.get(asked.get("name", ""), ""))
        if user is None or user.password != asked.get("password"):
            raise Refused(401, "The request you have made requires authentication.")
        return user

    def _scope(self, scope: Record | None, user: User) -> str:
        project = (scope or {}).get("project")
        if project is None:
            return user.project_id
        project_id = project.get("id") or self.departments.get(project.get("name", ""), "")
        if project_id != user.project_id:
            raise Refused(401, "The request you have made requires authentication.")
        return str(project_id)

    def _token_record(self, caller: Caller, method: str) -> Record:
        now = self.now()
        return {
            "token": {
                "methods": [method],
                "user": {
                    "domain": DOMAIN,
                    "id": caller.user_id,
                    "name": caller.user,
                    "password_expires_at": None,
                },
                "audit_ids": [uuid.uuid4().hex[:22]],
                "expires_at": (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                **self._scope_record(caller),
                "roles": [{"id": uuid.uuid5(NAMESPACE, role).hex, "name": role} for role in sorted(caller.roles)],
                "catalog": self._catalogue(),
            }
        }

    def _scope_record(self, caller: Caller) -> Record:
        if caller.on_system:
            return {"system": {"all": True}}
        project = {"domain": DOMAIN, "id": caller.project_id, "name": caller.project}
        return {"project": project, "is_domain": False}

    def _catalogue(self) -> list[Record]:
        return [
            {
                "endpoints": [self._endpoint(service, *place) for place in (*self.first_endpoints, *ENDPOINTS)],
                "id": service_id(service),
                "type": service.type,
                "name": service.name,
            }
            for service in self.services
            if service.present
        ]

    def _endpoint(self, service: Service, interface: str, region: str) -> Record:
        return {
            "id": uuid.uuid5(NAMESPACE, f"endpoint {service.name} {interface} {region}").hex,
            "interface": interface,
            "region_id": region,
            "url": service.url + service.endpoint_path,
            "region": region,
        }

    def _show_token(self, call: Call) -> Reply:
        token = call.headers.get("x-subject-token", "")
        caller = self._tokens.get(token)
        if caller is None:
            raise Refused(404, "Could not find token.")
        return json_reply(200, self._token_record(caller, "password"), X_Subject_Token=token)

    def _revoke_token(self, call: Call) -> Reply:
        self._tokens.pop(call.headers.get("x-subject-token", ""), None)
        return Reply(204)

    def _own_catalogue(self, call: Call) -> Reply:
        return self._list(call, "catalog", self._catalogue())
