"""Preflight: read a URL before Glance does, and check its address and content.

    >>> from hyperx_glance import UrlPolicy
    >>> from hyperx_glance.sources.urls import preflight
    >>> preflight("http://169.254.169.254/latest/meta-data", UrlPolicy(), declared="raw")
    Traceback (most recent call last):
    hyperx_glance.errors.UrlRejectedError: Address 169.254.169.254 is in 169.254.0.0/16, which is denied. ...

Every failure is a `UrlRejectedError` with a `UrlProblem`.
"""

from dataclasses import dataclass

from hyperx_glance.errors import UrlRejectedError
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources.addresses import destination
from hyperx_glance.sources.contents import Opened, examine, judge
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.sources.reading import Source, open_url, tls_context
from hyperx_glance.sources.report import report
from hyperx_glance.vocabulary import UrlProblem

__all__ = [
    "Found",
    "Source",
    "check",
    "destination",
    "diagnose",
    "open_url",
    "preflight",
    "report",
    "tls_context",
]


@dataclass(frozen=True, slots=True)
class Found:
    """Content of a URL or file that may be registered; ``size`` is bytes, None if unknown.

    ``packed`` is the compression, "" for none, and ``packed_size`` the number of packed bytes. ``redirected`` if the
    URL redirected to another one.
    """

    disk_format: str
    size: int | None
    packed: str = ""
    packed_size: int | None = None
    redirected: bool = False


def preflight(url: str, policy: UrlPolicy, *, declared: str | None, network: Network = SYSTEM) -> Found:
    """Read the first bytes of a URL, and check that they are of the declared format, None for any."""
    with open_url(url, policy, network=network) as source:
        return check(source, declared)


def check(source: Opened, declared: str | None) -> Found:
    """Check that an opened source is an image of the declared format, None for any."""
    content = examine(source.head(), whole=source.whole)
    found = judge(
        content,
        url=source.url,
        file=source.file,
        packed=source.packed,
        declared=declared,
        content_type=source.content_type,
    )
    return Found(found, source.size, packed=source.packed, packed_size=source.packed_size)


def diagnose(
    url: str, policy: UrlPolicy, *, declared: str | None, seconds: float, network: Network = SYSTEM
) -> UrlRejectedError | None:
    """Return the error of a URL that Glance failed to import; None if none is found.

    A body that takes longer than ``seconds`` is not an error: Glance waits for it without a limit
    (glance/common/scripts/utils.py, get_image_data_iter).
    """
    deadline = network.clock() + seconds
    arrived = False
    try:
        with open_url(url, policy, seconds=min(seconds, policy.timeout_seconds), network=network) as source:
            check(source, declared)
            arrived = True
            for _ in source.pieces(deadline=deadline):
                pass
    except UrlRejectedError as error:
        return None if arrived and error.reason is UrlProblem.TIMEOUT else error
    return None
