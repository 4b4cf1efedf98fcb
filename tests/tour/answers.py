"""What the real services answered, as recorded."""

from __future__ import annotations

import json
from typing import Any, Final

from tests import samples

FOLDER: Final = samples.FOLDER / "answers"


def recorded() -> dict[str, dict[str, Any]]:
    """Return the recorded answers by the names of their steps."""
    return {
        f"{path.parent.name}/{path.stem}": json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*/*.json"))
    }
