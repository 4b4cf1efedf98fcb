"""One interface for the data of an image: a URL or a file of this machine.

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
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import UrlProblem

REJECTED = (UrlRejectedError, LocalFileError)
"""Errors of a source that cannot become an image."""


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
    """Open the URL or file; ``seconds`` is the time until the first bytes, by default the policy's timeout.

    Packed data is unpacked while it is read if ``packed`` is None or names its compression; "" reads it as it is. The
    digest of ``algorithm`` is then of the packed data.
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
    """Return a source that unpacks an opened one, or that one itself; ``deadline`` is for the first bytes."""
    kind = _kind(source, packed)
    if not kind:
        return source
    return Unpacked(source, kind, algorithm=algorithm, deadline=deadline, clock=network.clock)


def _kind(source: Opened, packed: str | None) -> str:
    """Return the compression to unpack; "" if the source is read as it is."""
    if packed == "":
        return ""
    kind = unpackable(source.head())
    if packed and kind != packed:
        raise refusal(source, UrlProblem.WRONG_FORMAT, say("file-no-longer-packed", packed=packed))
    return kind
