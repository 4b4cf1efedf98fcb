"""An in-memory Keystone: tokens, the catalogue, departments, users and unified limits.

    >>> keystone = Keystone()
    >>> department = keystone.add_department("dept-d")
    >>> user = keystone.add_user("dora", "dept-d", role="member")
    >>> keystone.departments["dept-d"] == department, keystone.users["dora"] == user
    (True, True)

Answers were compared with Keystone 30.
"""

from hyperx_glance.testing.memory.keystone.service import Keystone
from hyperx_glance.testing.memory.keystone.state import REGION, SYSTEM, Grant, service_id

__all__ = ["REGION", "SYSTEM", "Grant", "Keystone", "service_id"]
