"""What an image is made of: a URL or a file of this machine, read in the same way.

>>> import contextlib, io
>>> from hyperx_glance import UrlPolicy
>>> from hyperx_glance.sources.local import LocalFile
>>> from hyperx_glance.sources.opening import open_source
>>> with contextlib.closing(open_source(None, LocalFile(io.BytesIO(b"QFI")), UrlPolicy())) as source:
...     source.head()
b'QFI'
"""

from hyperx_glance.errors import LocalFileError, UrlRejectedError
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources import urls
from hyperx_glance.sources.contents import Opened, refusal
from hyperx_glance.sources.local import LocalFile
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.sources.unpacking import Unpacked, unpackable
from hyperx_glance.vocabulary import UrlProblem

REJECTED = (UrlRejectedError, LocalFileError)
"""What is raised where a source cannot become an image."""


def open_source(
    url: str | None,
    file: LocalFile | None,
    policy: UrlPolicy,
    *,
    packed: str | None = None,
    algorithm: str | None = None,
    seconds: float | None = None,
    network: Network = SYSTEM,
) -> Opened:
    """Open the one that is given; ``seconds`` bound the time until the first bytes, by default as the policy says.

    What is packed is unpacked on the way where ``packed`` is None or names that kind; "" takes all as it is. Of packed
    data, that has the digest of ``algorithm`` then.
    """
    deadline = network.clock() + (seconds or policy.timeout_seconds)
    if file is not None:
        source: Opened = file.open(deadline=deadline, clock=network.clock)
    else:
        assert url is not None  # one of them is given
        source = urls.open_url(url, policy, seconds=seconds, network=network)
    try:
        return unpacked(source, packed=packed, algorithm=algorithm, deadline=deadline, network=network)
    except BaseException:
        source.close()
        raise


def unpacked(
    source: Opened,
    *,
    packed: str | None = None,
    algorithm: str | None = None,
    deadline: float,
    network: Network = SYSTEM,
) -> Opened:
    """Give what unpacks an opened source on the way, until ``deadline`` the first bytes; else the source itself."""
    kind = _kind(source, packed)
    if not kind:
        return source
    return Unpacked(source, kind, algorithm=algorithm, deadline=deadline, clock=network.clock)


def _kind(source: Opened, packed: str | None) -> str:
    """Tell what a source is to be unpacked from; "" where it is taken as it is."""
    if packed == "":
        return ""
    kind = unpackable(source.head())
    if packed and kind != packed:
        raise refusal(source, UrlProblem.WRONG_FORMAT, f"The file no longer contains {packed} data.")
    return kind
