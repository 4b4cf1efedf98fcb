"""Reading a URL before Glance does: where it leads, whether that is allowed, and what is there.

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
    """Tell what a URL or file that may be registered holds; ``size`` is bytes, None where nobody says.

    ``packed`` is what it is packed with, ``packed_size`` how many bytes that takes; ``redirected`` says that the
    URL led to another one.
    """

    disk_format: str
    size: int | None
    packed: str = ""
    packed_size: int | None = None
    redirected: bool = False


def preflight(url: str, policy: UrlPolicy, *, declared: str | None, network: Network = SYSTEM) -> Found:
    """Read the head of a URL and check that it holds an image of the declared format, None for whatever it is."""
    with open_url(url, policy, network=network) as source:
        return check(source, declared)


def check(source: Opened, declared: str | None) -> Found:
    """Check that what was opened holds an image of the declared format."""
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
    """Look for what is wrong with a URL that Glance failed to import; None where all seems well.

    A body that takes longer is no finding: Glance waits for one without end (glance/common/scripts/utils.py,
    get_image_data_iter).
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
