"""RBAC policies of the in-memory Neutron: who may use what belongs to another (neutron/db/rbac_db_mixin.py)."""

from __future__ import annotations

from hyperx_glance.testing.memory.neutron.checks import invalid
from hyperx_glance.testing.memory.neutron.kinds import (
    ADDRESSES,
    GROUP,
    NETWORK,
    POLICY,
    POOL,
    Kind,
    checked,
)
from hyperx_glance.testing.memory.neutron.pools import Pools
from hyperx_glance.testing.memory.wire import Call, Caller, Record, Refused

_KINDS = {"network": NETWORK, "security_group": GROUP, "subnetpool": POOL, "address_group": ADDRESSES}
_NAMED = {
    "create_rbac_policy": ("object_type", "object_id", "target_tenant", "action"),
    "update_rbac_policy": ("target_tenant",),
}
"""The keys of a body that policies of their own protect."""
_CALLBACK = "Callback neutron.plugins.ml2.plugin.NeutronDbPluginV2.validate_network_rbac_policy_change-1"
_SHOWN = ("id", "project_id", "tenant_id", "target_tenant", "action", "object_id", "object_type")


class Rights(Pools):
    """The part of Neutron that handles RBAC policies."""

    def _granted(self, caller: Caller, record: Record) -> bool:
        """Check whether a policy gives a thing to the caller's project."""
        return any(
            policy["object_id"] == record["id"] and policy["target_tenant"] in ("*", caller.project_id)
            for policy in self.rbac_policies.values()
        )

    def _visible(self, kind: Kind, caller: Caller, record: Record) -> bool:
        return super()._visible(kind, caller, record) or (kind in _KINDS.values() and self._granted(caller, record))

    def _shared(self, caller: Caller, network: Record) -> bool:
        return super()._shared(caller, network) or self._granted(caller, network)

    def _create(self, kind: Kind, call: Call, given: object) -> Record:
        if kind is POLICY and isinstance(given, dict):
            self._check_policy(call, given)
        return super()._create(kind, call, given)

    def _check_policy(self, call: Call, given: Record) -> None:
        """Refuse a policy about what is not there or not the caller's, and one that is there already."""
        checked(POLICY, given, creating=True)
        target = _KINDS.get(str(given.get("object_type")))
        if target is None:
            raise Refused(500, "Request Failed: internal server error while processing your request.")
        everybody = given["target_tenant"] == "*" and not call.who.is_administrator
        if not call.who.may_write or everybody:
            raise self._forbidden("create_rbac_policy")
        thing = self.kept(target).get(str(given["object_id"]))
        if thing is None:
            raise invalid(f"{target.called} {given['object_id']} could not be found.")
        if thing["project_id"] != call.who.project_id and not call.who.is_administrator:
            raise invalid("Only admins can manipulate policies on objects they do not own.")
        for policy in self.rbac_policies.values():
            if all(policy[key] == given[key] for key in ("object_id", "target_tenant", "action")):
                raise Refused(409, "An RBAC policy already exists with those values.", detail="DuplicateRbacPolicy")

    def _unknown(self, kind: Kind, thing_id: str) -> Refused:
        if kind is not POLICY:
            return super()._unknown(kind, thing_id)
        policy = self.rbac_policies.get(thing_id, {"object_type": "unknown"})
        words = f"RBAC policy of type {policy['object_type']} with ID {thing_id} not found"
        return Refused(404, words, detail="RbacPolicyNotFound")

    def _forbidden(self, action: str) -> Refused:
        rules = f"rule:{action}"
        for key in _NAMED.get(action, ()):
            rules = f"({rules} and rule:{action}:{key})"
        return Refused(403, f"{rules} is disallowed by policy", detail="PolicyNotAuthorized")

    def _add(self, kind: Kind, asked: Record, project_id: str) -> Record:
        record = super()._add(kind, asked, project_id)
        if kind is POLICY:
            self._mark(record)
        return record

    def _mark(self, policy: Record) -> None:
        """Count a revision of a network whose policies have changed."""
        network = self.networks.get(policy["object_id"])
        if network is not None:
            network["revision_number"] += 1
            network["router:external"] |= policy["action"] == "access_as_external"

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        if kind is POLICY and given.get("target_tenant", record["target_tenant"]) != record["target_tenant"]:
            self._check_ports(record)
        super()._change(kind, record, given)
        if kind is POLICY:
            self._mark(record)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        if kind is POLICY:
            self._check_ports(record)

    def _check_ports(self, policy: Record) -> None:
        """Refuse to take a network from a project that has ports there."""
        network = self.networks.get(policy["object_id"])
        if network is None or policy["target_tenant"] == network["project_id"]:
            return
        for port in self.ports.values():
            foreign = port["project_id"] not in ("", network["project_id"])
            if port["network_id"] == network["id"] and foreign and policy["target_tenant"] in ("*", port["project_id"]):
                words = f"RBAC policy on object {network['id']} cannot be removed because other objects depend on it."
                words += f'\nDetails: {_CALLBACK} failed with "Unable to reconfigure sharing settings for network'
                words += f' {network["id"]}. Multiple projects are using it."'
                raise Refused(409, words, detail="RbacPolicyInUse")

    def remove(self, kind: Kind, record: Record) -> None:
        """Delete a thing with everything that belongs to it."""
        super().remove(kind, record)
        if kind is POLICY:
            self._mark(record)
        for policy in [each for each in self.rbac_policies.values() if each["object_id"] == record["id"]]:
            del self.rbac_policies[policy["id"]]

    def _view(self, call: Call, kind: Kind, record: Record) -> Record:
        view = super()._view(call, kind, record)
        if kind is POLICY:
            return {key: view[key] for key in _SHOWN}
        if kind is NETWORK:
            view["shared"] = self._shared(call.who, record)
        return view
