"""An in-memory Neutron; to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hyperx_glance.testing.wire import Call, Refused, Reply, Route, Service, webob_error


class Neutron(Service):
    """Be Neutron."""

    name: ClassVar[str] = "neutron"
    type: ClassVar[str] = "network"
    endpoint_path: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()

    def routes(self) -> Sequence[Route]:
        """List what this service answers."""
        return ()

    def problem(self, call: Call, refused: Refused) -> Reply:
        """Write an error."""
        return webob_error(refused.status, refused.message)
