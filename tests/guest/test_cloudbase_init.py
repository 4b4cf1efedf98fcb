"""cloudbase-init, the cloud-init of Windows, applies the config drive that Nova writes for a launch.

Its own code reads the drive here. What it would do to Windows is noted; no Windows is run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from cloudbaseinit.conf import CONF
from cloudbaseinit.metadata.services import base, baseopenstackservice
from cloudbaseinit.osutils import factory
from cloudbaseinit.plugins.common import userdatautils
from cloudbaseinit.utils import classloader

from hyperx_glance import LaunchRequest, NewImage
from tests.guest import machine
from tests.guest.conftest import FLAVOR
from tests.support.clouds import unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.file_server import FileServer

USERS = """#cloud-config
users:
- {name: bob, passwd: Bob-5-0wn}
- {name: operator, passwd: another}
"""
SCRIPT = "#ps1_sysnative\r\nWrite-Host hello\r\n"
PLUGINS = ("CreateUserPlugin", "UserDataPlugin", "SetUserPasswordPlugin")
RANDOM = "drawn by cloudbase-init"
META_DATA = "openstack/latest/meta_data.json"


class Drive(baseopenstackservice.BaseOpenStackService):  # type: ignore[misc]  # mypy does not see its base
    """The config drive that Nova has written; cloudbase-init's own reader finds drives by means of Windows."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files

    def _get_data(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise base.NotExistingMetadataException from None

    def without_password(self) -> Drive:
        """Return what Nova's metadata service answers: it keeps no password of a server."""
        told = json.loads(self.files[META_DATA])
        del told["admin_pass"]
        return Drive({**self.files, META_DATA: json.dumps(told).encode()})


@dataclass
class Windows:
    """A stand-in for the Windows of cloudbase-init."""

    accounts: dict[str, str] = field(default_factory=lambda: {"Administrator": ""})
    administrators: set[str] = field(default_factory=set)
    must_change: set[str] = field(default_factory=set)
    scripts: list[bytes] = field(default_factory=list)

    def user_exists(self, name: str) -> bool:
        return name in self.accounts

    def create_user(self, name: str, password: str) -> None:
        self.accounts[name] = password

    set_user_password = create_user

    def generate_random_password(self, _length: int) -> str:
        return RANDOM

    def get_maximum_password_length(self) -> int:
        return 20

    def add_user_to_local_group(self, name: str, group: str) -> None:
        assert group == "Administrators"
        self.administrators.add(name)

    def change_password_next_logon(self, name: str) -> None:
        self.must_change.add(name)

    def set_user_info(self, name: str, **_told: object) -> None:
        """Note nothing of names, and of dates on which accounts end."""

    def create_user_logon_session(self, *_arguments: object) -> None:
        """Make no folder for the account."""

    def close_user_logon_session(self, _token: object) -> None:
        """Leave."""


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    windows = Windows()
    monkeypatch.setattr(factory, "get_os_utils", lambda: windows)
    monkeypatch.setattr(userdatautils, "execute_user_data_script", windows.scripts.append)
    yield windows
    CONF.clear_override("first_logon_behaviour")
    CONF.clear_override("inject_user_password")


def boot(drive: Drive) -> None:
    """Run what deals with accounts and user data, in cloudbase-init's own order."""
    shared: dict[str, Any] = {}
    for name in CONF.plugins:
        if name.endswith(PLUGINS):
            classloader.ClassLoader().load_class(name)().execute(drive, shared)


@pytest.fixture
def launched(guest_cloud: LocalCloud, alice: Client, file_server: FileServer) -> Launched:
    return Launched(guest_cloud, alice, file_server.serve("/windows.raw", bytes(1 << 20)))


@dataclass
class Launched:
    """Launches from an image of which the catalogue says that it is a Windows."""

    cloud: LocalCloud
    client: Client
    url: str

    def __call__(self, user_data: str, *, admin_user: str) -> tuple[str, Drive]:
        image = self.client.register(
            NewImage(
                name=unique("windows"),
                url=self.url,
                disk_format="raw",
                os_type="windows",
                password_enabled=True,
                admin_user=admin_user,
            )
        )
        request = LaunchRequest(name=unique("windows"), flavor=FLAVOR, networks="none", user_data=user_data)
        launch = self.client.launch(image, request)
        files = machine.config_drive(self.cloud, launch.servers[0].id)
        assert launch.admin_password is not None
        return launch.admin_password.get_secret_value(), Drive(files)


def test_the_password_and_the_caller_s_accounts_both_hold(launched: Launched, windows: Windows) -> None:
    password, drive = launched(USERS, admin_user="operator")
    CONF.set_override("first_logon_behaviour", "no")
    boot(drive)
    assert windows.accounts == {"Administrator": "", "operator": password, "bob": "Bob-5-0wn"}
    assert windows.administrators == {"operator"}
    assert not windows.must_change


def test_an_image_without_an_account_means_that_of_the_guest_s_configuration(
    launched: Launched, windows: Windows
) -> None:
    password, drive = launched(SCRIPT, admin_user="")
    boot(drive)
    assert windows.accounts == {"Administrator": "", "Admin": password}
    assert windows.scripts == [SCRIPT.encode()]
    assert windows.must_change == {"Admin"}  # unless first_logon_behaviour says no


def test_cloudbase_init_generates_a_password_unless_the_drive_provides_one(
    launched: Launched, windows: Windows
) -> None:
    password, drive = launched(SCRIPT, admin_user="Administrator")
    boot(drive)
    assert windows.accounts == {"Administrator": password}
    boot(drive.without_password())
    assert windows.accounts == {"Administrator": RANDOM}
    CONF.set_override("inject_user_password", override=False)
    boot(drive)
    assert windows.accounts == {"Administrator": RANDOM}
