"""The command `python -m hyperx_glance.testing.memory serve`: in-memory clouds by HTTP, for programs in any language.

>>> main(["dance"])
Traceback (most recent call last):
...
SystemExit: 2
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from hyperx_glance.errors import InvalidRequestError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        return _serve(chosen)
    except ModuleNotFoundError as error:  # it names the extra
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hyperx_glance.testing.memory", description="An OpenStack in memory, behind HTTP."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "answer on loopback until interrupted; print a clouds.yaml first, and nothing else"
    serve = commands.add_parser("serve", help=text, description=text)
    serve.add_argument("--port", type=int, default=0, help="port to listen on (default: a free port)")
    serve.add_argument("--cloud", action="append", metavar="NAME", help="name of a cloud; repeat for several")
    words = "initial content of each cloud; devstack adds demo, alt_demo, a public image and other flavors"
    serve.add_argument("--profile", choices=["default", "devstack"], default="default", help=words)
    words = "initial content of each cloud: what GET /NAME/control/state has answered"
    serve.add_argument("--state", type=Path, metavar="FILE", help=words)
    words = "number that decides all ids, passwords and tokens: they are equal in runs with equal requests"
    serve.add_argument("--seed", type=int, metavar="NUMBER", help=words)
    return parser


def _serve(chosen: argparse.Namespace) -> int:
    from hyperx_glance.testing.memory.serving import Server  # noqa: PLC0415 - a wrong command needs no server

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        state = chosen.state.read_bytes() if chosen.state else None
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        server = Server(
            port=chosen.port,
            names=chosen.cloud or ["cloud"],
            profile=chosen.profile,
            seed=chosen.seed,
            state=state,
        )
    except InvalidRequestError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        # A reader who has read this to its end can log in at once: the port is bound, and answers when the server runs.
        print(server.clouds_yaml(), end="", flush=True)
        server.run()
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
