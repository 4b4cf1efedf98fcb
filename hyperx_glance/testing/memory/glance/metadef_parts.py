"""Objects and tags in Glance's metadata definitions in memory (glance/api/v2/metadef_objects.py, metadef_tags.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hyperx_glance.testing.memory.glance.metadefs import ROOT, Metadefs
from hyperx_glance.testing.memory.glance.records import isotime
from hyperx_glance.testing.memory.glance.schemas import check
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_TAGS: Record = {
    "type": "object",
    "properties": {
        "tags": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        }
    },
}
"""The rules of Glance for a list of tags; the document that it sends says less."""


class AllMetadefs(Metadefs):
    """The namespaces with all their parts."""

    def routes(self) -> Sequence[Route]:
        """List the routes."""
        one = ROOT + "/([^/]+)"
        return (
            *super().routes(),
            Route("GET", one + "/objects", self._list_objects),
            Route("POST", one + "/objects", self._create_object),
            Route("DELETE", one + "/objects", self._delete_objects),
            Route("GET", one + "/objects/([^/]+)", self._show_object),
            Route("PUT", one + "/objects/([^/]+)", self._update_object),
            Route("DELETE", one + "/objects/([^/]+)", self._delete_object),
            Route("GET", one + "/tags", self._list_tags),
            Route("POST", one + "/tags", self._create_tags),
            Route("DELETE", one + "/tags", self._delete_tags),
            Route("GET", one + "/tags/([^/]+)", self._show_tag),
            Route("POST", one + "/tags/([^/]+)", self._create_tag),
            Route("PUT", one + "/tags/([^/]+)", self._update_tag),
            Route("DELETE", one + "/tags/([^/]+)", self._delete_tag),
        )

    # ------------------------------------------------------------- objects

    def _list_objects(self, call: Call, name: str) -> Reply:
        objects = self._found(call, name)["objects"]
        body = {"objects": [_object_view(name, each) for each in reversed(objects.values())]}
        return json_reply(200, {**body, "schema": "v2/schemas/metadefs/objects"})

    def _object_written(self, call: Call, action: str) -> Record:
        body = self._written(call, action, "metadefs/object")
        return {key: value for key, value in body.items() if key in ("name", "description", "required", "properties")}

    def _create_object(self, call: Call, name: str) -> Reply:
        body = self._object_written(call, "add_metadef_object")
        objects = self._found(call, name)["objects"]
        if body["name"] in objects:
            words = f"A metadata definition object with name={body['name']} already exists in namespace={name}."
            raise Refused(409, words)
        now = isotime(datetime.now(UTC))
        objects[body["name"]] = {**body, "created_at": now, "updated_at": now}
        return json_reply(201, _object_view(name, objects[body["name"]]))

    def _delete_objects(self, call: Call, name: str) -> Reply:
        self._administrators_only(call, "delete_metadef_namespace_objects")
        self._unprotected(call, name, f"namespace {name}")["objects"].clear()
        return Reply(204)

    def _object(self, call: Call, name: str, key: str) -> Record:
        objects: dict[str, Record] = self._found(call, name)["objects"]
        if key not in objects:
            raise Refused(404, f"Could not find metadata object {key}")
        return objects[key]

    def _show_object(self, call: Call, name: str, key: str) -> Reply:
        return json_reply(200, _object_view(name, self._object(call, name, key)))

    def _update_object(self, call: Call, name: str, key: str) -> Reply:
        body = self._object_written(call, "modify_metadef_object")
        former = self._object(call, name, key)
        objects = self._found(call, name)["objects"]
        if body["name"] != key and body["name"] in objects:
            words = f"A metadata definition object with name={body['name']} already exists in namespace={name}."
            raise Refused(409, words)
        del objects[key]
        dated = {"created_at": former["created_at"], "updated_at": isotime(datetime.now(UTC))}
        objects[body["name"]] = {**body, **dated}
        return json_reply(200, _object_view(name, objects[body["name"]]))

    def _delete_object(self, call: Call, name: str, key: str) -> Reply:
        self._administrators_only(call, "delete_metadef_object")
        self._object(call, name, key)
        del self._unprotected(call, name, f"object {key}")["objects"][key]
        return Reply(204)

    # ------------------------------------------------------------- tags

    def _list_tags(self, call: Call, name: str) -> Reply:
        tags = self._found(call, name)["tags"]
        return json_reply(200, {"tags": [{"name": each} for each in reversed(tags)]})

    def _create_tags(self, call: Call, name: str) -> Reply:
        body = self._written(call, "add_metadef_tags")
        if "tags" not in body:
            raise Refused(500)
        check("tags", _TAGS, body)
        namespace = self._found(call, name)
        wanted = [str(tag["name"]) for tag in body["tags"]]
        adds = call.headers.get("x-openstack-append", "").lower() in ("true", "1", "yes", "on")
        kept = list(namespace["tags"]) if adds else []
        for tag in wanted:
            if tag in kept:
                raise _duplicate(name, tag)
            kept.append(tag)
        namespace["tags"] = dict.fromkeys(kept, isotime(datetime.now(UTC)))
        return json_reply(201, {"tags": [{"name": tag} for tag in wanted]})

    def _delete_tags(self, call: Call, name: str) -> Reply:
        self._administrators_only(call, "delete_metadef_tags")
        self._unprotected(call, name, f"namespace {name}")["tags"].clear()
        return Reply(204)

    def _tags(self, call: Call, name: str, tag: str) -> dict[str, str]:
        """Return a namespace's tags, which must include this one."""
        tags: dict[str, str] = self._found(call, name)["tags"]
        if tag not in tags:
            raise Refused(404, f"Could not find metadata tag {tag}")
        return tags

    def _show_tag(self, call: Call, name: str, tag: str) -> Reply:
        return json_reply(200, _tag_view(tag, self._tags(call, name, tag)[tag]))

    def _create_tag(self, call: Call, name: str, tag: str) -> Reply:
        self._administrators_only(call, "add_metadef_tag")
        tags = self._found(call, name)["tags"]
        if tag in tags:
            raise _duplicate(name, tag)
        tags[tag] = isotime(datetime.now(UTC))
        return json_reply(201, _tag_view(tag, tags[tag]))

    def _update_tag(self, call: Call, name: str, tag: str) -> Reply:
        body = self._written(call, "modify_metadef_tag", "metadefs/tag")
        tags = self._tags(call, name, tag)
        renamed = str(body.get("name", tag))
        if renamed != tag and renamed in tags:
            raise _duplicate(name, renamed)
        tags[renamed] = tags.pop(tag)
        return json_reply(200, _tag_view(renamed, tags[renamed]))

    def _delete_tag(self, call: Call, name: str, tag: str) -> Reply:
        self._administrators_only(call, "delete_metadef_tag")
        self._tags(call, name, tag)
        del self._unprotected(call, name, f"tag {tag}")["tags"][tag]
        return Reply(204)


def _object_view(name: str, item: Record) -> Record:
    place = {"self": f"{ROOT}/{name}/objects/{item['name']}", "schema": "/v2/schemas/metadefs/object"}
    return {**item, **place}


def _tag_view(tag: str, created: str) -> Record:
    return {"name": tag, "created_at": created, "updated_at": created}


def _duplicate(name: str, tag: str) -> Refused:
    note = "(Please note that metadata tag names are case insensitive)."
    return Refused(409, f"A metadata tag with name={tag} already exists in namespace={name}. {note}")
