"""The filters of lists of the in-memory Neutron that compare more than one value with another."""

from __future__ import annotations

from hyperx_glance.testing.memory.wire import Call, Record


def tagged_as_asked(call: Call, record: Record) -> bool:
    """Check the tags of a thing as lists can ask for them (neutron/objects/tag.py, apply_tag_filters).

    >>> call = Call.of("GET", "http://neutron.cloud.test/v2.0/networks?tags=one,two&not-tags-any=three")
    >>> tagged_as_asked(call, {"tags": ["one", "two", "four"]}), tagged_as_asked(call, {"tags": ["one"]})
    (True, False)
    """
    tags = set(record.get("tags", ()))
    every, some, not_every, not_some = (
        {tag for value in call.values(key) for tag in value.split(",")}
        for key in ("tags", "tags-any", "not-tags", "not-tags-any")
    )
    return bool(
        every <= tags and (not some or some & tags) and not (not_every and not_every <= tags) and not not_some & tags
    )
