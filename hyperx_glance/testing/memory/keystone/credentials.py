"""Application credentials of the in-memory Keystone, with their access rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from hyperx_glance.testing.memory.keystone.grants import Grants
from hyperx_glance.testing.memory.keystone.kinds import text
from hyperx_glance.testing.memory.keystone.state import IMPLIED, administrators_only, filtered
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_KEYS = (
    "id",
    "name",
    "description",
    "user_id",
    "project_id",
    "system",
    "expires_at",
    "unrestricted",
    "roles",
    "access_rules",
)


class Credentials(Grants):
    """The part of Keystone that handles application credentials, which belong to their users."""

    def credential_routes(self) -> Sequence[Route]:
        """List the routes."""
        user = "/v3/users/([^/]+)"
        return (
            Route("GET", user + "/application_credentials", self._list_credentials),
            Route("POST", user + "/application_credentials", self._create_credential),
            Route("GET", user + "/application_credentials/([^/]+)", self._show_credential),
            Route("DELETE", user + "/application_credentials/([^/]+)", self._delete_credential),
            Route("GET", user + "/access_rules", self._list_rules),
            Route("GET", user + "/access_rules/([^/]+)", self._show_rule),
            Route("DELETE", user + "/access_rules/([^/]+)", self._delete_rule),
        )

    def application_credential(self, credential_id: str) -> Record | None:
        """Return a credential with its secret and its user's id."""
        return self.records.get("application_credentials", {}).get(credential_id)

    def allows(self, token: str | None, service: str, method: str, path: str) -> bool:
        """Check the access rules of a token's application credential, as each service does for itself."""
        held = self._tokens.get(token or "")
        rules = ((held and held.application_credential) or {}).get("access_rules")
        if rules is None:
            return True
        wanted = (service, method)
        return any((rule["service"], rule["method"]) == wanted and _covers(rule["path"], path) for rule in rules)

    def _owned(self, call: Call, user_id: str, action: str) -> None:
        if user_id != call.who.user_id:
            administrators_only(call, action)

    def _list_credentials(self, call: Call, user_id: str) -> Reply:
        self._owned(call, user_id, "list_application_credentials")
        own = [each for each in self.records.get("application_credentials", {}).values() if each["user_id"] == user_id]
        shown = [self._credential_view(each) for each in filtered(own, call, ("name",))]
        return self._list(call, "application_credentials", shown)

    def _create_credential(self, call: Call, user_id: str) -> Reply:
        if user_id != call.who.user_id:
            words = "Cannot create an application credential for another user."
            raise Refused(403, f"You are not authorized to perform the requested action: {words}.")
        asked = call.member("application_credential")
        if not isinstance(asked, dict) or "name" not in asked:
            raise _invalid("application_credential", asked, "'name' is a required property")
        wrong = text(255)(asked["name"])
        if wrong:
            raise _invalid("name", asked["name"], wrong)
        if asked.get("expires_at") and _moment(asked["expires_at"]) < self.now():
            words = "The 'expires_at' must not be before now. The server could not comply with the request since it is"
            raise Refused(
                400, f"{words} either malformed or otherwise incorrect. The client is assumed to be in error."
            )
        own = [each for each in self.records.get("application_credentials", {}).values() if each["user_id"] == user_id]
        if any(each["name"] == asked["name"] for each in own):
            words = f"Duplicate entry found with name {asked['name']}"
            raise Refused(409, f"Conflict occurred attempting to store application_credential - {words}.")
        record: Record = {
            "id": self.ids.uuid4().hex,
            "name": asked["name"],
            "description": asked.get("description"),
            "expires_at": asked.get("expires_at"),
            "project_id": call.who.project_id,
            "roles": self._credential_roles(call, asked.get("roles")),
            "unrestricted": asked.get("unrestricted"),
            "system": None,
            "user_id": user_id,
            "secret": asked.get("secret") or self.ids.token_urlsafe(64),
        }
        if asked.get("access_rules"):
            record["access_rules"] = [self._rule(user_id, rule) for rule in asked["access_rules"]]
        self._put("application_credentials", record)
        return json_reply(
            201, {"application_credential": {**self._credential_view(record), "secret": record["secret"]}}
        )

    def _credential_roles(self, call: Call, asked: Sequence[Record] | None) -> list[Record]:
        held = call.who.roles
        names = {self._role_name(role) for role in asked} if asked else held
        names = {implied for name in names for implied in IMPLIED.get(name, (name,))}
        if not names <= held:
            words = "Cannot create an application credential with unassigned role"
            raise Refused(400, f"Invalid application credential: {words}")
        return [
            {"id": role["id"], "name": role["name"], "domain_id": None, "description": None, "options": role["options"]}
            for role in self.records["roles"].values()
            if role["name"] in names
        ]

    def _role_name(self, asked: Record) -> str:
        for role in self.records["roles"].values():
            if asked.get("id", role["id"]) == role["id"] and asked.get("name", role["name"]) == role["name"]:
                return str(role["name"])
        raise Refused(404, f"Role {asked.get('id') or asked.get('name')} is not defined")

    def _show_credential(self, call: Call, user_id: str, credential_id: str) -> Reply:
        record = self._credential(call, user_id, credential_id, "get_application_credential")
        return json_reply(200, {"application_credential": self._credential_view(record)})

    def _delete_credential(self, call: Call, user_id: str, credential_id: str) -> Reply:
        self._credential(call, user_id, credential_id, "delete_application_credential")
        del self.records["application_credentials"][credential_id]
        for token in [
            key for key, held in self._tokens.items() if (held.application_credential or {}).get("id") == credential_id
        ]:
            del self._tokens[token]
        return Reply(204)

    def _credential(self, call: Call, user_id: str, credential_id: str, action: str) -> Record:
        self._owned(call, user_id, action)
        record = self.application_credential(credential_id)
        if record is None or record["user_id"] != user_id:
            raise Refused(404, f"Could not find Application Credential: {credential_id}.")
        return record

    def _credential_view(self, record: Record) -> Record:
        view = {key: record[key] for key in _KEYS if key in record}
        return {**view, "links": {"self": f"{self.url}/v3/application_credentials/{record['id']}"}}

    # ------------------------------------------------------------- access rules

    def _rule(self, user_id: str, asked: Record) -> Record:
        rules = self.records.setdefault("access_rules", {})
        if "id" in asked and asked["id"] not in rules:
            raise Refused(404, f"Could not find Access Rule: {asked['id']}.")
        for rule in rules.values():
            same = all(rule[key] == asked.get(key) for key in ("path", "method", "service"))
            if rule["user_id"] == user_id and (rule["id"] == asked.get("id") or same):
                return _rule_view(rule)
        made = {"id": self.ids.uuid4().hex, **{key: asked.get(key) for key in ("path", "method", "service")}}
        return _rule_view(self._put("access_rules", {**made, "user_id": user_id}))

    def _list_rules(self, call: Call, user_id: str) -> Reply:
        self._owned(call, user_id, "list_access_rules")
        own = [rule for rule in self.records.get("access_rules", {}).values() if rule["user_id"] == user_id]
        shown = [self._linked(user_id, rule) for rule in filtered(own, call, ("service", "path", "method"))]
        return self._list(call, "access_rules", shown)

    def _show_rule(self, call: Call, user_id: str, rule_id: str) -> Reply:
        return json_reply(200, {"access_rule": self._linked(user_id, self._found_rule(call, user_id, rule_id))})

    def _delete_rule(self, call: Call, user_id: str, rule_id: str) -> Reply:
        rule = self._found_rule(call, user_id, rule_id)
        used = [
            credential
            for credential in self.records.get("application_credentials", {}).values()
            if any(each["id"] == rule["id"] for each in credential.get("access_rules", ()))
        ]
        if used:
            raise Refused(403, "May not delete access rule in use")
        del self.records["access_rules"][rule_id]
        return Reply(204)

    def _found_rule(self, call: Call, user_id: str, rule_id: str) -> Record:
        self._owned(call, user_id, "get_access_rule")
        rule = self.records.get("access_rules", {}).get(rule_id)
        if rule is None or rule["user_id"] != user_id:
            raise Refused(404, f"Could not find Access Rule: {rule_id}.")
        return rule

    def _linked(self, user_id: str, rule: Record) -> Record:
        return {**_rule_view(rule), "links": {"self": f"{self.url}/v3/users/{user_id}/access_rules/{rule['id']}"}}


def _covers(pattern: str, path: str) -> bool:
    parts = re.split(r"(\*\*|\*|\{[^}]*\})", pattern)
    kinds = [re.escape(part) if at % 2 == 0 else ".*" if part == "**" else "[^/]+" for at, part in enumerate(parts)]
    return re.fullmatch("".join(kinds), path) is not None


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid("expires_at", text, f"{text!r} is not a 'date-time'") from None


def _rule_view(rule: Record) -> Record:
    return {key: rule[key] for key in ("id", "path", "method", "service")}


def _invalid(key: str, value: object, reason: str) -> Refused:
    return Refused(400, f"Invalid input for field/attribute {key}. Value: {value}. {reason}")
