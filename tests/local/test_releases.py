"""The capabilities of this cloud's release, seen without this library; ``--hyperx-python`` chooses another release."""

from __future__ import annotations

import contextlib
import http.server
import threading
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import NotAllowedError, Usage
from hyperx_glance.testing.capabilities import lacking
from tests import samples
from tests.support.clouds import REGION, ClientFactory, system_session
from tests.support.records import IMAGE, make_image
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

IDENTITY = {"service_type": "identity"}


@pytest.fixture
def limit_of_dept_b(local_cloud: LocalCloud, client: ClientFactory) -> Iterator[str]:
    """Set a limit of dept-b; yield the department's id."""
    session, project_id = local_cloud.session("admin"), client("bob").project_id
    registered = session.get("/registered_limits?resource_name=image_count_total", endpoint_filter=IDENTITY).json()
    (limit,) = [each for each in registered["registered_limits"] if each["region_id"] == REGION]
    record = {key: limit[key] for key in ("service_id", "region_id", "resource_name")}
    body = {"limits": [{**record, "project_id": project_id, "resource_limit": 50}]}
    session.post("/limits", json=body, endpoint_filter=IDENTITY)
    yield project_id
    found = system_session(local_cloud).get(f"/limits?project_id={project_id}", endpoint_filter=IDENTITY).json()
    for each in found["limits"]:
        session.delete(f"/limits/{each['id']}", endpoint_filter=IDENTITY)


@pytest.mark.needs("limits-shown")
def test_keystone_shows_an_administrator_the_limits_of_others(local_cloud: LocalCloud, limit_of_dept_b: str) -> None:
    path = f"/limits?project_id={limit_of_dept_b}"

    assert len(local_cloud.session("admin").get(path, endpoint_filter=IDENTITY).json()["limits"]) == 1


@pytest.mark.usefixtures("limit_of_dept_b")
def test_the_library_knows_the_limits_of_others(client: ClientFactory) -> None:
    admin = client("admin")
    images = admin.quota("dept-b").images
    assert images is not None
    assert images.limit == 50
    assert admin.set_quota("dept-b", images=7).images == Usage(used=images.used, limit=7)
    assert client("bob").quota().images == Usage(used=images.used, limit=7)


@pytest.mark.usefixtures("limit_of_dept_b")
def test_limits_are_not_changed_without_a_system_scoped_token(local_cloud: LocalCloud, client: ClientFactory) -> None:
    with local_cloud.configured("keystone", {"token": {"allow_rescope_scoped_token": False}}):
        admin = client("admin")
        if "limits-shown" not in lacking(local_cloud.release):
            assert admin.quota("dept-b").images is not None
            return
        assert admin.quota("dept-b").images is None
        with pytest.raises(NotAllowedError, match="does not show you"):
            admin.set_quota("dept-b", images=5)
        finding = {each.check: each for each in admin.doctor()}["department-limits"]
        assert finding.level == "warning"
    assert client("bob").quota().images is not None


def uploaded(local_cloud: LocalCloud, image_id: str, data: bytes) -> Any:  # noqa: ANN401 - an answer of requests
    return local_cloud.session("alice").put(
        f"/v2/images/{image_id}/file",
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        endpoint_filter=IMAGE,
        raise_exc=False,
    )


@pytest.mark.needs("formats-checked")
def test_glance_looks_at_data(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = make_image(client.cloud, "alice", sample=None, disk_format="qcow2")

    assert uploaded(local_cloud, image_id, samples.data("backed.qcow2")).status_code == 415


@pytest.mark.needs("hybrid-isos")
def test_glance_takes_isos_for_memory_sticks_too(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = make_image(client.cloud, "alice", sample=None, disk_format="iso")

    assert uploaded(local_cloud, image_id, samples.data("hybrid.iso")).status_code == 204


@pytest.mark.needs("unsafe-told")
def test_glance_says_why_it_refuses_data(local_cloud: LocalCloud, client: ClientFactory) -> None:
    image_id = make_image(client.cloud, "alice", sample=None, disk_format="qcow2")

    assert "safety" in uploaded(local_cloud, image_id, samples.data("backed.qcow2")).text


@contextlib.contextmanager
def another_host() -> Iterator[str]:
    """Serve a disk on an address of this machine that Glance's filter does not allow."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = samples.data("disk.qcow2")
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.9", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.9:{server.server_port}/disk.qcow2"
        server.shutdown()


@pytest.mark.needs("redirects-filtered")
def test_glances_filter_holds_for_redirects(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    image_id = make_image(client.cloud, "alice", sample=None, disk_format="qcow2")
    session, path = local_cloud.session("alice"), f"/v2/images/{image_id}"
    with another_host() as denied:
        method = {"name": "web-download", "uri": file_server.redirect("/a", denied)}
        session.post(f"{path}/import", json={"method": method}, endpoint_filter=IMAGE)
        until(lambda: "os_glance_import_task" not in session.get(path, endpoint_filter=IMAGE).json())

    assert session.get(path, endpoint_filter=IMAGE).json()["status"] == "queued"


def test_the_doctor_names_what_this_release_lacks(local_cloud: LocalCloud, client: ClientFactory) -> None:
    lacks = lacking(local_cloud.release)

    levels = {finding.check: finding.level for finding in client("alice").doctor(probe=True)}

    assert levels["redirects"] == ("warning" if "redirects-filtered" in lacks else "ok")
    assert levels["data-check"] == ("error" if "formats-checked" in lacks else "ok")
    assert levels["hybrid-isos"] == ("error" if "hybrid-isos" in lacks else "ok")
    assert levels["stream-quota"] == ("warning" if "streams-counted" in lacks else "ok")
    told = {finding.check: finding for finding in client("admin").doctor()}["department-limits"]
    assert told.level == "ok"
