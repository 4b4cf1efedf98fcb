"""The in-memory Keystone's tokens and the catalogue in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hyperx_glance.testing.memory.keystone.people import People
from hyperx_glance.testing.memory.keystone.state import DOMAIN, SYSTEM, Token
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Route, json_reply

_MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise incorrect. "
    "The client is assumed to be in error."
)
_METHODS = ("password", "token", "application_credential")


def _unauthorized() -> Refused:
    return Refused(401, "The request you have made requires authentication.")


class Tokens(People):
    """The part of Keystone that handles tokens."""

    def token_routes(self) -> Sequence[Route]:
        """List the routes."""
        return (
            Route("POST", "/v3/auth/tokens", self._authenticate, public=True),
            Route("GET", "/v3/auth/tokens", self._show_token),
            Route("DELETE", "/v3/auth/tokens", self._revoke_token),
        )

    def _authenticate(self, call: Call) -> Reply:
        body = call.json()
        auth = body.get("auth") if isinstance(body, dict) else None
        if not isinstance(auth, dict):
            raise Refused(400, f"Expecting to find auth in request body. {_MALFORMED}")
        identity = auth.get("identity")
        if not isinstance(identity, dict):
            raise Refused(400, "'identity' is a required property")
        method = str((identity.get("methods") or [""])[0])
        if method not in _METHODS or method not in identity:
            raise Refused(400, f"Expecting to find {method} in identity. {_MALFORMED}")
        made = self._issued(method, identity, auth.get("scope"))
        token = self.ids.uuid4().hex
        self._tokens[token] = made
        record = self._token_record(made)
        if "nocatalog" in dict(call.query):
            record["token"].pop("catalog", None)
        return json_reply(201, record, X_Subject_Token=token)

    def _issued(self, method: str, identity: Record, scope: object) -> Token:
        """Return a new token for a user, if the user may have it."""
        if method == "application_credential":
            return self._of_credential(identity[method])
        user = self._user_of_token(identity["token"]["id"]) if method == "token" else self._user_of_password(identity)
        if method == "token" and not self.rescopes_tokens:
            raise Refused(403, "You are not authorized to perform the requested action: rescope a scoped token.")
        return Token(self._scoped(user, scope), [method])

    def _of_credential(self, asked: Record) -> Token:
        found = self.application_credential(str(asked.get("id", "")))
        if found is None and "name" in asked:
            user = self._named_user(asked.get("user", {}))
            found = next(
                (
                    each
                    for each in self.records.get("application_credentials", {}).values()
                    if user is not None and (each["user_id"], each["name"]) == (user["id"], asked["name"])
                ),
                None,
            )
        if found is None or found["secret"] != asked.get("secret"):
            raise _unauthorized()
        user, project_id = self.records["users"][found["user_id"]], str(found["project_id"])
        if not self.roles_of(user["id"], ("project", project_id)):
            raise _unauthorized()
        roles = frozenset(str(role["name"]) for role in found["roles"])
        caller = Caller(user["id"], user["name"], project_id, self._project_name(project_id), roles)
        return Token(caller, ["application_credential"], found)

    def _user_of_token(self, token: str) -> Record:
        held = self._tokens.get(token)
        if held is None:
            raise _unauthorized()
        return self.records["users"][held.caller.user_id]

    def _user_of_password(self, identity: Record) -> Record:
        asked = identity.get("password", {}).get("user", {})
        user = self._named_user(asked)
        if user is None or not user["enabled"] or self._passwords.get(user["id"]) != asked.get("password"):
            raise _unauthorized()
        return user

    def _named_user(self, asked: Record) -> Record | None:
        if asked.get("id"):
            return self.records["users"].get(asked["id"])
        domain = self._domain_of(asked)
        return next(
            (
                user
                for user in self.records["users"].values()
                if (user["name"], user["domain_id"]) == (asked.get("name"), domain)
            ),
            None,
        )

    def _domain_of(self, asked: Record) -> str:
        wanted = asked.get("domain") or DOMAIN
        if wanted.get("id"):
            return str(wanted["id"])
        found = [known["id"] for known in self.records["domains"].values() if known["name"] == wanted.get("name")]
        return str(found[0]) if found else ""

    def _scoped(self, user: Record, scope: object) -> Caller:
        """Return the user and the scope of the token: a project, a domain, the system, or none."""
        nowhere = Caller(user["id"], user["name"], "", "", frozenset())
        if scope == "unscoped":
            return nowhere
        asked = scope if isinstance(scope, dict) else {}
        if "system" in asked:
            roles = self.roles_of(user["id"], SYSTEM)
            if not roles or not self.administers_system:
                raise _unauthorized()
            return Caller(user["id"], user["name"], "", "", roles, on_system=True)
        if "domain" in asked:
            domain_id = self._domain_of({"domain": asked["domain"]})
            return self._with_roles(Caller(user["id"], user["name"], "", "", frozenset(), domain_id=domain_id))
        default = user.get("default_project_id")
        if "project" not in asked:
            there = default and self.roles_of(user["id"], ("project", default))
            return self._in_project(user, str(default)) if there else nowhere
        return self._in_project(user, self._project_of(asked["project"]))

    def _project_of(self, asked: Record) -> str:
        if asked.get("id"):
            return str(asked["id"])
        domain = self._domain_of(asked)
        found = [
            project["id"]
            for project in self.records["projects"].values()
            if (project["name"], project["domain_id"]) == (asked.get("name"), domain)
        ]
        return str(found[0]) if found else ""

    def _in_project(self, user: Record, project_id: str) -> Caller:
        project = self.records["projects"].get(project_id)
        if project is None or not project["enabled"]:
            raise _unauthorized()
        return self._with_roles(Caller(user["id"], user["name"], project_id, project["name"], frozenset()))

    def _with_roles(self, caller: Caller) -> Caller:
        place = ("project", caller.project_id) if caller.project_id else ("domain", caller.domain_id)
        roles = self.roles_of(caller.user_id, place)
        if not roles:
            raise _unauthorized()
        return Caller(caller.user_id, caller.user, caller.project_id, caller.project, roles, domain_id=caller.domain_id)

    def _token_record(self, token: Token) -> Record:
        now, caller = self.now(), token.caller
        user = self.records["users"][caller.user_id]
        record = {
            "methods": token.methods,
            "user": {
                "domain": self._domain(user["domain_id"]),
                "id": caller.user_id,
                "name": caller.user,
                "password_expires_at": None,
            },
            "audit_ids": [self.ids.uuid4().hex[:22]],
            "expires_at": (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **self._scope_record(caller),
        }
        if token.application_credential is not None:
            told = {key: token.application_credential[key] for key in ("id", "name")}
            told["restricted"] = not token.application_credential["unrestricted"]
            if "access_rules" in token.application_credential:
                told["access_rules"] = token.application_credential["access_rules"]
            record["application_credential"] = told
        return {"token": record}

    def _domain(self, domain_id: str) -> Record:
        domain = self.records["domains"][domain_id]
        return {"id": domain["id"], "name": domain["name"]}

    def _scope_record(self, caller: Caller) -> Record:
        """Return the body of the token; an unscoped token has neither roles nor services."""
        roles = [{"id": self.role_id(role), "name": role} for role in sorted(caller.roles)]
        rights = {"roles": roles, "catalog": self._catalogue()}
        if caller.on_system:
            return {"system": {"all": True}, **rights}
        if caller.domain_id:
            return {"domain": self._domain(caller.domain_id), **rights}
        if not caller.project_id:
            return {}
        domain = self._domain(self.records["projects"][caller.project_id]["domain_id"])
        project = {"domain": domain, "id": caller.project_id, "name": caller.project}
        return {"project": project, "is_domain": False, **rights}

    def _catalogue(self) -> list[Record]:
        """List the services with their endpoints."""
        raise NotImplementedError

    def _show_token(self, call: Call) -> Reply:
        token = call.headers.get("x-subject-token", "")
        held = self._tokens.get(token)
        if held is None:
            raise Refused(404, "Could not find token.")
        return json_reply(200, self._token_record(held), X_Subject_Token=token)

    def _revoke_token(self, call: Call) -> Reply:
        self._tokens.pop(call.headers.get("x-subject-token", ""), None)
        return Reply(204)
