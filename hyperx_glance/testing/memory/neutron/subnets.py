"""Subnets and ports of the in-memory Neutron, and the addresses that they have."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TypeAlias

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import GROUP, PORT, SUBNET, Kind
from hyperx_glance.testing.memory.neutron.state import State
from hyperx_glance.testing.memory.wire import Record, Refused

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Subnets(State):
    """The part of Neutron that handles subnets and ports, and gives them their addresses."""

    def _complete(self, kind: Kind, record: Record) -> None:
        super()._complete(kind, record)
        if kind is SUBNET:
            self._complete_subnet(record)
        elif kind is PORT:
            self._complete_port(record)

    def _complete_subnet(self, record: Record) -> None:
        network = self.networks[record["network_id"]]
        if "cidr" not in record:
            raise Refused(
                400,
                "Bad subnets request: a subnetpool must be specified in the absence of a cidr.",
                detail="BadRequest",
            )
        span = ipaddress.ip_network(record["cidr"], strict=False)
        if span.version != record["ip_version"]:
            raise invalid(f"cidr '{record['cidr']}' does not match the ip_version '{record['ip_version']}'.")
        for other in network["subnets"]:
            if ipaddress.ip_network(self.subnets[other]["cidr"]).overlaps(span):
                words = f"Invalid input for operation: Requested subnet with cidr: {span} for network: {network['id']}"
                raise Refused(400, f"{words} overlaps with another subnet.", detail="InvalidInput")
        last = span[-2] if span.version == 4 else span[-1]
        record["cidr"] = str(span)
        record.setdefault("gateway_ip", str(span[1]))
        record.setdefault("allocation_pools", _around(record["gateway_ip"], span[1], last))
        record["router:external"] = network["router:external"]
        network["subnets"].append(record["id"])
        network["revision_number"] += 1

    def _complete_port(self, record: Record) -> None:
        number = next(self._macs)
        record.setdefault(
            "mac_address", f"fa:16:3e:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        )
        network = self.networks[record["network_id"]]
        if "fixed_ips" not in record:
            first = next((each for each in network["subnets"] if self.subnets[each]["ip_version"] == 4), None)
            record["fixed_ips"] = [{"subnet_id": first}] if first else []
        record["fixed_ips"] = [self._address(network, asked) for asked in record["fixed_ips"]]
        if "security_groups" not in record:
            record["security_groups"] = [self.default_group(record["project_id"])["id"]]
        for group in record["security_groups"]:
            if group not in self.security_groups:
                raise self._unknown(GROUP, group)

    def _address(self, network: Record, asked: Record) -> Record:
        """Return an address on a network: the requested one, or the first that is free."""
        taken = {each["ip_address"] for port in self.ports.values() for each in port["fixed_ips"]}
        wanted = asked.get("ip_address")
        for subnet_id in [asked["subnet_id"]] if "subnet_id" in asked else network["subnets"]:
            subnet = self.subnets.get(subnet_id)
            if subnet is None or subnet["network_id"] != network["id"]:
                raise self._unknown(SUBNET, subnet_id)
            span = ipaddress.ip_network(subnet["cidr"])
            if wanted is not None:
                if ipaddress.ip_address(wanted) not in span:
                    continue
                if wanted in taken:
                    words = f"IP address {wanted} already allocated in subnet {subnet_id}"
                    raise Refused(409, words, detail="IpAddressAlreadyAllocated")
                return {"subnet_id": subnet_id, "ip_address": wanted}
            free = next((address for address in _pool(subnet) if address not in taken), None)
            if free is None:
                words = f"No more IP addresses available on network {network['id']}."
                raise Refused(409, words, detail="IpAddressGenerationFailure")
            return {"subnet_id": subnet_id, "ip_address": free}
        raise Refused(
            400,
            f"IP address {wanted} is not a valid IP for any of the subnets on the specified network.",
            detail="InvalidIpForNetwork",
        )

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        if kind is PORT and "fixed_ips" in given:
            network = self.networks[record["network_id"]]
            given["fixed_ips"] = [self._address(network, each) for each in given["fixed_ips"]]
        if kind is SUBNET:
            if given.get("gateway_ip"):
                _check_gateway(given["gateway_ip"], given.get("allocation_pools") or record["allocation_pools"])
            self.networks[record["network_id"]]["revision_number"] += 1
        super()._change(kind, record, given)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        subnets = [each["subnet_id"] for port in self.ports.values() for each in port["fixed_ips"]]
        if kind is SUBNET and record["id"] in subnets:
            words = f"Unable to complete operation on subnet {record['id']}: One or more ports have an IP allocation"
            raise Refused(409, f"{words} from this subnet.", detail="SubnetInUse")

    def remove(self, kind: Kind, record: Record) -> None:
        """Delete a thing with everything that belongs to it."""
        super().remove(kind, record)
        if kind is SUBNET:
            self.networks[record["network_id"]]["subnets"].remove(record["id"])


def _around(gateway: str | None, first: Address, last: Address) -> list[Record]:
    """Return the addresses that ports may have: all but the gateway's."""
    if gateway is None or not int(first) <= int(ipaddress.ip_address(gateway)) <= int(last):
        return [{"start": str(first), "end": str(last)}]
    here = ipaddress.ip_address(gateway)
    parts = ((first, here - 1), (here + 1, last))
    return [{"start": str(start), "end": str(end)} for start, end in parts if int(start) <= int(end)]


def _check_gateway(gateway: str, pools: list[Record]) -> None:
    for pool in pools:
        first, last = (int(ipaddress.ip_address(pool[end])) for end in ("start", "end"))
        if first <= int(ipaddress.ip_address(gateway)) <= last:
            words = f"Gateway ip {gateway} conflicts with allocation pool {pool['start']}-{pool['end']}."
            raise Refused(409, words, detail="GatewayConflictWithAllocationPools")


def _pool(subnet: Record) -> Iterator[str]:
    for pool in subnet["allocation_pools"]:
        first, last = (ipaddress.ip_address(pool[end]) for end in ("start", "end"))
        for number in range(int(first), int(last) + 1):
            yield str(type(first)(number))
