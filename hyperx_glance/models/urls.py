"""Policies for URLs: which of them may be read.

>>> from hyperx_glance.models.urls import UrlPolicy
>>> UrlPolicy(only_hosts=["files.example"]).max_redirects
5
"""

from typing import Annotated

from pydantic import Field

from hyperx_glance.models.fields import HostText, NetworkText, String, Switch
from hyperx_glance.models.request import Request


class UrlPolicy(Request):
    """Rules for URLs that may be read, and how to read them.

    ``denied_networks`` do not apply to ``trusted_hosts``. If ``only_hosts`` is not empty, no other host may be read.
    Hosts are names or addresses, without scheme and port. ``allowed_ports`` () means any port. Proxies of the
    environment are not used.
    """

    preflight: Switch = True
    trusted_hosts: tuple[HostText, ...] = ()
    only_hosts: tuple[HostText, ...] = ()
    denied_networks: tuple[NetworkText, ...] = (
        "0.0.0.0/8",  # this host
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "100.100.100.200/32",  # Alibaba's metadata
        "168.63.129.16/32",  # Azure's host
        "::/128",
        "::1/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # Amazon's metadata and credentials
        "fd20:ce::254/128",  # Google's metadata
        "fd00:42::42/128",  # Scaleway's
        "fd00:c1::a9fe:a9fe/128",  # Oracle's
    )
    allowed_ports: tuple[Annotated[int, Field(ge=1, le=65535, strict=True)], ...] = ()
    ca_file: String | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=86400, strict=True)] = 10.0
    max_redirects: Annotated[int, Field(ge=0, strict=True)] = 5
