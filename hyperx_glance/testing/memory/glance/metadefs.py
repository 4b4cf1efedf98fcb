"""Glance's metadata definitions in memory: namespaces, their properties and resource types.

>>> from hyperx_glance.testing.memory.wire import Caller
>>> admin = Caller("1", "admin", "2", "admin", frozenset({"admin"}))
>>> metadefs = Metadefs()
>>> [route.method for route in metadefs.routes()][:2]
['GET', 'POST']
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hyperx_glance.testing.memory.glance.records import isotime
from hyperx_glance.testing.memory.glance.schemas import check, document
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

ROOT = "/v2/metadefs/namespaces"
_WORDS = {"metadefs/resource_type": "resource_type_association"}
"""The names in errors of the documents that errors do not call by their own names."""
_SORT_KEYS = ("namespace", "created_at", "updated_at")
_FIELDS = ("namespace", "display_name", "description", "visibility", "protected", "owner")


class Metadefs:
    """The namespaces by name; only administrators may write (glance/policies/metadef.py)."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Record] = {}

    def routes(self) -> Sequence[Route]:
        """List the routes."""
        one = ROOT + "/([^/]+)"
        return (
            Route("GET", ROOT, self._list),
            Route("POST", ROOT, self._create),
            Route("GET", one, self._show),
            Route("PUT", one, self._update),
            Route("DELETE", one, self._delete),
            Route("GET", one + "/properties", self._list_properties),
            Route("POST", one + "/properties", self._create_property),
            Route("DELETE", one + "/properties", self._delete_properties),
            Route("GET", one + "/properties/([^/]+)", self._show_property),
            Route("PUT", one + "/properties/([^/]+)", self._update_property),
            Route("DELETE", one + "/properties/([^/]+)", self._delete_property),
            Route("GET", "/v2/metadefs/resource_types", self._list_all_types),
            Route("GET", one + "/resource_types", self._list_types),
            Route("POST", one + "/resource_types", self._create_type),
            Route("DELETE", one + "/resource_types/([^/]+)", self._delete_type),
        )

    def _list(self, call: Call) -> Reply:
        if not call.value("limit", "1").isdigit() or call.value("sort_key", "created_at") not in _SORT_KEYS:
            raise Refused(500)
        if call.value("visibility", "public") not in ("public", "private"):
            raise Refused(400, f"Invalid visibility value: {call.value('visibility')}")
        if call.value("marker"):
            self._found(call, call.value("marker"))
        seen = [
            self._view(namespace, "resource_type_associations")
            for namespace in self.namespaces.values()
            if _visible(call, namespace)
        ]
        return json_reply(200, {"namespaces": seen, "schema": "/v2/schemas/metadefs/namespaces", "first": ROOT})

    def _create(self, call: Call) -> Reply:
        body = self._written(call, "add_metadef_namespace", "metadefs/namespace")
        name = body["namespace"]
        if name in self.namespaces:
            raise Refused(409, f"The metadata definition namespace={name} already exists.")
        now = isotime(datetime.now(UTC))
        self.namespaces[name] = {
            "visibility": "private",
            "protected": False,
            "owner": call.who.project_id,
            **{key: value for key, value in body.items() if key in _FIELDS},
            "created_at": now,
            "updated_at": now,
            "properties": dict(body.get("properties") or {}),
            "objects": {
                each["name"]: {**each, "created_at": now, "updated_at": now} for each in body.get("objects") or ()
            },
            "tags": {each["name"]: now for each in body.get("tags") or ()},
            "resource_type_associations": [
                {**wanted, "created_at": now, "updated_at": now}
                for wanted in body.get("resource_type_associations") or ()
            ],
        }
        return json_reply(201, self._view(self.namespaces[name], "resource_type_associations", "properties"))

    def _show(self, call: Call, name: str) -> Reply:
        namespace = self._found(call, name)
        return json_reply(200, self._view(namespace, "resource_type_associations", "properties"))

    def _update(self, call: Call, name: str) -> Reply:
        body = self._written(call, "modify_metadef_namespace", "metadefs/namespace")
        namespace = self._found(call, name)
        kept = {
            key: namespace[key]
            for key in ("owner", "created_at", "properties", "objects", "tags", "resource_type_associations")
        }
        changed = {key: value for key, value in body.items() if key in _FIELDS}
        del self.namespaces[name]
        now = isotime(datetime.now(UTC))
        updated = {"visibility": "private", "protected": False, **kept, **changed, "updated_at": now}
        self.namespaces[updated["namespace"]] = updated
        return json_reply(200, self._view(updated))

    def _delete(self, call: Call, name: str) -> Reply:
        self._administrators_only(call, "delete_metadef_namespace")
        self._unprotected(call, name, f"namespace {name}")
        del self.namespaces[name]
        return Reply(204)

    # ------------------------------------------------------------- properties

    def _list_properties(self, call: Call, name: str) -> Reply:
        return json_reply(200, {"properties": self._found(call, name)["properties"]})

    def _create_property(self, call: Call, name: str) -> Reply:
        body = self._written(call, "add_metadef_property", "metadefs/property")
        properties = self._found(call, name)["properties"]
        key = body.pop("name")
        if key in properties:
            raise Refused(409, f"A metadata definition property with name={key} already exists in namespace={name}.")
        properties[key] = {"name": key, **body}  # of a property that came alone, Glance shows the name in the namespace
        return json_reply(201, properties[key])

    def _delete_properties(self, call: Call, name: str) -> Reply:
        self._administrators_only(call, "delete_metadef_namespace_properties")
        self._unprotected(call, name, f"namespace {name}")["properties"].clear()
        return Reply(204)

    def _show_property(self, call: Call, name: str, key: str) -> Reply:
        return json_reply(200, {"name": key, **self._property(call, name, key)})

    def _update_property(self, call: Call, name: str, key: str) -> Reply:
        body = self._written(call, "modify_metadef_property", "metadefs/property")
        self._property(call, name, key)
        properties = self._found(call, name)["properties"]
        del properties[key]
        renamed = body.pop("name")
        properties[renamed] = {"name": renamed, **body}
        return json_reply(200, properties[renamed])

    def _delete_property(self, call: Call, name: str, key: str) -> Reply:
        self._administrators_only(call, "remove_metadef_property")
        self._property(call, name, key)
        del self._unprotected(call, name, f"property {key}")["properties"][key]
        return Reply(204)

    def _property(self, call: Call, name: str, key: str) -> Record:
        properties: dict[str, Record] = self._found(call, name)["properties"]
        if key not in properties:
            raise Refused(404, f"Could not find property {key}")
        return properties[key]

    # ------------------------------------------------------------- resource types

    def _list_all_types(self, call: Call) -> Reply:
        del call
        found = {
            known["name"]: {key: known[key] for key in ("name", "created_at", "updated_at")}
            for namespace in self.namespaces.values()
            for known in namespace["resource_type_associations"]
        }
        return json_reply(200, {"resource_types": list(found.values())})

    def _list_types(self, call: Call, name: str) -> Reply:
        found = self._found(call, name)["resource_type_associations"]
        return json_reply(200, {"resource_type_associations": found})

    def _create_type(self, call: Call, name: str) -> Reply:
        body = self._written(call, "add_metadef_resource_type_association", "metadefs/resource_type")
        associations = self._found(call, name)["resource_type_associations"]
        if any(known["name"] == body["name"] for known in associations):
            raise Refused(
                409,
                f"The metadata definition resource-type association of resource-type={body['name']} "
                f"to namespace={name} already exists.",
            )
        now = isotime(datetime.now(UTC))
        associations.append({**body, "created_at": now, "updated_at": now})
        return json_reply(201, associations[-1])

    def _delete_type(self, call: Call, name: str, wanted: str) -> Reply:
        self._administrators_only(call, "remove_metadef_resource_type_association")
        namespace = self._unprotected(call, name, f"resource-type-association {wanted}")
        if all(known["name"] != wanted for known in namespace["resource_type_associations"]):
            raise Refused(404, f"Failed to find resource type {wanted} to delete")
        namespace["resource_type_associations"] = [
            known for known in namespace["resource_type_associations"] if known["name"] != wanted
        ]
        return Reply(204)

    # ------------------------------------------------------------- rules

    def _found(self, call: Call, name: str) -> Record:
        namespace = self.namespaces.get(name)
        if namespace is None:
            words = f"Metadata definition namespace={name} was not found."
            listed = call.method == "GET" and not call.path.endswith("/properties")
            raise Refused(404, words if listed else f"Namespace {name} not found")
        if not _visible(call, namespace):
            raise Refused(404)
        return namespace

    def _unprotected(self, call: Call, name: str, what: str) -> Record:
        namespace = self._found(call, name)
        if namespace["protected"]:
            raise Refused(403, f"Metadata definition {what} is protected and cannot be deleted.")
        return namespace

    def _written(self, call: Call, action: str, schema: str = "") -> Record:
        self._administrators_only(call, action)
        body = call.json()
        if not isinstance(body, dict):
            raise Refused(500)
        if schema:
            check(_WORDS.get(schema, schema.partition("/")[2]), document(schema) or {}, body)
        return body

    def _administrators_only(self, call: Call, action: str) -> None:
        if not call.who.is_administrator:
            raise Refused(403, f"You are not authorized to complete {action} action.")

    def _view(self, namespace: Record, *more: str) -> Record:
        view = {key: namespace[key] for key in (*_FIELDS, "created_at", "updated_at") if key in namespace}
        view |= {key: namespace[key] for key in more if namespace[key]}
        if "properties" in more and namespace["objects"]:
            view["objects"] = list(namespace["objects"].values())
        if "properties" in more and namespace["tags"]:
            view["tags"] = [{"name": tag} for tag in namespace["tags"]]
        return {**view, "self": f"{ROOT}/{namespace['namespace']}", "schema": "/v2/schemas/metadefs/namespace"}


def _visible(call: Call, namespace: Record) -> bool:
    own = namespace["owner"] == call.who.project_id
    return namespace["visibility"] == "public" or own or call.who.is_administrator
