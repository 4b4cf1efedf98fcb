"""A process that releases one version, and may be killed at one of its requests: the tests start it.

The argument is JSON: ``auth`` (a session's keywords), ``family``, ``version``, ``file``, and ``die``: the number of the
request at which the process kills itself, as `kill -9` would, and whether "before" or "after" Glance has answered.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyperx_glance import NewImage
from tests.local.registrant import connect, die
from tests.support.interference import Interference

if TYPE_CHECKING:
    from hyperx_glance import Client


def kill_at(client: Client, number: int, moment: str) -> None:
    """Let the process die before or after a request; logins do not count."""
    between, requests = Interference(client), itertools.count(1)

    def die_at_the_number() -> None:
        if next(requests) == number:
            die()

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        (between.before if moment == "before" else between.after)(method, "", die_at_the_number, times=-1)


def build(order: dict[str, Any]) -> NewImage:
    """Return what is released."""
    return NewImage(name=order["family"], file=Path(order["file"]), category="public")


def main(order: dict[str, Any]) -> None:
    """Release it."""
    client = connect(order)
    if "die" in order:
        kill_at(client, *order["die"])
    image = client.release(build(order), family=order["family"], version=order["version"])
    sys.stdout.write(image.id)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
