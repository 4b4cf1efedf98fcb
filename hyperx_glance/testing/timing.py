"""Time-outs of tests, which one environment variable stretches where the machine is slow or has much to do.

>>> scaled(20, {}), scaled(20, {"HYPERX_TIME_SCALE": "2.5"})
(20.0, 50.0)
"""

import os
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "HYPERX_TIME_SCALE"


def scaled(seconds: float, environment: Mapping[str, str] = os.environ) -> float:
    """Return how long to wait for what takes less than ``seconds`` on a quiet machine of two cores."""
    return float(seconds) * float(environment.get(VARIABLE, "1"))
