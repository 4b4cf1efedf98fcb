"""Checksums that publishers serve beside their files.

>>> from hyperx_glance import UrlPolicy
>>> from hyperx_glance.sources.published import published_checksum
>>> published_checksum("http://169.254.169.254/SHA256SUMS", "/disk.qcow2", UrlPolicy())
Traceback (most recent call last):
hyperx_glance.errors.UrlRejectedError: Address 169.254.169.254 is in 169.254.0.0/16, which is denied. ...
"""

from hyperx_glance.models.request import problem_of
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources import urls
from hyperx_glance.sources.checksums import Digests
from hyperx_glance.sources.contents import is_page, refusal
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import UrlProblem

LARGEST_BYTES = 16 * 1024 * 1024
"""The checksum files of whole distributions have a few MiB."""


def published_checksum(checksum_url: str, path: str, policy: UrlPolicy, *, network: Network = SYSTEM) -> str:
    """Return the checksum of the file at ``path`` in a checksum file, as "algorithm:hex".

    The URL is read under the same policy and timeout as every other.
    """
    deadline = network.clock() + policy.timeout_seconds
    digests = Digests(path)
    count = 0
    with urls.open_url(checksum_url, policy, network=network) as source:
        if is_page(source.head()):
            raise refusal(source, UrlProblem.HTML, say("checksum-url-is-a-page"))
        for piece in source.pieces(deadline=deadline):
            count += len(piece)
            if count > LARGEST_BYTES or (source.size or 0) > LARGEST_BYTES:
                message = say("checksum-file-too-large", most=LARGEST_BYTES >> 20)
                raise refusal(source, UrlProblem.TOO_LARGE, message)
            digests.feed(piece)
        try:
            checksum = digests.checksum()
        except ValueError as error:
            raise refusal(source, UrlProblem.AMBIGUOUS_CHECKSUM, problem_of(error)) from None
        if checksum is None:
            raise refusal(source, UrlProblem.NO_CHECKSUM, say("checksum-file-lacks-this-file"))
    return checksum
