"""Where a served cloud listens, and by which URLs its clients reach it; the options of both `serve` commands.

>>> Exposure().origin({"HTTP_HOST": "localhost:5000"}, 8080)
'http://127.0.0.1:8080'
>>> Exposure(host="0.0.0.0", public_url="http://cloud:5000").origin({"HTTP_HOST": "localhost:5000"}, 8080)
'http://cloud:5000'
>>> Exposure(host="0.0.0.0", public_url="auto").origin({"HTTP_HOST": "localhost:5000"}, 8080)
'http://localhost:5000'
>>> Exposure(host="0.0.0.0")
Traceback (most recent call last):
hyperx_glance.errors.InvalidRequestError: The address 0.0.0.0 needs a public URL, since it is not 127.0.0.1 or ::1. ...
"""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.testing import origins
from hyperx_glance.testing.extras import needed
from hyperx_glance.texts import Text

if TYPE_CHECKING:
    import ssl

AUTO: Final = "auto"
_LOOPBACK: Final = ("127.0.0.1", "::1")


@dataclasses.dataclass(frozen=True)
class Exposure:
    """The address, the public URL and the hosts of a served cloud; by default, it is reached on loopback only.

    ``host`` is an address of this machine. Any other than 127.0.0.1 and ::1 needs a ``public_url``: the URL at which
    clients reach the cloud, or "auto", which is the scheme and the ``Host`` of each request. Requests for other hosts
    than loopback, ``host``, that of ``public_url`` and ``allowed_hosts`` are refused. With
    ``trust_forwarded_proto``, the scheme is that of ``X-Forwarded-Proto``, for a proxy that always sets it.

    With ``ca_file``, the cloud answers by HTTPS. Its certificate is new at each start, and the certificate of its
    authority is written to this file.

    Raises `~hyperx_glance.InvalidRequestError` if the values do not fit together.
    """

    host: str = _LOOPBACK[0]
    public_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    trust_forwarded_proto: bool = False
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if not _is_address(self.host):
            raise _refused(f"The host must be an IP address of this machine, not {self.host!r}.")
        if not self.public_url:
            self._require_loopback()
        elif self.public_url != AUTO:
            self._check_public_url()
        for name in self.allowed_hosts:
            if not origins.is_host(name):
                raise _refused(f"An allowed host must be a name or an address without a port, not {name!r}.")
        if self.trust_forwarded_proto and self.public_url != AUTO:
            raise _refused('X-Forwarded-Proto can be trusted only if the public URL is "auto".')

    def _require_loopback(self) -> None:
        if self.host not in _LOOPBACK:
            loopback = " or ".join(_LOOPBACK)
            hint = "Give the URL at which clients reach the cloud, or auto (--public-url)."
            raise _refused(f"The address {self.host} needs a public URL, since it is not {loopback}.", hint)
        if self.allowed_hosts:
            raise _refused("Allowed hosts need a public URL.", "Give a URL, or auto (--public-url).")

    def _check_public_url(self) -> None:
        if not origins.is_origin(self.public_url):
            text = 'The public URL must be "auto", or like http://cloud.example:8080 without a path'
            raise _refused(f"{text}, not {self.public_url!r}.")
        if self.ca_file is not None and not self.public_url.lower().startswith("https:"):
            raise _refused(f"The public URL must begin with https: to use a certificate, not {self.public_url!r}.")

    @property
    def is_public(self) -> bool:
        """Whether others than the programs of this machine may reach the cloud."""
        return bool(self.public_url)

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts by which the cloud is known, as they stand in a URL."""
        found = {*origins.LOOPBACK, *(name.lower() for name in self.allowed_hosts)}
        if not ipaddress.ip_address(self.host).is_unspecified:
            found.add(_in_url(self.host))
        if self.public_url not in ("", AUTO):
            found.add(origins.host_of(self.public_url))
        return frozenset(found)

    @property
    def scheme(self) -> str:
        """The scheme by which the cloud answers."""
        return "http" if self.ca_file is None else "https"

    def local_url(self, port: int) -> str:
        """Return the URL at which programs of this machine reach the cloud."""
        address = ipaddress.ip_address(self.host)
        host = _LOOPBACK[address.version == 6] if address.is_unspecified else self.host
        return f"{self.scheme}://{_in_url(host)}:{port}"

    def told_url(self, port: int) -> str:
        """Return the URL for the ``clouds.yaml`` that is written at the start."""
        return self.local_url(port) if self.public_url in ("", AUTO) else self.public_url.rstrip("/").lower()

    def origin(self, environ: Mapping[str, object], port: int) -> str:
        """Return the scheme and host of the URLs in the answer to a request that `origins.refusal` lets pass."""
        if self.public_url != AUTO:
            return self.told_url(port)
        forwarded = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).strip().lower() if self.trust_forwarded_proto else ""
        scheme = forwarded if forwarded in ("http", "https") else self.scheme
        return f"{scheme}://{str(environ.get('HTTP_HOST', '')).lower()}"

    def cloud_entries(self, entries: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
        """Return the entries of a ``clouds.yaml``, with the file of the certificate's authority."""
        trusted = {} if self.ca_file is None else {"cacert": str(self.ca_file.absolute())}
        return {name: {**entry, **trusted} for name, entry in entries.items()}

    def tls_context(self) -> ssl.SSLContext | None:
        """Make the certificate and write its authority to ``ca_file``; return None if there is none.

        Raises `InvalidRequestError` if the file cannot be written, or if no certificate can have one of the hosts.
        """
        if self.ca_file is None:
            return None
        import ssl  # noqa: PLC0415 - few need it

        with needed("testing"):
            import trustme  # noqa: PLC0415 - few need it
        authority = trustme.CA(organization_name="test cloud of hyperx-glance")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            certificate = authority.issue_cert(*sorted(host.strip("[]") for host in self.hosts))
            certificate.configure_cert(context)
            authority.cert_pem.write_to_path(str(self.ca_file))
        except ValueError as error:
            raise _refused(f"No certificate can be made for these hosts: {error}.") from None
        except OSError as error:
            raise _refused(
                f"The certificate authority cannot be written to {self.ca_file}: {error.strerror}."
            ) from None
        return context


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Print the error alone, and exit."""
        self.exit(2, f"{self.prog}: {message}\n")


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a command that serves a cloud."""
    command.add_argument("--port", type=_port, default=0, help="port to listen on (default: a free port)")
    command.add_argument(
        "--host", default=_LOOPBACK[0], metavar="ADDRESS", help="address to listen on (default: %(default)s)"
    )
    command.add_argument(
        "--public-url",
        default="",
        metavar="URL",
        help="URL at which clients reach the cloud; auto means the scheme and Host of each request",
    )
    command.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="answer requests for this host, too; repeat for several",
    )
    command.add_argument(
        "--trust-forwarded-proto",
        action="store_true",
        help="with --public-url auto, take the scheme from X-Forwarded-Proto, which a proxy must always set",
    )
    command.add_argument(
        "--tls",
        type=Path,
        metavar="FILE",
        help="answer by https, with a new certificate, and write the certificate of its authority to FILE",
    )


def chosen(options: argparse.Namespace) -> Exposure:
    """Return what the options of `add_options` ask for; raise `InvalidRequestError` if they do not fit together."""
    return Exposure(
        host=_LOOPBACK[0] if options.host == "localhost" else options.host,
        public_url=options.public_url,
        allowed_hosts=tuple(options.allow_host),
        trust_forwarded_proto=options.trust_forwarded_proto,
        ca_file=options.tls,
    )


def warn(url: str) -> None:
    """Say on standard error that others can use the cloud."""
    print(f'Everyone who can reach {url} can use this cloud: every password is "secret".', file=sys.stderr, flush=True)  # noqa: T201 - for a person


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"must be a port, not {text!r}")
    return port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(text: str, hint: str = "") -> InvalidRequestError:
    return InvalidRequestError(Text(text), hint=Text(hint)) if hint else InvalidRequestError(Text(text))
