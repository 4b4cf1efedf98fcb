"""What the tour asks of Nova's list of extensions."""

from __future__ import annotations

from typing import Final

from tests.tour.nova import nova

STEPS: Final = (
    nova("extensions", "GET", "/extensions"),
    nova("extensions-filtered", "GET", "/extensions?colour=red"),
    nova("extension", "GET", "/extensions/os-volumes"),
    nova("extension-old", "GET", "/extensions/NMN"),
    nova("extension-unknown", "GET", "/extensions/nothing"),
)
