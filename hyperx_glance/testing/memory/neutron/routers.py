"""Routers of the in-memory Neutron, their ports, and floating addresses (neutron/db/l3_db.py)."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import FLOATING, NETWORK, PORT, ROUTER, SUBNET, Kind
from hyperx_glance.testing.memory.neutron.subnets import Subnets
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_INTERFACE = "network:router_interface"
_GATEWAY = "network:router_gateway"
_FLOATING = "network:floatingip"


class Routers(Subnets):
    """The part of Neutron that handles routers and floating addresses."""

    def router_routes(self) -> Sequence[Route]:
        """Return the routes for routers, besides those for all kinds."""
        one = "/v2.0/routers/([^/]+)"
        return (
            Route("PUT", one + "/add_router_interface(?:.json)?", self._add_interface),
            Route("PUT", one + "/remove_router_interface(?:.json)?", self._remove_interface),
        )

    def add_router(self, name: str, outside: str, inside: str, project_id: str) -> str:
        """Create a router from an external network to another one; return its id."""
        gateway = {"network_id": outside}
        router = self._add(ROUTER, {"name": name, "external_gateway_info": gateway}, project_id)
        self._join(router, self.subnets[self.networks[inside]["subnets"][0]])
        return str(router["id"])

    def _complete(self, kind: Kind, record: Record) -> None:
        super()._complete(kind, record)
        if kind is ROUTER:
            wanted = record.pop("external_gateway_info", None)
            record["external_gateway_info"] = None
            record["revision_number"] += bool(wanted)
            self._set_gateway(record, wanted)
        elif kind is FLOATING:
            network = self._outside(record["floating_network_id"])
            wanted = record.pop("port_id", None)
            record |= {"port_id": None, "fixed_ip_address": None, "router_id": None, "port_details": None}
            place = self._reached(record, wanted) if wanted else {}
            asked = {"ip_address": record["floating_ip_address"]} if record.get("floating_ip_address") else {}
            subnet_id = record.pop("subnet_id", None)
            if subnet_id:
                asked["subnet_id"] = self._subnet_of(network, subnet_id)["id"]
            port = self._service_port(_FLOATING, record["id"], network["id"], *filter(None, [asked]))
            record |= {"floating_ip_address": port["fixed_ips"][0]["ip_address"], **place}

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        spread = record.get("distributed", False)
        if kind is ROUTER and given.get("distributed", spread) != spread:
            _check_down({**record, **given})
        if kind is ROUTER and "external_gateway_info" in given:
            self._set_gateway(record, given.pop("external_gateway_info"))
        elif kind is FLOATING and "port_id" in given:
            wanted = given.pop("port_id")
            nowhere = {"port_id": None, "fixed_ip_address": None, "router_id": None, "port_details": None}
            record |= self._reached(record, wanted) if wanted else nowhere
        super()._change(kind, record, given)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        attached = [port["id"] for port in self._ports_of(record, _INTERFACE)] if kind is ROUTER else []
        if attached:
            words = f"Router {record['id']} has ports still attached: {', '.join(attached)}"
            raise Refused(409, words, detail="RouterInUse")
        if kind is PORT and record["device_owner"] in (_INTERFACE, _GATEWAY, _FLOATING):
            words = f"Port {record['id']} cannot be deleted directly via the port API"
            raise Refused(409, f"{words}: has device owner {record['device_owner']}.", detail="ServicePortInUse")

    def remove(self, kind: Kind, record: Record) -> None:
        """Delete a thing with everything that belongs to it."""
        super().remove(kind, record)
        if kind in (ROUTER, FLOATING):
            for port in [port for port in self.ports.values() if port["device_id"] == record["id"]]:
                del self.ports[port["id"]]
        elif kind is PORT:
            for floating in self.floatingips.values():
                if floating["port_id"] == record["id"]:
                    self._change(FLOATING, floating, {"port_id": None})

    # ------------------------------------------------------------- gateways

    def _outside(self, network_id: object) -> Record:
        network = self.networks.get(str(network_id))
        if network is None:
            raise self._unknown(NETWORK, str(network_id))
        if not network["router:external"]:
            words = f"Network {network_id} is not a valid external network"
            raise Refused(400, f"Bad floatingip request: {words}.", detail="BadRequest")
        return network

    def _subnet_of(self, network: Record, subnet_id: str) -> Record:
        subnet = self.subnets.get(subnet_id)
        if subnet is None:
            raise self._unknown(SUBNET, subnet_id)
        if subnet["network_id"] != network["id"]:
            words = f"Failed to create port on network {network['id']}, because fixed_ips included invalid subnet"
            raise invalid(f"{words} {subnet_id}.")
        return subnet

    def _set_gateway(self, router: Record, wanted: Record | None) -> None:
        former = router["external_gateway_info"]
        network_id = (wanted or {}).get("network_id")
        addresses = (wanted or {}).get("external_fixed_ips")
        translating = bool((wanted or {}).get("enable_snat", True))
        if former and former["network_id"] == network_id and not addresses:
            former["enable_snat"] = translating
            return
        if former and any(each["router_id"] == router["id"] for each in self.floatingips.values()):
            words = f"Gateway cannot be updated for router {router['id']}, since a gateway to external network"
            words += f" {former['network_id']} is required by one or more floating IPs."
            raise Refused(409, words, detail="RouterExternalGatewayInUseByFloatingIp")
        if network_id and network_id not in self.networks:
            raise self._unknown(NETWORK, network_id)
        if network_id and not self.networks[network_id]["router:external"]:
            words = f"Bad router request: Network {network_id} is not an external network."
            raise Refused(400, words, detail="BadRequest")
        for port in self._ports_of(router, _GATEWAY):
            del self.ports[port["id"]]
        router["external_gateway_info"] = None
        router["revision_number"] += bool(former and not network_id)
        if network_id:
            port = self._service_port(_GATEWAY, router["id"], network_id, *(addresses or ()))
            router["external_gateway_info"] = {
                "network_id": network_id,
                "external_fixed_ips": port["fixed_ips"],
                "enable_snat": translating,
            }

    def _service_port(self, owner: str, device_id: str, network_id: str, *addresses: Record) -> Record:
        """Create a port that belongs to no department."""
        asked = {"fixed_ips": list(addresses)} if addresses else {}
        fields = {"network_id": network_id, "device_owner": owner, "device_id": device_id, "security_groups": []}
        return self._add(PORT, {**fields, "port_security_enabled": False, **asked}, "")

    def _ports_of(self, router: Record, owner: str) -> list[Record]:
        return [
            port for port in self.ports.values() if port["device_id"] == router["id"] and port["device_owner"] == owner
        ]

    # ------------------------------------------------------------- interfaces

    def _interface_asked(self, call: Call) -> Record:
        body = call.json()
        if not isinstance(body, dict) or not body.keys() & {"subnet_id", "port_id"}:
            raise _bad_router("Either subnet_id or port_id must be specified")
        return body

    def _add_interface(self, call: Call, router_id: str) -> Reply:
        router = self._writable(ROUTER, call, router_id, "add_router_interface")
        body = self._interface_asked(call)
        if {"subnet_id", "port_id"} <= body.keys():
            raise _bad_router("Cannot specify both subnet-id and port-id")
        if "port_id" in body:
            port = self._found(PORT, call, str(body["port_id"]))
            if port["device_id"]:
                words = f"Unable to complete operation on port {port['id']} for network {port['network_id']}."
                words += f" Port already has an attached device {port['device_id']}."
                raise Refused(409, words, detail="PortInUse")
            subnet = self.subnets[port["fixed_ips"][0]["subnet_id"]]
            self._check_attachable(router, subnet)
            port |= {"device_id": router_id, "device_owner": _INTERFACE}
        else:
            subnet = self._found(SUBNET, call, str(body["subnet_id"]))
            self._check_attachable(router, subnet)
            port = self._join(router, subnet)
        router["revision_number"] += 1
        return self._told(router, port, subnet)

    def _join(self, router: Record, subnet: Record) -> Record:
        return self.add_port(
            subnet["network_id"],
            router["project_id"],
            device_id=router["id"],
            device_owner=_INTERFACE,
            security_groups=[],
            port_security_enabled=False,
            fixed_ips=[{"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}],
        )

    def _check_attachable(self, router: Record, subnet: Record) -> None:
        taken = [address["subnet_id"] for port in self._ports_of(router, _INTERFACE) for address in port["fixed_ips"]]
        if subnet["id"] in taken:
            raise _bad_router(f"Router already has a port on subnet {subnet['id']}")
        if not subnet["gateway_ip"]:
            raise _bad_router("Subnet for router interface must have a gateway IP")

    def _remove_interface(self, call: Call, router_id: str) -> Reply:
        router = self._writable(ROUTER, call, router_id, "remove_router_interface")
        body = self._interface_asked(call)
        for port in self._ports_of(router, _INTERFACE):
            subnet = self.subnets[port["fixed_ips"][0]["subnet_id"]]
            if body.get("port_id", port["id"]) == port["id"] and body.get("subnet_id", subnet["id"]) == subnet["id"]:
                break
        else:
            if "port_id" in body:
                words = f"Router {router_id} does not have an interface with id {body['port_id']}"
                raise Refused(404, words, detail="RouterInterfaceNotFound")
            words = f"Router {router_id} has no interface on subnet {body['subnet_id']}"
            raise Refused(404, words, detail="RouterInterfaceNotFoundForSubnet")
        for floating in self.floatingips.values():
            reached = self.ports.get(floating["port_id"])
            subnets = [address["subnet_id"] for address in reached["fixed_ips"]] if reached else []
            if floating["router_id"] == router_id and subnet["id"] in subnets:
                words = f"Router interface for subnet {subnet['id']} on router {router_id} cannot be deleted, as it is"
                raise Refused(
                    409, f"{words} required by one or more floating IPs.", detail="RouterInterfaceInUseByFloatingIP"
                )
        del self.ports[port["id"]]
        return self._told(router, port, subnet)

    def _told(self, router: Record, port: Record, subnet: Record) -> Reply:
        return json_reply(
            200,
            {
                "id": router["id"],
                "project_id": router["project_id"],
                "port_id": port["id"],
                "network_id": subnet["network_id"],
                "subnet_id": subnet["id"],
                "subnet_ids": [subnet["id"]],
            },
        )

    # ------------------------------------------------------------- floating addresses

    def _reached(self, floating: Record, port_id: str) -> Record:
        """Find the way from outside to a port, and return the fields of a floating address that describe it."""
        port = self.ports.get(port_id)
        if port is None:
            raise self._unknown(PORT, port_id)
        for address in port["fixed_ips"]:
            self._check_single(floating, port, address["ip_address"])
            for router in self.routers.values():
                inside = [
                    each["subnet_id"] for found in self._ports_of(router, _INTERFACE) for each in found["fixed_ips"]
                ]
                gateway = router["external_gateway_info"] or {}
                if address["subnet_id"] in inside and gateway.get("network_id") == floating["floating_network_id"]:
                    shown = (
                        "name",
                        "network_id",
                        "mac_address",
                        "admin_state_up",
                        "status",
                        "device_id",
                        "device_owner",
                    )
                    return {
                        "port_id": port_id,
                        "fixed_ip_address": address["ip_address"],
                        "router_id": router["id"],
                        "port_details": {key: port[key] for key in shown},
                    }
        subnet_id = port["fixed_ips"][0]["subnet_id"] if port["fixed_ips"] else None
        words = f"External network {floating['floating_network_id']} is not reachable from subnet {subnet_id}. "
        words += f" Therefore, cannot associate Port {port_id} with a Floating IP."
        raise Refused(404, words, detail="ExternalGatewayForFloatingIPNotFound")

    def _check_single(self, floating: Record, port: Record, address: str) -> None:
        """Refuse a second floating address of one network for an address (neutron/db/l3_db.py)."""
        network_id = floating["floating_network_id"]
        for other in self.floatingips.values():
            taken = (other["port_id"], other["fixed_ip_address"], other["floating_network_id"])
            if other is not floating and taken == (port["id"], address, network_id):
                words = f"Cannot associate floating IP {floating['floating_ip_address']} ({floating['id']}) with port"
                words += f" {port['id']} using fixed IP {address}, as that fixed IP already has a floating IP on"
                raise Refused(409, f"{words} external network {network_id}.", detail="FloatingIPPortAlreadyAssociated")


def _check_down(router: Record) -> None:
    """Refuse to distribute a router that is up, or to gather it again (neutron/db/l3_dvr_db.py)."""
    if router["admin_state_up"]:
        words = "Cannot change the 'distributed' attribute of active routers. Please set router admin_state_up to False"
        raise _bad_router(f"{words} prior to upgrade")


def _bad_router(words: str) -> Refused:
    return Refused(400, f"Bad router request: {words}.", detail="BadRequest")
