"""Which ways the data of a registration can take: one table for all kinds of data.

>>> from hyperx_glance.cloud.departments import Department
>>> from hyperx_glance.registration.order import Order
>>> from hyperx_glance.registration.ways import ways
>>> order = Order(image_id="7c1", url="https://u:p@files.example/a", disk_format="raw", department=Department("1", "a"))
>>> ways(order, "auto")
(<Way.STREAM: 'stream'>,)
"""

from typing import Literal
from urllib.parse import urlsplit

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.registration.order import Order
from hyperx_glance.registration.outcome import Way

_OFFERED = {"auto": (Way.IMPORT, Way.STREAM), "import": (Way.IMPORT,), "stream": (Way.STREAM,)}


def ways(order: Order, transfer: Literal["auto", "import", "stream"]) -> tuple[Way, ...]:
    """Give the ways that are open, the best one first; `InvalidRequestError` where there is none.

    A file of this machine is streamed, whatever ``transfer`` says: it is about who reads URLs. Streaming fills one
    store, so it never stands in for an import to several.
    """
    offered = (Way.STREAM,) if order.file is not None else _OFFERED[transfer]
    obstacle = _obstacle(order)
    if obstacle and offered == (Way.IMPORT,):
        raise InvalidRequestError(f"url: {obstacle}; use transfer='stream' or 'auto'")
    possible = tuple(way for way in offered if not (obstacle if way is Way.IMPORT else len(order.stores) > 1))
    if not possible:
        raise InvalidRequestError("stores: streaming fills one store; more need Glance's own import")
    return possible


def _obstacle(order: Order) -> str:
    """Say why Glance itself cannot import; "" where it can."""
    if order.url is not None and "@" in urlsplit(order.url).netloc:
        return "Glance does not log in to servers"  # it takes user and password for a part of the host's name
    return "Glance does not unpack" if order.packed else order.obstacle
