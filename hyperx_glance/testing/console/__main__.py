"""The command `python -m hyperx_glance.testing.console`: a cloud, and a page to look at it, until Ctrl-C.

>>> main(["--address", "0.0.0.0"])
2
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import webbrowser
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hyperx_glance import Settings, UrlPolicy
from hyperx_glance.testing import LocalCloud
from hyperx_glance.testing.extras import needed

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud
    from hyperx_glance.testing.console import Console

LOOPBACK: Final = ("127.0.0.1", "localhost")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    problem = _problem(chosen)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as everything:
            _serve(everything, chosen)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("\nThe console has ended.")
        return 0
    except (ModuleNotFoundError, OSError, RuntimeError) as error:  # each says what is wrong
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hyperx_glance.testing.console",
        description="A page with the images of a cloud, in a browser: by default of a real OpenStack on loopback.",
    )
    clouds = parser.add_mutually_exclusive_group()
    clouds.add_argument("--memory", action="store_true", help="a cloud in memory, which starts at once")
    clouds.add_argument("--auth-url", metavar="URL", help="the Keystone of a cloud that runs, which stays as it is")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free port)")
    parser.add_argument(
        "--address", default=LOOPBACK[0], help="loopback, since the page has no TLS (default: %(default)s)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the URL")
    return parser


def _problem(chosen: argparse.Namespace) -> str:
    """Return what is wrong with the choice, before anything is started."""
    if chosen.address not in LOOPBACK:
        return f"The console listens on {' or '.join(LOOPBACK)} only, not on {chosen.address}."
    if not 0 <= chosen.port <= 65535:
        return f"There is no port {chosen.port}."
    if chosen.auth_url is not None:
        try:
            parts = urlsplit(str(chosen.auth_url))
        except ValueError:
            return f"This is not the URL of a Keystone: {chosen.auth_url}"
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            return f"This is not the URL of a Keystone: {chosen.auth_url}"
    return ""


def _serve(everything: contextlib.ExitStack, chosen: argparse.Namespace) -> None:
    """Start all, and tell where it is."""
    with needed("console"):
        from hyperx_glance.testing.console import content  # noqa: PLC0415 - a wrong command needs none of it
        from hyperx_glance.testing.console.serving import Console, bound, settings_of  # noqa: PLC0415
    listener = everything.enter_context(contextlib.closing(bound(chosen.port)))
    if chosen.auth_url is not None:
        console = everything.enter_context(Console(chosen.auth_url, _settings(chosen.auth_url), listener=listener))
        _tell(console, chosen)
        return
    cloud: InMemoryCloud | LocalCloud
    if chosen.memory:
        cloud = everything.enter_context(_memory())
    else:
        print("OpenStack starts on loopback. This takes about ten seconds.", flush=True)
        cloud = everything.enter_context(LocalCloud())
    files = everything.enter_context(_files())
    console = everything.enter_context(Console.of(cloud, listener=listener))
    stop = threading.Event()
    filling = threading.Thread(target=content.fill, args=(cloud, settings_of(cloud), files, stop), name="content")
    everything.callback(filling.join)
    everything.callback(stop.set)
    filling.start()
    people = [cloud.auth(name) for name in cloud.users]
    print("Users: " + ", ".join(f"{each['username']} ({each['project_name']})" for each in people))
    print("Password: " + ", ".join(dict.fromkeys(each["password"] for each in people)))
    print(f"Files to register: {files}/disk.qcow2, {files}/installer.iso")
    print(f"A second console for the same cloud: --auth-url {people[0]['auth_url']}")
    _tell(console, chosen)


def _tell(console: Console, chosen: argparse.Namespace) -> None:
    print(f"The console is at {console.url}, for this machine only. Ctrl-C ends it.", flush=True)
    if not chosen.no_browser:
        webbrowser.open(console.url)


def _settings(auth_url: str) -> Settings:
    """Return the settings for a cloud that runs: one on loopback reaches files on loopback."""
    local = urlsplit(auth_url).hostname in LOOPBACK
    return Settings(url_policy=UrlPolicy(trusted_hosts=LOOPBACK if local else ()))


@contextlib.contextmanager
def _memory() -> Generator[InMemoryCloud, None, None]:
    """Serve a cloud in memory by HTTP, so that a second console can reach it, too."""
    from hyperx_glance.testing.memory.serving import Server  # noqa: PLC0415 - it needs cheroot

    with Server() as server:
        yield server.clouds["cloud"]


@contextlib.contextmanager
def _files() -> Generator[str, None, None]:
    """Serve a small disk and an ISO on loopback."""
    from hyperx_glance.testing.local.demo import file_server  # noqa: PLC0415

    with file_server() as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
