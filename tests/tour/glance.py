"""What the tour asks of Glance."""

from __future__ import annotations

from typing import Final

from tests.tour.player import Step

RAW: Final = {"disk_format": "raw", "container_format": "bare"}
V20: Final = {"Content-Type": "application/openstack-images-v2.0-json-patch"}
V21: Final = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
OCTETS: Final = {"Content-Type": "application/octet-stream"}
DATA: Final = b"0123456789" * 100


def glance(name: str, method: str, path: str, body: object = None, **more: object) -> Step:
    return Step(f"glance/{name}", "image", method, path, body, **more)  # type: ignore[arg-type]  # as given


SCHEMAS: Final = (
    "image",
    "images",
    "member",
    "members",
    "task",
    "tasks",
    "metadefs/namespace",
    "metadefs/namespaces",
    "metadefs/resource_type",
    "metadefs/resource_types",
    "metadefs/property",
    "metadefs/properties",
    "metadefs/object",
    "metadefs/objects",
    "metadefs/tag",
    "metadefs/tags",
)

STEPS: Final = (
    *(glance(f"schema-{name.replace('/', '-')}", "GET", f"/v2/schemas/{name}") for name in SCHEMAS),
    glance("schema-unknown", "GET", "/v2/schemas/nothing"),
    glance("stores", "GET", "/v2/info/stores"),
    glance("stores-detail-member", "GET", "/v2/info/stores/detail"),
    glance("import-info", "GET", "/v2/info/import"),
    # ------------------------------------------------------------- one image, from its record to its end
    glance(
        "create", "POST", "/v2/images", {**RAW, "name": "tour", "tags": ["one"], "foo": "bar"}, keep={"image": "id"}
    ),
    glance("create-list", "POST", "/v2/images", []),
    glance("create-text", "POST", "/v2/images", "name"),
    glance("create-number", "POST", "/v2/images", {"name": 5}),
    glance("create-bad-format", "POST", "/v2/images", {"disk_format": "floppy"}),
    glance("create-bad-tags", "POST", "/v2/images", {"tags": "one"}),
    glance("create-read-only", "POST", "/v2/images", {"status": "active"}),
    glance("create-reader", "POST", "/v2/images", RAW, user="rita"),
    glance("create-no-json", "POST", "/v2/images", data=b"{", headers={"Content-Type": "application/json"}),
    glance("show", "GET", "/v2/images/{image}"),
    glance("show-unknown", "GET", "/v2/images/nothing"),
    glance("show-foreign", "GET", "/v2/images/{image}", user="bob"),
    glance("patch-20-add", "PATCH", "/v2/images/{image}", [{"add": "/colour", "value": "red"}], headers=V20),
    glance("patch-20-add-again", "PATCH", "/v2/images/{image}", [{"add": "/colour", "value": "blue"}], headers=V20),
    glance("patch-20-replace", "PATCH", "/v2/images/{image}", [{"replace": "/colour", "value": "blue"}], headers=V20),
    glance("patch-20-remove", "PATCH", "/v2/images/{image}", [{"remove": "/colour"}], headers=V20),
    glance("patch-20-base", "PATCH", "/v2/images/{image}", [{"replace": "/name", "value": "tour 2"}], headers=V20),
    glance("patch-20-two", "PATCH", "/v2/images/{image}", [{"add": "/a", "remove": "/b", "value": "c"}], headers=V20),
    glance("patch-20-none", "PATCH", "/v2/images/{image}", [{"value": "c"}], headers=V20),
    glance("patch-20-op", "PATCH", "/v2/images/{image}", [{"op": "add", "path": "/a", "value": "c"}], headers=V20),
    glance("patch-20-no-value", "PATCH", "/v2/images/{image}", [{"add": "/a"}], headers=V20),
    glance("patch-20-deep", "PATCH", "/v2/images/{image}", [{"add": "/a/b", "value": "c"}], headers=V20),
    glance("patch-20-missing", "PATCH", "/v2/images/{image}", [{"remove": "/nothing"}], headers=V20),
    glance("patch-21", "PATCH", "/v2/images/{image}", [{"op": "add", "path": "/a", "value": "b"}], headers=V21),
    glance("patch-21-object", "PATCH", "/v2/images/{image}", {"op": "add"}, headers=V21),
    glance("patch-21-number", "PATCH", "/v2/images/{image}", [{"op": "add", "path": "/a", "value": 5}], headers=V21),
    glance("patch-21-two-steps", "PATCH", "/v2/images/{image}", [5], headers=V21),
    glance("patch-plain-json", "PATCH", "/v2/images/{image}", [], headers={"Content-Type": "application/json"}),
    glance("tag-add", "PUT", "/v2/images/{image}/tags/two"),
    glance("tag-remove", "DELETE", "/v2/images/{image}/tags/two"),
    glance("tag-remove-missing", "DELETE", "/v2/images/{image}/tags/two"),
    # ------------------------------------------------------------- data
    glance("download-queued", "GET", "/v2/images/{image}/file"),
    glance("stage-wrong-type", "PUT", "/v2/images/{image}/stage", data=DATA, headers={"Content-Type": "text/plain"}),
    glance("stage-foreign", "PUT", "/v2/images/{image}/stage", data=DATA, headers=OCTETS, user="bob"),
    glance("import-not-staged", "POST", "/v2/images/{image}/import", {"method": {"name": "glance-direct"}}),
    glance("stage", "PUT", "/v2/images/{image}/stage", data=DATA, headers=OCTETS),
    glance("stage-again", "PUT", "/v2/images/{image}/stage", data=DATA, headers=OCTETS),
    glance("show-staged", "GET", "/v2/images/{image}"),
    glance("upload-staged", "PUT", "/v2/images/{image}/file", data=DATA, headers=OCTETS),
    glance("import-no-method", "POST", "/v2/images/{image}/import", {}),
    glance("import-method-text", "POST", "/v2/images/{image}/import", {"method": "glance-direct"}),
    glance("import-unknown", "POST", "/v2/images/{image}/import", {"method": {"name": "nothing"}}),
    glance(
        "import-both-stores",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "glance-direct"}, "stores": ["fast"], "all_stores": True},
    ),
    glance(
        "import-bad-flag",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "glance-direct"}, "all_stores": "yes"},
    ),
    glance(
        "import-bad-store",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "glance-direct"}, "stores": ["nothing"]},
    ),
    glance("import-direct", "POST", "/v2/images/{image}/import", {"method": {"name": "glance-direct"}}),
    glance("tasks-success", "GET", "/v2/images/{image}/tasks", again='"success"'),
    glance("show-active", "GET", "/v2/images/{image}", again='"status": "active"', gone="os_glance_import_task"),
    glance("import-active", "POST", "/v2/images/{image}/import", {"method": {"name": "glance-direct"}}),
    glance("download", "GET", "/v2/images/{image}/file"),
    glance("download-range", "GET", "/v2/images/{image}/file", headers={"Range": "bytes=10-19"}),
    glance("download-range-open", "GET", "/v2/images/{image}/file", headers={"Range": "bytes=990-"}),
    glance("download-range-last", "GET", "/v2/images/{image}/file", headers={"Range": "bytes=-5"}),
    glance("download-range-behind", "GET", "/v2/images/{image}/file", headers={"Range": "bytes=2000-3000"}),
    glance("download-range-bad", "GET", "/v2/images/{image}/file", headers={"Range": "lines=1-2"}),
    glance("download-range-old", "GET", "/v2/images/{image}/file", headers={"Content-Range": "bytes 10-19/1000"}),
    glance("upload-active", "PUT", "/v2/images/{image}/file", data=DATA, headers=OCTETS),
    glance("copy-member", "POST", "/v2/images/{image}/import", {"method": {"name": "copy-image"}, "stores": ["slow"]}),
    glance(
        "copy-present",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "copy-image"}, "stores": ["fast"]},
        user="admin",
    ),
    glance(
        "copy",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "copy-image"}, "stores": ["slow"]},
        user="admin",
    ),
    glance("show-copied", "GET", "/v2/images/{image}", again='"fast,slow"', gone="os_glance_import_task"),
    glance("tasks-copied", "GET", "/v2/images/{image}/tasks", user="admin"),
    glance(
        "copy-all-again",
        "POST",
        "/v2/images/{image}/import",
        {"method": {"name": "copy-image"}, "all_stores": True},
        user="admin",
    ),
    glance("store-delete-member", "DELETE", "/v2/stores/slow/{image}"),
    glance("store-delete", "DELETE", "/v2/stores/slow/{image}", user="admin"),
    glance("store-delete-last", "DELETE", "/v2/stores/fast/{image}", user="admin"),
    glance("store-delete-unknown", "DELETE", "/v2/stores/nothing/{image}", user="admin"),
    glance("deactivate", "POST", "/v2/images/{image}/actions/deactivate"),
    glance("download-deactivated", "GET", "/v2/images/{image}/file"),
    glance("reactivate", "POST", "/v2/images/{image}/actions/reactivate"),
    # ------------------------------------------------------------- locations and the cache
    glance("locations", "GET", "/v2/images/{image}/locations"),
    glance("locations-admin", "GET", "/v2/images/{image}/locations", user="admin"),
    glance("locations-unknown", "GET", "/v2/images/nothing/locations", user="admin"),
    glance(
        "patch-locations",
        "PATCH",
        "/v2/images/{image}",
        [{"op": "replace", "path": "/locations", "value": []}],
        headers=V21,
    ),
    glance("cache-member", "GET", "/v2/cache"),
    glance("cache", "GET", "/v2/cache", user="admin"),
    glance("cache-remove-member", "DELETE", "/v2/cache/{image}"),
    glance("cache-remove", "DELETE", "/v2/cache/{image}", user="admin"),
    glance("cache-remove-again", "DELETE", "/v2/cache/{image}", user="admin"),
    glance("cache-clear", "DELETE", "/v2/cache", user="admin"),
    glance("cache-clear-target", "DELETE", "/v2/cache", user="admin", headers={"x-image-cache-clear-target": "x"}),
    glance("cache-queue-unknown", "PUT", "/v2/cache/nothing", user="admin"),
    glance("cache-queue-member", "PUT", "/v2/cache/{image}"),
    # ------------------------------------------------------------- members
    glance("members", "GET", "/v2/images/{image}/members"),
    glance("member-add", "POST", "/v2/images/{image}/members", {"member": "0" * 32}),
    glance("member-add-again", "POST", "/v2/images/{image}/members", {"member": "0" * 32}),
    glance("member-add-nobody", "POST", "/v2/images/{image}/members", {}),
    glance("member-add-list", "POST", "/v2/images/{image}/members", []),
    glance("member-status", "PUT", f"/v2/images/{{image}}/members/{'0' * 32}", {"status": "accepted"}, user="admin"),
    glance("member-status-bad", "PUT", f"/v2/images/{{image}}/members/{'0' * 32}", {"status": "x"}, user="admin"),
    glance("member-status-none", "PUT", f"/v2/images/{{image}}/members/{'0' * 32}", {}, user="admin"),
    glance("member-remove", "DELETE", f"/v2/images/{{image}}/members/{'0' * 32}"),
    # ------------------------------------------------------------- the task service
    glance("tasks-member", "GET", "/v2/tasks"),
    glance("task-create-member", "POST", "/v2/tasks", {"type": "import", "input": {}}),
    glance("task-unknown", "GET", "/v2/tasks/nothing"),
    glance("delete", "DELETE", "/v2/images/{image}"),
    glance("delete-again", "DELETE", "/v2/images/{image}"),
    # ------------------------------------------------------------- an import into all stores
    glance("create-second", "POST", "/v2/images", {**RAW, "name": "second"}, keep={"second": "id"}),
    glance("stage-second", "PUT", "/v2/images/{second}/stage", data=DATA, headers=OCTETS),
    glance(
        "import-all-stores",
        "POST",
        "/v2/images/{second}/import",
        {"method": {"name": "glance-direct"}, "all_stores": True},
    ),
    glance("show-all-stores", "GET", "/v2/images/{second}", again='"status": "active"', gone="os_glance_import_task"),
    glance("delete-second", "DELETE", "/v2/images/{second}"),
    # ------------------------------------------------------------- listings
    glance("list-empty", "GET", "/v2/images?name=nothing"),
    glance("list-bad-limit", "GET", "/v2/images?limit=x"),
    glance("list-negative", "GET", "/v2/images?limit=-1"),
    glance("list-bad-sort", "GET", "/v2/images?sort=nothing"),
    glance("list-bad-visibility", "GET", "/v2/images?visibility=nothing"),
    glance("list-bad-status", "GET", "/v2/images?member_status=nothing"),
    glance("list-bad-marker", "GET", "/v2/images?marker=nothing"),
    glance("list-bad-time", "GET", "/v2/images?created_at=gt:yesterday"),
    glance("list-bad-range", "GET", "/v2/images?size_min=x"),
)
