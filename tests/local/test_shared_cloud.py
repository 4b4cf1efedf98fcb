"""Several processes, such as the workers of pytest-xdist, share one local cloud, which ends with the last of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.timing import scaled
from tests.support.waiting import until

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.local

PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
USER = """
import sys
from hyperx_glance.testing import LocalCloud
with LocalCloud(sys.argv[1]) as cloud:
    print(cloud.url("glance"), flush=True)
    input()
"""
# What a project that adopts the fixture has, with a worker that dies while the others work.
PROJECT = """
import json, os, time
from pathlib import Path
import pytest

RECORDS = Path(os.environ["RECORDS"])

@pytest.mark.parametrize("number", range(9))
def test_uses_the_cloud(hyperx_local_cloud, worker_id, number):
    assert all(state.healthy for state in hyperx_local_cloud.status())
    cloud = hyperx_local_cloud
    found = {"worker": worker_id, "url": cloud.url("glance"), "directory": str(cloud.directory)}
    (RECORDS / f"{number}.json").write_text(json.dumps(found))
    deadline = time.monotonic() + 120
    while number < 3 and len(list(RECORDS.iterdir())) < 3:  # three workers are there at once
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if number == 4:
        os._exit(3)
"""


def start_user(directory: Path) -> subprocess.Popen[str]:
    """Start a process that uses the cloud in the directory until it is told to continue."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(directory)],
        env=os.environ | {"PYTHONPATH": PACKAGE_ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def url_of(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    return user.stdout.readline()


def runs(directory: Path) -> bool:
    return LocalCloud(directory).join()


@pytest.mark.parametrize("end", ["leaves", "is killed"])
def test_a_cloud_outlives_who_started_it_and_ends_with_the_last(tmp_path: Path, end: str) -> None:
    directory = tmp_path / "cloud"

    def let_end(user: subprocess.Popen[str]) -> None:
        if end == "leaves":
            user.communicate("\n")
        else:
            user.send_signal(signal.SIGKILL)
        user.wait(scaled(60))

    with start_user(directory) as first, start_user(directory) as second:
        assert url_of(first) == url_of(second)
        let_end(first)
        time.sleep(0.5)  # the supervisor looks each 0.1 s
        looked = LocalCloud(directory)
        assert looked.join()
        assert all(state.healthy for state in looked.status())
        let_end(second)
        if end == "leaves":
            assert not runs(directory)
        until(lambda: not runs(directory))
    with start_user(directory) as third:
        url_of(third)
        assert runs(directory)
        third.communicate("\n")
    assert not runs(directory)


def test_a_process_uses_a_cloud_twice(tmp_path: Path) -> None:
    with LocalCloud(tmp_path) as first:
        with LocalCloud(tmp_path) as second:
            assert second.url("glance") == first.url("glance")
        assert all(state.healthy for state in first.status())
    assert not runs(tmp_path)


def test_stop_ends_it_for_all(tmp_path: Path) -> None:
    with start_user(tmp_path) as other:
        url_of(other)
        LocalCloud(tmp_path).start().stop()
        assert not runs(tmp_path)
        other.communicate("\n")


def test_the_workers_of_xdist_share_one(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (tmp_path / "test_project.py").write_text(PROJECT)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "3",
            "--basetemp",
            str(tmp_path / "base"),
            "-p",
            "no:cacheprovider",
            "-rA",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": PACKAGE_ROOT, "RECORDS": str(records)},
        text=True,
        capture_output=True,
        check=False,
        timeout=scaled(300),
    )

    assert "8 passed" in run.stdout, run.stdout + run.stderr
    assert "worker 'gw" in run.stdout  # one died, as it was told
    found = [json.loads(path.read_text()) for path in records.iterdir()]
    assert len(found) == 9
    assert len({each["worker"] for each in found}) >= 3
    assert len({(each["url"], each["directory"]) for each in found}) == 1
    directory = Path(found[0]["directory"])
    assert directory.is_relative_to(tmp_path / "base")
    assert not runs(directory)
