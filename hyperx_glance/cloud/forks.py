"""What a forked process must not share with its parent is made anew in the child, before it does anything else.

>>> from hyperx_glance.cloud.forks import renew_in_children
>>> class Connections:
...     def renew(self) -> None:
...         self.sockets = []
>>> connections = Connections()
>>> renew_in_children(connections)

Servers such as gunicorn and uWSGI build an application once and fork it. A socket that both use gives one the answer
that was meant for the other; a lock that another thread held at that moment is never released in the child.
"""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Be something that has a part of its own in each process."""

    def renew(self) -> None:
        """Make that part anew, without a word to the other side."""
        ...


_RENEWABLE: "WeakSet[Renewable]" = WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """Let a thing be renewed in every process that is forked from this one, as long as it lives."""
    _RENEWABLE.add(thing)


def _renew_all() -> None:
    for thing in list(_RENEWABLE):
        thing.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_all)
