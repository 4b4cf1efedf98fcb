"""The state of the in-memory Neutron; creating, showing, changing and deleting objects of every kind."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import ClassVar
from urllib.parse import urlencode

from hyperx_glance.testing.memory.neutron.default_rules import COPIED, PARENT, legacy_rules
from hyperx_glance.testing.memory.neutron.kinds import (
    DEFAULT_RULE,
    GROUP,
    KINDS,
    NETWORK,
    POOL,
    PORT,
    ROUTER,
    RULE,
    SCOPE,
    SUBNET,
    Kind,
    checked,
)
from hyperx_glance.testing.memory.neutron.lists import check_revision, filtered, with_fields
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused, Reply, Route, Service, json_reply

# The additional keys of a rule that is shown within its group.
_IN_GROUP = {"standard_attr_id": 1, "tags": []}
_ADMINISTRATORS = ("shared", "router:external", "is_default", "distributed")
"""Attributes that only administrators may set."""
LIMITS = {
    "network": 100,
    "subnet": 100,
    "subnetpool": -1,
    "port": 500,
    "router": 10,
    "floatingip": 50,
    "router_route": 30,
    "rbac_policy": 10,
    "security_group": 10,
    "security_group_rule": 100,
}


class State(Service):
    """The networks, subnets, ports, security groups, rules, routers and floating addresses by id."""

    name: ClassVar[str] = "neutron"
    type: ClassVar[str] = "network"

    def __init__(self) -> None:
        super().__init__()
        self.max_limit: int | None = None
        """The option pagination_max_limit: the largest number of records of a page."""
        self.networks: dict[str, Record] = {}
        """Networks by id."""
        self.subnets: dict[str, Record] = {}
        """Subnets by id."""
        self.ports: dict[str, Record] = {}
        """Ports by id."""
        self.security_groups: dict[str, Record] = {}
        """Security groups by id."""
        self.security_group_rules: dict[str, Record] = {}
        """The rules of security groups by id."""
        self.routers: dict[str, Record] = {}
        """Routers by id."""
        self.floatingips: dict[str, Record] = {}
        """Floating addresses by id."""
        self.subnetpools: dict[str, Record] = {}
        """Subnet pools by id."""
        self.address_scopes: dict[str, Record] = {}
        """Address scopes by id."""
        self.address_groups: dict[str, Record] = {}
        """Groups of addresses by id."""
        self.flavors: dict[str, Record] = {}
        """Flavors of services by id."""
        self.service_profiles: dict[str, Record] = {}
        """Profiles of services by id, of which flavors have some."""
        self.default_security_group_rules: dict[str, Record] = {rule["id"]: rule for rule in legacy_rules()}
        """The rules of new security groups by id."""
        self.auto_topologies: dict[str, Record] = {}
        """Networks and routers that were made on demand, by project id."""
        self.rbac_policies: dict[str, Record] = {}
        """RBAC policies by id."""
        self.port_forwardings: dict[str, Record] = {}
        """Forwardings of ports by id."""
        self.limits: dict[str, dict[str, int]] = {}
        """Limits by project id; missing ones have the default."""
        self._subnet_numbers = itertools.count(99)
        self._macs = itertools.count(1)

    def kept(self, kind: Kind) -> dict[str, Record]:
        """Return the things of a kind by id."""
        found: dict[str, Record] = getattr(self, kind.collection.replace("-", "_"))
        return found

    def resource_routes(self) -> Sequence[Route]:
        """List the five requests of each kind."""
        routes = []
        for kind in KINDS:
            every = f"/v2.0/{kind.collection}(?:.json)?"
            one = f"/v2.0/{kind.collection}/([^/]+?)(?:.json)?"
            routes += [
                Route(method, path, functools.partial(handler, kind))
                for method, path, handler in (
                    ("GET", every, self._list_things),
                    ("POST", every, self._create_things),
                    ("GET", one, self._show_thing),
                    ("PUT", one, self._update_thing),
                    ("DELETE", one, self._delete_thing),
                )
            ]
        return routes

    # ------------------------------------------------------------- filled from Python

    def add_network(
        self,
        name: str,
        *,
        shared: bool = False,
        project_id: str = "",
        external: bool = False,
        subnets: int = 1,
        cidr: str = "",
        subnet: str = "",
    ) -> str:
        """Create a network with one or more subnets; return its id. Everybody sees an external one.

        ``cidr`` has the addresses of a single subnet, and ``subnet`` is its name.
        """
        network = self._add(NETWORK, {"name": name, "shared": shared, "router:external": external}, project_id)
        for _ in range(subnets):
            span = cidr or f"10.{next(self._subnet_numbers) % 256}.0.0/16"
            plan = {"network_id": network["id"], "ip_version": 4, "cidr": span, "name": subnet}
            self._add(SUBNET, plan, project_id)
        return str(network["id"])

    def add_security_group(self, name: str, project_id: str) -> str:
        """Create a security group; return its id."""
        return str(self._add(GROUP, {"name": name}, project_id)["id"])

    def add_port(self, network_id: str, project_id: str, **fields: object) -> Record:
        """Create a port with an address; return its record."""
        return self._add(PORT, {"network_id": network_id, **fields}, project_id)

    def visible_networks(self, caller: Caller) -> list[Record]:
        """Return the networks that a caller may see."""
        return [network for network in self.networks.values() if self._visible(NETWORK, caller, network)]

    def groups_of(self, caller: Caller) -> list[Record]:
        """Return a project's security groups; the default one is created here, as in Neutron."""
        self.default_group(caller.project_id)
        return [group for group in self.security_groups.values() if group["project_id"] == caller.project_id]

    def default_group(self, project_id: str) -> Record:
        """Return a project's default security group."""
        for group in self.security_groups.values():
            if (group["name"], group["project_id"]) == ("default", project_id):
                return group
        return self._add(GROUP, {"name": "default", "description": "Default security group"}, project_id)

    # ------------------------------------------------------------- what requests do

    def _visible(self, kind: Kind, caller: Caller, record: Record) -> bool:
        if kind.hidden and not caller.is_administrator:
            return False
        if caller.is_administrator or kind.administered or record["project_id"] == caller.project_id:
            return True
        if kind is SUBNET:
            return self._visible(NETWORK, caller, self.networks[record["network_id"]])
        if kind is NETWORK:
            return self._shared(caller, record) or bool(record["router:external"])
        return kind in (POOL, SCOPE) and bool(record["shared"])

    def _shared(self, caller: Caller, network: Record) -> bool:
        """Check whether a network is shared with the caller's project."""
        del caller
        return bool(network["shared"])

    def _list_things(self, kind: Kind, call: Call) -> Reply:
        if kind in (GROUP, RULE):
            self.default_group(call.who.project_id)
        seen = [record for record in self.kept(kind).values() if self._visible(kind, call.who, record)]
        found, key = filtered(call, seen), kind.collection.replace("-", "_")
        most = self.max_limit or len(found)
        cut = found[-most:] if call.value("page_reverse") == "True" and most else found[:most]
        page = [with_fields(call, self._view(call, kind, record)) for record in cut]
        return json_reply(200, {key: page, **self._more(call, key, cut)})

    def _more(self, call: Call, key: str, page: list[Record]) -> Record:
        """Return the links of a page, if pages are limited (neutron/api/api_common.py, get_pagination_links)."""
        if self.max_limit is None:
            return {}
        query = [(name, value) for name, value in call.query if name not in ("marker", "page_reverse")]

        def link(rel: str, *more: tuple[str, str]) -> Record:
            return {"rel": rel, "href": f"{self.url}{call.path}?{urlencode([*query, *more])}"}

        full = len(page) == self.max_limit
        links = [link("next", ("marker", page[-1]["id"]))] if full else []
        first = [("marker", page[0]["id"])] if page else []
        return {f"{key}_links": [*links, link("previous", *first, ("page_reverse", "True"))]}

    def _show_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        return json_reply(
            200, {kind.member: with_fields(call, self._view(call, kind, self._found(kind, call, thing_id)))}
        )

    def _found(self, kind: Kind, call: Call, thing_id: str) -> Record:
        record = self.kept(kind).get(thing_id)
        if (kind is RULE or kind.hidden) and record is not None and not self._visible(kind, call.who, record):
            raise Refused(404)
        if record is None or not self._visible(kind, call.who, record):
            raise self._unknown(kind, thing_id)
        return record

    def _unknown(self, kind: Kind, thing_id: str) -> Refused:
        end = "does not exist" if kind in (GROUP, RULE, DEFAULT_RULE) else f"could not be found{'.' * kind.dotted}"
        return Refused(404, f"{kind.called} {thing_id} {end}", detail=f"{kind.title}NotFound")

    def _writable(self, kind: Kind, call: Call, thing_id: str, action: str) -> Record:
        record = self._found(kind, call, thing_id)
        own = record["project_id"] == call.who.project_id and call.who.may_write and not kind.administered
        if not (own or call.who.is_administrator):
            raise self._forbidden(f"{action}_{kind.member}")
        return record

    def _forbidden(self, action: str) -> Refused:
        return Refused(403, f"rule:{action} is disallowed by policy", detail="PolicyNotAuthorized")

    def _create_things(self, kind: Kind, call: Call) -> Reply:
        """Create one, or several of a list."""
        body = call.json()
        if not body and not (kind.own and isinstance(body, dict)):
            raise Refused(400, "Body contains invalid data" if kind.own else "Resource body required")
        if not isinstance(body, dict):
            raise Refused(400, "Body contains invalid data")
        many = kind.collection.replace("-", "_")
        if many in body:
            made = [self._create(kind, call, given) for given in body[many]]
            return json_reply(201, {many: [self._view(call, kind, record) for record in made]})
        if kind.member not in body:
            raise Refused(400, f"Unable to find '{kind.member}' in request body")
        return json_reply(201, {kind.member: self._view(call, kind, self._create(kind, call, body[kind.member]))})

    def _create(self, kind: Kind, call: Call, given: object) -> Record:
        asked = checked(kind, given, creating=True)
        who = call.who
        project_id = str(asked.pop("project_id", None) or asked.pop("tenant_id", None) or who.project_id)
        asked.pop("tenant_id", None)
        foreign = project_id != who.project_id or kind.administered
        if not who.may_write or (foreign and not who.is_administrator):
            raise self._forbidden(f"create_{kind.member}")
        self._check_attributes(call, kind, [key for key, value in asked.items() if value], "create")
        if kind in (SUBNET, PORT):
            network = self._found(NETWORK, call, str(asked["network_id"]))
            foreign = network["project_id"] != who.project_id and not who.is_administrator
            if foreign and (kind is SUBNET or not self._shared(who, network)):
                raise self._forbidden(f"create_{kind.member}")
        if kind is RULE:
            self._found(GROUP, call, str(asked["security_group_id"]))
            self._check_rule(asked)
        if kind is GROUP and asked.get("name") == "default":
            self.default_group(project_id)
            words = "Default security group already exists."
            raise Refused(409, words, detail="SecurityGroupDefaultAlreadyExists")
        self._check_quota(kind, project_id)
        return self._add(kind, asked, project_id)

    def _check_attributes(self, call: Call, kind: Kind, keys: Iterable[str], action: str) -> None:
        """Refuse what only administrators may set."""
        for key in keys if not call.who.is_administrator else ():
            if key in _ADMINISTRATORS:
                rules = f"(rule:{action}_{kind.member} and rule:{action}_{kind.member}:{key})"
                raise Refused(403, f"{rules} is disallowed by policy", detail="PolicyNotAuthorized")

    def _check_rule(self, asked: Record) -> None:
        ports = [asked[end] for end in ("port_range_min", "port_range_max") if asked.get(end) is not None]
        if ports and asked.get("protocol") is None:
            words = "Must also specify protocol if port range is given."
            raise Refused(400, words, detail="SecurityGroupProtocolRequiredWithPorts")
        if ports != sorted(ports) and asked["protocol"] in ("tcp", "udp"):
            words = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
            raise Refused(400, words, detail="SecurityGroupInvalidPortRange")
        if asked.get("remote_ip_prefix") and asked.get("remote_group_id"):
            words = "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided."
            raise Refused(400, words, detail="SecurityGroupMultipleRemoteEntites")
        alike = [key for key in RULE.defaults if key not in ("description", "belongs_to_default_sg", "normalized_cidr")]
        wanted = {**RULE.defaults, **asked}
        for rule in self.security_group_rules.values():
            if all(rule[key] == wanted[key] for key in (*alike, "security_group_id", "direction")):
                words = f"Security group rule already exists. Rule id is {rule['id']}."
                raise Refused(409, words, detail="SecurityGroupRuleExists")

    def _check_quota(self, kind: Kind, project_id: str) -> None:
        limit = {**LIMITS, **self.limits.get(project_id, {})}.get(kind.limit, -1)
        if limit != -1 and self.used(kind, project_id) >= limit:
            raise Refused(409, f"Quota exceeded for resources: ['{kind.limit}'].", detail="OverQuota")

    def used(self, kind: Kind, project_id: str) -> int:
        """Count a project's things of a kind."""
        return sum(record["project_id"] == project_id for record in self.kept(kind).values())

    def _add(self, kind: Kind, asked: Record, project_id: str) -> Record:
        now = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        record: Record = {
            **{
                key: list(value) if isinstance(value, tuple) else copy.copy(value)
                for key, value in kind.defaults.items()
            },
            **{key: value for key, value in asked.items() if value is not None or key == "gateway_ip"},
            "id": str(self.ids.uuid4()),
            "tenant_id": project_id,
            "project_id": project_id,
            "created_at": now,
            "updated_at": now,
            "revision_number": kind.first_revision,
        }
        self._complete(kind, record)
        self.kept(kind)[record["id"]] = record
        return record

    def _complete(self, kind: Kind, record: Record) -> None:
        """Fill in the values that Neutron chooses itself."""
        if kind is RULE and record["security_group_id"] in self.security_groups:
            self.security_groups[record["security_group_id"]]["revision_number"] += 1
        elif kind is GROUP:
            used = "used_in_default_sg" if record["name"] == "default" else "used_in_non_default_sg"
            for rule in self.default_security_group_rules.values():
                if rule[used]:
                    fields = {key: rule[key] for key in COPIED}
                    fields |= {"remote_group_id": record["id"]} if rule["remote_group_id"] == PARENT else {}
                    self._add_rule(record, **fields)

    def _add_rule(self, group: Record, **fields: object) -> None:
        made = {"security_group_id": group["id"], "belongs_to_default_sg": group["name"] == "default", **fields}
        self._add(RULE, made, group["project_id"])

    def _update_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        given = checked(kind, call.member(kind.member), creating=False)
        self._found(kind, call, thing_id)
        self._check_attributes(call, kind, given.keys() - {"shared", "router:external"}, "update")
        record = self._writable(kind, call, thing_id, "update")
        check_revision(call, record)
        if kind is GROUP and record["name"] == "default" and given.get("name", "default") != "default":
            raise Refused(
                409, "Updating default security group not allowed.", detail="SecurityGroupCannotUpdateDefault"
            )
        before = copy.deepcopy(record)
        self._change(kind, record, given)
        if record != before:
            record["revision_number"] += 1
            record["updated_at"] = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_reply(200, {kind.member: self._view(call, kind, record)})

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        """Write the changes of a request."""
        del kind
        record.update(given)

    def _delete_thing(self, kind: Kind, call: Call, thing_id: str) -> Reply:
        record = self._writable(kind, call, thing_id, "delete")
        check_revision(call, record)
        self._check_unused(kind, record)
        self.remove(kind, record)
        return Reply(204)

    def remove(self, kind: Kind, record: Record) -> None:
        """Delete a thing with everything that belongs to it."""
        del self.kept(kind)[record["id"]]
        if kind is NETWORK:
            for subnet_id in record["subnets"]:
                self.subnets.pop(subnet_id, None)
            for port in [port for port in self.ports.values() if port["network_id"] == record["id"]]:
                del self.ports[port["id"]]
        elif kind is GROUP:
            for rule in [
                rule
                for rule in self.security_group_rules.values()
                if record["id"] in (rule["security_group_id"], rule["remote_group_id"])
            ]:
                del self.security_group_rules[rule["id"]]

    def _check_unused(self, kind: Kind, record: Record) -> None:
        left = [port["id"] for port in self.ports.values() if port["network_id"] == record["id"]]
        if kind is NETWORK and left:
            words = f"Unable to complete operation on network {record['id']}. There are one or more ports still in use"
            words += f" on the network, id for these ports is: {','.join(left)}."
            raise Refused(409, words, detail="NetworkInUse")
        if kind is GROUP:
            if record["name"] == "default":
                raise Refused(
                    409,
                    "Insufficient rights for removing default security group.",
                    detail="SecurityGroupCannotRemoveDefault",
                )
            if any(record["id"] in port["security_groups"] for port in self.ports.values()):
                raise Refused(409, f"Security Group {record['id']} in use.", detail="SecurityGroupInUse")

    def _view(self, call: Call, kind: Kind, record: Record) -> Record:
        view = dict(record)
        if kind is GROUP:
            view["security_group_rules"] = [
                {**self._view(call, RULE, rule), "description": rule["description"] or None, **_IN_GROUP}
                for rule in self.security_group_rules.values()
                if rule["security_group_id"] == record["id"]
            ]
        default = bool(view.pop("is_default", False)) if kind is NETWORK else False
        if kind is NETWORK and (record["router:external"] or call.method == "POST"):
            view["is_default"] = default
        if not call.who.is_administrator:
            return {
                key: value
                for key, value in view.items()
                if not key.startswith(("provider:", "binding:host", "binding:profile", "binding:vif", "distributed"))
            }
        if kind is NETWORK:
            view |= {
                "provider:network_type": "local",
                "provider:physical_network": None,
                "provider:segmentation_id": None,
            }
        if kind is ROUTER:
            view = {"distributed": False, "ha": False, **view}
        if kind is PORT:
            bound = bool(record.get("binding:host_id"))
            view |= {"binding:vif_type": "ovs" if bound else "unbound", "binding:vif_details": {}}
            view = {"binding:host_id": "", "binding:profile": {}, **view}
        return view
