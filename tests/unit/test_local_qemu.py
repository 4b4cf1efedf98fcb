"""What a cloud of real guests requires before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance.testing.local import LocalCloud, LocalCloudError, qemu

if TYPE_CHECKING:
    from pathlib import Path


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalCloudError) as caught:
        LocalCloud(tmp_path / "cloud", hypervisor="qemu").start()
    command = "apt-get install --no-install-recommends "
    assert command in str(caught.value)
    named = str(caught.value).partition(command)[2].split()
    assert {"genisoimage", "qemu-system-x86", "qemu-utils"} <= set(named)
    assert not (tmp_path / "cloud").exists()


def test_installed_packages_are_not_named_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("qemu-system-x86_64", "qemu-img", "genisoimage"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not {"genisoimage", "qemu-system-x86", "qemu-utils"} & set(qemu.missing_packages())


def test_an_unknown_hypervisor_and_several_real_hosts_are_refused() -> None:
    with pytest.raises(LocalCloudError, match="unknown hypervisor: xen; valid hypervisors: fake, qemu"):
        LocalCloud(hypervisor="xen")
    with pytest.raises(LocalCloudError, match="one host"):
        LocalCloud(hypervisor="qemu", hosts=2)
