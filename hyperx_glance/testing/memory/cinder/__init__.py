"""An in-memory Cinder: volumes, snapshots, types, transfers and quotas.

>>> from hyperx_glance.testing import InMemoryCloud
>>> cloud = InMemoryCloud()
>>> cloud.cinder.set_quota("dept-a", volumes=1)
>>> cloud.cinder.add_type("fast")
>>> cloud.cinder.present = False  # a cloud without Cinder

Answers were compared with Cinder 29.
"""

from hyperx_glance.testing.memory.cinder.service import Cinder

__all__ = ["Cinder"]
