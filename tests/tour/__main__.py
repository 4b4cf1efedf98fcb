"""Record what the real services answer to the tour."""

from __future__ import annotations

import json

from hyperx_glance.testing import LocalCloud
from tests.tour.answers import FOLDER
from tests.tour.player import play
from tests.tour.steps import TOUR

with LocalCloud() as cloud:
    recorded = {step.name: answer for step, answer in play(cloud, TOUR)}
for path in FOLDER.glob("*/*.json"):
    path.unlink()
for name, answer in recorded.items():
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(answer, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
