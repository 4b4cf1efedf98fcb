"""How much CPU the cloud in memory takes: to start as a process, for a page of 10,000 images, and to load a state.

They are held against work that any such program has: to import the libraries of its HTTP, and to write its answer as
JSON. So the bounds hold on every machine, even a busy one; the best round of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from hyperx_glance.testing import InMemoryCloud
from tests.benchmarks.records import table

if TYPE_CHECKING:
    from collections.abc import Callable

AMOUNT = 10_000
PAGE = 1_000
ROUNDS = 9
LARGEST_START = 2.2
"""Times what the import of keystoneauth1 and cheroot takes."""
LARGEST_PAGE = 5
"""Times what the JSON of the page takes."""
LONGEST_LOADING_SECONDS = 0.1
LARGEST_LOADING = 8
"""Times what it takes to read the document as JSON."""


def _cpu_until_a_line(*command: str) -> float:
    """Run a program until it prints something, and return the seconds of CPU that it took."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.terminate()
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_served_cloud_is_ready_soon() -> None:
    libraries = "import cheroot.wsgi, keystoneauth1.identity.v3, keystoneauth1.session"
    bare_program = f"import signal; {libraries}; print(flush=True); signal.pause()"
    served = ("-m", "hyperx_glance.testing.memory", "serve")
    rounds = [(_cpu_until_a_line("-c", bare_program), _cpu_until_a_line(*served)) for _ in range(ROUNDS)]
    bare, ready = (min(column) for column in zip(*rounds, strict=True))
    table(
        "The cloud in memory: CPU until it is ready",
        [("its libraries", "the cloud"), (f"{bare * 1000:.0f} ms", f"{ready * 1000:.0f} ms")],
    )
    assert ready < LARGEST_START * bare


def test_the_first_page_of_many_images_costs_little_more_than_its_json() -> None:
    cloud = InMemoryCloud()
    for number in range(AMOUNT):
        cloud.glance.add_image(
            owner="dept-a" if number % 2 else "dept-b",
            name=f"image {number}",
            visibility="private" if number % 3 else "public",
            disk_format="qcow2",
            os_distro="debian",
        )
    headers = {"x-auth-token": str(cloud.session("alice").get_token())}
    url = f"{cloud.glance.url}/v2/images?limit={PAGE}&sort=created_at:desc"

    def ask() -> dict[str, object]:
        page: dict[str, object] = json.loads(cloud.answer("GET", url, headers, None).content)
        return page

    page = ask()
    assert len(page["images"]) == PAGE  # type: ignore[arg-type]  # a list
    rounds = [
        (_cpu(lambda: json.dumps(page)), _cpu(lambda: cloud.answer("GET", url, headers, None))) for _ in range(ROUNDS)
    ]
    written, asked = (min(column) for column in zip(*rounds, strict=True))
    table(
        "The cloud in memory: CPU of a page of 1,000 of 10,000 images",
        [("its JSON", "the page"), (f"{written * 1000:.1f} ms", f"{asked * 1000:.1f} ms")],
    )
    assert asked < LARGEST_PAGE * written


def test_a_state_of_a_thousand_images_is_loaded_at_once() -> None:
    saved, loaded = InMemoryCloud(), InMemoryCloud()
    for number in range(20):
        saved.keystone.add_department(f"team-{number}")
        saved.keystone.add_user(f"user-{number}", f"team-{number}", role="member")
        saved.nova.set_quota(f"team-{number}", instances=-1, cores=-1, ram=-1)
    for number in range(1_000):
        image_id = saved.glance.add_image(
            owner=f"team-{number % 20}",
            name=f"image {number}",
            status="active",
            visibility="public",
            disk_format="raw",
            os_distro="debian",
        )
        saved.glance.fill(saved.glance.images[image_id], "raw", bytes(1024))
    compute = {"endpoint_filter": {"service_type": "compute"}, "headers": {"OpenStack-API-Version": "compute 2.37"}}
    flavor = next(iter(saved.nova.flavors))
    for number in range(20):
        session = saved.session(f"user-{number}")
        server = {"name": "web", "flavorRef": flavor, "imageRef": image_id, "networks": "none", "min_count": 5}
        session.post("/servers", json={"server": server}, **compute)
    assert len(saved.nova.servers) == 100
    document = saved.state()
    loaded.restore(document)

    rounds = [(_cpu(lambda: json.loads(document)), _cpu(lambda: loaded.restore(document))) for _ in range(ROUNDS)]
    plain, restored = (min(column) for column in zip(*rounds, strict=True))
    table(
        f"The cloud in memory: CPU to load a state of {len(document) >> 10} KiB",
        [("its JSON", "the cloud"), (f"{plain * 1000:.0f} ms", f"{restored * 1000:.0f} ms")],
    )
    assert restored < LARGEST_LOADING * plain
    assert restored < LONGEST_LOADING_SECONDS
