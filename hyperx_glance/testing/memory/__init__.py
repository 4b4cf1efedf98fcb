"""A whole cloud in memory, for tests: Keystone, Glance, Nova, Cinder and Neutron as far as this library uses them.

    >>> from hyperx_glance.testing import InMemoryCloud
    >>> cloud = InMemoryCloud()
    >>> session = cloud.session("alice")
    >>> session.get("/v2/images", endpoint_filter={"service_type": "image"}).json()["images"]
    []
    >>> [(request.user, request.service, request.method, request.path, request.status) for request in cloud.requests]
    [('', 'keystone', 'POST', '/v3/auth/tokens', 201), ('alice', 'glance', 'GET', '/v2/images', 200)]

The departments are those of the local cloud: ``admin`` with the administrator ``admin``; ``dept-a`` with alice, arthur
(members) and rita (reader); ``dept-b`` with bob; ``dept-c`` with carol. Every password is "secret". Nothing takes time:
an import or a build advances each time it is read (``cloud.glance.import_polls``, ``cloud.nova.build_polls``).

A session of this cloud works at once, from any thread. Within ``with cloud:`` every requests session of the process
reaches it, so that ``hyperx_glance.connect(**cloud.auth("alice"))`` and openstacksdk work too; other hosts stay real.
Files are those of ``cloud.glance.downloads`` and those of servers on loopback; no other server is looked up or reached.
"""

from hyperx_glance.testing.memory.answering import Interceptor, Recorded, ServiceName
from hyperx_glance.testing.memory.cloud import InMemoryCloud
from hyperx_glance.testing.memory.silences import NoAnswer, Silence
from hyperx_glance.testing.memory.wire import Call, Caller, Failure, Refused, Reply

__all__ = [
    "Call",
    "Caller",
    "Failure",
    "InMemoryCloud",
    "Interceptor",
    "NoAnswer",
    "Recorded",
    "Refused",
    "Reply",
    "ServiceName",
    "Silence",
]
