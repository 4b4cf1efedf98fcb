"""The task service of the in-memory Glance, which is the administrators' (glance/api/v2/tasks.py).

A task of the type "import" makes an image from a URL. It runs when it is read, as imports do.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import urlencode

from hyperx_glance.testing.memory.glance import schemas
from hyperx_glance.testing.memory.glance.downloads import ContentError, Download, download
from hyperx_glance.testing.memory.glance.images import Images
from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply

_STATUSES: Final = ("pending", "processing", "success", "failure")
_BRIEF: Final = ("id", "type", "status", "owner", "created_at", "updated_at", "expires_at")
_WHOLE: Final = (*_BRIEF, "input", "message", "result", "image_id", "request_id", "user_id")
_TIMES: Final = ("created_at", "updated_at", "expires_at")
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "import": ("import_from", "import_from_format", "image_properties"),
    "api_image_import": ("image_id",),
    "location_import": ("image_id", "loc_url", "validation_data"),
}
_INTERNAL: Final = "Task failed due to Internal Error"
_OPTIONAL: Final = ("expires_at", "image_id", "request_id", "user_id")
"""Keys that are left out if they have no value."""


class Tasks(Images):
    """The part of Glance that handles tasks as such; those of imports are made by `Imports`."""

    def _list_all_tasks(self, call: Call) -> Reply:
        self._demand_tasks(call)
        column, descending = call.value("sort_key", "created_at"), self._direction(call)
        self._check_filters(call)
        limit = min(_limit(call.value("limit", str(self.default_page))), self.largest_page)
        self._look_elsewhere([job.image for job in self._jobs.values()])
        for task in list(self.tasks.values()):
            self._go_on_with(call, task)
        if column not in (*_BRIEF, "user_id", "request_id", "image_id", "deleted"):
            raise Refused(400, "Sort key supplied was not valid.")
        found = [task for task in self.tasks.values() if _matches(call, task)]
        found.sort(key=lambda task: (str(task[column]), task["created_at"], task["id"]), reverse=descending)
        marker = call.value("marker")
        if marker:
            ids = [task["id"] for task in found]
            if marker not in self.tasks:
                raise Refused(400, f"Task with the given id {marker} was not found")
            found = found[ids.index(marker) + 1 :] if marker in ids else found
        page = found[:limit]
        query = [(key, value) for key, value in call.query if key != "marker"]
        body: Record = {"tasks": [_view(task, _BRIEF) for task in page], "schema": "/v2/schemas/tasks"}
        body["first"] = "/v2/tasks" + (f"?{urlencode(query)}" if query else "")
        if page and len(page) == limit:
            body["next"] = f"/v2/tasks?{urlencode([*query, ('marker', page[-1]['id'])])}"
        return json_reply(200, body)

    def _direction(self, call: Call) -> bool:
        if call.value("sort_dir", "desc") not in ("asc", "desc"):
            raise Refused(400, f"Invalid sort direction: {call.value('sort_dir')}")
        return call.value("sort_dir", "desc") == "desc"

    def _check_filters(self, call: Call) -> None:
        if call.value("status") not in ("", *_STATUSES):
            raise Refused(400, f"Invalid status value: {call.value('status')}")
        if call.value("type") not in ("", "import"):
            raise Refused(400, f"Invalid type value: {call.value('type')}")
        if call.value("marker") and not is_uuid(call.value("marker")):
            raise Refused(400, "Invalid marker format")

    def _show_task(self, call: Call, task_id: str) -> Reply:
        self._demand_tasks(call)
        task = self.tasks.get(task_id)
        if task is None:
            raise Refused(404, f"Could not find task {task_id}")
        image = self.image(task["image_id"] or "")
        if image is not None:
            self._look_elsewhere([image])
        self._go_on_with(call, task)
        return json_reply(200, _view(task, _WHOLE))

    def _delete_task(self, call: Call, task_id: str) -> Reply:
        del task_id
        self._demand_tasks(call)
        words = (
            "This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time"
        )
        raise Refused(405, f"{words} based on their expires_at property.")

    def _create_task(self, call: Call) -> Reply:
        self._demand_tasks(call)
        body = call.json()
        for key in ("type", "input"):
            if key not in body:
                raise Refused(400, f"Task '{key}' is required")
        schemas.check("task", {**(schemas.document("task") or {}), "additionalProperties": False}, body)
        asked = body["input"] or {}
        if body["type"] == "import":
            self._check_source(asked.get("import_from"))
        task = self._new_task(call, body["type"], asked, asked.get("image_id"))
        return json_reply(201, _view(task, _WHOLE), Location=f"/v2/tasks/{task['id']}")

    def _check_source(self, url: object) -> None:
        """Refuse a URL from which no task imports (glance/common/scripts/utils.py)."""
        if not url:
            raise Refused(400, f"Invalid location: {url}")
        if str(url).startswith(("file:///", "filesystem:///")):
            raise Refused(400, "File based imports are not allowed. Please use a non-local source of image data.")
        if not str(url).startswith(("http://", "https://")):
            words = "The given uri is not valid. Please specify a valid uri from the following list of supported uri"
            raise Refused(400, f"{words} ['http']")
        if not self._may_read(str(url)):
            raise Refused(400, f"URI for legacy import task does not pass filtering: {url}")

    # ------------------------------------------------------------- the work

    def _go_on_with(self, call: Call, task: Record) -> None:
        """Advance a task that somebody has created, because it was read; tasks of imports advance with their images."""
        asked = task["input"]
        if "import_req" in asked or task["status"] not in ("pending", "processing") or self.imports_stall:
            return
        if task["status"] == "pending":
            task["status"] = "processing"
            return
        missing = next((key for key in _NEEDED[task["type"]] if key not in asked), "")
        if missing:
            self._end_task(task, "failure", f"Input does not contain '{missing}' field")
        elif task["type"] != "import":
            self._end_task(task, "failure", _INTERNAL)
        else:
            self._make_image(call, task, asked)

    def _make_image(self, call: Call, task: Record, asked: Record) -> None:
        properties = dict(asked["image_properties"] or {"disk_format": "qcow2", "container_format": "bare"})
        try:
            image = self.make(call.who, {"owner": task["owner"], **properties})
            data = self._content(call, asked["import_from"])
            self._fill(image, data, self._default_stores())
        except (OSError, ValueError, HTTPException, ContentError, Refused):
            self._end_task(task, "failure", _INTERNAL)
            return
        image.status = "active"
        self._save(image)
        self._end_task(task, "success", "", {"image_id": image.id})

    def _content(self, call: Call, url: str) -> bytes:
        """Read the data of a URL: what was planned, or else what a server on loopback has."""
        planned: Download | None = self.downloads.get(url)
        match planned:
            case None:
                with call.pause():
                    return download(url, self.import_filter, self.ca_file, lengthless=True)
            case bytes():
                return planned
            case int():
                raise urllib.error.URLError(f"HTTP status {planned}")
            case Exception():
                raise urllib.error.URLError(planned)
            case _:
                return planned()

    def _demand_tasks(self, call: Call) -> None:
        if not call.who.is_administrator:
            raise Refused(403, "You are not authorized to complete tasks_api_access action.")


def _view(task: Record, keys: tuple[str, ...]) -> Record:
    """Show a task; its times have no fractions here, and a zone."""
    shown = {key: task[key] for key in keys if task[key] is not None or key not in _OPTIONAL}
    for key in _TIMES:
        if key in shown:
            shown[key] = f"{shown[key].partition('.')[0]}Z"
    return {**shown, "schema": "/v2/schemas/task", "self": f"/v2/tasks/{task['id']}"}


def _matches(call: Call, task: Record) -> bool:
    return all(str(task[key]) == value for key, value in call.query if key in ("status", "type", "owner", "id"))


def _limit(text: str) -> int:
    try:
        limit = int(text)
    except ValueError:
        raise Refused(400, "limit param must be an integer") from None
    if limit < 0:
        raise Refused(400, "limit param must be positive")
    return limit
