"""The requirements of a local cloud on its machine, directory and environment."""

import importlib.util
import ipaddress
import os
import socket
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from hyperx_glance.testing.local import qemu
from hyperx_glance.testing.local.layout import (
    ENTRIES,
    HYPERVISORS,
    MOVABLE_DATABASES,
    SERVICES,
    LocalCloudError,
    check_name,
)
from hyperx_glance.testing.profiles import PROFILES

# Variables of the caller that would change the services: oslo.config reads OS_SECTION__OPTION, requests the proxies.
_UNWANTED_PREFIXES: Final = ("OS_", "COVERAGE_", "PYTHONWARNINGS", "NOTIFY_SOCKET", "PYTEST_")
_UNWANTED_SUFFIXES: Final = ("_PROXY",)

_PORTS: Final = 1 << 16


def check_choices(
    hosts: int, hypervisor: str, databases: Collection[str], configured: Collection[str], profile: str
) -> None:
    """Refuse choices that no local cloud supports."""
    if profile not in PROFILES:
        raise LocalCloudError(f"unknown profile: {profile}; valid profiles: {', '.join(PROFILES)}")
    if hosts < 1:
        raise LocalCloudError(f"a cloud must have at least one host, not {hosts}")
    if hypervisor not in HYPERVISORS:
        raise LocalCloudError(f"unknown hypervisor: {hypervisor}; valid hypervisors: {', '.join(HYPERVISORS)}")
    if hypervisor == "qemu" and hosts > 1:
        raise LocalCloudError("the hypervisor qemu supports only one host, this machine")
    for service in configured:
        check_name(service)
    for service in databases:
        if service not in MOVABLE_DATABASES:
            raise LocalCloudError(f"only {' and '.join(MOVABLE_DATABASES)} can use a database server, not {service}")


def check_place(address: str, ports: Mapping[str, int]) -> None:
    """Refuse an address or ports that the services cannot use."""
    try:
        unspecified = ipaddress.IPv4Address(address).is_unspecified
    except ValueError:
        raise LocalCloudError(f"not an IPv4 address: {address}") from None
    if unspecified:
        raise LocalCloudError(f"{address} cannot be in the catalogue: use one address of this machine")
    for service, port in ports.items():
        check_name(service)
        if not 0 < port < _PORTS:
            raise LocalCloudError(f"invalid port: {port}")
    for port, services in Counter(ports.values()).items():
        if services > 1:
            raise LocalCloudError(f"{services} services cannot share port {port}")


def bound(service: str, address: str, port: int) -> socket.socket:
    """Return a socket that has the port of a service and does not listen; 0 means any free port."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind((address, port))
    except OSError as error:
        reserved.close()
        raise LocalCloudError(f"{service} cannot use port {port} of {address}: {error}") from error
    return reserved


def check_free(address: str, ports: Mapping[str, int]) -> None:
    """Refuse an address that this machine does not have, and ports in use."""
    for service, port in ({"keystone": 0} | dict(ports)).items():
        bound(service, address, port).close()


def check_machine(python: str | None, hypervisor: str) -> None:
    """Refuse a machine on which no local cloud can run, and name what is missing."""
    if not sys.platform.startswith("linux"):
        raise LocalCloudError("the local cloud runs on Linux only: it needs /proc, fork and prctl")
    if hypervisor == "qemu":
        qemu.check(python)
    if python is not None:  # its supervisor reports what it lacks
        if not os.access(python, os.X_OK):
            raise LocalCloudError(f"there is no Python at {python}")
        return
    missing = [package for package in (*SERVICES, "cheroot") if importlib.util.find_spec(package) is None]
    if missing:
        raise LocalCloudError(f"not installed: {', '.join(missing)}; run: pip install 'hyperx-glance[localcloud]'")


def check_directory(directory: Path) -> None:
    """Refuse a directory with other things in it: it is probably not the intended one."""
    names = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if "cloud.json" not in names and not names <= set(ENTRIES):
        raise LocalCloudError(f"{directory} is not empty, and does not contain a local cloud")


def clean_environment() -> dict[str, str]:
    """Return the environment without the variables that would change the services."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED_PREFIXES) and not name.upper().endswith(_UNWANTED_SUFFIXES)
    }
