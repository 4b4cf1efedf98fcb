"""Fixtures that every kind of test shares."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest
import trustme

from tests import samples
from tests.support.file_server import FileServer
from tests.support.mariadb import MariaDB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hyperx_glance.testing import LocalCloud

hypothesis.settings.register_profile("default", deadline=None, print_blob=True)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose where Glance and Keystone of the local cloud keep their data."""
    parser.addoption("--database", choices=("sqlite", "mariadb"), default="sqlite", help="(default: %(default)s)")


def pytest_configure() -> None:
    """Take Ctrl-C as usual also in a shell's background job, which ignores it, as would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Write the sample disk into a file."""
    path = tmp_path / "disk.qcow2"
    path.write_bytes(samples.data("disk.qcow2"))
    return path


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """Serve files by HTTP on 127.0.0.1."""
    with FileServer() as server:
        yield server


@pytest.fixture
def tls_file_server(certificate_authority: trustme.CA) -> Iterator[FileServer]:
    """Serve files by HTTPS on 127.0.0.1; only clients that read `ca_file` trust it."""
    with FileServer(authority=certificate_authority) as server:
        yield server


@pytest.fixture(scope="session")
def certificate_authority() -> trustme.CA:
    """Make an authority of this run's own."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(certificate_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the authority's certificate."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    certificate_authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory in which the local cloud looks for programs first; it has only what tests put there."""
    return tmp_path_factory.mktemp("tools")


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the URLs of empty databases for Glance and Keystone, in a MariaDB of this process."""
    with MariaDB(tmp_path_factory.mktemp("mariadb")) as server:
        yield {name: server.create(name) for name in ("glance", "keystone")}


@pytest.fixture(scope="session")
def local_cloud(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, ca_file: Path, tools: Path
) -> Iterator[LocalCloud]:
    """Return the one real OpenStack of this process, whose Glance trusts `ca_file`: leave nothing behind in it.

    Not `hyperx_local_cloud`, which the workers of pytest-xdist share: these tests restart services and fill quotas.
    """
    from hyperx_glance.testing import LocalCloud  # noqa: PLC0415 - most runs have none

    databases = request.getfixturevalue("mariadb") if pytestconfig.getoption("--database") == "mariadb" else None
    cloud = LocalCloud(python=pytestconfig.getoption("--hyperx-python"), databases=databases)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(ca_file))
        patch.setenv("PATH", str(tools), prepend=os.pathsep)
        cloud.start()
    with cloud:
        yield cloud
