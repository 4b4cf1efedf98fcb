"""A small Debian and a small installer, made of Debian packages without root, loop devices and mounts.

They are kept in the user's cache directory by the versions of the packages that they are made of, and by this file.
"""

from __future__ import annotations

import dataclasses
import fcntl
import gzip
import hashlib
import os
import platform
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    pass

PACKAGES: Final = (
    "cloud-init",
    "e2fsprogs",
    "libc6",
    "linux-image-cloud-amd64",
    "login",
    "netbase",
    "passwd",
    "qemu-guest-agent",
    "sudo",
    "systemd-sysv",
    "udev",
)
CLOUD_INIT: Final = "datasource_list: [ConfigDrive, None]\n"
SECTOR: Final = 512
MIB: Final = 1 << 20
BOOT_MIB: Final = 96
ROOT_MIB: Final = 880
LINUX, FAT = 0x83, 0x0C
MODULES: Final = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
INSTALLER_RUNS: Final = "The installer runs"
INSTALLED_BOOTS: Final = "The installed disk boots"
LIVE_RUNS: Final = "There is no disk to install on"
INIT: Final = f"""\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
exec > /dev/ttyS0 2>&1 < /dev/ttyS0
for module in {" ".join(MODULES)}; do insmod /modules/$module.ko; done
for second in 1 2 3; do test -b /dev/vda && break; sleep 1; done
if grep -q installed /proc/cmdline; then
    echo "{INSTALLED_BOOTS}"
elif test -b /dev/vda; then
    echo "{INSTALLER_RUNS}"
    zcat /disk.gz | dd of=/dev/vda bs=1M conv=fsync && sleep 1 && reboot -f
else
    echo "{LIVE_RUNS}"
fi
while true; do sh; done
"""


@dataclasses.dataclass(frozen=True)
class Images:
    """Files with which guests start."""

    disk: Path
    """A qcow2 of less than a GiB: Debian with cloud-init, whose default user is debian, and the guest agent."""
    installer: Path
    """An ISO: its installer writes a disk that boots by itself, and reboots."""


def images() -> Images:
    """Return the images; make them if they do not exist yet. A second process waits."""
    folder = _cache() / _fingerprint()
    folder.mkdir(parents=True, exist_ok=True)
    made = Images(folder / "debian.qcow2", folder / "installer.iso")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.installer.exists():
            with tempfile.TemporaryDirectory(dir=folder) as work:
                _make(Path(work), made)
    return made


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperx-glance" / "guests"


def _fingerprint() -> str:
    policy = _run("apt-cache", "policy", *PACKAGES).stdout
    candidates = [line for line in policy.splitlines() if line and (line[0] != " " or "Candidate:" in line)]
    return hashlib.sha256("\n".join(candidates).encode() + Path(__file__).read_bytes()).hexdigest()[:16]


