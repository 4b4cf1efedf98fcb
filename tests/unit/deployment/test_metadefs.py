"""The metadefs that are installed follow the vocabulary, also if an answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import deployment, vocabulary
from tests.unit.deployment.examining import connect

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud


def test_metadefs_are_made_from_the_vocabulary(fake: InMemoryCloud) -> None:
    connect(fake, "admin").install_metadefs()

    properties = fake.glance.metadefs.namespaces[deployment.NAMESPACE]["properties"]
    assert set(properties) == {field.key for field in vocabulary.FIELDS if field.own}
    for field in vocabulary.FIELDS:
        if field.own:
            definition = properties[field.key]
            assert definition["type"] == "string"
            assert {field.title, field.title_zh} == set(definition["title"].split(" / "))
            assert definition["description"] == f"{field.description} {field.description_zh}"
            assert definition.get("enum", []) == (["true", "false"] if field.stored is vocabulary.Stored.FLAG else [])


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/namespaces/[^/]*$"),
        ("POST", "/namespaces$"),
        ("PUT", "/namespaces/[^/]*$"),
        ("POST", "/resource_types$"),
        ("POST", "/properties$"),
        ("PUT", "/properties/"),
        ("DELETE", "/properties/"),
    ],
)
def test_metadefs_are_written_though_an_answer_is_lost(
    fake: InMemoryCloud, method: str, path: str, *, handled: bool
) -> None:
    admin = connect(fake, "admin")
    admin.install_metadefs()
    namespaces = fake.glance.metadefs.namespaces
    there = namespaces[deployment.NAMESPACE]
    whole = dict(there["properties"])
    there["display_name"] = "Something else"
    there["resource_type_associations"] = []
    there["properties"]["hyperx_bootable"] = {"title": "Boots?", "type": "string"}
    there["properties"]["hyperx_of_an_old_release"] = there["properties"].pop("hyperx_url")
    if path == "/namespaces$":
        namespaces.clear()
    fake.cut("glance", method, path, handled=handled)
    admin.install_metadefs()

    assert fake.requests[-1].status is not None
    assert None in {request.status for request in fake.requests}
    assert namespaces[deployment.NAMESPACE]["properties"].keys() == whole.keys()
    before = len(fake.requests)
    admin.install_metadefs()
    assert [request.method for request in fake.requests[before:]] == ["GET"]


def test_every_own_word_has_both_languages() -> None:
    for field in vocabulary.FIELDS:
        if field.own:
            assert field.title, field
            assert field.title_zh, field
            assert field.description, field
            assert field.description_zh, field
