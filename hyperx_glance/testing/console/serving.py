"""The console on a port of loopback, in a thread of its own.

with Console(auth_url="http://127.0.0.1:5000/v3") as console:
    webbrowser.open(console.url)
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import uvicorn

from hyperx_glance import CatalogueIndex, Settings, UrlPolicy
from hyperx_glance.testing.console.application import create_app
from hyperx_glance.testing.console.parts import Person

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from hyperx_glance.testing import InMemoryCloud, LocalCloud

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 2
"""How long requests that run may take when the console ends."""


class Console:
    """A console for one cloud; it is served within the ``with`` block.

    ``port`` 0 means a free port; ``listener`` is a socket that is bound to one. The others are those of `create_app`.
    """

    def __init__(
        self,
        auth_url: str,
        settings: Settings | None = None,
        *,
        port: int = 0,
        listener: socket.socket | None = None,
        people: Sequence[Person] = (),
        make_index: Callable[[], CatalogueIndex] | None = None,
        steward: Session | None = None,
    ) -> None:
        self._socket = listener or bound(port)
        self.app = create_app(auth_url, settings, make_index=make_index, people=people, steward=steward)
        """The application."""
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                log_config=None,  # the paths of an access log are nobody's business
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                http="h11",
                loop="asyncio",
                timeout_graceful_shutdown=_END_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="console", daemon=True
        )

    @classmethod
    def of(cls, cloud: InMemoryCloud | LocalCloud, *, listener: socket.socket | None = None) -> Self:
        """Make a console for a test cloud that runs, with its users, and with its administrator as the steward."""
        return cls(
            cloud.auth("admin")["auth_url"],
            settings_of(cloud),
            listener=listener,
            people=people_of(cloud),
            steward=cloud.session("admin"),
        )

    @property
    def url(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Serve, and return when requests are answered."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The console did not start; its log says why.")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop serving; what was begun in the cloud goes on there."""
        self.app.state.parts.closing.set()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def bound(port: int) -> socket.socket:
    """Take a port of loopback, 0 for a free one; raise `OSError` if another program has it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise OSError(f"Port {port} of {HOST} cannot be used: {error.strerror}") from error
    return listener


def settings_of(cloud: InMemoryCloud | LocalCloud) -> Settings:
    """Return settings with the files that a test cloud reaches: those in memory, or those on this machine."""
    network = getattr(cloud, "network", None)
    policy = UrlPolicy(trusted_hosts=(HOST,))
    return Settings(url_policy=policy) if network is None else Settings(url_policy=policy, network=network)


def people_of(cloud: InMemoryCloud | LocalCloud) -> list[Person]:
    """Return the users of a test cloud."""
    known = [cloud.auth(name) for name in cloud.users]
    return [
        Person(username=each["username"], project_name=each["project_name"], domain_id=each["user_domain_id"])
        for each in known
    ]
