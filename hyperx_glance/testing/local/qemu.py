"""Real guests instead of the fake hypervisor: QEMU, through libvirt, in Nova's own process.

>>> from pathlib import Path
>>> layout = Layout(Path("/srv/openstack"), {"nova": 41633}, short="/proc/42/fd/3")
>>> options(layout)["libvirt"]["connection_uri"]
'qemu:///embed?root=/proc/42/fd/3/nova/libvirt'

libvirt's QEMU driver runs embedded in Nova (https://libvirt.org/drvqemu.html#embedded-driver): no daemon, no root, and
nothing outside the cloud's directory, whichever user runs it. It emulates the processor (TCG), so KVM is not needed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from hyperx_glance.testing.local.layout import HOST, Layout, LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keystoneauth1.session import Session

    from hyperx_glance.testing.local.configuration import Options

_EMULATOR: Final = "qemu-system-x86_64"
_SERIAL_PORTS: Final = (10000, 30000)

_LIBRARIES: Final = ("lib", "lib64", "lib/*-linux-gnu")
# The second one reads the formats of disks, without which Nova cannot make a snapshot of a running guest.
_PLUGINS: Final = (
    "libvirt/connection-driver/libvirt_driver_qemu.so",
    "libvirt/storage-file/libvirt_storage_file_fs.so",
)
_PROGRAMS: Final[Mapping[str, str]] = {
    _EMULATOR: "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "genisoimage": "genisoimage",
    "mkfs.ext4": "e2fsprogs",
    "setpriv": "util-linux",
}
_PLUGINS_PACKAGE: Final = "libvirt-daemon"
# What libvirt-python is compiled with, against the libvirt that is installed.
_BUILDING: Final = ("libvirt-dev", "pkg-config", "gcc", "python3-dev")

# Without root, libvirt may not do any of the things that are switched off here.
_LIBVIRT: Final = """\
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
dynamic_ownership = 0
remember_owner = 0
"""
# As root it looks up this user and its group before it reads of another one (src/qemu/qemu_conf.c).
_USER: Final = "libvirt-qemu"
_AS_ROOT: Final = """\
user = "root"
group = "root"
"""

# libvirt makes its emulator a daemon, whose parent is then the supervisor (see `guests`). From then on the kernel kills
# it when the supervisor ends, however that ends. An emulator that becomes a daemon by itself only reports its
# capabilities.
_WRAPPER: Final = """\
#!/bin/sh
case " $* " in *" -daemonize "*) exec {emulator} "$@" ;; esac
until grep -q "^PPid:[[:space:]]*{supervisor}$" /proc/$$/status; do sleep 0.01; done
exec setpriv --pdeathsig KILL -- {emulator} "$@"
"""


def missing_packages() -> list[str]:
    """Return the Debian packages that must be installed first."""
    missing = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    found = {plugin for plugin in _PLUGINS for library in _LIBRARIES if any(Path("/usr").glob(f"{library}/{plugin}"))}
    if len(found) < len(_PLUGINS):
        missing.append(_PLUGINS_PACKAGE)
    return sorted(missing)


def check(python: str | None) -> None:
    """Refuse a machine on which no guest can run, and name the commands that change that.

    Whether another environment has the Python package, its own Nova reports.
    """
    missing = missing_packages()
    without_binding = python is None and importlib.util.find_spec("libvirt") is None
    if without_binding:
        missing += _BUILDING
    steps = [f"apt-get install --no-install-recommends {' '.join(missing)}"] if missing else []
    if os.geteuid() == 0 and not _is_user(_USER):
        steps.append(f"useradd --system --user-group {_USER}")
    if without_binding:
        steps.append("pip install 'hyperx-glance[localcloud,qemu]'")
    if steps:
        raise LocalCloudError(f"the hypervisor qemu is not installed; run: {' && '.join(steps)}")


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def options(layout: Layout) -> Options:
    """Return the options of Nova that differ."""
    first, last = _SERIAL_PORTS
    # Nova checks whether a port is free, and QEMU takes it later: clouds that begin at the same port would collide.
    first += layout.ports["nova"] % ((last - first) // 2)
    return {
        "DEFAULT": {"compute_driver": "libvirt.LoopbackDriver"},
        "libvirt": {
            "connection_uri": f"qemu:///embed?root={layout.short}/nova/libvirt",
            "virt_type": "qemu",
            "cpu_mode": "none",
            "images_type": "qcow2",
            # Nobody needs the data after a power cut; and O_DIRECT, the default, is refused by tmpfs.
            "disk_cachemodes": "file=unsafe",
        },
        "vnc": {"enabled": False},
        "serial_console": {"enabled": True, "proxyclient_address": HOST, "port_range": f"{first}:{last}"},
    }


def prepare(layout: Layout) -> None:
    """Write what libvirt reads, and put the wrapper of the emulator before the emulator on this process's path."""
    emulator = shutil.which(_EMULATOR)
    assert emulator is not None, "`check` has found it"
    root = layout.home("nova") / "libvirt"
    for name in ("etc", "bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "qemu.conf").write_text(_LIBVIRT + (_AS_ROOT if os.geteuid() == 0 else ""), encoding="utf-8")
    wrapper = root / "bin" / _EMULATOR
    wrapper.write_text(_WRAPPER.format(emulator=shlex.quote(emulator), supervisor=os.getppid()), encoding="utf-8")
    wrapper.chmod(0o755)
    # Without root, libvirt notes there which devices are in use; as root, in /run/libvirt.
    os.environ["XDG_RUNTIME_DIR"] = f"{layout.short}/nova/libvirt/run"
    os.environ["PATH"] = os.pathsep.join([str(wrapper.parent), os.environ.get("PATH", os.defpath)])


def serial_port(administrator: Session, nova: str, server_id: str) -> int:
    """Ask Nova for the port at which a console proxy would find the guest's console."""
    version = {"OpenStack-API-Version": "compute 2.31"}
    asked = {"remote_console": {"protocol": "serial", "type": "serial"}}
    url = f"{nova}/v2.1/servers/{server_id}/remote-consoles"
    console = administrator.post(url, json=asked, headers=version).json()["remote_console"]
    (token,) = parse_qs(urlsplit(console["url"]).query)["token"]
    answer = administrator.get(f"{nova}/v2.1/os-console-auth-tokens/{token}", headers=version).json()
    return int(answer["console"]["port"])
