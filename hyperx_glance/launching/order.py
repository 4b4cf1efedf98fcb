"""The order of a launch, as its servers and volumes carry it: they suffice to find the launch again.

>>> from hyperx_glance.launching.order import LaunchOrder
>>> order = LaunchOrder(launch_id="81f", image_id="7c1", count=2)
>>> sorted(order.metadata())
['hyperx_image_id', 'hyperx_launch_count', 'hyperx_launch_on_failure']
>>> LaunchOrder.read("81f", order.metadata(), at_least=1) == order
True

Pure: no request is made here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hyperx_glance.vocabulary import LAUNCH_IMAGE_KEY

TAG_PREFIX = "hyperx-launch:"
COUNT_KEY = "hyperx_launch_count"
IMAGE_KEY = LAUNCH_IMAGE_KEY
ON_FAILURE_KEY = "hyperx_launch_on_failure"
KEEP_VOLUMES_KEY = "hyperx_launch_keep_volumes"
LAUNCH_KEY = "hyperx_launch_id"
"""On a volume: the launch that made it, once that launch is being cancelled. Servers have a tag instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """Description of a launch."""

    launch_id: str
    image_id: str
    count: int
    on_failure: Literal["keep", "delete"] = "keep"
    keep_volumes: bool = False

    def metadata(self) -> dict[str, str]:
        """Return the metadata of each server."""
        metadata = {COUNT_KEY: str(self.count), IMAGE_KEY: self.image_id, ON_FAILURE_KEY: self.on_failure}
        if self.keep_volumes:
            metadata[KEEP_VOLUMES_KEY] = "true"
        return metadata

    def volume_metadata(self) -> dict[str, str]:
        """Return the metadata of a volume that outlives its server, since nothing else leads from launch to volume."""
        return {LAUNCH_KEY: self.launch_id, COUNT_KEY: str(self.count), IMAGE_KEY: self.image_id}

    @classmethod
    def read(cls, launch_id: str, metadata: Mapping[str, str], *, at_least: int) -> "LaunchOrder":
        """Read an order from metadata. Other members can change metadata, so ``at_least`` servers are counted."""
        count = metadata.get(COUNT_KEY, "")
        return cls(
            launch_id=launch_id,
            image_id=metadata.get(IMAGE_KEY, ""),
            count=max(int(count) if re.fullmatch("[0-9]{1,4}", count) else 0, at_least),
            on_failure="delete" if metadata.get(ON_FAILURE_KEY) == "delete" else "keep",
            keep_volumes=metadata.get(KEEP_VOLUMES_KEY) == "true",
        )


def launch_tag(launch_id: str) -> str:
    """Return the tag that every server of a launch has."""
    return f"{TAG_PREFIX}{launch_id}"
