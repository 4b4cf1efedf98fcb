"""Keystone: cut lists."""

from __future__ import annotations

from typing import Final

from tests.deployments.world import World

WORLDS: Final = (World(name="Keystone: lists of 2", options={"keystone": {"DEFAULT": {"list_limit": 2}}}),)
