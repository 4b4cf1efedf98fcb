"""Fixtures for the long runs."""

from tests.local.conftest import client, room

__all__ = ["client", "room"]
