"""An in-memory Cinder; to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hyperx_glance.testing.wire import Call, Refused, Reply, Route, Service, webob_error


class Cinder(Service):
    """Be Cinder."""

    name: ClassVar[str] = "cinder"
    type: ClassVar[str] = "block-storage"
    endpoint_path: ClassVar[str] = "/v3"

    def __init__(self, keystone: object, glance: object) -> None:
        super().__init__()

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return ()

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error."""
        return webob_error(refused.status, refused.message)
