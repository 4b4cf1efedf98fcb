"""The release of the services, and how `LocalCloud` uses another Python; real ones: `tox -e release-...`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.local import LocalCloud, LocalCloudError, releases
from hyperx_glance.testing.local.layout import SERVICES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("29.4.0", "2024.1"),
        ("30.0.0", "2024.2"),
        ("31.3.1", "2025.1"),
        ("32.2.1", "2025.2"),
        ("33.0.2", "2026.1"),
        ("34.0.0", "2026.2"),
        ("35.0.0.0rc1", "2027.1"),
    ],
)
def test_the_version_of_nova_tells_the_release(version: str, release: str) -> None:
    assert releases.name(version) == release


def test_a_release_that_is_too_old_is_refused() -> None:
    with pytest.raises(LocalCloudError, match=r"older than OpenStack 2024\.1"):
        releases.name("28.9.9")


@pytest.mark.parametrize(
    ("release", "services"),
    [
        ("2024.1", {"cinder", "neutron", "nova"}),
        ("2025.1", {"cinder", "nova"}),
        ("2026.1", {"cinder"}),
        ("2026.2", set()),
    ],
)
def test_only_old_services_run_on_eventlet(release: str, services: set[str]) -> None:
    assert {service for service in SERVICES if releases.needs_eventlet(service, release)} == services


def test_a_python_that_is_not_there_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="no Python at"):
        LocalCloud(tmp_path / "cloud", python=tmp_path / "python").start()

    assert not (tmp_path / "cloud").exists()


def test_a_python_without_the_services_is_told(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)

    with pytest.raises(LocalCloudError, match=r"lacks nova, keystone, .*cheroot"):
        LocalCloud(tmp_path / "cloud", python=tmp_path / "bare" / "bin" / "python").start()


def test_services_import_none_of_the_libraries_of_a_client() -> None:
    code = (
        "import sys; import hyperx_glance.testing.local.supervisor; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"keystoneauth1", "openstack", "pydantic", "requests"} & set(run.stdout.split()) == set()