def _run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def _make(work: Path, made: Images) -> None:
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    (work / "90-guest.cfg").write_text(CLOUD_INIT)
    (work / "fstab").write_text("LABEL=root / ext4 defaults 0 1\n")
    _run(
        *("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "--dpkgopt=force-unsafe-io"),
        *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
        *("--dpkgopt=path-exclude=/usr/share/man/*", f"--customize-hook=copy-in {work}/fstab /etc"),
        *(f"--customize-hook=copy-in {work}/90-guest.cfg /etc/cloud/cloud.cfg.d", suite, work / "root.tar"),
    )
    # The tar has the owners of the files; without root, fakeroot keeps them.
    pack = "tar -xf root.tar --exclude=./dev/* -C root && mkfs.ext4 -q -L root -d root root.img"
    (work / "root").mkdir()
    _empty(work / "root.img", ROOT_MIB)
    _run(*(() if os.geteuid() == 0 else ("fakeroot",)), "sh", "-c", pack, cwd=work)
    (kernel,) = (work / "root/boot").glob("vmlinuz-*")
    (initrd,) = (work / "root/boot").glob("initrd.img-*")
    _bootable(work / "boot.img", kernel, initrd, "root=LABEL=root rw net.ifnames=0")
    _disk(work / "disk.img", (FAT, work / "boot.img"), (LINUX, work / "root.img"))
    _run("qemu-img", "convert", "-c", "-W", "-O", "qcow2", work / "disk.img", work / made.disk.name)
    _installer(work, kernel, work / made.installer.name)
    for image in (made.disk, made.installer):  # the last one shows that all are made
        (work / image.name).replace(image)


def _installer(work: Path, kernel: Path, iso: Path) -> None:
    """Pack an initrd into an ISO, and into it a disk that has the same without a disk in it."""
    tree = work / "initrd"
    for name in ("bin", "dev", "modules", "proc", "sys"):
        (tree / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin")
    for module in MODULES:
        (found,) = (work / "root/lib/modules").rglob(f"{module}.ko")
        shutil.copy(found, tree / "modules")
    (tree / "init").write_text(INIT)
    (tree / "init").chmod(0o755)
    _pack(tree, work / "installed.gz")
    _bootable(work / "installed-boot.img", kernel, work / "installed.gz", "installed", mib=24)
    _disk(work / "installed.img", (FAT, work / "installed-boot.img"))
    (tree / "disk.gz").write_bytes(gzip.compress((work / "installed.img").read_bytes(), 6))
    disc = work / "disc/isolinux"
    disc.mkdir(parents=True)
    _pack(tree, disc / "initrd")
    shutil.copy(kernel, disc / "vmlinuz")
    shutil.copy("/usr/lib/ISOLINUX/isolinux.bin", disc)
    shutil.copy("/usr/lib/syslinux/modules/bios/ldlinux.c32", disc)
    (disc / "isolinux.cfg").write_text(_menu(""))
    _run(
        *("genisoimage", "-quiet", "-V", "INSTALLER", "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat"),
        *("-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "-o", iso, work / "disc"),
    )


def _pack(tree: Path, initrd: Path) -> None:
    _run("sh", "-c", f"find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > {initrd}", cwd=tree)


def _menu(arguments: str) -> str:
    lines = ("SERIAL 0 115200", "DEFAULT linux", "LABEL linux", "KERNEL vmlinuz", "INITRD initrd")
    return "\n".join([*lines, f"APPEND console=ttyS0 quiet {arguments}", ""])


def _empty(path: Path, mib: int) -> None:
    with path.open("wb") as file:
        file.truncate(mib * MIB)


def _bootable(partition: Path, kernel: Path, initrd: Path, arguments: str, *, mib: int = BOOT_MIB) -> None:
    """Make a FAT file system that boots a Linux."""
    _empty(partition, mib)
    menu = partition.with_suffix(".cfg")
    menu.write_text(_menu(arguments))
    _run("mkfs.vfat", partition)
    for file, name in ((kernel, "vmlinuz"), (initrd, "initrd"), (menu, "syslinux.cfg")):
        _run("mcopy", "-i", partition, file, f"::{name}")
    _run("syslinux", "--install", partition)


def _disk(disk: Path, *partitions: tuple[int, Path]) -> None:
    """Put partitions one after the other onto a disk whose first one is booted."""
    begin, table = MIB, b""
    with disk.open("wb") as file:
        file.write(Path("/usr/lib/syslinux/mbr/mbr.bin").read_bytes())
        for kind, partition in partitions:
            size = partition.stat().st_size
            boots = 0x80 if begin == MIB else 0
            anywhere = b"\xfe\xff\xff"  # too far for cylinders, heads and sectors
            table += struct.pack("<B3sB3sII", boots, anywhere, kind, anywhere, begin // SECTOR, size // SECTOR)
            begin += size
        file.seek(446)
        file.write(table.ljust(64, b"\0") + b"\x55\xaa")
        file.truncate(begin)
    begin = MIB
    for _, partition in partitions:
        _run("dd", f"if={partition}", f"of={disk}", "bs=1M", f"seek={begin // MIB}", "conv=notrunc,sparse")
        begin += partition.stat().st_size
