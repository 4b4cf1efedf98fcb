"""Timeouts of tests, which one environment variable extends if the machine is slow or busy.

>>> scaled(20, {}), scaled(20, {"HYPERX_TIME_SCALE": "2.5"})
(20.0, 50.0)
"""

import os
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "HYPERX_TIME_SCALE"


def scaled(seconds: float, environment: Mapping[str, str] = os.environ) -> float:
    """Return the timeout for an operation that takes less than ``seconds`` on an idle machine with two cores."""
    return float(seconds) * float(environment.get(VARIABLE, "1"))
