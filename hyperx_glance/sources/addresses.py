"""The addresses of a URL, and whether this library may connect to them.

    >>> from hyperx_glance import UrlPolicy
    >>> from hyperx_glance.sources.addresses import denial
    >>> denial("::ffff:169.254.169.254", UrlPolicy())
    '169.254.0.0/16'
    >>> denial("10.1.2.3", UrlPolicy()) is None
    True

Every address to which a name resolves is checked, and the connection is to a checked address. The name is not resolved
again, so a name that changes its address in between has no effect.
"""

import contextlib
import ipaddress
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from hyperx_glance.errors import UrlRejectedError
from hyperx_glance.models.url_text import ascii_parts, has_spaces, stored_url
from hyperx_glance.models.urls import UrlPolicy
from hyperx_glance.sources.network import SYSTEM, Network
from hyperx_glance.texts import NO_TEXT, Text, field_name, say
from hyperx_glance.vocabulary import UrlProblem

DEFAULT_PORTS = {"http": 80, "https": 443}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_ISATAP = 0x00005EFE  # and 0x02005EFE, where the address is unique in the world (RFC 5214, 6.1)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOOPBACK_NAMES = (
    "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
    "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "loopback",
)  # fmt: skip
_METADATA_NAMES = (
    "instance-data", "instance-data.ec2.internal", "metadata", "metadata.azure.internal", "metadata.goog",
    "metadata.google.internal", "metadata.tencentyun.com", "api.metadata.cloud.ibm.com",
)  # fmt: skip
"""Names of metadata services in clouds; only a machine in that cloud can resolve them."""
_HINTS = {
    UrlProblem.BAD_URL: "write-server-and-path",
    UrlProblem.DENIED_SCHEME: "serve-by-http",
    UrlProblem.DENIED_ADDRESS: "trust-the-server",
    UrlProblem.DENIED_PORT: "serve-on-an-allowed-port",
    UrlProblem.NAME_NOT_FOUND: "check-the-host-name",
    UrlProblem.REFUSED: "check-server-and-port",
    UrlProblem.TIMEOUT: "check-server-and-port",
    UrlProblem.TLS: "check-the-certificate",
    UrlProblem.REDIRECT_LOOP: "use-the-url-of-the-file",
    UrlProblem.HTTP_STATUS: "open-the-url-in-a-browser",
    UrlProblem.HTML: "is-a-web-page",
    UrlProblem.EMPTY: "upload-the-empty-file-again",
    UrlProblem.TRUNCATED: "upload-the-cut-file-again",
    UrlProblem.CORRUPT: "compress-again",
    UrlProblem.UNSAFE_IMAGE: "make-a-self-contained-image",
    UrlProblem.PACKED: "unpack-and-serve",
    UrlProblem.NO_CHECKSUM: "use-a-list-with-this-file",
    UrlProblem.AMBIGUOUS_CHECKSUM: "find-the-right-checksum",
    UrlProblem.UNKNOWN_FORMAT: "specify-the-format",
    UrlProblem.WRONG_FORMAT: "specify-the-actual-format",
}
"""The codes of the hints."""
_HINTS_WITH_PREFLIGHT = ("check-the-host-name", "check-server-and-port")


