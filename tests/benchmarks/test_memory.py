"""How much CPU the cloud in memory takes: to start as a process, for a page of 10,000 images, and to load a state.

They are held against work that any such program has: to import the libraries of its HTTP, and to write its answer as
JSON. So the bounds hold on every machine, even a busy one; the best round of each counts.

What a program in another process sees of a served cloud is bounded in seconds of that process's CPU, and in MiB.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from hyperx_glance.testing import InMemoryCloud
from tests.benchmarks.records import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
CLOUDS = 16
LARGEST_SECONDS = 0.5
"""Of CPU, from the start of the command to its first answer."""
LARGEST_PAGE_SECONDS = 0.025
"""Of CPU of the serving process, for a page over HTTP."""
REQUESTS = 10_000
LARGEST_GROWTH = 2
"""MiB, while it answers so many requests."""


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


class _Served:
    """A served cloud in a process of its own."""

    def __init__(self, pid: int, url: str) -> None:
        self._process = Path("/proc", str(pid))
        self.url = url

    def cpu(self) -> float:
        """Return the seconds of CPU until now."""
        fields = (self._process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the MiB in memory now."""
        lines = dict(line.split(":", 1) for line in (self._process / "status").read_text().splitlines())
        return int(lines["VmRSS"].split()[0]) / 1024


@contextlib.contextmanager
def _served(*arguments: str) -> Iterator[_Served]:
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        line = next(line for line in program.stdout if "auth_url" in line)
        try:
            yield _Served(program.pid, line.split()[1].partition("/identity")[0])
        finally:
            program.terminate()
            program.stdout.read()


def test_one_cloud_or_many_answer_soon_after_the_start() -> None:
    rows = [("clouds", "CPU until the first answer", "memory")]
    slow = []
    for amount in (1, CLOUDS):
        names = [word for number in range(amount) for word in ("--cloud", f"cloud{number}")]
        rounds = []
        for _ in range(3):
            with _served(*names) as served:
                last = served.url.replace("cloud0", f"cloud{amount - 1}")
                assert requests.get(f"{last}/image/versions", timeout=60).ok
                rounds.append((served.cpu(), served.memory()))
        seconds, memory = min(rounds)
        rows.append((str(amount), f"{seconds * 1000:.0f} ms", f"{memory:.0f} MiB"))
        if seconds > LARGEST_SECONDS:
            slow.append(amount)
    table("The served cloud in memory: its start", rows)
    assert not slow


def test_a_page_over_http_and_the_memory_of_many_requests() -> None:
    with _served() as served, requests.Session() as http:
        login = v3.Password(
            f"{served.url}/identity/v3",
            username="alice",
            password="secret",
            project_name="dept-a",
            user_domain_id="default",
            project_domain_id="default",
        )
        http.headers["X-Auth-Token"] = str(Session(login).get_token())
        for number in range(PAGE):
            body = {"owner": "dept-a", "name": f"image {number}", "status": "active", "os_distro": "debian"}
            assert http.post(f"{served.url}/control/image", json=body, timeout=60).ok

        def page(limit: int = PAGE) -> int:
            answer = http.get(f"{served.url}/image/v2/images?limit={limit}", timeout=60)
            return len(answer.json()["images"])

        pages = []
        for _ in range(ROUNDS):
            before = served.cpu()
            assert [page() for _ in range(5)] == [PAGE] * 5
            pages.append((served.cpu() - before) / 5)
        for _ in range(REQUESTS // 4):  # until it keeps as many requests as it ever does
            page(1)
        before = served.memory()
        for _ in range(REQUESTS):
            page(1)
        grown = served.memory() - before
    rows = [
        ("a page of 1,000 images, CPU", f"memory after {REQUESTS:,} requests more"),
        (f"{min(pages) * 1000:.0f} ms", f"{grown:+.1f} MiB"),
    ]
    table("The served cloud in memory: requests", rows)
    assert min(pages) <= LARGEST_PAGE_SECONDS
    assert grown <= LARGEST_GROWTH
