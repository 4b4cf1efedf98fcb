"""What the tour asks of Glance's task service, which is the administrators'."""

from __future__ import annotations

from typing import Any, Final

from tests.tour.glance import glance
from tests.tour.player import Step

TASKS: Final = "/v2/tasks"
CLOSED: Final = "http://127.0.0.1:1/x"
RECORD: Final = {"disk_format": "raw", "container_format": "bare"}


def task(name: str, method: str, path: str = TASKS, body: object = None, **more: Any) -> Step:  # noqa: ANN401 - as given
    return glance(f"task-{name}", method, path, body, **{"user": "admin", **more})


def made(**given: object) -> dict[str, object]:
    return {"type": "import", "input": given}


STEPS: Final = (
    task("made-list", "POST", body=[]),
    task("made-unknown-key", "POST", body={**made(), "colour": "red"}),
    task("made-input-text", "POST", body={"type": "import", "input": "x"}),
    task("made-input-null", "POST", body={"type": "import", "input": None}),
    task("made-file", "POST", body=made(import_from="file:///etc/passwd")),
    task("made-ftp", "POST", body=made(import_from="ftp://files.invalid/x")),
    task("made-no-host", "POST", body=made(import_from="http://")),
    task("made-not-url", "POST", body=made(import_from="x")),
    task("made-filtered", "POST", body=made(import_from="http://127.0.0.1:22/x")),
    task("made-no-format", "POST", body=made(import_from=CLOSED), keep={"task": "id"}),
    task("made-no-format-done", "GET", f"{TASKS}/{{task}}", again='"failure"'),
    task("made-copy", "POST", body={"type": "api_image_import", "input": {}}, keep={"copy": "id"}),
    task(
        "made-properties",
        "POST",
        body=made(import_from=CLOSED, import_from_format="raw", image_properties={"name": "made", **RECORD}),
        keep={"made": "id"},
    ),
    task("made-properties-done", "GET", f"{TASKS}/{{made}}", again='"failure"'),
    task("show-member", "GET", f"{TASKS}/{{task}}", user="alice"),
    task("delete-member", "DELETE", f"{TASKS}/{{task}}", user="alice"),
    task("list-page", "GET", f"{TASKS}?limit=1"),
    task("list-filtered", "GET", f"{TASKS}?type=import&status=failure&limit=2"),
    task("list-sorted", "GET", f"{TASKS}?sort_key=created_at&sort_dir=asc&status=failure&limit=1"),
    task("list-behind", "GET", f"{TASKS}?marker={{task}}&limit=1&sort_dir=asc"),
    task("list-none", "GET", f"{TASKS}?limit=0"),
    task("list-bad-limit", "GET", f"{TASKS}?limit=x"),
    task("list-negative-limit", "GET", f"{TASKS}?limit=-1"),
    task("list-bad-marker", "GET", f"{TASKS}?marker=x"),
    task("list-unknown-marker", "GET", f"{TASKS}?marker=00000000-0000-0000-0000-000000000000"),
    task("list-bad-direction", "GET", f"{TASKS}?sort_dir=x"),
    task("list-bad-key", "GET", f"{TASKS}?sort_key=x"),
    task("list-bad-status", "GET", f"{TASKS}?status=x"),
    task("list-bad-type", "GET", f"{TASKS}?type=api_image_import"),
    task("list-owner", "GET", f"{TASKS}?owner=x"),
)
