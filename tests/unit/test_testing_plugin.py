"""The fixtures of the plug-in: failures that never happened, programs in other processes, and runs without a cloud."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import hyperx_glance
import pytest

def test_unused(hyperx_cloud):
    hyperx_cloud.fail("glance", "GET", "/images$", status=500)

def test_used(hyperx_cloud, hyperx_client):
    hyperx_cloud.fail("glance", "GET", "/images$", status=500, times=None)
    with pytest.raises(hyperx_glance.ServiceUnavailableError):
        list(hyperx_client.images())

def test_broken(hyperx_cloud):
    hyperx_cloud.fail("glance", "GET", "/images$", status=500)
    assert False
"""


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-rA", *options]
    return subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)


def test_fixture_fails_a_test_whose_failure_never_happened(tmp_path: Path) -> None:
    done = run(tmp_path, TESTS)

    assert "1 failed, 2 passed, 1 error" in done.stdout
    assert done.stdout.count("never happened: fail('glance', 'GET', '/images$', status=500)") >= 1
    assert "ERROR at teardown of test_unused" in done.stdout
    assert "ERROR at teardown of test_broken" not in done.stdout


SERVED = """
import subprocess, sys
import pytest

PROGRAM = (
    "import openstack; cloud = openstack.connect();"
    "print([image.name for image in cloud.image.images()], cloud.current_project.name)"
)

def test_a_program_in_another_process(hyperx_served_cloud):
    hyperx_served_cloud.cloud.glance.add_image(owner="dept-b", name="disk", status="active")
    for user, told in (("alice", "[] dept-a"), ("bob", "['disk'] dept-b")):
        environment = {**hyperx_served_cloud.environment, "OS_CLOUD": user}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        assert done.stdout.strip() == told, done.stderr

@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_its_own(hyperx_served_cloud, number):
    assert hyperx_served_cloud.clouds_yaml.read_text() == hyperx_served_cloud.server.clouds_yaml()
    assert hyperx_served_cloud.cloud.requests == []
    assert hyperx_served_cloud.url == f"{hyperx_served_cloud.server.url}/cloud"
    assert "environment" not in repr(hyperx_served_cloud)  # which pytest shows if a test fails
    hyperx_served_cloud.cloud.keystone.add_department("mine")
    assert hyperx_served_cloud.cloud.release == "2025.1"

def test_unused(hyperx_served_cloud):
    hyperx_served_cloud.cloud.fail("glance", "GET", "/images$", status=500)

def test_broken(hyperx_served_cloud):
    hyperx_served_cloud.cloud.fail("glance", "GET", "/images$", status=500)
    assert False
"""


def test_a_program_in_another_process_finds_the_served_cloud_of_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_USERNAME", "somebody")
    monkeypatch.setenv("OS_CLOUD", "production")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    done = run(tmp_path, SERVED, "--hyperx-release", "2025.1")

    assert "1 failed, 4 passed, 1 error" in done.stdout, done.stdout
    assert "ERROR at teardown of test_unused" in done.stdout


WITHOUT = """
import sys

def test_without_a_cloud():
    loaded = {name for name in sys.modules if name.startswith(("hyperx_glance", "pydantic", "openstack", "cheroot"))}
    assert loaded == {"hyperx_glance", "hyperx_glance.testing", "hyperx_glance.testing.plugin"}
"""


def test_the_plug_in_imports_nothing_of_the_library_until_a_fixture_is_used(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, WITHOUT).stdout

    listed = run(tmp_path, WITHOUT, "--fixtures").stdout
    assert "hyperx_served_cloud" in listed
    assert "ServedCloud" not in listed
