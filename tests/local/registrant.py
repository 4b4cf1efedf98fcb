"""A process that registers one image, and may be killed on the way: the tests start it and read what it prints.

The argument is JSON: ``auth`` (a session's keywords), ``request`` (fields of `NewImage`), ``settings`` (``transfer``),
``die``: at which step the process kills itself, as `kill -9` would; and ``lines_up``: log in, say so by a line, and
start when a line comes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from hyperx_glance import Client, HyperxGlanceError, NewImage
from hyperx_glance.testing.timing import scaled
from tests.support.clouds import PATIENT, ClientFactory
from tests.support.interference import Interference

STEPS = {
    "before create": ("before", "POST", "^/images$"),
    "after create": ("after", "POST", "^/images$"),
    "before import request": ("before", "POST", "/import$"),
    "after import request": ("after", "POST", "/import$"),
    "while importing": ("after", "GET", "^/images/[^/]+$"),
    "before verify": ("before", "GET", "/file$"),
    "before mark": ("before", "PATCH", "^/images/[^/]+$"),
    "while uploading": ("before", "", ""),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _OneUser:
    def __init__(self, auth: dict[str, Any]) -> None:
        self._auth = auth

    def session(self, user: str) -> Session:
        del user
        return Session(auth=Password(**self._auth), timeout=scaled(60))


def connect(order: dict[str, Any]) -> Client:
    return ClientFactory(_OneUser(order["auth"]), PATIENT)("", **order.get("settings", {}))


def main(order: dict[str, Any]) -> None:
    client = connect(order)
    if order.get("lines_up"):
        client.count(name="")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
    step = order.get("die", "")
    if step and step != "while uploading":
        moment, method, path = STEPS[step]
        between = Interference(client)
        (between.before if moment == "before" else between.after)(method, path, die)
    on_progress = (lambda progress: die() if progress.bytes_done else None) if step == "while uploading" else None
    try:
        request = order["request"]
        if "file" in request:
            request["file"] = Path(request["file"])
        image = client.register(NewImage.model_validate(request), on_progress=on_progress)
    except HyperxGlanceError as error:
        result = {"error": type(error).__name__, "message": str(error)}
    else:
        result = {"image": image.id, "state": image.state}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
