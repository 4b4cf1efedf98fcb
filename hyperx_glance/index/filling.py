"""Filling the index: what has changed since the last refresh, and everything from time to time.

    >>> import time
    >>> from hyperx_glance.index.filling import rebuild, refresh
    >>> from hyperx_glance.index.store import Store
    >>> store = Store(folder / "images.sqlite", client.cloud.base("image"))
    >>> _ = hyperx_cloud.glance.add_image(owner="dept-b", name="debian", visibility="public")
    >>> rebuild(client.cloud, store, time.monotonic)
    >>> _ = hyperx_cloud.glance.add_image(owner="dept-b", name="ubuntu", visibility="community")
    >>> refresh(client.cloud, store, time.monotonic)
    >>> store.count()
    2
    >>> store.close()

Glance has no list of what is gone. What a user did not find is looked for by the next refresh, and everything by a
rebuild. Times are compared by Glance's clock alone, which a rebuild reads: this machine's may jump.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from hyperx_glance.browsing.filters import EVERYBODYS
from hyperx_glance.cloud import pages, versions
from hyperx_glance.cloud.answers import server_time
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.index.store import Store, moment, seconds
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import GONE

OVERLAP_SECONDS = 120
"""How far the clocks of Glance's hosts may differ, and how long a change may take to be committed."""
AT_ONCE = 50
"""How many ids are asked for at once: the URL has 1.9 KB, and uWSGI takes 4."""
LEASE_SECONDS = 60.0
"""How long no other process refreshes or rebuilds the file; the lease is renewed with each page."""
_BATCH = 1000

Clock = Callable[[], float]
Lease = Literal["refreshing_until", "rebuilding_until"]
"""A rebuild takes long, and refreshing goes on meanwhile."""


def lease(store: Store, clock: Clock, name: Lease) -> bool:
    """Take the right to refresh or to rebuild, unless another process has it."""
    with store.writing() as write:
        until: float | None = getattr(store.facts(), name)
        # A lease of before a restart of this machine may end at any time.
        if until is not None and 0 < until - clock() <= LEASE_SECONDS:
            return False
        write.note(**{name: clock() + LEASE_SECONDS})
        return True


def release(store: Store, name: Lease) -> None:
    """Let other processes refresh or rebuild again."""
    with store.writing() as write:
        write.note(**{name: None})


def refresh(cloud: Cloud, store: Store, clock: Clock) -> None:
    """Read what has changed since the last refresh: two requests if that is nothing, and one for each 50 doubts."""
    facts = store.facts()
    now = clock()
    since = moment(facts.since - OVERLAP_SECONDS).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    for visibility in sorted(EVERYBODYS):
        _write(store, clock, "refreshing_until", _listed(cloud, visibility, since))
    doubted = store.doubted()
    for some in (doubted[start : start + AT_ONCE] for start in range(0, len(doubted), AT_ONCE)):
        found = {image.id: image for image in by_ids(cloud, some)}
        with store.writing() as write:
            write.remove(set(some) - found.keys())
            write.put(found.values())
    with store.writing() as write:
        write.note(refreshed=now, since=max(facts.since, facts.offset + now))


def rebuild(cloud: Cloud, store: Store, clock: Clock) -> None:
    """Read every public and community image; what is gone is forgotten at the end. The old rows answer meanwhile."""
    glance_now = _glance_now(cloud)
    now = clock()
    before = store.ids()
    found: set[str] = set()
    newest = 0.0

    def noted(images: Iterator[Image]) -> Iterator[Image]:
        nonlocal newest
        for image in images:
            found.add(image.id)
            newest = max(newest, seconds(image.updated_at))
            yield image

    for visibility in sorted(EVERYBODYS):
        _write(store, clock, "rebuilding_until", noted(_listed(cloud, visibility)))
    with store.writing() as write:
        write.remove(before - found)
        since = newest if glance_now is None else glance_now
        write.note(offset=since - now, since=since, refreshed=now, rebuilt=now)


def _glance_now(cloud: Cloud) -> float | None:
    """Return the time of Glance's clock; None if it does not say, and the newest change must do."""
    date = None
    with contextlib.suppress(HyperxGlanceError):  # if Glance is out of reach, the lists say so
        date = server_time(versions.front_door(cloud, "image").date)
    return None if date is None else date.timestamp()


def by_ids(cloud: Cloud, ids: Sequence[str]) -> list[Image]:
    """Read images that everybody may see, as this user sees them, in one request."""
    asked = [("id", f"in:{','.join(ids)}"), ("visibility", "all")]
    found = pages.read(cloud, asked, may_be_emptied=False)
    return [image for image in found if image.visibility in EVERYBODYS and image.glance_status not in GONE]


def _listed(cloud: Cloud, visibility: str, since: str = "") -> Iterator[Image]:
    asked = [("visibility", visibility), ("sort", "updated_at:asc,id:asc")]
    if since:
        asked.append(("updated_at", f"gte:{since}"))
    return (image for image in pages.read(cloud, asked) if image.glance_status not in GONE)


def _write(store: Store, clock: Clock, lease: Lease, images: Iterator[Image]) -> None:
    while some := list(itertools.islice(images, _BATCH)):
        with store.writing() as write:
            write.put(some)
            write.note(**{lease: clock() + LEASE_SECONDS})
