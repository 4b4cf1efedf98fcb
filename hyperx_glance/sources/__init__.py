"""What an image is made of: a URL or a file of this machine, read in the same way.

>>> import contextlib, io
>>> from hyperx_glance import UrlPolicy
>>> from hyperx_glance.sources import LocalFile, open_source
>>> with contextlib.closing(open_source(None, LocalFile(io.BytesIO(b"QFI")), UrlPolicy())) as source:
...     source.head()
b'QFI'
"""

from hyperx_glance import urls
from hyperx_glance.errors import LocalFileError, UrlRejectedError
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.network import SYSTEM, Network
from hyperx_glance.sources.local import LocalFile, OpenedFile
from hyperx_glance.urls import Found, check
from hyperx_glance.urls.contents import Opened

__all__ = ["REJECTED", "Found", "LocalFile", "Opened", "OpenedFile", "check", "open_source"]

REJECTED = (UrlRejectedError, LocalFileError)
"""What is raised where a source cannot become an image."""


def open_source(
    url: str | None,
    file: LocalFile | None,
    policy: UrlPolicy,
    *,
    seconds: float | None = None,
    network: Network = SYSTEM,
) -> Opened:
    """Open the one that is given; ``seconds`` bound the time until the first bytes, by default as the policy says."""
    if file is not None:
        return file.open(deadline=network.clock() + (seconds or policy.timeout_seconds), clock=network.clock)
    assert url is not None  # one of them is given
    return urls.open_url(url, policy, seconds=seconds, network=network)
