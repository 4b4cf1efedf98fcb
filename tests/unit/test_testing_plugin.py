"""The fixture hyperx_cloud fails a test whose planned failure never happened, unless the test failed itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_fixture_fails_a_test_whose_failure_never_happened(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-rA", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    assert "1 failed, 2 passed, 1 error" in done.stdout
    assert done.stdout.count("never happened: fail('glance', 'GET', '/images$', status=500)") >= 1
    assert "ERROR at teardown of test_unused" in done.stdout
    assert "ERROR at teardown of test_broken" not in done.stdout
