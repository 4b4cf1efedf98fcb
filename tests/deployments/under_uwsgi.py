"""The WSGI application of Glance or Keystone for uWSGI, which imports it: upstream's own.

Of the local cloud's changes it has the one that its SQLite files need. Operators have another database.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from hyperx_glance.testing import loopback
from hyperx_glance.testing.local import patches

if TYPE_CHECKING:
    from hyperx_glance.testing.loopback import Attempt


def report(attempt: Attempt) -> None:
    """Write an attempt to reach another machine to uWSGI's log."""
    print(f"{attempt.event} to {attempt.target} was refused\n{attempt.stack}", file=sys.stderr, flush=True)  # noqa: T201  # it is its log


loopback.hold(report)
patches.begin_writers_immediately()
application = importlib.import_module(f"{os.environ['SERVICE']}.wsgi.api").application
