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
from hyperx_glance.testing import devstack, exposure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 2 if the arguments cannot be served."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.write_devstack:
            devstack.check(chosen.write_devstack, chosen.profile)
        return _serve(chosen)
    except InvalidRequestError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:  # it names the extra
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = exposure.Parser(
        prog="python -m hyperx_glance.testing.memory", description="An OpenStack in memory, behind HTTP."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    text = "answer by HTTP until interrupted, on loopback by default; print a clouds.yaml first, and nothing else"
    serve = commands.add_parser("serve", help=text, description=text)
    exposure.add_options(serve)
    serve.add_argument("--cloud", action="append", metavar="NAME", help="name of a cloud; repeat for several")
    words = "initial content of each cloud; devstack adds DevStack's users, flavors, networks and image"
    serve.add_argument("--profile", choices=["default", "devstack"], default="default", help=words)
    words = "initial content of each cloud: what GET /NAME/control/state has answered"
    serve.add_argument("--state", type=Path, metavar="FILE", help=words)
    words = "number that decides all ids, passwords and tokens: they are equal in runs with equal requests"
    serve.add_argument("--seed", type=int, metavar="NUMBER", help=words)
    serve.add_argument("--write-devstack", type=Path, metavar="FOLDER", help=devstack.HELP)
    return parser


def _serve(chosen: argparse.Namespace) -> int:
    from hyperx_glance.testing.memory.serving import Server  # noqa: PLC0415 - a wrong command needs no server

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = exposure.chosen(chosen)
    try:
        server = Server(
            port=chosen.port,
            names=chosen.cloud or ["cloud"],
            profile=chosen.profile,
            seed=chosen.seed,
            state=chosen.state.read_bytes() if chosen.state else None,
            exposure=place,
        )
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        if place.is_public:
            exposure.warn(server.told_url)
            print(f"Control token: {server.control_token}", file=sys.stderr, flush=True)
        if chosen.write_devstack:
            devstack.write(chosen.write_devstack, server.clouds_yaml())
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
