"""Lists of the in-memory Neutron: filters, fields and pages; and the revision that a change names."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.filters import tagged_as_asked
from hyperx_glance.testing.memory.wire import Call, Record, Refused


def check_revision(call: Call, record: Record) -> None:
    """Refuse a change of another revision than the one that the request names (neutron/services/revisions)."""
    name, _, number = call.headers.get("if-match", "").partition("=")
    if name != "revision_number":
        return
    if not number.isdecimal():
        words = "Revision number etag must be in the format of revision_number=<int>"
        raise Refused(400, f"Bad if-match request: {words}.", detail="BadRequest")
    if int(number) != record["revision_number"]:
        words = f"Constrained to {number}, but current revision is {record['revision_number']}"
        raise Refused(412, words, detail="RevisionNumberConstraintFailed")


def with_fields(call: Call, view: Record) -> Record:
    """Leave out what a request does not ask for."""
    wanted = call.values("fields")
    return {key: value for key, value in view.items() if key in wanted} if wanted else view


def filtered(call: Call, found: Sequence[Record]) -> list[Record]:
    """Apply every query parameter that is an attribute; several values of one mean "one of". Cut a page."""
    wanted: dict[str, set[str]] = {}
    for key, value in call.query:
        wanted.setdefault({"tenant_id": "project_id"}.get(key, key), set()).add(value.lower())
    kept = [
        record
        for record in found
        if all(_matches(record[key], values) for key, values in wanted.items() if key in record and key != "tags")
        and tagged_as_asked(call, record)
    ]
    key = call.value("sort_key")
    if key:
        kept.sort(key=lambda record: str(record.get(key)), reverse=call.value("sort_dir") == "desc")
    marker = call.value("marker")
    if marker:
        ids = [record["id"] for record in kept]
        kept = kept[ids.index(marker) + 1 :] if marker in ids else []
    limit = call.value("limit")
    if limit and not limit.isdigit():
        words = f"Bad limit request: Limit must be an integer 0 or greater and not '{limit}'."
        raise Refused(400, words, detail="BadRequest")
    return kept[: int(limit)] if limit else kept


def _matches(value: object, wanted: set[str]) -> bool:
    if isinstance(value, list):
        texts = [str(each) for each in value]
        pairs = [f"{key}={each[key]}" for each in value if isinstance(each, dict) for key in each]
        return bool({text.lower() for text in texts + pairs} & wanted)
    return str(value).lower() in wanted
