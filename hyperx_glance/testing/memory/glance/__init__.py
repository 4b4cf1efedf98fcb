"""An in-memory Glance: images, imports, quotas, policies, property protections.

    >>> from hyperx_glance.testing import InMemoryCloud
    >>> cloud = InMemoryCloud()
    >>> image_id = cloud.glance.add_image(
    ...     owner="dept-a", name="disk", status="active", size=1 << 20, os_distro="ubuntu"
    ... )
    >>> cloud.glance.downloads["http://files.example.org/disk.qcow2"] = 404
    >>> cloud.glance.policies["publicize_image"] = "member"

Answers were compared with Glance 33.
"""

from hyperx_glance.testing.memory.glance.downloads import Download, Filter
from hyperx_glance.testing.memory.glance.records import ImageRecord, Member
from hyperx_glance.testing.memory.glance.service import Glance
from hyperx_glance.testing.memory.glance.state import Rule

__all__ = ["Download", "Filter", "Glance", "ImageRecord", "Member", "Rule"]
