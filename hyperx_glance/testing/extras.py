"""The extras of the test clouds: whoever has not installed one is told its name.

>>> with needed("testing"):
...     import requests_moc
Traceback (most recent call last):
ModuleNotFoundError: requests_moc is not installed. Run: pip install 'hyperx-glance[testing]'
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal


@contextlib.contextmanager
def needed(extra: Literal["testing", "localcloud", "console"]) -> Iterator[None]:
    """Raise a `ModuleNotFoundError` that names the extra if the block imports something that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        text = f"{missing} is not installed. Run: pip install 'hyperx-glance[{extra}]'"
        raise ModuleNotFoundError(text, name=error.name) from None
