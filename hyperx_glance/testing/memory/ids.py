"""Everything that the services of the in-memory cloud draw: ids, passwords, tokens; equal ones for an equal seed.

>>> ids = Ids(seed=7)
>>> str(ids.uuid4()), ids.uuid4().hex[:12]
('1232579c-7c08-42f3-870a-8718e39b2097', 'd80b2ff51d81')
>>> Ids(seed=7).uuid4() == Ids(seed=7).uuid4(), Ids().uuid4() == Ids().uuid4()
(True, False)
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import secrets
import threading
import uuid
from typing import Final

_LOCK: Final = threading.Lock()  # requests draw their ids before the cloud is locked


@dataclasses.dataclass
class Ids:
    """The source of one cloud. Without a ``seed``, nobody can guess what comes; ``drawn`` counts what came of one."""

    seed: int | None = None
    drawn: int = 0

    def uuid4(self) -> uuid.UUID:
        """Return a new random UUID, as the function of that name does."""
        return uuid.UUID(bytes=self._bytes(16), version=4)

    def token_urlsafe(self, size: int) -> str:
        """Return a new string of so many random bytes, as the function of that name does."""
        return base64.urlsafe_b64encode(self._bytes(size)).rstrip(b"=").decode()

    def _bytes(self, size: int) -> bytes:
        if self.seed is None:
            return secrets.token_bytes(size)
        with _LOCK:
            self.drawn += 1
            return hashlib.shake_256(f"{self.seed} {self.drawn}".encode()).digest(size)


def is_uuid(text: object) -> bool:
    """Check whether this is a UUID, in any of the forms that Python reads."""
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True
