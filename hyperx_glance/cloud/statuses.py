"""The statuses that a deployment's Glance knows, from its schema of images: those of a later release are among them.

>>> import time
>>> from hyperx_glance.cloud.statuses import inactive
>>> inactive(cloud, time.monotonic)
('queued', 'saving', 'uploading', 'importing', 'deactivated')
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

import pydantic

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.errors import InvalidRequestError, NotAllowedError, NotFoundError, ServiceUnavailableError
from hyperx_glance.models.record import ACTIVE, NEVER_LISTED

STALE_SECONDS = 3600.0
"""How old the statuses may be; they change only when Glance is upgraded."""
_WORD = re.compile(r"[A-Za-z0-9_-]{1,30}")
"""A word that needs no quotes in a list; Glance's column has 30 characters (glance/db/sqlalchemy/models.py)."""
_MOST_WORDS = 50


class _Status(Shape):
    enum: tuple[str, ...]


class _Properties(Shape):
    status: _Status


class _Schema(Shape):
    properties: _Properties


class _Kept(NamedTuple):
    statuses: tuple[str, ...]
    read_at: float


_KEPT: WeakKeyDictionary[object, dict[str, _Kept]] = WeakKeyDictionary()
"""For each session, the statuses of each Glance that it reaches: a back end makes a client for each web request."""


def inactive(cloud: Cloud, clock: Callable[[], float]) -> tuple[str, ...]:
    """Return every status but "active" that a list may show: one request an hour; () if Glance's schema does not say.

    ``clock`` returns seconds.
    """
    base = cloud.base("image")
    of_session = _KEPT.setdefault(cloud.session, {})
    kept = of_session.get(base)
    # Clients of one session may have different clocks.
    if kept is None or not 0 <= clock() - kept.read_at <= STALE_SECONDS:
        try:
            kept = _Kept(_read(cloud), clock())
        except ServiceUnavailableError as error:
            if error.status is None:
                raise  # the list would not be answered either
            return ()
        of_session[base] = kept
    return kept.statuses


def _read(cloud: Cloud) -> tuple[str, ...]:
    try:
        content = cloud.get("image", "/schemas/image").content
        known = _Schema.model_validate_json(content).properties.status.enum
    except (NotAllowedError, NotFoundError, InvalidRequestError, pydantic.ValidationError):
        return ()
    if ACTIVE not in known or len(known) > _MOST_WORDS or not all(map(_WORD.fullmatch, known)):
        return ()
    return tuple(word for word in dict.fromkeys(known) if word not in (ACTIVE, *NEVER_LISTED))
