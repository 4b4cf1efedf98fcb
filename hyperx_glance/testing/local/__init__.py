"""A real OpenStack on loopback from PyPI packages alone: no root, no container, no broker, no database server.

Keystone, Glance, Placement, Neutron, Nova and Cinder, each in a process of its own, on SQLite files. What is not
production code: Nova's fake hypervisor, a Neutron mechanism driver that binds to nothing, a Cinder driver that keeps
files. Needs Linux and the extra [localcloud].

Users: admin (project admin); alice and arthur (members of dept-a), rita (reader there), bob (member of dept-b), carol
(member of dept-c).

    with LocalCloud() as cloud:
        connection = openstack.connect(**cloud.auth("alice"))

>>> from hyperx_glance.testing.local import LocalCloud
>>> cloud = LocalCloud(hosts=2)
>>> cloud.is_running  # it starts with the with block, or by start()
False

Names are imported when they are first used: the services' own processes must import nothing before it is settled
whether they run on eventlet, and have none of the libraries of a client.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hyperx_glance.testing.local.layout import LocalCloudError
    from hyperx_glance.testing.local.local_cloud import LocalCloud, ServiceStatus

__all__ = ["LocalCloud", "LocalCloudError", "ServiceStatus"]

_MODULES: Final = {"LocalCloud": "local_cloud", "LocalCloudError": "layout", "ServiceStatus": "local_cloud"}


def __getattr__(name: str) -> object:
    """Import a name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
