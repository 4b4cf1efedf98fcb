"""A real OpenStack on loopback from PyPI packages alone: no root, no container, no broker, no database server.

Keystone, Glance, Placement, Neutron, Nova and Cinder, each in a process of its own, on SQLite files. What is not
production code: Nova's fake hypervisor, a Neutron mechanism driver that binds to nothing, a Cinder driver that keeps
files. Needs Linux and the extra [localcloud].

Users: admin (project admin); alice and arthur (members of dept-a), rita (reader there), bob (member of dept-b).

    with LocalCloud() as cloud:
        connection = openstack.connect(**cloud.auth("alice"))

>>> from hyperx_glance.testing.local import LocalCloud
>>> cloud = LocalCloud(hosts=2)
>>> cloud.is_running()  # it starts with the with block, or by start()
False
"""

from hyperx_glance.testing.local.layout import LocalCloudError
from hyperx_glance.testing.local.local_cloud import LocalCloud, ServiceStatus

__all__ = ["LocalCloud", "LocalCloudError", "ServiceStatus"]
