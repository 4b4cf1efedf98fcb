"""Sit at a guest's serial console: read what it has said, log in, and type."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import TYPE_CHECKING, Final, Self

from hyperx_glance.testing.timing import scaled
from tests.support.launches import COMPUTE, servers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from requests import Response

    from hyperx_glance.testing import LocalCloud

READY: Final = r"Cloud-init v\. \S+ finished"
"""What cloud-init says when it has set everything up, passwords too; before, a login is refused."""
BOOT_SECONDS: Final = scaled(240)
ANSWER_SECONDS: Final = scaled(40)


class Console:
    """The only person at a console."""

    def __init__(self, cloud: LocalCloud, server_id: str) -> None:
        self.cloud = cloud
        self.server_id = server_id

    def log(self) -> str:
        """Return all output of the guest since it was turned on."""
        return str(self._act({"os-getConsoleOutput": {}}).json()["output"])

    def restart(self) -> None:
        """Turn the guest off and on."""
        self._act({"reboot": {"type": "HARD"}})
        end = time.monotonic() + ANSWER_SECONDS
        while [server["status"] for server in servers(self.cloud) if server["id"] == self.server_id] != ["ACTIVE"]:
            assert time.monotonic() < end
            time.sleep(0.2)

    def _act(self, order: Mapping[str, object]) -> Response:
        return self.cloud.session("admin").post(
            f"/servers/{self.server_id}/action", json=order, endpoint_filter=COMPUTE
        )

    def wait_for(self, pattern: str) -> str:
        """Wait until the guest has said this."""
        end = time.monotonic() + BOOT_SECONDS
        while not re.search(pattern, log := self.log()):
            assert time.monotonic() < end, f"{pattern!r} was not said:\n{log}"
            time.sleep(0.5)
        return log

    def log_in(self, user: str, password: str) -> Session | None:
        """Log in; return None if the guest refuses."""
        session = Session(self.cloud.serial_port(self.server_id))
        with contextlib.ExitStack() as leaving:
            leaving.callback(session.close)
            if not session.log_in(user, password):
                return None
            leaving.pop_all()
            return session

    def accepts(self, user: str, password: str) -> bool:
        """Check whether this logs in."""
        session = self.log_in(user, password)
        if session is None:
            return False
        with session:
            return session.run("id -un") == user


class Session:
    """A person who types at a console, and reads."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port))
        self._line.settimeout(0.5)
        self._heard = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Log out, unless something went wrong: then the guest may no longer answer."""
        try:
            if error is None:
                self._type("exit")
                self._hear("login: $")
        finally:
            self.close()

    def close(self) -> None:
        """Leave."""
        self._line.close()

    def _type(self, text: str) -> None:
        self._heard = ""
        self._line.sendall(text.encode() + b"\n")

    def _hear(self, pattern: str) -> str:
        end = time.monotonic() + ANSWER_SECONDS
        while not re.search(pattern, self._heard):
            assert time.monotonic() < end, f"{pattern!r} was not said: {self._heard!r}"
            with contextlib.suppress(TimeoutError):
                self._heard += self._line.recv(65536).decode(errors="replace")
        return self._heard

    def log_in(self, user: str, password: str) -> bool:
        """Answer the questions for user and password, from the start: after a refusal, it asks in another way."""
        self._type("\x03")
        self._hear("login: $")
        self._type(user)
        self._hear("Password: $")
        self._type(password)
        return "incorrect" not in self._hear(r"[#$] $|Login incorrect[^:]*login: $")

    def run(self, command: str) -> str:
        """Run a command of a shell, and return its output."""
        self._type(f"echo BEG''IN; {command}; echo EN''D")
        heard = self._hear(r"BEGIN\r*\n(?s:.*)END\r*\n(?s:.*)[#$] $")
        return heard.partition("BEGIN")[2].rpartition("END")[0].replace("\r", "").strip()
