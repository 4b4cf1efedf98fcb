"""A Neutron mechanism driver that binds every port at once: there is no agent and no switch.

Neutron loads it in its own process; it cannot be imported where Neutron is not installed. (No example for that reason.)
"""

from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class LoopbackMechanismDriver(api.MechanismDriver):
    """A driver that binds ports to nothing and calls them active."""

    def initialize(self) -> None:
        """Do nothing: the driver has no state."""

    @property
    def connectivity(self) -> str:
        """Return what Neutron reports about the driver's networks."""
        return str(portbindings.CONNECTIVITY_L2)

    def bind_port(self, context: api.PortContext) -> None:
        """Bind the port to the first segment offered."""
        for segment in context.segments_to_bind[:1]:
            context.set_binding(
                segment[api.ID], portbindings.VIF_TYPE_OVS, {portbindings.CAP_PORT_FILTER: False}, status="ACTIVE"
            )
