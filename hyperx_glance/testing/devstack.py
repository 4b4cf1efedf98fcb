"""The files of a DevStack that other projects' scripts read: ``openrc``, ``.stackenv`` and ``clouds.yaml``.

>>> import tempfile
>>> from hyperx_glance.testing import InMemoryCloud
>>> with tempfile.TemporaryDirectory() as name:
...     write(Path(name), InMemoryCloud(profile="devstack").clouds_yaml())
...     print((Path(name) / ".stackenv").read_text(), end="")
HOST_IP=keystone.cloud.test
SERVICE_HOST=keystone.cloud.test
SERVICE_PROTOCOL=http
KEYSTONE_SERVICE_URI=http://keystone.cloud.test
REGION_NAME=RegionOne
ADMIN_PASSWORD=secret
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing.profiles import ProfileName
from hyperx_glance.texts import Text

HELP: Final = "write openrc, .stackenv and clouds.yaml into this folder, as a DevStack has them (profile devstack)"
# Appended to by scripts (gophercloud's script/stackenv), sourced again, and under "set -eu".
_OPENRC: Final = """\
# The variables with which OpenStack's clients log in: source openrc [user name] [project name], both demo by default.
. "$(cd "$(dirname "${BASH_SOURCE:-$0}")" && pwd)/.stackenv"
export OS_USERNAME="${1:-${OS_USERNAME:-demo}}"
export OS_PROJECT_NAME="${2:-${OS_PROJECT_NAME:-demo}}"
export OS_AUTH_TYPE=password
export OS_AUTH_URL="$KEYSTONE_SERVICE_URI"
export OS_PASSWORD="$ADMIN_PASSWORD"
export OS_REGION_NAME="$REGION_NAME"
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export OS_IDENTITY_API_VERSION=3
if [ -n "${OS_CACERT:-}" ]; then export OS_CACERT; fi
"""


def check(folder: Path, profile: ProfileName) -> None:
    """Make the folder, before anything is started; raise `InvalidRequestError` if the files cannot be written there."""
    if profile != "devstack":
        raise InvalidRequestError(Text("--write-devstack needs --profile devstack, whose names are in the files."))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise InvalidRequestError(Text(f"{folder} cannot be made: {error.strerror}.")) from error
    if not writable:
        raise InvalidRequestError(Text(f"Nothing can be written into {folder}."))


def write(folder: Path, clouds_yaml: str) -> None:
    """Write the files of a cloud of the profile "devstack", whose ``clouds.yaml`` this is."""
    import yaml  # noqa: PLC0415 - few need it

    administrator = yaml.safe_load(clouds_yaml)["clouds"]["devstack-admin"]
    url = administrator["auth"]["auth_url"].removesuffix("/v3")
    place = urlsplit(url)
    variables = {
        "HOST_IP": place.hostname,
        "SERVICE_HOST": place.hostname,
        "SERVICE_PROTOCOL": place.scheme,
        "KEYSTONE_SERVICE_URI": url,
        "REGION_NAME": administrator["region_name"],
        "ADMIN_PASSWORD": administrator["auth"]["password"],
    }
    if "cacert" in administrator:
        variables["OS_CACERT"] = administrator["cacert"]
    (folder / "clouds.yaml").write_text(clouds_yaml)
    lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in variables.items()]
    (folder / ".stackenv").write_text("".join(lines))
    (folder / "openrc").write_text(_OPENRC)
