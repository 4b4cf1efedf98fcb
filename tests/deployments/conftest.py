"""One cloud for all worlds, one after another; and the file that says how they went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployments import people
from tests.deployments.oracle import Oracle
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.testing import LocalCloud

collect_ignore = ["under_uwsgi.py"]
"""Only uWSGI can import it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, so that ``-m "not local"`` leaves them out."""
    for item in items:
        if "tests/deployments/" in item.nodeid:
            item.add_marker(pytest.mark.local)


@pytest.fixture
def deployment(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """Return the cloud with the people of the story and nothing else; what a world leaves behind is removed."""
    people.invite_stranger(local_cloud)
    keys = f"{local_cloud.url('nova')}/v2.1/os-keypairs"
    session = local_cloud.session("alice")
    for name in ("one", "two", "three"):
        if session.get(f"{keys}/{name}", raise_exc=False).status_code == 404:
            session.post(keys, json={"keypair": {"name": name, "public_key": people.PUBLIC_KEY}})
    yield local_cloud
    oracle = Oracle(local_cloud)
    for server in [*oracle.servers(), *oracle.servers(deleted=True)]:
        oracle.delete(server["id"], "server")
    until(lambda: not oracle.servers() and not oracle.servers(deleted=True))
    for thing, kind in oracle.everything().items():
        oracle.delete(thing, kind)
    until(lambda: not oracle.everything())
