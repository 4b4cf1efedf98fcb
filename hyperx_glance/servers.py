"""The servers of a department, whoever launched them, and what can be done with each.

>>> launch = client.launch(disk_image, LaunchRequest(name="web", flavor="m1.tiny"))
>>> [(server.name, server.status, server.why_not_capture) for server in client.servers(name_contains="WEB")]
[('web', 'ACTIVE', '')]
>>> launch.cancel()
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from hyperx_glance import permissions
from hyperx_glance.browsing.matching import fold
from hyperx_glance.cloud import compute
from hyperx_glance.errors import InvalidRequestError, NotFoundError
from hyperx_glance.models.results import ListedServer
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.cloud.compute import ServerRecord
    from hyperx_glance.cloud.context import Context

_MOST: Final = 64
"""Characters of a name that are sent to Nova, so that no URL becomes too long; the rest is compared here."""


def servers(context: Context, *, name_contains: str, after: str | None, limit: int | None) -> Iterator[ListedServer]:
    """Iterate over the servers of the connected department, the newest first; pages are read as they are used."""
    return itertools.islice(_servers(context, name_contains, after, limit), limit)


def _servers(context: Context, name_contains: str, after: str | None, limit: int | None) -> Iterator[ListedServer]:
    criteria: dict[str, str] = {}
    if name_contains:
        criteria["name"] = compute.pattern(name_contains[:_MOST])
    if after is not None:
        criteria["marker"] = after
    part = fold(name_contains)
    try:
        for record in compute.servers(context.cloud, criteria, page_size=min(limit or compute.PAGE, compute.PAGE)):
            if part in fold(record.name or ""):
                yield _listed(context, record)
    except InvalidRequestError as error:
        if after is None:
            raise
        # A marker of which Nova has never heard; it still knows those that were deleted lately.
        hint = say("list-from-the-beginning")
        raise NotFoundError(say("no-such-server", name=after), hint=hint, **error.answer()) from error


def _listed(context: Context, record: ServerRecord) -> ListedServer:
    return ListedServer(
        **dict(record.as_server()),
        image_id=record.image_id or None,
        why_not_capture=permissions.why_not_capture(context.cloud, record),
        why_not_reset_password=permissions.why_not_reset_password(context.cloud, record),
    )
