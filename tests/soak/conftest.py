"""Give the long runs their clients."""

from tests.local.conftest import client

__all__ = ["client"]
