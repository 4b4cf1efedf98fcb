"""Rows of a table: an image with the name of its owner, its buttons, and the reason for each missing one.

>>> row = row_of(client, disk_image, "zh")
>>> row.owner, row.why_not["enable"]
('dept-a', '该镜像已启用。')
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from hyperx_glance import Action, Client, Image
from hyperx_glance.testing.console.answers import Language, shown


class Row(BaseModel):
    """One line of the table."""

    image: dict[str, Any]
    owner: str
    allowed: list[Action]
    why_not: dict[Action, str]


def row_of(client: Client, image: Image, language: Language) -> Row:
    """Describe an image as its line of the table."""
    allowed = client.allowed(image)
    missing = {action: client.why_not(image, action) for action in Action if action not in allowed}
    return Row(
        image=shown(image, language),
        owner=client.owner_name(image),
        allowed=[action for action in Action if action in allowed],
        why_not={action: why.in_language(language, audience="person") for action, why in missing.items()},
    )
