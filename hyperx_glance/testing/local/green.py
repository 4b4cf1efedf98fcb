"""Services on eventlet, as older releases need them: until the last of `releases.needs_eventlet`.

eventlet has to patch Python before anything else is imported, so such a service is a new interpreter instead of a fork
of the supervisor. (No example: it replaces the process it is called in.)
"""

import dataclasses
import json
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

from hyperx_glance.testing.local.layout import Layout

# The package is found as by LocalCloud.
_PROGRAM: Final = (
    "import eventlet; eventlet.monkey_patch(); "
    "import sys; sys.path.insert(0, sys.argv[1]); import hyperx_glance; del sys.path[0]; "
    "from hyperx_glance.testing.local import supervisor; supervisor.serve_on_eventlet(sys.argv[2])"
)
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[3]
_LOCK_SECONDS: Final = 60
_LOCK_PAUSE_SECONDS: Final = 0.005


def become(service: str, layout: Layout, options: dict[str, dict[str, Any]], policies: dict[str, str]) -> NoReturn:
    """Replace this process by a service that runs on eventlet."""
    place = dataclasses.asdict(layout) | {"directory": str(layout.directory)}
    order = json.dumps([service, place, options, policies])
    os.execv(sys.executable, [sys.executable, "-P", "-c", _PROGRAM, str(_PACKAGE_ROOT), order])  # noqa: S606


def order(text: str) -> tuple[str, Layout, dict[str, dict[str, Any]], dict[str, str]]:
    """Read what `become` wrote."""
    service, place, options, policies = json.loads(text)
    return service, Layout(**place | {"directory": Path(place["directory"])}), options, policies


def listen(layout: Layout, service: str, application: object) -> None:
    """Answer requests forever."""
    import eventlet.wsgi

    listener = eventlet.listen((layout.address, layout.ports[service]), backlog=128)
    eventlet.wsgi.server(listener, application, log_output=False, debug=False)


def begin(connection: sqlite3.Connection, statement: str) -> None:
    """Begin a transaction without SQLite's own waiting: it would stop every green thread, the lock's holder too."""
    deadline = time.monotonic() + _LOCK_SECONDS
    connection.execute("pragma busy_timeout = 0")
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_LOCK_PAUSE_SECONDS)
        else:
            return
