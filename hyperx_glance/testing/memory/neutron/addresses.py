"""Groups of addresses in the in-memory Neutron, and how many addresses of its networks are free.

Neutron's own words are in neutron/db/address_group_db.py and neutron/db/network_ip_availability_db.py.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from hyperx_glance.testing.memory.neutron.kinds import ADDRESSES, NETWORK, Kind
from hyperx_glance.testing.memory.neutron.lists import filtered, with_fields
from hyperx_glance.testing.memory.neutron.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_COUNTS = ("total_ips_in_subnet", "total_ips_in_allocation_pool", "used_ips_in_subnet", "used_ips_in_allocation_pool")


class Addresses(State):
    """The part of Neutron that handles groups of addresses, and counts those that are used."""

    def address_routes(self) -> Sequence[Route]:
        """Return the routes for groups of addresses, besides those for all kinds, and for what is free."""
        group, free = "/v2.0/address-groups/([^/]+)", "/v2.0/network-ip-availabilities"
        return (
            Route("PUT", group + "/add_addresses(?:.json)?", self._add_addresses),
            Route("PUT", group + "/remove_addresses(?:.json)?", self._remove_addresses),
            Route("GET", free + "(?:.json)?", self._list_availabilities),
            Route("GET", free + "/([^/]+?)(?:.json)?", self._show_availability),
        )

    # ------------------------------------------------------------- groups

    def _complete(self, kind: Kind, record: Record) -> None:
        super()._complete(kind, record)
        if kind is ADDRESSES:
            record["addresses"] = _written(record["addresses"])
            record["revision_number"] += bool(record["addresses"])

    def _check_rule(self, asked: Record) -> None:
        group_id = asked.get("remote_address_group_id")
        if group_id and group_id not in self.address_groups:
            raise self._unknown(ADDRESSES, group_id)
        super()._check_rule(asked)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        used = [rule["remote_address_group_id"] for rule in self.security_group_rules.values()]
        if kind is ADDRESSES and record["id"] in used:
            words = f"Address group {record['id']} is in use on one or more security group rules."
            raise Refused(409, words, detail="AddressGroupInUse")

    def _show_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        reply = super()._show_thing(kind, call, thing_id)
        if kind is ADDRESSES and call.values("fields"):  # the project's older name is always shown
            record = self._found(kind, call, thing_id)
            view = {**with_fields(call, self._view(call, kind, record)), "tenant_id": record["tenant_id"]}
            return json_reply(200, {kind.member: view})
        return reply

    def _changeable(self, call: Call, group_id: str, action: str) -> tuple[Record, list[str]]:
        """Return a group that a caller may change, and the addresses of a request."""
        group = self._found(ADDRESSES, call, group_id)
        own = group["project_id"] == call.who.project_id and call.who.may_write
        if not (own or call.who.is_administrator):
            raise self._forbidden(f"{action}_addresses")
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("addresses"), list):
            raise Refused(500, "Request Failed: internal server error while processing your request.")
        return group, _written(body["addresses"])

    def _add_addresses(self, call: Call, group_id: str) -> Reply:
        group, addresses = self._changeable(call, group_id, "add")
        known = [each for each in addresses if each in group["addresses"]]
        if known:
            words = f"Addresses {known} already exist in the address group {group_id}."
            raise Refused(400, words, detail="AddressesAlreadyExist")
        group["addresses"] = [*group["addresses"], *addresses]
        return self._changed(call, group)

    def _remove_addresses(self, call: Call, group_id: str) -> Reply:
        group, addresses = self._changeable(call, group_id, "remove")
        unknown = [each for each in addresses if each not in group["addresses"]]
        if unknown:
            words = f"Addresses {unknown} not found in the address group {group_id}."
            raise Refused(404, words, detail="AddressesNotFound")
        group["addresses"] = [each for each in group["addresses"] if each not in addresses]
        return self._changed(call, group)

    def _changed(self, call: Call, group: Record) -> Reply:
        group["revision_number"] += 1
        view = {**self._view(call, ADDRESSES, group), "shared": False, "standard_attr_id": 1}
        return json_reply(200, {"address_group": view})

    # ------------------------------------------------------------- what is free

    def _list_availabilities(self, call: Call) -> Reply:
        if not call.who.is_administrator:
            return json_reply(200, {"network_ip_availabilities": []})
        version = call.value("ip_version")
        found = [
            {**self._availability(network), "id": network["id"]}
            for network in self.networks.values()
            if not version or any(str(self.subnets[each]["ip_version"]) == version for each in network["subnets"])
        ]
        shown = [{key: value for key, value in each.items() if key != "id"} for each in filtered(call, found)]
        return json_reply(200, {"network_ip_availabilities": shown})

    def _show_availability(self, call: Call, network_id: str) -> Reply:
        if network_id not in self.networks:
            raise self._unknown(NETWORK, network_id)
        if not call.who.is_administrator:
            raise Refused(404)
        return json_reply(200, {"network_ip_availability": self._availability(self.networks[network_id])})

    def _availability(self, network: Record) -> Record:
        subnets = [self._subnet_availability(self.subnets[each]) for each in network["subnets"]]
        details = [each["ip_availability_details"] for each in subnets]
        return {
            "network_id": network["id"],
            "network_name": network["name"],
            "project_id": network["project_id"],
            "tenant_id": network["project_id"],
            "total_ips": sum(each["total_ips"] for each in subnets),
            "used_ips": sum(each["used_ips"] for each in subnets),
            "subnet_ip_availability": subnets,
            "ip_availability_details": {key: sum(each[key] for each in details) for key in _COUNTS},
        }

    def _subnet_availability(self, subnet: Record) -> Record:
        pools = [
            [int(ipaddress.ip_address(pool[end])) for end in ("start", "end")] for pool in subnet["allocation_pools"]
        ]
        used = [
            int(ipaddress.ip_address(each["ip_address"]))
            for port in self.ports.values()
            for each in port["fixed_ips"]
            if each["subnet_id"] == subnet["id"]
        ]
        span = ipaddress.ip_network(subnet["cidr"])
        size = sum(last - first + 1 for first, last in pools)
        counts = (
            span.num_addresses - (2 if span.version == 4 else 0),
            size,
            len(used),
            sum(first <= each <= last for each in used for first, last in pools),
        )
        return {
            "subnet_id": subnet["id"],
            "subnet_name": subnet["name"],
            "cidr": subnet["cidr"],
            "ip_version": subnet["ip_version"],
            "total_ips": size or span.num_addresses,
            "used_ips": len(used),
            "ip_availability_details": dict(zip(_COUNTS, counts, strict=True)),
        }


def _written(addresses: Iterable[object]) -> list[str]:
    """Return addresses as networks with their lengths."""
    found = []
    for each in addresses:
        try:
            found.append(str(ipaddress.ip_network(str(each), strict=False)))
        except ValueError:
            raise Refused(400, f"invalid IPNetwork {each}", detail="AddrFormatError") from None
    return list(dict.fromkeys(found))
