"""Details of data and imports of the in-memory Glance."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import InMemoryCloud
from tests.unit.memory.asking import URL, image, new_image, shown, start_import, upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.file_server import FileServer


def test_uploaded_data_is_hashed_and_kept(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)

    assert upload(cloud, image_id, iter([b"some ", b"data"])) == 204

    record = shown(cloud, image_id)
    assert (record["status"], record["size"], record["stores"]) == ("active", 9, "fast")
    assert record["checksum"] == hashlib.md5(b"some data").hexdigest()
    assert record["os_hash_value"] == hashlib.sha512(b"some data").hexdigest()
    assert image(cloud, "alice", "GET", f"/images/{image_id}/file").content == b"some data"
    assert upload(cloud, image_id, b"again") == 409


def test_data_of_another_format_spoils_the_record(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud, disk_format="qcow2")

    assert upload(cloud, image_id, b"no qcow2") == 415
    assert shown(cloud, image_id)["status"] == "queued"
    assert upload(cloud, image_id, b"whatever") == 500


def test_an_upload_is_seen_while_it_runs_and_taken_back_when_it_breaks(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)
    seen = []

    def chunks() -> Iterator[bytes]:
        yield b"some "
        seen.append(shown(cloud, image_id)["status"])
        raise OSError("the source went away")

    with pytest.raises(OSError, match="the source went away"):
        upload(cloud, image_id, chunks())

    assert seen == ["saving"]
    assert shown(cloud, image_id)["status"] == "queued"


def test_a_size_is_checked_before_an_upload_but_not_within(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_size_total", "dept-a", 1)
    data = b"x" * (2 << 20)

    assert upload(cloud, new_image(cloud), data) == 413
    assert upload(cloud, new_image(cloud), iter([data])) == 204  # without an announced length
    assert upload(cloud, new_image(cloud), b"x") == 413


def states(cloud: InMemoryCloud, image_id: str, looks: int) -> list[tuple[str, bool, str]]:
    found = []
    for _ in range(looks):
        record = shown(cloud, image_id)
        task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][-1]
        found.append((record["status"], "os_glance_import_task" in record, task["status"]))
    return found


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        (0, [("active", False, "success")]),
        (1, [("importing", True, "processing"), ("active", False, "success")]),
        (
            3,
            [
                ("queued", True, "processing"),
                ("importing", True, "processing"),
                ("active", True, "success"),
                ("active", False, "success"),
            ],
        ),
    ],
)
def test_an_import_goes_on_with_each_look(
    cloud: InMemoryCloud, polls: int, expected: list[tuple[str, bool, str]]
) -> None:
    cloud.glance.import_polls = polls
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)

    assert start_import(cloud, image_id) == 202
    assert states(cloud, image_id, len(expected)) == expected
    assert shown(cloud, image_id)["size"] == 4


@pytest.mark.parametrize("outcome", [404, OSError("no route"), b"no qcow2"])
def test_all_failures_look_the_same(cloud: InMemoryCloud, outcome: bytes | int | Exception) -> None:
    cloud.glance.import_polls = 3
    cloud.glance.downloads[URL] = outcome
    image_id = new_image(cloud, disk_format="qcow2")

    start_import(cloud, image_id)

    assert states(cloud, image_id, 4)[2:] == [("queued", True, "failure"), ("queued", False, "failure")]
    assert shown(cloud, image_id)["os_glance_failed_import"] == "fast"
    task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][0]
    assert task["message"] == "Task failed due to Internal Error"
    assert task["input"]["import_req"]["method"]["uri"] == URL


def test_a_single_store_does_not_say_what_failed(cloud: InMemoryCloud) -> None:
    cloud.glance.stores = []
    cloud.glance.downloads[URL] = 404
    image_id = new_image(cloud)
    start_import(cloud, image_id)
    cloud.glance.finish_imports()

    assert shown(cloud, image_id)["os_glance_failed_import"] == ""
    assert start_import(cloud, image_id, all_stores_must_succeed=False) == 400


def test_a_missing_file_may_come_later_but_wrong_content_stays_wrong(cloud: InMemoryCloud) -> None:
    missing, wrong = new_image(cloud), new_image(cloud, disk_format="qcow2")
    for image_id, outcome in ((missing, 404), (wrong, b"no qcow2")):
        cloud.glance.downloads[URL] = outcome
        start_import(cloud, image_id)
        cloud.glance.finish_imports()
    cloud.glance.downloads[URL] = b"data"
    cloud.glance.images[wrong].disk_format = "raw"
    for image_id in (missing, wrong):
        start_import(cloud, image_id)
    cloud.glance.finish_imports()

    assert shown(cloud, missing)["status"] == "active"
    assert shown(cloud, wrong)["status"] == "queued"


def test_refused_imports(cloud: InMemoryCloud) -> None:
    image_id = new_image(cloud)
    body = {"method": {"name": "web-download", "uri": URL}}
    path = f"/images/{image_id}/import"

    assert image(cloud, "alice", "POST", path, {}).status_code == 400
    assert image(cloud, "alice", "POST", path, {"method": {"name": "zip"}}).status_code == 400
    assert start_import(cloud, image_id, "http://files.example.org:22/x") == 400
    assert start_import(cloud, image_id, "ftp://files.example.org/x") == 400
    assert image(cloud, "alice", "POST", path, {**body, "stores": ["zip"]}).status_code == 409
    assert start_import(cloud, image_id, user="bob") == 404
    assert start_import(cloud, image_id, user="rita") == 403
    assert start_import(cloud, new_image(cloud, disk_format=None)) == 409
    cloud.glance.downloads[URL] = b"data"
    assert start_import(cloud, image_id) == 202
    assert start_import(cloud, image_id) == 409  # the lock
    cloud.glance.finish_imports()
    assert start_import(cloud, image_id) == 409  # active
    cloud.glance.import_methods.remove("web-download")
    assert start_import(cloud, new_image(cloud)) == 400


def test_ports_count_only_where_the_url_names_one(cloud: InMemoryCloud) -> None:
    cloud.glance.import_filter.allowed_ports = [80, 443]
    for url in (URL, "http://files.example.org:8080/x"):
        cloud.glance.downloads[url] = b"data"

    assert start_import(cloud, new_image(cloud), "http://files.example.org:8080/x") == 400
    assert start_import(cloud, new_image(cloud), URL) == 202


def test_quotas_that_glance_checks_in_the_task(cloud: InMemoryCloud) -> None:
    cloud.keystone.set_limit(cloud.glance, "image_count_uploading", "dept-a", 0)
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)

    assert start_import(cloud, image_id) == 202
    record = shown(cloud, image_id)
    task = image(cloud, "alice", "GET", f"/images/{image_id}/tasks").json()["tasks"][0]

    assert (record["status"], record["os_glance_failed_import"]) == ("queued", "")
    assert "os_glance_import_task" not in record
    assert "image_count_uploading is over limit of 0 due to current usage 1 and delta 0" in task["message"]


def test_imports_without_a_free_thread_are_pending(cloud: InMemoryCloud) -> None:
    cloud.glance.task_threads = 1
    cloud.glance.downloads[URL] = b"data"
    first, second = new_image(cloud), new_image(cloud)
    start_import(cloud, first)
    start_import(cloud, second)

    assert states(cloud, second, 3) == [("queued", True, "pending")] * 3
    cloud.glance.finish_imports()
    assert shown(cloud, second)["status"] == "active"


def test_deleting_during_an_import_brings_nothing_back(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)
    start_import(cloud, image_id)

    assert image(cloud, "alice", "DELETE", f"/images/{image_id}").status_code == 204
    cloud.glance.finish_imports()
    assert image(cloud, "alice", "GET", f"/images/{image_id}").status_code == 404


def test_a_dead_worker_leaves_the_image_importing(cloud: InMemoryCloud) -> None:
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud)
    start_import(cloud, image_id)
    assert shown(cloud, image_id)["status"] == "importing"
    cloud.glance.imports_stall = True

    assert states(cloud, image_id, 3) == [("importing", True, "processing")] * 3
    assert start_import(cloud, image_id) == 409


def test_an_import_that_cannot_begin_keeps_its_lock(cloud: InMemoryCloud) -> None:
    cloud.glance.staging_broken = True
    image_id = new_image(cloud)
    cloud.glance.downloads[URL] = b"data"
    start_import(cloud, image_id)

    assert states(cloud, image_id, 2) == [("queued", True, "failure")] * 2


def test_stores_that_fail(cloud: InMemoryCloud) -> None:
    cloud.glance.broken_stores = {"slow"}
    cloud.glance.downloads[URL] = b"data"
    strict, lenient = new_image(cloud), new_image(cloud)
    start_import(cloud, strict, all_stores=True)
    start_import(cloud, lenient, all_stores=True, all_stores_must_succeed=False)
    cloud.glance.finish_imports()

    assert (shown(cloud, strict)["status"], shown(cloud, strict)["os_glance_failed_import"]) == ("queued", "slow")
    assert (shown(cloud, lenient)["status"], shown(cloud, lenient)["stores"]) == ("active", "fast")
    assert shown(cloud, lenient)["os_glance_failed_import"] == "slow"


def test_an_import_plug_in_may_convert(cloud: InMemoryCloud) -> None:
    cloud.glance.converter = lambda _, data: ("raw", data * 2)
    cloud.glance.downloads[URL] = b"data"
    image_id = new_image(cloud, disk_format="qcow2")
    start_import(cloud, image_id)
    cloud.glance.finish_imports()

    record = shown(cloud, image_id)
    assert (record["status"], record["disk_format"], record["size"]) == ("active", "raw", 8)


def test_urls_that_no_test_planned_are_really_read(cloud: InMemoryCloud, file_server: FileServer) -> None:
    good, missing = new_image(cloud), new_image(cloud)
    start_import(cloud, good, file_server.serve("/a.raw", b"real data"))
    start_import(cloud, missing, file_server.url("/nosuch"))
    cloud.glance.finish_imports()

    assert (shown(cloud, good)["status"], shown(cloud, good)["size"]) == ("active", 9)
    assert shown(cloud, missing)["status"] == "queued"


def test_metadefs_are_written_by_administrators(cloud: InMemoryCloud) -> None:
    namespace = {"namespace": "OS::Test", "visibility": "public", "properties": {"p": {"title": "P", "type": "string"}}}
    path = "/metadefs/namespaces"

    assert image(cloud, "alice", "POST", path, namespace).status_code == 403
    assert image(cloud, "admin", "POST", path, namespace).status_code == 201
    assert image(cloud, "admin", "POST", path, namespace).status_code == 409
    assert image(cloud, "alice", "GET", f"{path}/OS::Test").json()["properties"]["p"]["title"] == "P"
    assert image(cloud, "admin", "DELETE", f"{path}/OS::Test").status_code == 204
    assert image(cloud, "alice", "GET", f"{path}/OS::Test").status_code == 404
