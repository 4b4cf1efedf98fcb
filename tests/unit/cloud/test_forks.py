"""A client does not work in a forked process, which says so at once; a client made there works."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import openstack
import pytest
from keystoneauth1.identity import generic

from hyperx_glance import Client, InvalidRequestError
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
    except BaseException:  # noqa: BLE001  # the child must never continue with the parent's tests
        os._exit(1)
    os._exit(0)


def is_refused(use: Callable[[], object]) -> None:
    """Check that the error says where to make a client."""
    with pytest.raises(InvalidRequestError, match=r"in another process.*after the fork"):
        use()


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
        assert in_a_child(lambda: is_refused(client.departments)) == 0
    finally:
        forked.set()
        thread.join()


@pytest.mark.parametrize("kind", ["session", "steward", "connection", "a new client"])
def test_no_connection_of_the_parent_is_used_in_a_child(kind: str) -> None:
    """Not even by a client that the child makes: its session has the parent's sockets."""
    fake = InMemoryCloud()
    session, steward = fake.session("alice"), fake.session("admin")
    image = Client.from_session(session).image(fake.glance.add_image(name="kylin", owner="c" * 32, visibility="public"))
    client = Client.from_session(session, steward=steward)

    def use() -> None:
        match kind:
            case "session":
                client.image(image.id)
            case "steward":
                own = fake.session("alice")
                Client.from_session(own, steward=steward).owner_name(image)
            case "connection":
                connection.image(image.id)
            case _:
                Client.from_session(session).image(image.id)

    connection = Client.from_connection(openstack.connection.Connection(session=session))
    assert in_a_child(lambda: is_refused(use)) == 0
    use()


def test_a_child_makes_its_own_session_and_client() -> None:
    fake = InMemoryCloud()
    parent = Client.from_session(fake.session("alice"))
    expected = parent.departments()

    def compare() -> None:
        assert Client.from_session(fake.session("alice")).departments() == expected

    assert in_a_child(compare) == 0
