"""Subnet pools of the in-memory Neutron (neutron/ipam/subnet_alloc.py)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from hyperx_glance.testing.memory.neutron.kinds import POOL, SCOPE, SUBNET, Kind
from hyperx_glance.testing.memory.neutron.routers import Routers
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_Span = ipaddress.IPv4Network | ipaddress.IPv6Network
_SMALLEST = {4: 8, 6: 64}
"""The shortest prefix that a pool gives by default."""
_LONGEST = {4: 32, 6: 128}
_LENGTHS = ("min_prefixlen", "max_prefixlen", "default_prefixlen")


class Pools(Routers):
    """The part of Neutron that handles subnet pools."""

    def pool_routes(self) -> Sequence[Route]:
        """Return the routes for pools, besides those for all kinds."""
        one = "/v2.0/subnetpools/([^/]+)"
        return (
            Route("PUT", one + "/add_prefixes(?:.json)?", self._add_prefixes),
            Route("PUT", one + "/remove_prefixes(?:.json)?", self._remove_prefixes),
        )

    def _complete(self, kind: Kind, record: Record) -> None:
        if kind is POOL:
            self._complete_pool(record)
        elif kind is SUBNET and record.get("subnetpool_id"):
            pool = self.subnetpools.get(record["subnetpool_id"])
            if pool is None:
                raise self._unknown(POOL, record["subnetpool_id"])
            self._take(record, pool)
        super()._complete(kind, record)
        record.pop("prefixlen", None)

    def _complete_pool(self, record: Record) -> None:
        spans = _spans(record["prefixes"])
        version = spans[0].version
        record["ip_version"] = version
        record["prefixes"] = [str(span) for span in ipaddress.collapse_addresses(spans)]  # type: ignore[type-var]
        defaults = {"min_prefixlen": _SMALLEST[version], "max_prefixlen": _LONGEST[version]}
        least, most = (int(record.get(key) or defaults[key]) for key in defaults)
        usual = int(record.get("default_prefixlen") or least)
        if least > most:
            raise _bounds("min_prefixlen", least, "max_prefixlen", most)
        if most > _LONGEST[version]:
            raise _bounds("max_prefixlen", most, "ip_version_max", _LONGEST[version])
        if usual < least:
            raise _bounds("default_prefixlen", usual, "min_prefixlen", least)
        if usual > most:
            raise _bounds("default_prefixlen", usual, "max_prefixlen", most)
        if record.get("address_scope_id"):
            self._check_scope(record, spans)
        record |= dict(zip(_LENGTHS, map(str, (least, most, usual)), strict=True))

    def _check_scope(self, pool: Record, spans: Sequence[_Span]) -> None:
        """Refuse a scope that is not there, of the other family, or with a pool that overlaps."""
        scope = self.address_scopes.get(pool["address_scope_id"])
        if scope is None:
            raise self._unknown(SCOPE, pool["address_scope_id"])
        if int(scope["ip_version"]) != pool["ip_version"]:
            words = f"Illegal subnetpool association: subnetpool {pool['id']} cannot associate with address scope"
            words += f" {scope['id']} because subnetpool ip_version is not {scope['ip_version']}."
            raise Refused(400, words, detail="IllegalSubnetPoolIpVersionAssociationToAddressScope")
        for other in self.subnetpools.values():
            theirs = _spans(other["prefixes"]) if other["address_scope_id"] == scope["id"] else []
            if other["id"] != pool["id"] and any(each.overlaps(span) for each in theirs for span in spans):
                words = (
                    "Failed to associate address scope: subnetpools within an address scope must have unique prefixes."
                )
                raise Refused(409, words, detail="AddressScopePrefixConflict")

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        if kind is POOL:
            changed = {**record, **given}
            if "prefixes" in given and not _covers(_spans(given["prefixes"]), _spans(record["prefixes"])):
                words = "Existing prefixes must be a subset of the new prefixes"
                raise Refused(400, f"Illegal update to prefixes: {words}.", detail="IllegalSubnetPoolPrefixUpdate")
            self._complete_pool(changed)
            given = changed
        super()._change(kind, record, given)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        if kind is POOL and any(subnet["subnetpool_id"] == record["id"] for subnet in self.subnets.values()):
            words = "Unable to delete subnet pool: Subnet pool has existing allocations."
            raise Refused(400, words, detail="SubnetPoolDeleteError")
        if kind is SCOPE and any(pool["address_scope_id"] == record["id"] for pool in self.subnetpools.values()):
            words = f"Unable to complete operation on address scope {record['id']}. There are one or more subnet pools"
            raise Refused(409, f"{words} in use on the address scope.", detail="AddressScopeInUse")

    def _take(self, subnet: Record, pool: Record) -> None:
        """Give a subnet addresses of a pool: those that it asks for, or the first that are free."""
        if subnet["ip_version"] != pool["ip_version"]:
            words = f"Cannot allocate IPv{subnet['ip_version']} subnet from IPv{pool['ip_version']} subnet pool"
            raise Refused(400, f"Bad subnets request: {words}.", detail="BadRequest")
        asked = ipaddress.ip_network(subnet["cidr"], strict=False) if subnet.get("cidr") else None
        length = asked.prefixlen if asked else int(subnet.get("prefixlen") or pool["default_prefixlen"])
        words = f"Unable to allocate subnet with prefix length {length}"
        if length > int(pool["max_prefixlen"]):
            words += f", maximum allowed prefix is {pool['max_prefixlen']}."
            raise Refused(400, words, detail="MaxPrefixSubnetAllocationError")
        if length < int(pool["min_prefixlen"]):
            words += f", minimum allowed prefix is {pool['min_prefixlen']}."
            raise Refused(400, words, detail="MinPrefixSubnetAllocationError")
        self._check_share(subnet, pool, length)
        free = self._free(pool)
        if asked is None:
            fitting = (span for span in free if span.prefixlen <= length)
            chosen = next((next(iter(span.subnets(new_prefix=length))) for span in fitting), None)
            reason = f"Insufficient prefix space to allocate subnet size /{length}"
        else:
            chosen = asked if any(asked.subnet_of(span) for span in free) else None  # type: ignore[arg-type]
            reason = "Cannot allocate requested subnet from the available set of prefixes"
        if chosen is None:
            raise Refused(500, f"Failed to allocate subnet: {reason}.", detail="SubnetAllocationError")
        subnet["cidr"] = str(chosen)

    def _check_share(self, subnet: Record, pool: Record, length: int) -> None:
        if not pool["default_quota"]:
            return
        unit = 32 if pool["ip_version"] == 4 else 64
        taken = [
            int(each["cidr"].partition("/")[2])
            for each in self.subnets.values()
            if each["subnetpool_id"] == pool["id"] and each["project_id"] == subnet["project_id"]
        ]
        if sum(2 ** (unit - each) for each in [*taken, length]) > int(pool["default_quota"]):
            words = "Per-project subnet pool prefix quota exceeded."
            raise Refused(409, words, detail="SubnetPoolQuotaExceeded")

    def _free(self, pool: Record) -> list[_Span]:
        """Return what nobody has yet, the smallest span first."""
        free = _spans(pool["prefixes"])
        for subnet in self.subnets.values():
            if subnet["subnetpool_id"] != pool["id"]:
                continue
            taken = ipaddress.ip_network(subnet["cidr"])
            free = [
                part
                for span in free
                for part in (span.address_exclude(taken) if taken.subnet_of(span) else [span])  # type: ignore[arg-type]
            ]
        return sorted(free, key=lambda span: (-span.prefixlen, int(span.network_address)))

    def _view(self, call: Call, kind: Kind, record: Record) -> Record:
        view = super()._view(call, kind, record)
        if kind is SCOPE:
            shown = ("id", "name", "tenant_id", "project_id", "shared", "ip_version")
            view = {key: view[key] for key in shown}
        if kind is POOL and call.method == "PUT":
            # The answer to a change has numbers, and no key without a value (neutron/db/db_base_plugin_v2.py).
            numbers = {key: int(view[key]) for key in _LENGTHS}
            view = {key: value for key, value in view.items() if value is not None} | numbers
        return view

    # ------------------------------------------------------------- prefixes

    def _add_prefixes(self, call: Call, pool_id: str) -> Reply:
        pool = self._writable(POOL, call, pool_id, "add_prefixes")
        self._change(POOL, pool, {"prefixes": [*pool["prefixes"], *call.member("prefixes")]})
        return json_reply(200, {"prefixes": pool["prefixes"]})

    def _remove_prefixes(self, call: Call, pool_id: str) -> Reply:
        pool = self._writable(POOL, call, pool_id, "remove_prefixes")
        for span in _spans(call.member("prefixes")):
            for subnet in self.subnets.values():
                taken = ipaddress.ip_network(subnet["cidr"])
                if subnet["subnetpool_id"] == pool_id and taken.overlaps(span):
                    words = "Illegal update to prefixes: One or more removed prefixes is allocated."
                    raise Refused(400, words, detail="IllegalSubnetPoolPrefixUpdate")
        left = [span for span in pool["prefixes"] if span not in call.member("prefixes")]
        pool["prefixes"] = left
        return json_reply(200, {"prefixes": left})


def _spans(prefixes: Iterable[str]) -> list[_Span]:
    """Read the prefixes of a pool; refuse none, or two families."""
    spans = [ipaddress.ip_network(prefix, strict=False) for prefix in prefixes]
    if not spans:
        raise Refused(400, "Empty subnet pool prefix list.", detail="EmptySubnetPoolPrefixList")
    if len({span.version for span in spans}) > 1:
        words = "Cannot mix IPv4 and IPv6 prefixes in a subnet pool."
        raise Refused(400, words, detail="PrefixVersionMismatch")
    return spans


def _covers(outer: Sequence[_Span], inner: Sequence[_Span]) -> bool:
    if outer[0].version != inner[0].version:
        return False
    return all(any(each.subnet_of(span) for span in outer) for each in inner)  # type: ignore[arg-type]


def _bounds(kind: str, length: int, base: str, limit: int) -> Refused:
    return Refused(
        400, f"Illegal prefix bounds: {kind}={length}, {base}={limit}.", detail="IllegalSubnetPoolPrefixBounds"
    )
