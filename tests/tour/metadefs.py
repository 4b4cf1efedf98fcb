"""What the tour writes to Glance's metadefs."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.glance import glance
from tests.tour.player import Step

ROOT: Final = "/v2/metadefs/namespaces"
ONE: Final = f"{ROOT}/tour"


def part(kind: str, path: str, first: dict[str, Any], change: dict[str, Any]) -> tuple[Step, ...]:
    """Make every request about one kind of a namespace's parts."""
    every = f"{ONE}/{path}"
    one = f"{every}/{first['name']}"
    return (
        glance(f"metadef-{kind}-create-member", "POST", every, first),
        glance(f"metadef-{kind}-create-empty", "POST", every, {}, user="admin"),
        glance(f"metadef-{kind}-create-list", "POST", every, [], user="admin"),
        glance(f"metadef-{kind}-create-unknown-key", "POST", every, {**first, "colour": "red"}, user="admin"),
        glance(f"metadef-{kind}-create", "POST", every, first, user="admin"),
        glance(f"metadef-{kind}-again", "POST", every, first, user="admin"),
        glance(f"metadef-{kind}-list", "GET", every),
        glance(f"metadef-{kind}-list-nowhere", "GET", f"{ROOT}/nothing/{path}"),
        glance(f"metadef-{kind}-show", "GET", one),
        glance(f"metadef-{kind}-show-unknown", "GET", f"{every}/nothing"),
        glance(f"metadef-{kind}-update-member", "PUT", one, change),
        glance(f"metadef-{kind}-update-empty", "PUT", one, {}, user="admin"),
        glance(f"metadef-{kind}-update", "PUT", one, change, user="admin"),
        glance(f"metadef-{kind}-update-unknown", "PUT", f"{every}/nothing", change, user="admin"),
        glance(f"metadef-{kind}-delete-member", "DELETE", one),
        glance(f"metadef-{kind}-delete", "DELETE", one, user="admin"),
        glance(f"metadef-{kind}-delete-again", "DELETE", one, user="admin"),
        glance(f"metadef-{kind}-delete-all", "DELETE", every, user="admin"),
    )


SPACE: Final = {"namespace": "tour", "display_name": "Tour", "visibility": "public", "protected": True}

STEPS: Final = (
    glance("metadef-create-member", "POST", ROOT, SPACE),
    glance("metadef-create-empty", "POST", ROOT, {}, user="admin"),
    glance("metadef-create-list", "POST", ROOT, [], user="admin"),
    glance("metadef-create-visibility", "POST", ROOT, {**SPACE, "visibility": "shared"}, user="admin"),
    glance("metadef-create-unknown-key", "POST", ROOT, {**SPACE, "colour": "red"}, user="admin"),
    glance("metadef-create", "POST", ROOT, SPACE, user="admin"),
    glance("metadef-again", "POST", ROOT, SPACE, user="admin"),
    glance("metadef-list", "GET", ROOT),
    glance("metadef-list-bad-limit", "GET", f"{ROOT}?limit=x"),
    glance("metadef-list-bad-sort", "GET", f"{ROOT}?sort_key=nothing"),
    glance("metadef-list-bad-visibility", "GET", f"{ROOT}?visibility=nothing"),
    glance("metadef-list-bad-marker", "GET", f"{ROOT}?marker=nothing"),
    glance("metadef-show", "GET", ONE),
    glance("metadef-show-unknown", "GET", f"{ROOT}/nothing"),
    glance("metadef-update-member", "PUT", ONE, SPACE),
    glance("metadef-update", "PUT", ONE, {**SPACE, "description": "b", "protected": True}, user="admin"),
    glance("metadef-update-empty", "PUT", ONE, {}, user="admin"),
    glance("metadef-delete-protected", "DELETE", ONE, user="admin"),
    glance("metadef-unprotect", "PUT", ONE, {**SPACE, "protected": False}, user="admin"),
    *part(
        "property",
        "properties",
        {"name": "colour", "title": "Colour", "type": "string", "enum": ["red", "blue"]},
        {"name": "colour", "title": "Color", "type": "string"},
    ),
    *part(
        "object",
        "objects",
        {"name": "paint", "description": "a", "required": [], "properties": {"a": {"title": "A", "type": "integer"}}},
        {"name": "paint", "description": "b"},
    ),
    glance("metadef-tag-post", "POST", f"{ONE}/tags/first", user="admin"),
    glance("metadef-tag-post-again", "POST", f"{ONE}/tags/first", user="admin"),
    glance("metadef-tags", "POST", f"{ONE}/tags", {"tags": [{"name": "one"}, {"name": "two"}]}, user="admin"),
    glance("metadef-tags-member", "POST", f"{ONE}/tags", {"tags": [{"name": "one"}]}),
    glance("metadef-tags-empty", "POST", f"{ONE}/tags", {}, user="admin"),
    glance("metadef-tags-bad", "POST", f"{ONE}/tags", {"tags": ["one"]}, user="admin"),
    glance("metadef-tags-list", "GET", f"{ONE}/tags"),
    glance("metadef-tag-show", "GET", f"{ONE}/tags/one"),
    glance("metadef-tag-show-unknown", "GET", f"{ONE}/tags/nothing"),
    glance("metadef-tag-rename", "PUT", f"{ONE}/tags/one", {"name": "eins"}, user="admin"),
    glance("metadef-tag-rename-taken", "PUT", f"{ONE}/tags/eins", {"name": "two"}, user="admin"),
    glance("metadef-tag-delete", "DELETE", f"{ONE}/tags/two", user="admin"),
    glance("metadef-tag-delete-again", "DELETE", f"{ONE}/tags/two", user="admin"),
    glance("metadef-tags-delete", "DELETE", f"{ONE}/tags", user="admin"),
    glance("metadef-type-member", "POST", f"{ONE}/resource_types", {"name": "OS::Glance::Image"}),
    glance(
        "metadef-type", "POST", f"{ONE}/resource_types", {"name": "OS::Glance::Image", "prefix": "hw_"}, user="admin"
    ),
    glance("metadef-type-again", "POST", f"{ONE}/resource_types", {"name": "OS::Glance::Image"}, user="admin"),
    glance("metadef-type-empty", "POST", f"{ONE}/resource_types", {}, user="admin"),
    glance("metadef-types", "GET", f"{ONE}/resource_types"),
    glance("metadef-types-all", "GET", "/v2/metadefs/resource_types"),
    glance("metadef-show-type", "GET", f"{ONE}?resource_type=OS::Glance::Image"),
    glance("metadef-type-delete", "DELETE", f"{ONE}/resource_types/OS::Glance::Image", user="admin"),
    glance("metadef-type-delete-again", "DELETE", f"{ONE}/resource_types/OS::Glance::Image", user="admin"),
    glance("metadef-delete-member", "DELETE", ONE),
    glance("metadef-delete", "DELETE", ONE, user="admin"),
    glance("metadef-delete-again", "DELETE", ONE, user="admin"),
    glance("tasks-admin", "GET", "/v2/tasks?type=nothing", user="admin"),
    glance("task-create-empty", "POST", "/v2/tasks", {}, user="admin"),
    glance("task-create-type", "POST", "/v2/tasks", {"type": "nothing", "input": {}}, user="admin"),
    glance("task-create-input", "POST", "/v2/tasks", {"type": "import", "input": {}}, user="admin"),
    glance("task-unknown-admin", "GET", "/v2/tasks/nothing", user="admin"),
    glance("task-delete", "DELETE", "/v2/tasks/nothing", user="admin"),
)
