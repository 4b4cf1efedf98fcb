"""Keystone: cut lists, short tokens, other ways to log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.deployments.world import World

if TYPE_CHECKING:
    pass


WORLDS: Final = (
    World(
        name="Keystone: lists of 2",
        options={"keystone": {"DEFAULT": {"list_limit": 2}}},
        wrong={"an administrator sees all departments": "otherwise: departments are missing"},
    ),
)
