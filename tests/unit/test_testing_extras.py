"""Without its extra, each test cloud says in one sentence what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import samples

ROOT = Path(__file__).parents[2]
SERVICES = "nova keystone neutron cinder glance placement cheroot prettytable"
TESTING = "pip install 'hyperx-glance[testing]'"
LOCAL = "pip install 'hyperx-glance[localcloud]'"


def run_without(modules: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run a program in which these modules are not installed."""
    blocked = f"import sys\nsys.modules |= dict.fromkeys({modules.split()})\n"
    return subprocess.run(
        [sys.executable, "-c", blocked + code], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )


@pytest.mark.parametrize(
    ("missing", "code", "told"),
    [
        (
            "requests_mock",
            "from hyperx_glance.testing import InMemoryCloud\nInMemoryCloud().session('alice')",
            f"ModuleNotFoundError: requests_mock is not installed. Run: {TESTING}",
        ),
        (
            "cheroot",
            "from hyperx_glance.testing.memory.serving import Server",
            f"ModuleNotFoundError: cheroot is not installed. Run: {TESTING}",
        ),
        (
            "cheroot",
            "from hyperx_glance.testing.memory.__main__ import main\nsys.exit(main(['serve']))",
            f"cheroot is not installed. Run: {TESTING}",
        ),
        (
            SERVICES,
            "from hyperx_glance.testing.local.__main__ import main\nsys.exit(main(['demo']))",
            f"prettytable is not installed. Run: {LOCAL}",
        ),
    ],
)
def test_program_without_the_extra_is_told_its_name(missing: str, code: str, told: str) -> None:
    done = run_without(missing, code)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == told
    assert told.startswith("ModuleNotFoundError") or len(done.stderr.splitlines()) == 1


def test_local_cloud_without_its_services_names_the_extra(tmp_path: Path) -> None:
    code = f"from hyperx_glance.testing.local.__main__ import main\nsys.exit(main(['up', '--directory', '{tmp_path}']))"

    done = run_without(SERVICES, code)

    assert done.returncode == 1
    assert LOCAL in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_fixtures_without_the_extra_name_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('import sys\nsys.modules["requests_mock"] = None\n')
    (tmp_path / "test_it.py").write_text("def test_it(hyperx_client): ...\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:requests_mock", "-p", "no:cacheprovider", "-c", "/dev/null"]

    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    assert f"requests_mock is not installed. Run: {TESTING}" in done.stdout


def test_demo_of_the_package_has_the_installer_of_the_samples() -> None:
    packaged = ROOT / "hyperx_glance" / "testing" / "local" / "installer.iso.xz"

    assert packaged.read_bytes() == (samples.FOLDER / "files" / "installer.iso.xz").read_bytes()
