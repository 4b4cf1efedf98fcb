"""Nova's fake hypervisor with a name for each host that is the same after a restart.

Nova loads it in its own process; it cannot be imported where Nova is not installed. (No example for that reason.)
"""

# ruff: noqa: FBT001, FBT002 - the signatures are Nova's

import io
import uuid
from collections.abc import Callable

import nova.virt.node
from nova.compute import task_states
from nova.context import RequestContext
from nova.image import glance
from nova.objects import Instance
from nova.virt import fake

_SNAPSHOT = bytes(512)


class LoopbackDriver(fake.FakeDriver):
    """A driver that pretends to run servers, with one node per host.

    `fake.FakeDriver` generates new node ids in each process, and `fake.FakeDriverWithoutFakeNodes` assigns all hosts
    of one process the same id (nova/virt/fake.py): the first cannot be restarted, the second cannot be more than one.
    """

    def init_host(self, host: str) -> None:
        """Start the host, and leave the file that nova-compute requires after a restart.

        `ComputeManager._ensure_existing_node_identity` (nova/compute/manager.py) refuses to start without it.
        """
        super().init_host(host)
        nova.virt.node.get_local_node_uuid()

    def get_available_resource(self, nodename: str) -> dict[str, object]:
        """Return the node's capacity under its lasting id."""
        return super().get_available_resource(nodename) | {"uuid": _node_id(nodename)}

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        """Return the host's node under its lasting id."""
        return {_node_id(name): name for name in self.get_available_nodes(refresh)}

    def snapshot(
        self, context: RequestContext, instance: Instance, image_id: str, update_task_state: Callable[..., None]
    ) -> None:
        """Upload a sector of zeros; `fake.FakeDriver` uploads nothing, and its snapshots stay "queued".

        It also forgets all servers when nova-compute restarts; real guests survive that.
        """
        update_task_state(task_state=task_states.IMAGE_UPLOADING)
        formats = {"disk_format": "raw", "container_format": "bare"}
        glance.API().update(context, image_id, formats, data=io.BytesIO(_SNAPSHOT))


def _node_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
