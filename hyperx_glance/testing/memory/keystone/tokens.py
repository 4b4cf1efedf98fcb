"""The in-memory Keystone's tokens and the catalogue in them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from hyperx_glance.testing.memory.keystone.state import DOMAIN, ENDPOINTS, NAMESPACE, State, User, service_id
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Service, json_reply

_MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise incorrect. "
    "The client is assumed to be in error."
)


class Tokens(State):
    """Answer for tokens."""

    def _authenticate(self, call: Call) -> Reply:
        body = call.json()
        auth = body.get("auth") if isinstance(body, dict) else None
        if not isinstance(auth, dict):
            raise Refused(400, f"Expecting to find auth in request body. {_MALFORMED}")
        identity = auth.get("identity")
        if not isinstance(identity, dict):
            raise Refused(400, "'identity' is a required property")
        method = str((identity.get("methods") or [""])[0])
        if method not in ("password", "token") or method not in identity:
            raise Refused(400, f"Expecting to find {method} in identity. {_MALFORMED}")
        user = self._user_of_token(identity["token"]["id"]) if method == "token" else self._user_of_password(identity)
        if method == "token" and not self.rescopes_tokens:
            raise Refused(403, "You are not authorized to perform the requested action: rescope a scoped token.")
        if auth.get("scope") == "unscoped":
            caller = Caller(user.id, user.name, "", "", frozenset())
        elif "system" in (auth.get("scope") or {}):
            if "admin" not in user.roles or not self.administers_system:
                raise Refused(401, "The request you have made requires authentication.")
            caller = Caller(user.id, user.name, "", "", user.roles, on_system=True)
        else:
            project_id = self._scope(auth.get("scope"), user)
            caller = Caller(user.id, user.name, project_id, self._project_name(project_id), user.roles)
        token = uuid.uuid4().hex
        self._tokens[token] = caller
        record = self._token_record(caller, method)
        if "nocatalog" in dict(call.query):
            record["token"].pop("catalog", None)
        return json_reply(201, record, X_Subject_Token=token)

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
            }
        }

    def _scope_record(self, caller: Caller) -> Record:
        """Say for what the token is good; an unscoped one names neither roles nor services."""
        roles = [{"id": uuid.uuid5(NAMESPACE, role).hex, "name": role} for role in sorted(caller.roles)]
        rights = {"roles": roles, "catalog": self._catalogue()}
        if caller.on_system:
            return {"system": {"all": True}, **rights}
        if not caller.project_id:
            return {}
        project = {"domain": DOMAIN, "id": caller.project_id, "name": caller.project}
        return {"project": project, "is_domain": False, **rights}

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
