"""Ids of launches and captures that say when they were drawn.

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

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import field_name, say

FRESH = timedelta(minutes=5)
"""The age up to which an id may start a launch or a capture."""
SETTLED = timedelta(minutes=10)
"""The age from which a launch or a capture has everything that it will ever have.

A launch's request is sent at once, at most four times, each within a minute; Nova had made all servers 0.7 s after
that. The rest is for clocks that differ.
"""
_FORM = "%Y%m%dT%H%M%SZ"


def draw_id(now: datetime) -> str:
    """Draw a unique id that contains the time."""
    return f"{now.astimezone(UTC).strftime(_FORM)}-{secrets.token_hex(8)}"


def is_fresh(chosen_id: str, now: datetime) -> bool:
    """Check whether the id may start something; an id without a time always may."""
    drawn = _drawn(chosen_id)
    return drawn is None or now - drawn <= FRESH


def check_fresh(name: str, chosen_id: str) -> None:
    """Raise `InvalidRequestError` if the id is so old that a search would call what it starts unknown."""
    if not is_fresh(chosen_id, datetime.now(UTC)):
        raise InvalidRequestError(
            say("wrong-field", field=field_name(name), problem=say("id-is-too-old", id=chosen_id)),
            hint=say("leave-the-id-out", field=field_name(name)),
        )


def is_settled(chosen_id: str, now: datetime) -> bool:
    """Check whether the id is so old that certainly nothing is still being made for it."""
    drawn = _drawn(chosen_id)
    return drawn is not None and now - drawn > SETTLED


def _drawn(chosen_id: str) -> datetime | None:
    time, _, rest = chosen_id.partition("-")
    if not re.fullmatch("[0-9a-f]{16}", rest) or not re.fullmatch("[0-9]{8}T[0-9]{6}Z", time):
        return None
    try:
        return datetime.strptime(time, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
