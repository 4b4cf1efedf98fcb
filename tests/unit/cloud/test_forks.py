"""A client that is used after a fork shares nothing with its parent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import openstack
import pytest
from keystoneauth1.identity import generic
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from hyperx_glance import Client
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.cloud.departments import Departments
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_what_a_thread_of_the_parent_holds_holds_up_no_child() -> None:
    """The thread is gone in the child, and would never let go."""
    fake = InMemoryCloud()
    session = fake.session("alice")
    login = generic.Password("http://keystone.cloud.test/v3", username="alice", password="secret")
    cloud = Cloud.from_session(session)
    departments = Departments(cloud)
    assert session.auth is not None
    locks = vars(session.auth), vars(departments._kept)
    held = [holder["_lock"] for holder in locks]
    for lock in held:
        lock.acquire()

    cloud.renew()
    departments._kept.renew()

    assert all(holder["_lock"] is not lock for holder, lock in zip(locks, held, strict=True))
    assert departments.names()
    assert Client.from_session(session).image(fake.glance.add_image()).id
    inner = session.auth
    vars(login)["_plugin"] = inner  # as its first request makes one
    session.auth = login
    lock = vars(inner)["_lock"]
    cloud.renew()
    assert vars(inner)["_lock"] is not lock


def test_the_steward_and_a_connection_are_renewed_too() -> None:
    sessions = [Session(auth=Token("http://127.0.0.1", "token")) for _ in range(3)]
    clients = [
        Client.from_session(sessions[0], steward=sessions[1]),
        Client.from_connection(openstack.connection.Connection(session=sessions[2])),
    ]

    def connections() -> list[object]:
        return [session.session.get_adapter("http://127.0.0.1").poolmanager for session in sessions]  # type: ignore[attr-defined]  # an HTTPAdapter

    before = connections()
    child = os.fork()
    if not child:
        os._exit(any(old is new for old, new in zip(before, connections(), strict=True)))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert before == connections()
    assert clients
