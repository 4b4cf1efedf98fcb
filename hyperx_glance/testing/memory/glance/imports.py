"""Imports of the in-memory Glance: tasks, threads, and the visible order of their effects."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hyperx_glance.testing.memory.glance.data import Data
from hyperx_glance.testing.memory.glance.downloads import ContentError, Download, Job
from hyperx_glance.testing.memory.glance.records import ImageRecord, visible
from hyperx_glance.testing.memory.glance.state import MIB
from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.keystone import REGION
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, json_reply, microseconds


class Imports(Data):
    """The part of Glance that handles imports, which advance when they are read."""

    def die(self) -> None:
        """Lose the running imports: images, tasks and locks stay as they are, and nothing continues."""
        self._orphans += [job for job in self._jobs.values() if job.thread is not None]
        self._jobs.clear()

    def forget(self) -> None:
        """Drop the pages of the images that were there, and the downloads for them."""
        self._orphans, self._pages, self._positions = [], None, {}

    def move_files(self, former: str, present: str) -> None:
        """Plan the downloads below a URL below another one, at which another server has them."""
        if not former or not present:
            return
        for url in [url for url in self.downloads if url.startswith(former)]:
            self.downloads[present + url.removeprefix(former)] = self.downloads.pop(url)
        for job in self._jobs.values():
            if job.url.startswith(former):
                job.url = present + job.url.removeprefix(former)

    def downloading(self) -> list[threading.Thread]:
        """Return the threads in which imports read from real servers at the moment."""
        threads = [job.thread for job in self._jobs.values()]
        return [thread for thread in threads if thread is not None and thread.is_alive()]

    def finish_imports(self) -> None:
        """Finish every import."""
        for image_id in list(self._jobs):
            job = self._jobs[image_id]
            if job.thread is not None:
                job.thread.join()
            while image_id in self._jobs and not (self.imports_stall or job.pending):
                self._advance(job.image)
            self._start_waiting()

    def _import(self, call: Call, image_id: str) -> Reply:
        body = call.json()
        method = self._import_method(body)
        self._enforce("image_size_total", call.who.project_id)
        image = self._found(call, image_id)
        self._importable(call, image, method)
        stores = self._import_stores(image, body, method)
        url = str(body["method"].get("uri") or "")
        if not body.get("all_stores_must_succeed", True) and not self.stores:
            raise Refused(400, f"All_stores_must_succeed can only be set with enabled_backends {url}")
        if method == "web-download" and not self._may_read(url):
            raise Refused(400, f"URI for web-download does not pass filtering: {url or None}")
        if method == "glance-download":
            _check_remote(body["method"])
        if stores:
            self._begin(call, image, body, stores)
        return Reply(202, b"", {"Content-Type": "text/html; charset=UTF-8"})

    def _import_method(self, body: Any) -> str:  # noqa: ANN401 - anything that the client sent
        if not isinstance(body, dict):
            raise Refused(500)
        if "method" not in body:
            raise Refused(400, "Import request requires a 'method' field.")
        if not isinstance(body["method"], dict):
            raise Refused(500)
        if "name" not in body["method"]:
            raise Refused(400, "Import request requires a 'name' field.")
        method = str(body["method"]["name"])
        if method not in self.import_methods:
            raise Refused(400, f"Unknown import method name '{method}'.")
        for key in ("all_stores_must_succeed", "all_stores"):
            if not isinstance(body.get(key, True), bool):
                raise Refused(400, f"'{key}' must be boolean value only")
        return method

    def _importable(self, call: Call, image: ImageRecord, method: str) -> None:
        if image.status == "active" and method != "copy-image":
            raise Refused(409, "Image with status active cannot be target for import")
        if image.status != "active" and method == "copy-image":
            raise Refused(409, "Only images with status active can be targeted for copying")
        if image.status != "queued" and method in ("web-download", "glance-download"):
            raise Refused(409, f"Image needs to be in 'queued' state to use '{method}' method")
        if image.status != "uploading" and method == "glance-direct":
            raise Refused(409, "Image needs to be staged before 'glance-direct' method can be used")
        for key in ("container_format", "disk_format"):
            if not getattr(image, key):
                raise Refused(409, f"'{key}' needs to be set before import")
        self._demand(call, "copy_image" if method == "copy-image" else "modify_image", image)
        if "os_glance_import_task" in image.properties:
            raise Refused(409, "Image has active task")

    def _import_stores(self, image: ImageRecord, body: Record, method: str) -> list[str]:
        if body.get("all_stores") and body.get("stores"):
            words = "All_stores parameter can't be used with x-image-meta-store header or stores parameter"
            raise Refused(400, words)
        asked = list(self.stores) if body.get("all_stores") else body.get("stores") or self._default_stores()
        for store in asked:
            if self.stores and store not in self.stores:
                raise Refused(409, f"Store for identifier {store} not found")
        if method != "copy-image":
            return list(asked) if self.stores else [""]
        present = [store for store in asked if store in image.stores]
        if present and not body.get("all_stores"):
            raise Refused(400, f"Image is already present at store '{present[0]}'")
        return [store for store in asked if store not in present]

    def _may_read(self, url: str) -> bool:
        if url in self.downloads:
            return dataclasses.replace(self.import_filter, allowed_hosts=()).passes(url, resolve=False)
        return self.import_filter.passes(url)

    def _new_task(self, call: Call, kind: str, asked: Record, image_id: str | None) -> Record:
        now = microseconds(self.now())
        task: Record = {
            "id": str(self.ids.uuid4()),
            "type": kind,
            "status": "pending",
            "owner": call.who.project_id,
            "expires_at": None,
            "created_at": now,
            "updated_at": now,
            "deleted_at": None,
            "deleted": False,
            "image_id": image_id,
            "request_id": call.request_id,
            "user_id": call.who.user_id,
            "input": asked,
            "result": None,
            "message": "",
        }
        self.tasks[task["id"]] = task
        return task

    def _begin(self, call: Call, image: ImageRecord, body: Record, stores: list[str]) -> None:
        asked = {"image_id": image.id, "import_req": body, "backend": [store or None for store in stores]}
        task = self._new_task(call, "api_image_import", asked, image.id)
        image.properties["os_glance_import_task"] = task["id"]
        self._changed()
        url = str(body["method"].get("uri") or "")
        is_copy = body["method"]["name"] == "copy-image"
        self._jobs[image.id] = Job(task, image, url, stores, body.get("all_stores_must_succeed", True), is_copy)
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Assign free threads to waiting imports, the oldest first."""
        self._orphans = [job for job in self._orphans if job.thread is not None and job.thread.is_alive()]
        free = self.task_threads - len(self._orphans) - sum(not job.pending for job in self._jobs.values())
        for job in [job for job in self._jobs.values() if job.pending][: max(free, 0)]:
            lengthless = "lengthless-imports" not in self.lacks
            job.start(self._planned(job), self.import_filter, self.ca_file, lengthless=lengthless)
            self._touch(job)
            if self.staging_broken:
                self._end(job, "failure", "Error: staging is not configured properly", drop_lock=False)

    def _planned(self, job: Job) -> Download | None:
        """Return the data that an import does not have to read from a URL."""
        if job.image.staged is not None:
            return job.image.staged
        method = job.task["input"]["import_req"]["method"]
        if method["name"] != "glance-download":
            return self.downloads.get(job.url)
        other = self.image(str(method["glance_image_id"]))
        reached = other is not None and (
            job.task["owner"] == other.owner or other.visibility in ("public", "community")
        )
        if other is None or not reached or method["glance_region"] != REGION or other.data is None:
            return 404
        # glance/async_/flows/glance_download.py copies formats, and the properties of the option extra_properties.
        job.image.disk_format, job.image.container_format = other.disk_format, other.container_format
        job.image.properties |= {key: value for key, value in other.properties.items() if key.startswith(_COPIED)}
        return other.data

    def _advance(self, image: ImageRecord) -> None:
        """Advance an import, because it was read; the visible order is Glance's (api_image_import.py)."""
        self._start_waiting()
        job = self._jobs.get(image.id)
        if job is None or job.pending or self.imports_stall:
            return
        job.reads += 1
        job.seen_elsewhere = False
        if job.stage == "locked":
            if job.reads == 1 and self.import_polls > 1:
                return
            if not self._enter(job):
                return
            job.stage = "importing"
        if job.stage == "importing":
            if job.reads < self.import_polls or not job.arrived():
                return
            if job.reads == self.import_polls:
                if self.import_polls > 2:  # the outcome shows a moment before the lock goes
                    self._settle(job)
                    job.stage = "settled"
                return
            self._settle(job)
        self._drop_lock(job)

    def _look_elsewhere(self, images: Iterable[ImageRecord]) -> None:
        """Advance imports even if only tasks or lists are read, from the second such request in a row.

        The first one shows the present state, so that reading an image and then its tasks is one look.
        """
        for image in images:
            job = self._jobs.get(image.id)
            if job is None:
                continue
            if job.seen_elsewhere:
                self._advance(image)
            job.seen_elsewhere = True

    def _enter(self, job: Job) -> bool:
        """Mark the image as importing; quotas that Glance checks only now may end the import here (assert_quota)."""
        image = job.image
        image.properties["os_glance_importing_to_stores"] = ",".join(filter(None, job.stores))
        image.properties["os_glance_failed_import"] = ""
        if not job.is_copy:  # get_flow sets only the status of images that are queued or uploading
            image.status = "importing"
        self._save(image)
        try:
            for resource in ("image_stage_total", "image_count_uploading"):
                self._enforce(resource, job.task["owner"])
        except Refused as refused:
            image.properties["os_glance_importing_to_stores"] = ""
            if not job.is_copy:
                image.status = "queued"
            self._end(job, "failure", refused.message)
            return False
        return True

    def _settle(self, job: Job) -> None:
        """Store the data, or undo everything."""
        image = job.image
        image.properties["os_glance_importing_to_stores"] = ""
        try:
            failed = self._store(job)
        except (OSError, ContentError, _StoreError) as error:
            self._fail(job, error)
            self._save(image)
            return
        else:
            image.properties["os_glance_failed_import"] = ",".join(failed)
            image.status = "active"
            size = (image.size or 0) // MIB
            self._finish_task(job, "success", f"Copied {size} MiB", {"image_id": image.id})
        if not job.is_copy:
            image.staged = None
        self._save(image)

    def _store(self, job: Job) -> list[str]:
        """Put the data into the stores; return those that failed if that is allowed."""
        image = job.image
        data = image.data or b"" if job.is_copy else job.data()
        failed = [store for store in job.stores if store in self.broken_stores]
        good = [store for store in job.stores if store not in failed]
        if not good or (failed and job.all_must_succeed):
            raise _StoreError(failed)
        if self.converter is not None and not job.is_copy:
            image.disk_format, data = self.converter(str(image.disk_format), data)
        if image.spoiled:
            raise ContentError("this record has failed before")
        self._fill(image, data, good)
        return failed

    def _fail(self, job: Job, error: Exception) -> None:
        image = job.image
        failed = job.stores
        if isinstance(error, ContentError):
            failed = job.stores[:1] if job.all_must_succeed else job.stores
            image.spoiled = True
        elif isinstance(error, _StoreError):
            failed = error.stores
        image.properties["os_glance_failed_import"] = ",".join(filter(None, failed))
        if image.staged is not None and not job.is_copy:
            # No task of that flow sets the status back, and the data stays in the staging area.
            place = min((job.stores.index(store) for store in failed), default=0)
            image.properties["os_glance_importing_to_stores"] = ",".join(filter(None, job.stores[place + 1 :]))
            image.size = None if place else image.size  # as the last location is taken back
        elif not job.is_copy:
            image.status, image.size, image.virtual_size = "queued", None, None
        self._finish_task(job, "failure", "Task failed due to Internal Error")

    def _end(self, job: Job, status: str, message: str, *, drop_lock: bool = True) -> None:
        self._finish_task(job, status, message)
        if drop_lock:
            self._drop_lock(job)
        else:
            self._jobs.pop(job.image.id, None)
        self._save(job.image)

    def _finish_task(self, job: Job, status: str, message: str, result: Record | None = None) -> None:
        self._end_task(job.task, status, message, result)

    def _end_task(self, task: Record, status: str, message: str, result: Record | None = None) -> None:
        task.update(status=status, message=message, result=result)
        task["expires_at"] = microseconds(self.now() + timedelta(hours=48))
        task["updated_at"] = microseconds(self.now())

    def _touch(self, job: Job) -> None:
        job.task["updated_at"] = microseconds(self.now())

    def _drop_lock(self, job: Job) -> None:
        job.image.properties.pop("os_glance_import_task", None)
        self._jobs.pop(job.image.id, None)
        self._save(job.image)
        self._start_waiting()

    def _list_tasks(self, call: Call, image_id: str) -> Reply:
        image = self.image(image_id)
        if image is None or not visible(call.who, image):
            raise Refused(404)
        self._look_elsewhere([image])
        tasks = [task for task in self.tasks.values() if task["image_id"] == image_id]
        if not call.who.is_administrator:
            tasks = [task for task in tasks if task["owner"] == call.who.project_id]
        return json_reply(200, {"tasks": tasks})


_COPIED = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")


def _check_remote(method: Record) -> None:
    """Refuse a download from another Glance that does not name the image."""
    for key in ("glance_region", "glance_image_id"):
        if key not in method:
            raise Refused(400, f"'{key}' needs to be set for glance-download import method")
    if not is_uuid(method["glance_image_id"]):
        raise Refused(400, f"Remote image id does not look like a UUID: {method['glance_image_id']}")


class _StoreError(Exception):
    """The stores that did not accept the data."""

    def __init__(self, stores: list[str]) -> None:
        super().__init__(stores)
        self.stores = stores
