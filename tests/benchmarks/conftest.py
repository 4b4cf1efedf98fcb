"""Give the measurements on the real services their clients."""

from tests.local.conftest import client

__all__ = ["client"]
