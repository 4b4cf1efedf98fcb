"""Tags of the in-memory Neutron's objects (neutron/extensions/tagging.py, neutron/services/tag/tag_plugin.py)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import KINDS, Kind
from hyperx_glance.testing.memory.neutron.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_LONGEST = 255
_MOST = 50


class Tags(State):
    """The part of Neutron that handles tags; they are kept in the order of the alphabet, as its database gives them."""

    def tag_routes(self) -> Sequence[Route]:
        """List the requests about the tags of each kind that has some."""
        routes = []
        for kind in (each for each in KINDS if "tags" in each.defaults):
            every = f"/v2.0/{kind.collection}/([^/]+)/tags"
            routes += [
                Route(method, path, functools.partial(handler, kind))
                for method, path, handler in (
                    ("GET", every, self._list_tags),
                    ("PUT", every, self._replace_tags),
                    ("POST", every, self._add_tags),
                    ("DELETE", every, self._clear_tags),
                    ("GET", f"{every}/([^/]+)", self._show_tag),
                    ("PUT", f"{every}/([^/]+)", self._add_tag),
                    ("DELETE", f"{every}/([^/]+)", self._remove_tag),
                )
            ]
        return routes

    def _list_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        return json_reply(200, {"tags": self._taggable(kind, call, thing_id, "get")["tags"]})

    def _replace_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        tags = _tags(call)
        self._tag(kind, self._taggable(kind, call, thing_id, "update"), tags)
        return json_reply(200, call.json())

    def _add_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        tags = _tags(call)
        record = self._taggable(kind, call, thing_id, "create")
        self._tag(kind, record, [*record["tags"], *tags])
        return json_reply(200, call.json())

    def _clear_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        self._tag(kind, self._taggable(kind, call, thing_id, "delete"), [])
        return Reply(204)

    def _show_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check(tag)
        if tag not in self._taggable(kind, call, thing_id, "get")["tags"]:
            raise _unknown(tag)
        return Reply(204)

    def _add_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check(tag)
        record = self._taggable(kind, call, thing_id, "update")
        self._tag(kind, record, [*record["tags"], tag])
        return Reply(201, headers={"Content-Type": "application/json"})

    def _remove_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check(tag)
        record = self._taggable(kind, call, thing_id, "delete")
        if tag not in record["tags"]:
            raise _unknown(tag)
        self._tag(kind, record, [each for each in record["tags"] if each != tag])
        return Reply(204)

    def _taggable(self, kind: Kind, call: Call, thing_id: str, action: str) -> Record:
        """Return a thing, foreign ones too: the policy of tags alone decides, and tells that the thing is there."""
        record = self.kept(kind).get(thing_id)
        if record is None:
            raise self._unknown(kind, thing_id)  # Neutron answers 500: it asks the policy about nothing
        may = call.who.may_write if action != "get" else self._visible(kind, call.who, record)
        own = record["project_id"] == call.who.project_id or action == "get"
        if not (call.who.is_administrator or (own and may)):
            raise self._forbidden(f"{action}_{kind.member}:tags")
        return record

    def _tag(self, kind: Kind, record: Record, tags: Sequence[str]) -> None:
        wanted = sorted(set(tags))
        if len(wanted) > _MOST:
            things = kind.collection.replace("-", "_")
            words = f"Bad {things} request: The number of tags exceed the per-resource limit of {_MOST}."
            raise Refused(400, words, detail="BadRequest")
        if wanted != record["tags"]:
            record["tags"] = wanted
            record["revision_number"] += 1


def _tags(call: Call) -> list[str]:
    body = call.json()
    if not isinstance(body, dict) or "tags" not in body:
        raise invalid("Invalid tags body.")
    tags: list[str] = body["tags"]
    if not isinstance(tags, list):
        raise invalid(f"'{tags}' is not a list.")
    for tag in tags:
        _check(tag)
    twice = sorted({tag for tag in tags if tags.count(tag) > 1})
    if twice:
        raise invalid(f"Duplicate items in the list: '{', '.join(twice)}'.")
    return tags


def _check(tag: object) -> None:
    if not isinstance(tag, str):
        raise invalid(f"'{tag}' is not a valid string.")
    if len(tag) > _LONGEST:
        raise invalid(f"'{tag}' exceeds maximum length of {_LONGEST}.")


def _unknown(tag: str) -> Refused:
    return Refused(404, f"Tag {tag} could not be found.", detail="TagNotFound")
