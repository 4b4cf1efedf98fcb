"""The in-memory Nova's proxies of Neutron and Cinder, which end with microversion 2.36.

Older clients, and the tests of some newer ones, still ask Nova for security groups, floating addresses, networks and
volumes (and for snapshots, which have a module of their own). As the real one, this Nova asks the other services in the
name of the caller and writes their answers differently (nova/api/openstack/compute/security_groups.py,
floating_ips.py, tenant_networks.py, volumes.py).
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hyperx_glance.testing.memory.ids import is_uuid
from hyperx_glance.testing.memory.nova.microversions import microversion
from hyperx_glance.testing.memory.nova.records import Server
from hyperx_glance.testing.memory.nova.state import State
from hyperx_glance.testing.memory.nova.validation import check_keys, check_limit, enveloped, invalid
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Service, json_reply

Row: TypeAlias = tuple[str, str, Callable[..., Reply]]

_LAST = (2, 35)
_HIGHEST_PORT = 65535
_NETWORK_KEYS = (
    *("id", "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "label", "netmask_v6"),
)
_ADMINISTRATORS_KEYS = (
    *("created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan", "vpn_public_address"),
    *("vpn_public_port", "vpn_private_address", "dhcp_start", "project_id", "host", "bridge_interface", "multi_host"),
    *("priority", "rxtx_base", "mtu", "dhcp_server", "enable_dhcp", "share_address"),
)


class Proxies(State):
    """The part of Nova that passes requests on."""

    def _proxy_table(self) -> Sequence[Row]:
        groups, addresses, volumes = "/os-security-groups", "/os-floating-ips", "/os-volumes"
        table: Sequence[Row] = (
            ("GET", groups, self._list_groups_of_project),
            ("POST", groups, self._create_security_group),
            ("GET", f"{groups}/ID", self._show_security_group),
            ("PUT", f"{groups}/ID", self._update_security_group),
            ("DELETE", f"{groups}/ID", self._delete_security_group),
            ("POST", "/os-security-group-rules", self._create_rule),
            ("DELETE", "/os-security-group-rules/ID", self._delete_rule),
            ("GET", "/os-floating-ip-pools", self._list_pools),
            ("GET", addresses, self._list_floating),
            ("POST", addresses, self._create_floating),
            ("GET", f"{addresses}/ID", self._show_floating),
            ("DELETE", f"{addresses}/ID", self._delete_floating),
            ("GET", "/os-networks", self._list_networks),
            ("GET", "/os-networks/ID", self._show_network),
            ("GET", "/os-tenant-networks", self._list_tenant_networks),
            ("GET", "/os-tenant-networks/ID", self._show_tenant_network),
            ("GET", volumes, self._list_volumes),
            ("POST", volumes, self._create_volume),
            ("GET", f"{volumes}/detail", self._list_volumes),
            ("GET", f"{volumes}/ID", self._show_volume),
            ("DELETE", f"{volumes}/ID", self._delete_volume),
        )
        return [(method, path, until_the_end(handler)) for method, path, handler in table]

    def _asked(self, service: Service, call: Call, method: str, path: str, body: Record | None = None) -> Record:
        """Ask another service in the name of the caller; return its answer, or refuse in its words."""
        if service is self._neutron:
            self._ask_neutron()
        path, _, query = path.partition("?")
        pairs = [(key, value) for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
        content = json.dumps(body).encode() if body is not None else b""
        reply = service.handle(Call(method, path, pairs, {}, content, call.who, call.request_id))
        answer: Record = json.loads(reply.content) if reply.content else {}
        if reply.status >= 400:
            problem: Record = next(iter(answer.values()), {})
            raise Refused(reply.status, str(problem.get("message", "")))
        return answer

    def _neutron_answer(self, call: Call, method: str, path: str, body: Record | None = None) -> Record:
        try:
            return self._asked(self._neutron, call, method, f"/v2.0/{path}", body)
        except Refused as refused:
            # neutronclient/v2_0/client.py, exception_handler_v20
            words = f"{refused.message}\nNeutron server returns request_ids: ['{call.request_id}']"
            raise Refused(refused.status, words) from None

    # ------------------------------------------------------------- security groups

    def _list_groups_of_project(self, call: Call) -> Reply:
        everybody = call.who.is_administrator and call.values("all_tenants")
        path = "security-groups" + ("" if everybody else f"?tenant_id={call.who.project_id}")
        views = [
            self._security_group_view(call, group)
            for group in self._neutron_answer(call, "GET", path)["security_groups"]
        ]
        views.sort(key=lambda view: (view["tenant_id"], view["name"]))
        return json_reply(200, {"security_groups": cut(call, views)})

    def _security_group(self, call: Call, group_id: str) -> Record:
        _check_uuid(group_id)
        group: Record = self._neutron_answer(call, "GET", f"security-groups/{group_id}")["security_group"]
        return group

    def _show_security_group(self, call: Call, group_id: str) -> Reply:
        return json_reply(
            200, {"security_group": self._security_group_view(call, self._security_group(call, group_id))}
        )

    def _create_security_group(self, call: Call) -> Reply:
        asked = _named(call)
        try:
            made = self._neutron_answer(call, "POST", "security-groups", {"security_group": asked})
        except Refused as refused:
            raise Refused(403 if refused.status == 409 else refused.status, refused.message) from None
        return json_reply(200, {"security_group": self._security_group_view(call, made["security_group"])})

    def _update_security_group(self, call: Call, group_id: str) -> Reply:
        asked = _named(call)
        self._security_group(call, group_id)
        changed = self._neutron_answer(call, "PUT", f"security-groups/{group_id}", {"security_group": asked})
        return json_reply(200, {"security_group": self._security_group_view(call, changed["security_group"])})

    def _delete_security_group(self, call: Call, group_id: str) -> Reply:
        self._security_group(call, group_id)
        try:
            self._neutron_answer(call, "DELETE", f"security-groups/{group_id}")
        except Refused as refused:
            # In use, or the default one.
            raise Refused(400 if refused.status == 409 else refused.status, refused.message) from None
        return Reply(202)

    def _create_rule(self, call: Call) -> Reply:
        asked = enveloped(call, "security_group_rule")
        if "parent_group_id" not in asked:
            raise invalid("security_group_rule", asked, "'parent_group_id' is a required property")
        for key in ("parent_group_id", "group_id"):
            if asked.get(key) is not None and not is_uuid(asked[key]):
                raise invalid(key, asked[key], f"{asked[key]!r} is not a 'uuid'")
        parent = self._security_group(call, asked["parent_group_id"])
        source = self._security_group(call, asked["group_id"]) if asked.get("group_id") else None
        rule = _ingress(asked)
        for known in parent["security_group_rules"]:
            if known["direction"] == "ingress" and _alike(known) == _alike(rule):
                raise Refused(400, f"This rule already exists in group {parent['id']}")
        made = self._neutron_answer(call, "POST", "security-group-rules", {"security_group_rule": rule})
        view = self._rule_view(call, made["security_group_rule"], source)
        return json_reply(200, {"security_group_rule": view})

    def _delete_rule(self, call: Call, rule_id: str) -> Reply:
        _check_uuid(rule_id)
        self._neutron_answer(call, "GET", f"security-group-rules/{rule_id}")
        self._neutron_answer(call, "DELETE", f"security-group-rules/{rule_id}")
        return Reply(202)

    def _security_group_view(self, call: Call, group: Record) -> Record:
        incoming = [rule for rule in group["security_group_rules"] if rule["direction"] == "ingress"]
        return {
            "id": group["id"],
            "name": group["name"],
            "description": group["description"],
            "tenant_id": group["project_id"],
            "rules": [self._rule_view(call, rule) for rule in incoming],
        }

    def _rule_view(self, call: Call, rule: Record, source: Record | None = None) -> Record:
        first, last = rule["port_range_min"], rule["port_range_max"]
        if rule["protocol"] and first is None and last is None:
            first, last = (1, _HIGHEST_PORT) if rule["protocol"] in ("tcp", "udp") else (-1, -1)
        view = {
            "id": rule["id"],
            "parent_group_id": rule["security_group_id"],
            "ip_protocol": rule["protocol"],
            "from_port": first,
            "to_port": last,
            "group": {},
            "ip_range": {},
        }
        if not rule["remote_group_id"]:
            return {**view, "ip_range": {"cidr": rule["remote_ip_prefix"] or "0.0.0.0/0"}}
        source = source or self._security_group(call, rule["remote_group_id"])
        return {**view, "group": {"name": source["name"], "tenant_id": source["project_id"]}}

    def _groups_of_server(self, call: Call, server_id: str) -> Reply:
        server = self._found(call, server_id)
        ids = {group for port in self._ports(server) for group in port["security_groups"]}
        views = [
            self._security_group_view(call, self._security_group(call, each))
            for each in sorted(ids)
            if each in self._neutron.security_groups
        ]
        views.sort(key=lambda view: (view["tenant_id"], view["name"]))
        return json_reply(200, {"security_groups": views})

    # ------------------------------------------------------------- floating addresses

    def _external(self, call: Call) -> list[Record]:
        found: list[Record] = self._neutron_answer(call, "GET", "networks?router:external=true")["networks"]
        return found

    def _list_pools(self, call: Call) -> Reply:
        return json_reply(200, {"floating_ip_pools": [{"name": each["name"]} for each in self._external(call)]})

    def _list_floating(self, call: Call) -> Reply:
        path = f"floatingips?tenant_id={call.who.project_id}"
        found = self._neutron_answer(call, "GET", path)["floatingips"]
        return json_reply(200, {"floating_ips": [self._floating_view(each) for each in found]})

    def _create_floating(self, call: Call) -> Reply:
        body = call.json() if call.content() else {}
        name = (body or {}).get("pool") or "nova"
        pool = next((each for each in self._external(call) if name in (each["name"], each["id"])), None)
        if pool is None:
            raise Refused(404, "Floating IP pool not found.")
        try:
            made = self._neutron_answer(
                call, "POST", "floatingips", {"floatingip": {"floating_network_id": pool["id"]}}
            )
        except Refused as refused:
            if refused.status == 409 and refused.message.startswith("Quota"):
                raise Refused(403, f"IP allocation over quota in pool {name}.") from None
            raise Refused(404, f"No more floating IPs in pool {name}.") from None
        return json_reply(200, {"floating_ip": self._floating_view(made["floatingip"])})

    def _floating(self, call: Call, floating_id: str) -> Record:
        try:
            found: Record = self._neutron_answer(call, "GET", f"floatingips/{floating_id}")["floatingip"]
        except Refused:
            raise Refused(404, f"Floating IP not found for ID {floating_id}") from None
        return found

    def _show_floating(self, call: Call, floating_id: str) -> Reply:
        return json_reply(200, {"floating_ip": self._floating_view(self._floating(call, floating_id))})

    def _delete_floating(self, call: Call, floating_id: str) -> Reply:
        self._floating(call, floating_id)
        self._neutron_answer(call, "DELETE", f"floatingips/{floating_id}")
        return Reply(202)

    def _floating_view(self, floating: Record) -> Record:
        network = self._neutron.networks[floating["floating_network_id"]]
        return {
            "id": floating["id"],
            "ip": floating["floating_ip_address"],
            "fixed_ip": floating["fixed_ip_address"],
            "instance_id": (floating["port_details"] or {}).get("device_id"),
            "pool": network["name"] or network["id"],
        }

    def _floating_at(self, call: Call, address: object) -> Record | None:
        path = f"floatingips?floating_ip_address={address}"
        found: list[Record] = self._neutron_answer(call, "GET", path)["floatingips"]
        return found[0] if found else None

    def _add_floating(self, call: Call, server: Server, asked: Record) -> Reply:
        check_keys("addFloatingIp", asked, allowed=("address", "fixed_address"), required=("address",))
        ports = [port for port in self._ports(server) if port["fixed_ips"]]
        fixed = asked.get("fixed_address")
        port = next((each for each in ports if fixed in (None, *_addresses(each))), None)
        if port is None:
            words = "Specified fixed address not assigned to instance" if ports else "Instance network is not ready yet"
            raise Refused(400, words)
        floating = self._floating_at(call, asked["address"])
        if floating is None:
            raise Refused(404, "floating IP not found")
        try:
            self._neutron_answer(call, "PUT", f"floatingips/{floating['id']}", {"floatingip": {"port_id": port["id"]}})
        except Refused as refused:
            words = f"Unable to associate floating IP {asked['address']} to fixed IP {_addresses(port)[0]} for instance"
            raise Refused(400, f"{words} {server.id}. Error: {refused.message}") from None
        return Reply(202)

    def _remove_floating(self, call: Call, server: Server, asked: Record) -> Reply:
        check_keys("removeFloatingIp", asked, allowed=("address",), required=("address",))
        address = asked["address"]
        floating = self._floating_at(call, address)
        if floating is None:
            raise Refused(404, f"Floating IP not found for address {address}.")
        if floating["port_id"] not in [port["id"] for port in self._ports(server)]:
            raise Refused(409, f"Floating IP {address} is not associated with instance {server.id}.")
        self._neutron_answer(call, "PUT", f"floatingips/{floating['id']}", {"floatingip": {"port_id": None}})
        return Reply(202)

    # ------------------------------------------------------------- networks

    def _visible_network(self, call: Call, network_id: str) -> Record:
        try:
            found: Record = self._neutron_answer(call, "GET", f"networks/{network_id}")["network"]
        except Refused:
            raise Refused(404, "Network not found") from None
        return found

    def _list_networks(self, call: Call) -> Reply:
        found = self._neutron_answer(call, "GET", "networks")["networks"]
        return json_reply(200, {"networks": [_network_view(call, each) for each in found]})

    def _show_network(self, call: Call, network_id: str) -> Reply:
        return json_reply(200, {"network": _network_view(call, self._visible_network(call, network_id))})

    def _list_tenant_networks(self, call: Call) -> Reply:
        found = self._neutron_answer(call, "GET", "networks")["networks"]
        return json_reply(200, {"networks": [_tenant_view(each) for each in found]})

    def _show_tenant_network(self, call: Call, network_id: str) -> Reply:
        return json_reply(200, {"network": _tenant_view(self._visible_network(call, network_id))})

    # ------------------------------------------------------------- volumes

    def _list_volumes(self, call: Call) -> Reply:
        found = self._asked(self._cinder, call, "GET", "/v3/volumes/detail")["volumes"]
        return json_reply(200, {"volumes": [_volume_view(each) for each in cut(call, found)]})

    def _volume(self, call: Call, method: str, volume_id: str) -> Record:
        try:
            return self._asked(self._cinder, call, method, f"/v3/volumes/{volume_id}")
        except Refused as refused:
            if refused.status == 404:
                raise Refused(404, f"Volume {volume_id} could not be found.") from None
            raise Refused(400, f"Invalid input received: {refused.message}") from None

    def _show_volume(self, call: Call, volume_id: str) -> Reply:
        return json_reply(200, {"volume": _volume_view(self._volume(call, "GET", volume_id)["volume"])})

    def _create_volume(self, call: Call) -> Reply:
        asked = enveloped(call, "volume")
        keys = ("volume_type", "metadata", "snapshot_id", "size", "availability_zone")
        check_keys("volume", asked, allowed=(*keys, "display_name", "display_description"), required=("size",))
        size = asked["size"]
        if isinstance(size, str) and not re.fullmatch("[0-9]+", size):
            raise invalid("size", size, f"{size!r} does not match '^[0-9]+$'")
        if int(size) < 1:
            raise invalid("size", size, f"{size} is less than the minimum of 1")
        wanted = {key: asked[key] for key in keys if key in asked} | {"size": int(size)}
        wanted |= {"name": asked.get("display_name"), "description": asked.get("display_description")}
        made = self._asked(self._cinder, call, "POST", "/v3/volumes", {"volume": wanted})["volume"]
        reply = json_reply(200, {"volume": _volume_view(made)})
        reply.headers["Location"] = f"{self.url}{call.path}/{made['id']}"
        return reply

    def _delete_volume(self, call: Call, volume_id: str) -> Reply:
        self._volume(call, "DELETE", volume_id)
        return Reply(202)


def until_the_end(handler: Callable[..., Reply]) -> Callable[..., Reply]:
    """Return a handler that answers as where nothing is from the microversion on that ends the proxies."""

    def answer(call: Call, *parts: str) -> Reply:
        if microversion(call) > _LAST:
            raise Refused(404, "The resource could not be found.")
        return handler(call, *parts)

    return answer


def cut(call: Call, views: list[Record]) -> list[Record]:
    """Cut a list as Nova's oldest ones are cut: by offset and limit (nova/api/openstack/common.py, limited)."""
    check_limit(call, "offset")
    first = int(call.value("offset") or 0)
    limit = int(call.value("limit") or 0)
    return views[first : first + limit] if limit else views[first:]


