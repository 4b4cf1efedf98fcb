"""Whether a service really answers: each is asked something that it can say only from its database, for a valid token.

A port that accepts is not enough: Nova listens before its computes have reported, say.

>>> question("glance")
'/v2/images?limit=1'
"""

import socket
from typing import Any

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session

from hyperx_glance.testing.local.layout import Layout

_ANSWER_SECONDS = 5.0

_QUESTIONS = {
    "keystone": "/v3/users?name=admin",
    "glance": "/v2/images?limit=1",
    "placement": "/resource_providers",
    "neutron": "/v2.0/networks",
    "nova": "/v2.1/os-services",
    "cinder": "/v3/os-services",
}


def question(service: str) -> str:
    """Return the path below the service's root that is requested."""
    return _QUESTIONS[service]


def problem(layout: Layout, service: str, administrator: Session) -> str | None:
    """Return why a service cannot be used, or None if it can."""
    try:
        # Many looks come before a service listens, so they must cost nothing.
        socket.create_connection((layout.address, layout.ports[service]), _ANSWER_SECONDS).close()
    except OSError as error:
        return f"nothing listens on port {layout.ports[service]}: {error}"
    try:
        response = administrator.get(
            layout.url(service, question(service)), raise_exc=False, timeout=_ANSWER_SECONDS, log=False
        )
    except ClientException as error:  # refused, timed out, or no token available
        return str(error)
    if response.status_code != 200:
        return f"HTTP {response.status_code}: {response.text[:300]}"
    if service in ("nova", "cinder"):
        return _missing_part(layout, service, response.json())
    return None


def _missing_part(layout: Layout, service: str, answer: dict[str, Any]) -> str | None:
    """Return which of a service's own services is not up."""
    hosts = [f"host{number}" for number in range(1, layout.hosts + 1)]
    expected = {
        "nova": {("nova-conductor", "host1"), ("nova-scheduler", "host1"), *(("nova-compute", host) for host in hosts)},
        "cinder": {("cinder-scheduler", "host1"), ("cinder-volume", "host1@files")},
    }[service]
    up = {(part["binary"], part["host"]) for part in answer["services"] if part["state"] == "up"}
    missing = sorted(expected - up)
    return f"not up: {missing}" if missing else None
