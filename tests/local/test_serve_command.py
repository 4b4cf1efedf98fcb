"""The command that serves real services behind one port: what it prints, and that nothing is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import openstack
import pytest
import requests
import yaml

from hyperx_glance.testing.timing import scaled
from tests.support.relay import HOST

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning:openstack")  # of itself


def test_a_program_uses_the_served_cloud_until_it_is_terminated(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    command = [sys.executable, "-m", "hyperx_glance.testing.local", "serve", "--profile", "devstack"]
    options = ["--host", HOST, "--public-url", "auto", "--tls", str(ca_file)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while "system_scope" not in "".join(lines[-6:]) or "cacert" not in lines[-1]:
                lines.append(process.stdout.readline())
                assert lines[-1], process.communicate()[1]
            entry = yaml.safe_load("".join(lines))["clouds"]["devstack"]
            url = entry["auth"]["auth_url"].removesuffix("/identity/v3")
            assert entry["cacert"] == str(ca_file)
            cloud = openstack.connect(load_envvars=False, load_yaml_config=False, **entry)
            assert [image.name for image in cloud.image.images()] == ["cirros-0.6.3-x86_64-disk"]
            assert "m1.tiny" in {flavor.name for flavor in cloud.compute.flavors()}
            refused = requests.get(f"{url}/image/", headers={"Host": "page.example"}, verify=str(ca_file), timeout=30)
            assert refused.status_code == 403
        finally:
            process.send_signal(signal.SIGTERM)
            rest, told = process.communicate(timeout=scaled(60))
    warning = f'Everyone who can reach {url} can use this cloud: every password is "secret".\n'
    assert (rest, told, process.returncode) == ("", warning, 0)