@dataclass(frozen=True, slots=True)
class Destination:
    """Checked target of a request; ``target`` is its path and query, ``addresses`` are all checked."""

    url: str = field(repr=False)
    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    addresses: tuple[str, ...]
    credentials: str = field(repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port, for which credentials are valid."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"


def rejected(
    problem: UrlProblem,
    message: Text,
    url: str,
    *,
    hint: Text = NO_TEXT,
    explanation: str = "",
    status: int | None = None,
) -> UrlRejectedError:
    """Return the error; it shows no credentials, and no URL in which they cannot be recognized."""
    return UrlRejectedError(
        message,
        url=stored_url(url).url,
        reason=problem,
        hint=hint or hint_for(problem, _HINTS),
        explanation=explanation,
        status=status,
    )


def hint_for(problem: UrlProblem, codes: Mapping[UrlProblem, str]) -> Text:
    """Return the hint for a problem, no text if there is none."""
    code = codes.get(problem)
    if code is None:
        return NO_TEXT
    return say(code, preflight=field_name("preflight")) if code in _HINTS_WITH_PREFLIGHT else say(code)


def destination(url: str, policy: UrlPolicy, *, seconds: float, network: Network = SYSTEM) -> Destination:
    """Check scheme, host, port and every address of a URL; resolving the name takes at most ``seconds``."""
    parts = ascii_parts(url)
    if parts is None:
        raise rejected(UrlProblem.BAD_URL, say("bad-url"), url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in DEFAULT_PORTS:
        unusual = say("scheme-not-accepted", scheme=parts.scheme) if parts.scheme else say("url-without-scheme")
        raise rejected(UrlProblem.DENIED_SCHEME, unusual, url)
    if not host or port == 0 or has_spaces(url):
        raise rejected(UrlProblem.BAD_URL, say("url-without-server"), url)
    port = port or DEFAULT_PORTS[parts.scheme]
    if policy.allowed_ports and port not in policy.allowed_ports:
        message = say("port-not-allowed", port=port, allowed=policy.allowed_ports)
        raise rejected(UrlProblem.DENIED_PORT, message, url)
    return Destination(
        url=url,
        scheme=parts.scheme,
        host=host,
        port=port,
        # Not urlunsplit: its result for a path that begins with // depends on the version of Python.
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        addresses=_checked_addresses(url, host, port, policy=policy, seconds=seconds, network=network),
        credentials=unquote(parts.netloc.rpartition("@")[0]),
    )


def _checked_addresses(
    url: str, host: str, port: int, *, policy: UrlPolicy, seconds: float, network: Network
) -> tuple[str, ...]:
    name = _canonical(host)
    if policy.only_hosts and name not in {_canonical(allowed) for allowed in policy.only_hosts}:
        raise rejected(
            UrlProblem.DENIED_ADDRESS,
            say("server-not-allowed", host=host),
            url,
            hint=say("use-an-allowed-server"),
        )
    literal, trusted = _literal(name), name in {_canonical(trusted) for trusted in policy.trusted_hosts}
    if literal is None and _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise rejected(UrlProblem.BAD_URL, say("server-is-no-address", host=host), url)
    meant = name if literal else _known_address(name)
    if meant and not trusted:
        _check_addresses(url, host, [meant], policy)  # without a lookup, which may fail here and succeed for Glance
    if literal:
        return (name,)
    addresses = _resolve(url, host, port, seconds=seconds, network=network)
    if not trusted:
        _check_addresses(url, host, addresses, policy)
    return tuple(addresses)


def _check_addresses(url: str, host: str, addresses: Iterable[str], policy: UrlPolicy) -> None:
    for address in addresses:
        network = denial(address, policy)
        if network:
            message = say("address-denied", address=address, network=network)
            if address != host:
                message = say("address-of-server-denied", address=address, host=host, network=network)
            raise rejected(UrlProblem.DENIED_ADDRESS, message, url)


def _known_address(name: str) -> str | None:
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return "127.0.0.1"
    return "169.254.169.254" if name in _METADATA_NAMES else None


def _literal(host: str) -> _Address | None:
    """Parse an address in any notation: the system reads 2130706433, 0177.1 and 0x7f.0.0.1 as 127.0.0.1."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _canonical(host: str) -> str:
    host = host.strip("[]")
    with contextlib.suppress(UnicodeError):
        host = host.encode("idna").decode()
    host = host.lower().rstrip(".")
    return str(_literal(host) or host)


def _resolve(url: str, host: str, port: int, *, seconds: float, network: Network) -> list[str]:
    """Resolve a name in a separate thread, because getaddrinfo has no timeout."""
    answers: list[str] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            answers.extend(network.resolve(host, port))
        except (OSError, UnicodeError) as error:
            failures.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=ask, daemon=True, name="hyperx-resolver")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise rejected(UrlProblem.TIMEOUT, say("name-not-resolved-in-time", host=host, seconds=seconds), url)
    if failures or not answers:
        why = str(failures[0].strerror or "") if failures else ""
        raise rejected(UrlProblem.NAME_NOT_FOUND, say("name-does-not-resolve", host=host), url, explanation=why)
    return list(dict.fromkeys(answers))


def denial(address: str, policy: UrlPolicy) -> str | None:
    """Return the denied network of an address, or of an address that is embedded in it; None if it is allowed."""
    networks = [ipaddress.ip_network(network, strict=False) for network in policy.denied_networks]
    for form in _forms(ipaddress.ip_address(address.partition("%")[0])):
        for network in networks:
            if form.version == network.version and form in network:
                return str(network)
    return None


def _forms(address: _Address) -> Iterator[_Address]:
    """Iterate over an address and those embedded in it, to which routers and kernels send."""
    yield address
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    number = int(address)
    if address in _COMPATIBLE or address in _TRANSLATED or address in _NAT64 or (number >> 32) & 0xFDFFFFFF == _ISATAP:
        yield _ipv4(number)
    if address in _LOCAL_NAT64:
        # The prefix has 48, 56, 64 or 96 bits, and the address skips bits 64 to 71 (RFC 6052, 2.2).
        without = (number >> 64 << 56) | (number & (1 << 56) - 1)
        # Zeros belong to a longer prefix, or follow the address of a shorter one.
        carried = [each for shift in (40, 32, 24) if int(each := _ipv4(without >> shift)) >> 24]
        yield from carried
        if number & 0xFFFFFFFF or not carried:
            yield _ipv4(number)


def _ipv4(number: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(number & 0xFFFFFFFF)
