"""Real versions of cloud-init apply both the caller's user data and the password of a launch.

Those of the Debians are fetched, and unpacked without being installed. ``HYPERX_CLOUD_INITS`` names a folder of others
in their place, one folder a version, each of which has the package ``cloudinit`` in it.
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
DEBIANS = {"bullseye": "20.4", "bookworm": "22.4", "trixie": "25.1"}
OTHERS = os.environ.get("HYPERX_CLOUD_INITS")
FETCH = """cd "$1"
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
apt-get --quiet download cloud-init
dpkg-deb --extract cloud-init_*.deb .
"""


def of_debian(name: str, folder: Path) -> Path:
    """Unpack the package of a Debian, and nothing else of it."""
    hook = f"--customize-hook={FETCH}"
    subprocess.run(["mmdebstrap", "--quiet", "--variant=custom", hook, name, folder / "root"], check=True)
    assert list(folder.glob(f"root/cloud-init_{DEBIANS[name]}*.deb"))
    return folder / "root/usr/lib/python3/dist-packages"


@pytest.fixture(
    scope="module",
    params=sorted(path.name for path in Path(OTHERS).iterdir()) if OTHERS else DEBIANS,
)
def cloud_init(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if OTHERS:
        return Path(OTHERS, request.param)
    return of_debian(request.param, tmp_path_factory.mktemp(request.param))


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
    assert guest["passwords"] == {**case.passwords, case.user: HASH}
    assert guest["expired"] == []
    assert guest["ssh_pwauth"] == case.ssh_pwauth