def _check_uuid(group_id: str) -> None:
    if not is_uuid(group_id):
        raise Refused(400, "Security group id should be uuid")


def _named(call: Call) -> Record:
    asked = enveloped(call, "security_group")
    for key in ("name", "description"):
        if key not in asked:
            raise invalid("security_group", asked, f"{key!r} is a required property")
        if not isinstance(asked[key], str):
            raise invalid(key, asked[key], f"{asked[key]!r} is not of type 'string'")
        if len(asked[key]) > 255:
            raise invalid(key, asked[key], f"{asked[key]!r} is too long")
    return {"name": asked["name"], "description": asked["description"]}


def _ingress(asked: Record) -> Record:
    """Return the rule that Nova asks Neutron for (nova/network/security_group_api.py, _new_ingress_rule)."""
    cidr = asked.get("cidr") or "0.0.0.0/0"
    protocol, first, last = (asked.get(key) for key in ("ip_protocol", "from_port", "to_port"))
    rule: Record = {"direction": "ingress", "security_group_id": asked["parent_group_id"]}
    if asked.get("group_id"):
        rule["remote_group_id"] = asked["group_id"]
        if protocol and first is None and last is None:
            first, last = (-1, -1) if protocol.lower() == "icmp" else (1, _HIGHEST_PORT)
    else:
        try:
            version = ipaddress.ip_network(cidr, strict=False).version
        except ValueError:
            raise Refused(400, f"{cidr} is not a valid IP network.") from None
        rule |= {"remote_ip_prefix": cidr, "ethertype": f"IPv{version}"}
        if not protocol or first is None or last is None:
            raise Refused(400, "Not enough parameters to build a valid rule.")
    if protocol:
        first, last = _checked_ports(str(protocol), first, last)
        rule |= {"protocol": str(protocol).lower(), "port_range_min": first, "port_range_max": last}
    return rule


