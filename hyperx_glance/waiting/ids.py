"""Ids of launches that tell when they were drawn.

>>> from datetime import UTC, datetime, timedelta
>>> from hyperx_glance.waiting.ids import draw_id, is_settled
>>> drawn = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)
>>> draw_id(drawn)
'20261125T163000Z-...'
>>> is_settled("20261125T163000Z-0f3a9c4e5b2d7861", drawn + timedelta(hours=1))
True
>>> is_settled("order-2026-1124-0001", drawn)
False
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

FRESH = timedelta(minutes=5)
"""So long after it was drawn an id may start a launch."""
SETTLED = timedelta(minutes=10)
"""Longer ago a launch has all the servers that it will ever have.

Its request is sent at once, at most four times, each within a minute; Nova had made all servers 0.7 s after that. The
rest is for clocks that differ.
"""
_FORM = "%Y%m%dT%H%M%SZ"


def draw_id(now: datetime) -> str:
    """Draw an id that nobody else has."""
    return f"{now.astimezone(UTC).strftime(_FORM)}-{secrets.token_hex(8)}"


def is_fresh(launch_id: str, now: datetime) -> bool:
    """Tell whether the id may start a launch; one that tells no time may always."""
    drawn = _drawn(launch_id)
    return drawn is None or now - drawn <= FRESH


def is_settled(launch_id: str, now: datetime) -> bool:
    """Tell whether it is certain that nobody is creating the launch any more."""
    drawn = _drawn(launch_id)
    return drawn is not None and now - drawn > SETTLED


def _drawn(launch_id: str) -> datetime | None:
    time, _, rest = launch_id.partition("-")
    if not re.fullmatch("[0-9a-f]{16}", rest) or not re.fullmatch("[0-9]{8}T[0-9]{6}Z", time):
        return None
    try:
        return datetime.strptime(time, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
