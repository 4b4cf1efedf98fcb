"""A project that installs the built wheel alone has the fixtures, the cloud in memory and the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
PROJECT = Path(__file__).parent / "example_project"


def run(command: Sequence[object], directory: Path, path: Path | None = None) -> str:
    """Run a program that finds the installed wheel in ``path``, and nothing of this checkout."""
    guarded = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each.endswith("children")]
    result = subprocess.run(
        [str(part) for part in command],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([*guarded, *([str(path)] if path else [])])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the wheel, install it into a folder, and return that and the project that uses it."""
    folder = tmp_path_factory.mktemp("example")
    source, site, project = (folder / name for name in ("source", "site", "project"))
    shutil.copytree(ROOT / "hyperx_glance", source / "hyperx_glance", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    run([*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, source], folder)
    run([*pip, "install", *offline, "--target", site, next(folder.glob("*.whl"))], folder)
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    return site, project


def test_its_tests_pass_with_the_wheel_alone(installed: tuple[Path, Path]) -> None:
    site, project = installed
    place = run([sys.executable, "-c", "import hyperx_glance; print(hyperx_glance.__file__)"], project, site)
    assert place.strip() == str(site / "hyperx_glance" / "__init__.py")
    assert "4 passed" in run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], project, site)


def test_the_served_cloud_is_in_the_wheel(installed: tuple[Path, Path]) -> None:
    site, project = installed
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", "--help"]
    assert "--profile" in run(command, project, site)
    code = """
from hyperx_glance.testing.memory.serving import Server
with Server() as server:
    print(server.clouds_yaml()[:7])
"""
    assert run([sys.executable, "-c", code], project, site) == "clouds:\n"


def test_the_demo_of_the_local_cloud_finds_its_installer_in_the_wheel(installed: tuple[Path, Path]) -> None:
    site, _ = installed
    assert (site / "hyperx_glance" / "testing" / "local" / "installer.iso.xz").is_file()
