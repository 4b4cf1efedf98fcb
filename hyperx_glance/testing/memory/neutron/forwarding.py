"""The forwarding of ports of floating addresses in the in-memory Neutron (neutron/services/portforwarding)."""

from __future__ import annotations

from collections.abc import Sequence

from hyperx_glance.testing.memory.neutron import checks
from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import FLOATING, PORT, Kind
from hyperx_glance.testing.memory.neutron.topologies import Topologies
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_FIELDS = ("external_port", "internal_port", "internal_ip_address", "protocol", "internal_port_id")
_PROTOCOLS = ("tcp", "udp", "icmp", "icmp6", "sctp", "dccp")
_LAST_PORT = 65535


class Forwarding(Topologies):
    """The part of Neutron that forwards ports."""

    def forwarding_routes(self) -> Sequence[Route]:
        """Return the routes for the forwarding of ports."""
        every = "/v2.0/floatingips/([^/]+)/port_forwardings"
        one = every + "/([^/]+?)(?:.json)?"
        return (
            Route("GET", every + "(?:.json)?", self._list_forwardings),
            Route("POST", every + "(?:.json)?", self._create_forwarding),
            Route("GET", one, self._show_forwarding),
            Route("PUT", one, self._update_forwarding),
            Route("DELETE", one, self._delete_forwarding),
        )

    def _list_forwardings(self, call: Call, floating_id: str) -> Reply:
        self._found(FLOATING, call, floating_id)
        found = [
            _forwarding_view(each)
            for each in self._forwardings_of(floating_id)
            if all(str(each.get(key)) == value for key, value in call.query if key in _FIELDS)
        ]
        return json_reply(200, {"port_forwardings": found})

    def _forwarder(self, call: Call, floating_id: str, action: str) -> Record:
        """Return the floating address of which a caller may change the forwarding."""
        floating = self.floatingips.get(floating_id)
        own = floating is not None and floating["project_id"] == call.who.project_id and call.who.may_write
        if not (own or call.who.is_administrator):
            raise self._forbidden(f"{action}_floatingip_port_forwarding")
        return self._found(FLOATING, call, floating_id)

    def _forwardings_of(self, floating_id: str) -> list[Record]:
        return [each for each in self.port_forwardings.values() if each["floatingip_id"] == floating_id]

    def _forwarding(self, call: Call, floating_id: str, forwarding_id: str) -> Record:
        self._found(FLOATING, call, floating_id)
        forwarding = self.port_forwardings.get(forwarding_id)
        if forwarding is None or forwarding["floatingip_id"] != floating_id:
            words = f"Port Forwarding {forwarding_id} could not be found."
            raise Refused(404, words, detail="PortForwardingNotFound")
        return forwarding

    def _show_forwarding(self, call: Call, floating_id: str, forwarding_id: str) -> Reply:
        forwarding = self._forwarding(call, floating_id, forwarding_id)
        return json_reply(200, {"port_forwarding": _forwarding_view(forwarding)})

    def _create_forwarding(self, call: Call, floating_id: str) -> Reply:
        asked = _checked(call, creating=True)
        floating = self._forwarder(call, floating_id, "create")
        if floating["port_id"]:
            words = f"Cannot associate floating IP {floating['floating_ip_address']} ({floating_id}) with port"
            words += f" {asked['internal_port_id']} using fixed IP {asked['internal_ip_address']},"
            words += " as that floating IP already has a fixed IP on external network"
            words += f" {floating['floating_network_id']}."
            raise Refused(409, words, detail="FloatingIPPortAlreadyAssociated")
        forwarding = {"id": str(self.ids.uuid4()), "floatingip_id": floating_id, "description": "", **asked}
        self._check_collisions(forwarding)
        floating["router_id"] = self._way(floating, forwarding)
        floating["revision_number"] += 1
        self.port_forwardings[forwarding["id"]] = forwarding
        return json_reply(201, {"port_forwarding": _forwarding_view(forwarding)})

    def _check_collisions(self, forwarding: Record) -> None:
        for other in self.port_forwardings.values():
            if other["id"] == forwarding["id"] or other["protocol"] != forwarding["protocol"]:
                continue
            inside = all(other[key] == forwarding[key] for key in ("internal_port_id", "internal_ip_address"))
            for key, near in (
                ("internal_port", inside),
                ("external_port", other["floatingip_id"] == forwarding["floatingip_id"]),
            ):
                if near and other[key] == forwarding[key]:
                    span = f"{other[key]}:{other[key]}"
                    words = f"There is a port collision with the {key}_range. The following ranges collide: {span}"
                    raise Refused(400, f"Bad port_forwarding request: {words} and {span}.", detail="BadRequest")

    def _way(self, floating: Record, forwarding: Record) -> str:
        """Return the router between a floating address and the port behind it."""
        port = self.ports.get(forwarding["internal_port_id"])
        if port is None:
            raise self._unknown(PORT, forwarding["internal_port_id"])
        addresses = {each["ip_address"]: each["subnet_id"] for each in port["fixed_ips"]}
        address = forwarding["internal_ip_address"]
        if address not in addresses:
            words = f"Requested internal IP address {address} is not suitable for internal neutron port {port['id']},"
            words += f" as its fixed_ips are {port['fixed_ips']}"
            raise Refused(400, f"Bad port_forwarding request: {words}.", detail="BadRequest")
        try:
            return str(self._reached(floating, port["id"])["router_id"])
        except Refused:
            words = f"External network {floating['floating_network_id']} is not reachable from subnet"
            words += f" {addresses[address]}. Cannot set Port forwarding for port {port['id']} with Floating IP"
            words += f" {floating['id']}"
            raise Refused(400, f"Bad port_forwarding request: {words}.", detail="BadRequest") from None

    def _update_forwarding(self, call: Call, floating_id: str, forwarding_id: str) -> Reply:
        given = _checked(call, creating=False)
        forwarding = self._forwarding(call, floating_id, forwarding_id)
        floating = self._forwarder(call, floating_id, "update")
        changed = {**forwarding, **given}
        self._check_collisions(changed)
        self._way(floating, changed)
        forwarding.update(given)
        floating["revision_number"] += 1
        return json_reply(200, {"port_forwarding": _forwarding_view(forwarding)})

    def _delete_forwarding(self, call: Call, floating_id: str, forwarding_id: str) -> Reply:
        self._forwarding(call, floating_id, forwarding_id)
        floating = self._forwarder(call, floating_id, "delete")
        self._drop_forwarding(floating, forwarding_id)
        return Reply(204)

    def _drop_forwarding(self, floating: Record, forwarding_id: str) -> None:
        del self.port_forwardings[forwarding_id]
        if not self._forwardings_of(floating["id"]):
            floating["router_id"] = None

    # ------------------------------------------------------------- floating addresses and ports

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        if kind is FLOATING and given.get("port_id"):
            self._check_free(record)
        super()._change(kind, record, given)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        if kind is FLOATING:
            self._check_free(record)

    def _check_free(self, floating: Record) -> None:
        if self._forwardings_of(floating["id"]):
            words = f"Floating IP {floating['id']} in use by Port Forwarding resources."
            raise Refused(409, words, detail="FipInUseByPortForwarding")

    def remove(self, kind: Kind, record: Record) -> None:
        """Delete a thing with everything that belongs to it."""
        super().remove(kind, record)
        if kind is PORT:
            for each in [each for each in self.port_forwardings.values() if each["internal_port_id"] == record["id"]]:
                self._drop_forwarding(self.floatingips[each["floatingip_id"]], each["id"])

    def _view(self, call: Call, kind: Kind, record: Record) -> Record:
        view = super()._view(call, kind, record)
        if kind is FLOATING:
            kept = ("id", "protocol", "external_port", "internal_ip_address", "internal_port", "internal_port_id")
            forwardings = self._forwardings_of(record["id"])
            view["port_forwardings"] = [{key: each[key] for key in kept} for each in forwardings]
        return view


