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
from typing import TYPE_CHECKING

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import devstack

if TYPE_CHECKING:
    from hyperx_glance.testing.profiles import ProfileName


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.write_devstack:
            devstack.check(chosen.write_devstack, chosen.profile)
        return _serve(chosen.port, chosen.cloud or ["cloud"], chosen.profile, chosen.write_devstack)
    except InvalidRequestError as error:
        print(error, file=sys.stderr)
        return 2
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
    words = "initial content of each cloud; devstack adds DevStack's users, flavors, networks and image"
    serve.add_argument("--profile", choices=["default", "devstack"], default="default", help=words)
    serve.add_argument("--write-devstack", type=Path, metavar="FOLDER", help=devstack.HELP)
    return parser


def _serve(port: int, names: Sequence[str], profile: ProfileName, folder: Path | None) -> int:
    from hyperx_glance.testing.memory.serving import Server  # noqa: PLC0415 - a wrong command needs no server

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = Server(port=port, names=names, profile=profile)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        if folder is not None:
            devstack.write(folder, server.clouds_yaml())
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
