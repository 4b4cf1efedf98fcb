"""The cloud in memory as other projects' scripts find it: DevStack's names, and its files."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing import devstack
from hyperx_glance.testing.memory.__main__ import main
from hyperx_glance.testing.memory.serving import Server
from tests.support.devstack import check_names, run_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with Server(profile="devstack") as server:
        devstack.write(tmp_path, server.clouds_yaml())
        yield tmp_path


def test_every_name_of_a_devstack_is_found(folder: Path) -> None:
    check_names(folder)


def test_openrc_is_sourced_as_by_the_scripts_of_other_projects(folder: Path) -> None:
    assert run_script(folder) == [
        "admin admin RegionOne secret",
        "demo demo cirros-0.6.3-x86_64-disk",
        "10.0.0.0/26",
    ]


def test_serve_writes_the_files_before_it_answers(tmp_path: Path) -> None:
    made = tmp_path / "new" / "devstack"
    command = [sys.executable, "-m", "hyperx_glance.testing.memory", "serve", "--profile", "devstack"]
    with subprocess.Popen([*command, "--write-devstack", made], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first == "clouds:\n"
            assert sorted(path.name for path in made.iterdir()) == [".stackenv", "clouds.yaml", "openrc"]
            url = (made / ".stackenv").read_text().partition("KEYSTONE_SERVICE_URI=")[2].splitlines()[0]
            assert f"auth_url: {url}/v3\n" in (made / "clouds.yaml").read_text()
        finally:
            process.terminate()


def test_certificate_of_a_cloud_is_exported(tmp_path: Path) -> None:
    auth = "auth: {auth_url: 'https://cloud.test/identity/v3', password: secret}"
    devstack.write(tmp_path, f"clouds: {{devstack-admin: {{{auth}, region_name: R, cacert: '/a folder/ca.pem'}}}}")
    script = f"source '{tmp_path}/openrc' && env"
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env={}).stdout
    assert "OS_CACERT=/a folder/ca.pem\n" in told
    assert "OS_AUTH_URL=https://cloud.test/identity\n" in told


def test_files_of_a_devstack_need_its_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--write-devstack", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert (told.out, list(tmp_path.iterdir())) == ("", [])
    assert told.err == "--write-devstack needs --profile devstack, whose names are in the files.\n"


def test_folder_that_cannot_be_written_is_refused_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        assert main(["serve", "--profile", "devstack", "--write-devstack", str(place)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"{place} cannot be made: ")
        assert told.err.count("\n") == 1
