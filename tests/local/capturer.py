"""A process that captures one server, and is killed on the way: the tests start it and read what it prints.

The argument is JSON: ``auth`` (a session's keywords), ``server``, ``request`` (fields of `NewCapture`), and ``die``:
the moment, method and path of the request at which the process kills itself, as `kill -9` would.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hyperx_glance import NewCapture
from tests.local.captures import strike_at
from tests.local.registrant import connect, die
from tests.support.interference import Interference


def main(order: dict[str, Any]) -> None:
    client = connect(order)
    strike_at(Interference(client), order["die"], die)
    image = client.capture(order["server"], NewCapture.model_validate(order["request"]))
    sys.stdout.write(image.id)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
