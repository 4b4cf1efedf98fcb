"""Where the cloud in memory is known to answer otherwise than the real services: this list only shrinks."""

from __future__ import annotations

from typing import Final

DIFFERENCES: Final = (
    "keystone/auth-empty",
    "keystone/auth-default",
    "glance/create-second",
    "set-up/image",
    "nova/create-bad-image",
    "nova/create-bad-network",
)