def _checked(call: Call, *, creating: bool) -> Record:
    """Return the described forwarding; refuse missing and wrong values."""
    body = call.json()
    if not body:
        raise Refused(400, "Resource body required")
    if not isinstance(body, dict) or not isinstance(body.get("port_forwarding"), dict):
        raise Refused(400, "Unable to find 'port_forwarding' in request body")
    given = body["port_forwarding"]
    for key in _FIELDS if creating else ():
        if key not in given:
            raise Refused(400, f"Failed to parse request. Required attribute '{key}' not specified")
    unknown = sorted(set(given) - {*_FIELDS, "description", "project_id", "tenant_id"})
    if unknown:
        raise Refused(400, f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    for key in ("external_port", "internal_port"):
        if key in given:
            _check_port(key, given[key])
    address, protocol = given.get("internal_ip_address"), given.get("protocol")
    if wrong := checks.address(address):
        raise Refused(400, f"Invalid input for internal_ip_address. Reason: {wrong}.")
    if protocol is not None and protocol not in _PROTOCOLS:
        words = f"IP protocol '{protocol}' is not supported."
        raise invalid(f"{words} Only protocol names and their integer representation (0 to 255) are supported.")
    ports = {key: int(given[key]) for key in ("external_port", "internal_port") if key in given}
    return {key: value for key, value in given.items() if key in (*_FIELDS, "description")} | ports


def _check_port(key: str, value: object) -> None:
    if not str(value).lstrip("-").isdecimal():
        raise Refused(400, f"Invalid input for {key}. Reason: '{value}' is not an integer.")
    if not 1 <= int(str(value)) <= _LAST_PORT:
        reason = f"'{value}' is too large - must be no larger than '{_LAST_PORT}'"
        if int(str(value)) < 1:
            reason = f"'{value}' is too small - must be at least '1'"
        raise Refused(400, f"Invalid input for {key}. Reason: {reason}.")


def _forwarding_view(forwarding: Record) -> Record:
    view = {key: forwarding[key] for key in ("id", *_FIELDS, "description")}
    return {
        **view,
        "external_port_range": f"{view['external_port']}:{view['external_port']}",
        "internal_port_range": f"{view['internal_port']}:{view['internal_port']}",
    }
