"""gophercloud's acceptance tests of images and servers, from Debian's package of its sources.

They are run as gophercloud's own CI runs them on a DevStack: what its ``script/stackenv`` makes and looks up stands in
variables beside those of ``openrc``, which the cloud's ``--write-devstack`` writes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import requests

from hyperx_glance.testing import devstack
from hyperx_glance.testing.profiles import small_image
from tests.suites.outcomes import Outcome, SuiteError
from tests.support import environments
from tests.support.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.suites.places import Place

_PACKAGES: Final = "golang-go golang-github-gophercloud-gophercloud-dev"
_SOURCES: Final = Path("/usr/share/gocode")
_ROOT: Final = "github.com/gophercloud/gophercloud/acceptance/openstack/"
_MODULES: Final = ("imageservice/v2", "compute/v2")
_SECONDS: Final = 30 * 60
# What the tests download, and let Glance import (acceptance/openstack/imageservice/v2/imageservice.go).
_IMAGE: Final = "http://download.cirros-cloud.net/0.4.0/cirros-0.4.0-x86_64-disk.img"
# What script/stackenv makes: name, id and GiB of the disk.
_FLAVORS: Final = (("m1.acctest", "99", 10), ("m1.resize", "98", 11))
_NOT_RUN: Final = {
    "compute/v2.TestServersActionReboot": "It waits five minutes for REBOOT, which is over within its first second.",
    "compute/v2.TestServersActionRebuild": "It waits five minutes for REBUILD, which is over within its first second.",
}


def needs() -> str:
    """Say what must be installed, if something is missing."""
    there = shutil.which("go") is not None and (_SOURCES / "src" / _ROOT).is_dir()
    return "" if there else f"its packages are not installed; on Debian: apt-get install {_PACKAGES}"


def run(place: Place, home: Path, pattern: str) -> list[Outcome]:
    """Run the tests whose names match, on this machine only, and return how each ended."""
    go = _go(home)
    wanted = [test for test in _tests(go) if re.search(pattern, test)]
    skipped = [Outcome(test, "skipped", _NOT_RUN[test]) for test in wanted if test in _NOT_RUN]
    with FileServer() as files:
        files.serve(_IMAGE.removeprefix("http://download.cirros-cloud.net"), small_image())
        # Programs in Go send requests for other machines to the proxy, and look up no name: nothing leaves this one.
        environment = {**go, **_choices(place, home), "HTTP_PROXY": files.url(""), "HTTPS_PROXY": files.url("")}
        if not place.is_real:
            _plan_download(place)
        return skipped + [outcome for module in _MODULES for outcome in _run(environment, module, wanted)]


def _go(home: Path) -> dict[str, str]:
    """Return the environment in which Go builds from Debian's sources, and downloads nothing."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GO111MODULE": "off",
        "GOPATH": str(_SOURCES),
        "GOCACHE": str(environments.cache("go")),
        "GOFLAGS": "-tags=acceptance",
        "GOPROXY": "off",
    }


def _tests(environment: Mapping[str, str]) -> Iterator[str]:
    for module in _MODULES:
        listed = _called(environment, "-list", ".", _ROOT + module)
        yield from (f"{module}.{name}" for name in re.findall("^Test.*$", listed, re.MULTILINE))


def _called(environment: Mapping[str, str], *arguments: str) -> str:
    command = ["go", "test", *arguments]
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise SuiteError("it timed out") from error
    if ended.returncode not in (0, 1) or "[build failed]" in ended.stdout:
        raise SuiteError(f"its tests could not be built: {ended.stderr.strip()[-400:]}")
    return ended.stdout


def _run(environment: Mapping[str, str], module: str, wanted: list[str]) -> Iterator[Outcome]:
    names = [test.removeprefix(f"{module}.") for test in wanted if test.startswith(f"{module}.")]
    names = [name for name in names if f"{module}.{name}" not in _NOT_RUN]
    if not names:
        return
    chosen = f"^({'|'.join(names)})$"
    told = _called(environment, "-json", "-count=1", f"-timeout={_SECONDS}s", "-run", chosen, _ROOT + module)
    yield from outcomes_of(module, told.splitlines(), names)


def outcomes_of(module: str, lines: list[str], names: list[str]) -> Iterator[Outcome]:
    """Read what ``go test -json`` tells of each test; one of which it tells no end was cut off, and failed."""
    said: dict[str, str] = dict.fromkeys(names, "")
    ended: dict[str, str] = {}
    for event in (json.loads(line) for line in lines if line.startswith("{")):
        name = event.get("Test")
        if name not in said:
            continue
        if event["Action"] == "output":
            said[name] += event["Output"]
        elif event["Action"] in _ENDS:
            ended[name] = _ENDS[event["Action"]]
    for name in names:
        yield Outcome(f"{module}.{name}", ended.get(name, "failed"), _words(said[name]))


_ENDS: Final = {"pass": "passed", "fail": "failed", "skip": "skipped"}


def _words(output: str) -> str:
    """Leave out colours, what Go says of every test, and what it deletes at the end."""
    plain = re.sub("\x1b\\[[0-9;]*m", "", output)
    lines = [line.strip() for line in plain.splitlines()]
    told = [line for line in lines if line and not re.match("=== |--- |PASS$|FAIL", line)]
    why = [line for line in told if not re.search(r"\.go:\d+: (?:Deleted|Attempting to delete)", line)]
    return "\n".join(why)


def _choices(place: Place, home: Path) -> dict[str, str]:
    """Make and look up what ``script/stackenv`` does, and return the variables of ``openrc`` with its own."""
    devstack.write(home, place.clouds_yaml)
    command = ["bash", "-c", 'source "$0/openrc" admin admin && env', str(home)]
    told = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in told.splitlines() if line.startswith("OS_"))
    session = place.session()
    for name, flavor_id, disk in _FLAVORS:
        flavor = {"name": name, "id": flavor_id, "ram": 512, "disk": disk, "vcpus": 1, "OS-FLV-EXT-DATA:ephemeral": 10}
        session.post("/flavors", json={"flavor": flavor}, endpoint_filter={"service_type": "compute"})
    (private,), (public,) = place.called("networks", "private"), place.called("networks", "public")
    return {
        **variables,
        "OS_DOMAIN_ID": "default",
        "OS_IMAGE_ID": place.images[0],
        "OS_FLAVOR_ID": _FLAVORS[0][1],
        "OS_FLAVOR_ID_RESIZE": _FLAVORS[1][1],
        "OS_NETWORK_ID": private["id"],
        "OS_SUBNET_ID": private["subnets"][0],
        "OS_EXTGW_ID": public["id"],
        "OS_POOL_NAME": "public",
    }


def _plan_download(place: Place) -> None:
    """Tell the cloud in memory that its Glance finds the image, too."""
    cloud = place.administrator["auth_url"].removesuffix("/identity/v3")
    planned = {"url": _IMAGE, "size": len(small_image())}
    requests.post(f"{cloud}/control/download", json=planned, timeout=10).raise_for_status()
