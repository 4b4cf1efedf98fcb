"""An in-memory Nova: flavors, servers, quotas.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.nova.build_polls = 3  # three looks find a new server still in BUILD
>>> cloud.nova.faults.append("No valid host was found.")  # the next server to be built ends in ERROR
>>> cloud.nova.set_quota("dept-a", instances=5)

Answers were compared with Nova 34.
"""

from hyperx_glance.testing.memory.nova.records import Flavor, PasswordChanges, Server
from hyperx_glance.testing.memory.nova.service import Nova

__all__ = ["Flavor", "Nova", "PasswordChanges", "Server"]
