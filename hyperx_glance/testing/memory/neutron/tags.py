"""Tags of the in-memory Neutron's objects (neutron/extensions/tagging.py)."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.forwarding import Forwarding
from hyperx_glance.testing.memory.neutron.kinds import KINDS, Kind
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_LONGEST = 255


class Tags(Forwarding):
    """The part of Neutron that handles tags."""

    def tag_routes(self) -> Sequence[Route]:
        """Return the routes for the tags of each kind that has them."""
        routes = []
        for kind in KINDS:
            if "tags" not in kind.defaults:
                continue
            every = f"/v2.0/{kind.collection}/([^/]+)/tags(?:.json)?"
            one = f"/v2.0/{kind.collection}/([^/]+)/tags/([^/]+?)(?:.json)?"
            routes += [
                Route(method, path, functools.partial(handler, kind))
                for method, path, handler in (
                    ("GET", every, self._list_tags),
                    ("PUT", every, self._replace_tags),
                    ("DELETE", every, self._remove_tags),
                    ("GET", one, self._show_tag),
                    ("PUT", one, self._add_tag),
                    ("DELETE", one, self._remove_tag),
                )
            ]
        return routes

    def _list_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        return json_reply(200, {"tags": self._found(kind, call, thing_id)["tags"]})

    def _replace_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or "tags" not in body:
            raise invalid("Invalid tags body.")
        _check_tags(body["tags"])
        self._set(self._tagged(kind, call, thing_id, "update"), body["tags"])
        return json_reply(200, {"tags": body["tags"]})

    def _remove_tags(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        self._set(self._tagged(kind, call, thing_id, "delete"), [])
        return Reply(204)

    def _show_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check_tag(tag)
        if tag not in self._found(kind, call, thing_id)["tags"]:
            raise Refused(404, f"Tag {tag} could not be found.", detail="TagNotFound")
        return Reply(204)

    def _add_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check_tag(tag)
        record = self._tagged(kind, call, thing_id, "update")
        if tag not in record["tags"]:
            self._set(record, [*record["tags"], tag])
        return Reply(201)

    def _remove_tag(self, kind: Kind, call: Call, thing_id: str, tag: str) -> Reply:
        _check_tag(tag)
        record = self._tagged(kind, call, thing_id, "delete")
        if tag not in record["tags"]:
            raise Refused(404, f"Tag {tag} could not be found.", detail="TagNotFound")
        self._set(record, [each for each in record["tags"] if each != tag])
        return Reply(204)

    def _tagged(self, kind: Kind, call: Call, thing_id: str, action: str) -> Record:
        """Return a thing of which a caller may change the tags."""
        record = self._found(kind, call, thing_id)
        if not (call.who.is_administrator or (record["project_id"] == call.who.project_id and call.who.may_write)):
            raise self._forbidden(f"{action}_{kind.member}:tags")
        return record

    def _set(self, record: Record, tags: Sequence[str]) -> None:
        record["tags"] = list(tags)
        record["revision_number"] += 1


def _check_tag(tag: object) -> None:
    if not isinstance(tag, str):
        raise invalid(f"'{tag}' is not a valid string.")
    if len(tag) > _LONGEST:
        raise invalid(f"'{tag}' exceeds maximum length of {_LONGEST}.")


def _check_tags(tags: object) -> None:
    if not isinstance(tags, list):
        raise invalid(f"'{tags}' is not a list.")
    if len(set(map(str, tags))) != len(tags):
        raise invalid(f"Duplicate items in the list: '{', '.join(map(str, tags))}'.")
    for tag in tags:
        _check_tag(tag)
