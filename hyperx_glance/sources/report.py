"""A report on a URL, as a browser would see it, for people who test a URL before they register it.

>>> from hyperx_glance.sources.report import report
>>> told = report("https://files.example/login", client.settings.url_policy, disk_format=None, network=settings.network)
>>> told.status, told.warnings[0]
(200, 'The URL leads to an HTML page, not to a file.')
"""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from hyperx_glance.errors import UrlRejectedError
from hyperx_glance.models.results import UrlReport
from hyperx_glance.models.url_text import stored_url
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources.addresses import rejected
from hyperx_glance.sources.contents import Content, Opened, examine, judge
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.sources.reading import Source, open_url
from hyperx_glance.texts import Text, say
from hyperx_glance.vocabulary import UrlProblem

_SHOWN = (
    "text/",
    "image/",
    "audio/",
    "video/",
    "application/json",
    "application/xml",
    "application/xhtml",
    "application/pdf",
)


def report(
    url: str,
    policy: UrlPolicy,
    *,
    disk_format: str | None,
    unpack: Callable[[Opened], Opened] | None = None,
    network: Network = SYSTEM,
) -> UrlReport:
    """Read the first bytes of a URL and report on them; raise only if no server responds.

    ``unpack`` returns the source that a registration would read: the source itself, or one that unpacks it.
    """
    with open_url(url, policy, any_status=True, network=network) as source:
        outside = examine(source.head(), whole=source.whole) if source.status == 200 else Content()
        would_download = source.status == 200 and (source.attachment or not source.content_type.startswith(_SHOWN))
        content, refusal = _judged(source, outside, disk_format, unpack)
        return UrlReport(
            url=stored_url(url).url,
            final_url=source.final_url,
            address=source.address,
            status=source.status,
            size=len(source.head()) if source.status == 200 and source.whole else source.size,
            content_type=source.content_type,
            file_name=source.file_name,
            disk_format=content.disk_format,
            packed=outside.packed,
            would_download=would_download,
            problem=None if refusal is None else refusal.reason,
            explanation="" if refusal is None else refusal.explanation,
            warnings=tuple(_warnings(source, refusal, packed=outside.packed, would_download=would_download)),
        )


def _judged(
    source: Source, outside: Content, declared: str | None, unpack: Callable[[Opened], Opened] | None
) -> tuple[Content, UrlRejectedError | None]:
    """Return what would be registered, by its first bytes, and the error that a registration would raise."""
    if source.status != 200:
        message = say("server-has-no-file", status=source.status)
        return outside, rejected(UrlProblem.HTTP_STATUS, message, source.url)
    content = outside
    try:
        read = source if unpack is None else unpack(source)
        if read is not source:
            content = Content()  # until it is unpacked
            content = examine(read.head(), whole=read.whole)
        judge(
            content,
            url=source.url,
            declared=declared or content.disk_format,
            content_type=source.content_type,
            packed=read.packed,
        )
    except UrlRejectedError as error:
        return content, error
    return content, None


def _warnings(source: Source, refusal: UrlRejectedError | None, *, packed: str, would_download: bool) -> list[Text]:
    warnings = [] if refusal is None else [refusal.message]
    if packed and (refusal is None or refusal.reason is not UrlProblem.PACKED):
        warnings.append(say("file-is-packed", packed=packed))
    if source.status != 200:
        return warnings
    if not would_download:
        warnings.append(say("browser-shows-it", type=source.content_type))
    if source.size is None:
        warnings.append(say("size-not-announced"))
    name = unquote(urlsplit(source.url).path.rsplit("/", 1)[-1])
    if not name:
        warnings.append(say("url-names-no-file"))
    elif name != source.file_name and not source.redirects:
        warnings.append(say("url-names-another-file", name=name, file=source.file_name))
    if source.redirects:
        warnings.append(say("url-redirects"))
    if source.port not in (80, 443):
        # glance/async_/flows/_internal_plugins/__init__.py, allowed_ports
        warnings.append(say("unusual-port", port=source.port))
    return warnings
