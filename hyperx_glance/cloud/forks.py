"""A session works only in the process that made it, because a fork copies its connections and its locks.

>>> from hyperx_glance.cloud.forks import check_process, process_of
>>> class Session: ...
>>> check_process(process_of(Session()))
>>> check_process(-1)
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: This client was made in another process. Hint: Make the session and ...

Over a socket that two processes share, one of them can receive the response to the other's request. A lock that another
thread holds during a fork is never released in the child. The lock of a login (keystoneauth1/identity/base.py) has no
public name, so a child cannot replace it.
"""

import os
from weakref import WeakKeyDictionary

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import say

_forks = 0
"""How many forks led to this process. It costs less than ``os.getpid``, which is a system call for each request."""
_PROCESSES: WeakKeyDictionary[object, int] = WeakKeyDictionary()
"""The process of each session: a client that is made in a child from a session of the parent does not work either."""


def this_process() -> int:
    """Return a number for this process."""
    return _forks


def process_of(session: object) -> int:
    """Return a number for the process in which a session was first used."""
    return _PROCESSES.setdefault(session, _forks)


def check_process(process: int) -> None:
    """Raise `InvalidRequestError` in any process but this one."""
    if process != _forks:
        raise InvalidRequestError(say("made-in-another-process"), hint=say("connect-after-the-fork"))


def _count() -> None:
    global _forks  # noqa: PLW0603  # a hook has no other way
    _forks += 1


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_count)
