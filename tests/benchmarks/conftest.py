"""Fixtures for the measurements on the real services."""

from tests.local.conftest import client

__all__ = ["client"]
