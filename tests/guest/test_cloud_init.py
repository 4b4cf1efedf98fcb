"""Real cloud-inits read what a launch sends: the caller's user data and the password both hold.

``HYPERX_CLOUD_INITS`` names a folder with one folder a version, each of which has the package ``cloudinit`` in it.
Without it Debian's is fetched by apt-get and unpacked; nothing is installed.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.launching.user_data import with_password
from tests.guest.cases import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Mapping

HASH = "$6$rounds=100000$saltsaltsaltsalt$hashhash./"
VERSIONS = os.environ.get("HYPERX_CLOUD_INITS")


def of_debian(folder: Path) -> Path:
    """Unpack the package of this Debian."""
    subprocess.run(["apt-get", "download", "cloud-init"], cwd=folder, check=True)
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, "unpacked"], cwd=folder, check=True)
    return folder / "unpacked/usr/lib/python3/dist-packages"


@pytest.fixture(
    scope="module", params=sorted(Path(VERSIONS).iterdir()) if VERSIONS else [None], ids=lambda each: each and each.name
)
def cloud_init(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path | None = request.param
    return found or of_debian(tmp_path_factory.mktemp("cloud-init"))


def run(cloud_init: Path, cases: Mapping[str, Case]) -> dict[str, Any]:
    """Let one cloud-init read all cases, in a process of its own."""
    asked = {
        name: {
            "user_data": base64.b64encode(with_password(case.user_data, user=case.user, password_hash=HASH)).decode(),
            "default_user": "debian",
            "accounts": case.accounts,
        }
        for name, case in cases.items()
    }
    script = Path(__file__).with_name("cloud_init_run.py")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script],
        input=json.dumps(asked),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": str(cloud_init)},
    )
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def guests(cloud_init: Path) -> dict[str, Any]:
    return run(cloud_init, CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_password_and_the_caller_s_data_both_hold(guests: dict[str, Any], name: str) -> None:
    case, guest = CASES[name], guests[name]
    assert guest["error"] == ""
    own = dict(case.passwords) if guest["reads_users"] or not case.from_22_3 else {}
    assert guest["passwords"] == {**own, case.user: HASH}
    # Older ones expire no account whose password came as a hash.
    hashed = case.expired if guest["expires_hashed"] else [user for user in case.expired if user != "admin"]
    assert {"admin" if user == case.user else user for user in guest["expired"]} == set(hashed)
    assert guest["ssh_pwauth"] == case.ssh_pwauth
