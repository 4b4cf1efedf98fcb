"""Fixtures for the long runs."""

from tests.local.conftest import client

__all__ = ["client"]
