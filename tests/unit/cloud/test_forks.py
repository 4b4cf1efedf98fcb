"""A client that is used after a fork shares nothing with its parent."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import openstack
import pytest
from keystoneauth1.identity import generic
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance import Client
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

SECONDS = 30
"""A child that waits for a lock which nobody will let go ends after so long."""


def in_a_child(use: Callable[[], object]) -> int:
    """Return how a forked process ends that does something: 0 if all went well."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(SECONDS)
    try:
        use()
    except BaseException:  # noqa: BLE001  # the child must never go on with the parent's tests
        os._exit(1)
    os._exit(0)


@pytest.mark.parametrize("login", ["v3.Password", "generic.Password"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/tokens"), ("GET", "/projects")])
def test_a_lock_that_a_thread_of_the_parent_holds_does_not_block_a_child(login: str, method: str, path: str) -> None:
    """The thread does not exist in the child, and would never release it."""
    fake = InMemoryCloud()
    session = fake.session("alice")
    if login == "generic.Password":
        session.auth = generic.Password(
            "http://keystone.cloud.test/v3",
            username="alice",
            password="secret",
            project_name="dept-a",
            user_domain_id="default",
            project_domain_id="default",
        )
    client = Client.from_session(session)
    asking, forked = threading.Event(), threading.Event()

    def wait_for_the_fork() -> None:
        asking.set()
        assert forked.wait(SECONDS)

    fake.before("keystone", method, path, wait_for_the_fork, times=1)
    thread = threading.Thread(target=client.departments)
    thread.start()
    assert asking.wait(SECONDS)
    try:
        assert in_a_child(client.departments) == 0
    finally:
        forked.set()
        thread.join()


def test_the_steward_and_a_connection_are_renewed_too() -> None:
    sessions = [Session(auth=Token("http://127.0.0.1", "token")) for _ in range(3)]
    clients = [
        Client.from_session(sessions[0], steward=sessions[1]),
        Client.from_connection(openstack.connection.Connection(session=sessions[2])),
    ]

    def connections() -> list[object]:
        return [session.session.get_adapter("http://127.0.0.1").poolmanager for session in sessions]  # type: ignore[attr-defined]  # an HTTPAdapter

    def compare() -> None:
        assert not any(old is new for old, new in zip(before, connections(), strict=True))

    before = connections()
    assert in_a_child(compare) == 0
    assert before == connections()
    assert clients
