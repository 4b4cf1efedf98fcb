"""An in-memory Keystone: tokens, the catalogue, departments, users and unified limits.

    >>> keystone = Keystone()
    >>> department = keystone.add_department("dept-c")
    >>> user = keystone.add_user("carol", "dept-c", role="member")
    >>> keystone.departments["dept-c"] == department, keystone.users["carol"] == user
    (True, True)

Answers were compared with Keystone 30.
"""

from hyperx_glance.testing.memory.keystone.service import Keystone
from hyperx_glance.testing.memory.keystone.state import REGION, SYSTEM, Grant, service_id

__all__ = ["REGION", "SYSTEM", "Grant", "Keystone", "service_id"]