def _checked_ports(protocol: str, first: object, last: object) -> tuple[int | None, int | None]:
    name = protocol.upper()
    try:
        low, high = int(str(first)), int(str(last))
    except ValueError:
        icmp = "Type and Code must be integers for ICMP protocol type"
        words = icmp if name == "ICMP" else "To and From ports must be integers"
        raise Refused(400, f"Invalid input received: {words}") from None
    if name not in ("TCP", "UDP", "ICMP"):
        raise Refused(400, f"Invalid IP protocol {protocol}.")
    reason = ""
    if name == "ICMP":
        reason = "" if -1 <= low <= 255 and -1 <= high <= 255 else "For ICMP, the type:code must be valid"
    elif low > high:
        reason = "Former value cannot be greater than the later"
    elif low < 1 or high > _HIGHEST_PORT:
        reason = f"Valid {name} ports should be between 1-65535"
    if reason:
        raise Refused(400, f"Invalid port range {low}:{high}. {reason}")
    return (None, None) if name == "ICMP" and (low, high) == (-1, -1) else (low, high)


def _alike(rule: Record) -> tuple[object, ...]:
    keys = ("protocol", "port_range_min", "port_range_max", "remote_group_id")
    prefix = None if rule.get("remote_group_id") else rule.get("remote_ip_prefix") or "0.0.0.0/0"
    return (*(rule.get(key) for key in keys), prefix)


def _addresses(port: Record) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


def _network_view(call: Call, network: Record) -> Record:
    keys = (*_NETWORK_KEYS, *(_ADMINISTRATORS_KEYS if call.who.is_administrator else ()))
    return {**dict.fromkeys(keys), "id": network["id"], "label": network["name"]}


def _tenant_view(network: Record) -> Record:
    return {"id": network["id"], "cidr": "None", "label": network["name"]}


def _volume_view(volume: Record) -> Record:
    attached = [
        {"id": volume["id"], "volumeId": volume["id"], "serverId": each["server_id"]}
        | ({"device": each["device"]} if each["device"] else {})
        for each in volume["attachments"][:1]
    ]
    return {
        "id": volume["id"],
        "status": volume["status"],
        "size": volume["size"],
        "availabilityZone": volume["availability_zone"],
        "createdAt": volume["created_at"],
        "attachments": attached or [{}],
        "displayName": volume["name"],
        "displayDescription": volume["description"],
        "volumeType": volume["volume_type"],
        "snapshotId": volume["snapshot_id"],
        "metadata": volume["metadata"],
    }
