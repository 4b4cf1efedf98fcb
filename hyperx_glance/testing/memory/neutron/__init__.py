"""An in-memory Neutron: networks with subnets, ports, routers, floating addresses, security groups and their rules.

>>> neutron = Neutron()
>>> network_id = neutron.add_network("net1", shared=True)
>>> [network["name"] for network in neutron.networks.values()]
['net1']

It has what the local cloud has: the plug-in ML2 and routers. Answers were compared with Neutron 29.
"""

from hyperx_glance.testing.memory.neutron.service import Neutron

__all__ = ["Neutron"]
