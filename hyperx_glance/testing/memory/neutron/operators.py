"""What administrators set up in the in-memory Neutron: flavors and their profiles, default rules of security groups.

Neutron's own words are in neutron/db/flavors_db.py and neutron/db/securitygroups_db.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hyperx_glance.testing.memory.neutron.checks import UUID
from hyperx_glance.testing.memory.neutron.default_rules import COPIED
from hyperx_glance.testing.memory.neutron.kinds import DEFAULT_RULE, FLAVOR, PROFILE, Kind
from hyperx_glance.testing.memory.neutron.state import State
from hyperx_glance.testing.memory.wire import Call, Record, Refused, Reply, Route, json_reply

_SHOWN: Final = {
    FLAVOR.member: ("id", "name", "description", "service_type", "enabled", "service_profiles"),
    PROFILE.member: ("id", "description", "driver", "enabled", "metainfo"),
    DEFAULT_RULE.member: ("id", *COPIED, "description", "used_in_default_sg", "used_in_non_default_sg"),
}
_DRIVERS: Final = "neutron.services.l3_router.service_providers."
"""Where the drivers are that a profile may name."""


class Operators(State):
    """The part of Neutron for administrators."""

    def operator_routes(self) -> Sequence[Route]:
        """Return the routes for profiles of flavors, and for agents, of which there are none."""
        of_flavor = "/v2.0/flavors/([^/]+)/service_profiles"
        return (
            Route("POST", of_flavor + "(?:.json)?", self._add_profile),
            Route("GET", of_flavor + "/([^/]+?)(?:.json)?", self._show_profile_of_flavor),
            Route("DELETE", of_flavor + "/([^/]+?)(?:.json)?", self._remove_profile),
            *(Route(method, "/v2.0/agents/([^/]+?)(?:.json)?", _no_agent) for method in ("GET", "PUT", "DELETE")),
        )

    def _complete(self, kind: Kind, record: Record) -> None:
        super()._complete(kind, record)
        if kind is FLAVOR:
            record["service_profiles"] = []  # Neutron does not read them here
        elif kind is PROFILE:
            if not record["driver"] and not record["metainfo"]:
                words = "Service Profile needs either a driver or metainfo."
                raise Refused(400, words, detail="ServiceProfileEmpty")
            _check_driver(record["driver"])
        elif kind is DEFAULT_RULE:
            self._check_rule(record)
            self._check_default_rule(record)

    def _check_default_rule(self, wanted: Record) -> None:
        """Refuse a rule that groups of one of its kinds would get twice."""
        for rule in self.default_security_group_rules.values():
            shared = any(rule[key] and wanted[key] for key in ("used_in_default_sg", "used_in_non_default_sg"))
            if shared and all(rule[key] == wanted[key] for key in COPIED):
                words = f"Default Security group rule already exists. Rule id is {rule['id']}."
                raise Refused(409, words, detail="DefaultSecurityGroupRuleExists")

    def _change(self, kind: Kind, record: Record, given: Record) -> None:
        if kind is PROFILE:
            self._check_profile(record["id"])
            _check_driver(given.get("driver", ""))
        super()._change(kind, record, given)

    def _check_unused(self, kind: Kind, record: Record) -> None:
        super()._check_unused(kind, record)
        if kind is PROFILE:
            self._check_profile(record["id"])

    def _check_profile(self, profile_id: str) -> None:
        if any(profile_id in flavor["service_profiles"] for flavor in self.flavors.values()):
            words = f"Service Profile {profile_id} is used by some service instance."
            raise Refused(409, words, detail="ServiceProfileInUse")

    def _view(self, call: Call, kind: Kind, record: Record) -> Record:
        view = super()._view(call, kind, record)
        return {key: view[key] for key in _SHOWN[kind.member]} if kind.member in _SHOWN else view

    # ------------------------------------------------------------- profiles of flavors

    def _flavor_to_change(self, call: Call, flavor_id: str, action: str) -> Record:
        if not call.who.is_administrator:
            raise self._forbidden(f"{action}_flavor_service_profile")
        return self._found(FLAVOR, call, flavor_id)

    def _add_profile(self, call: Call, flavor_id: str) -> Reply:
        asked = call.member("service_profile")
        if not isinstance(asked, dict):
            raise Refused(400, "Unable to find 'service_profile' in request body")
        if "id" not in asked:
            raise Refused(400, "Failed to parse request. Required attribute 'id' not specified")
        profile_id = str(asked["id"])
        if not re.fullmatch(UUID, profile_id):
            raise Refused(400, f"Invalid input for id. Reason: '{profile_id}' is not a valid UUID.")
        flavor = self._flavor_to_change(call, flavor_id, "create")
        self._found(PROFILE, call, profile_id)
        if profile_id in flavor["service_profiles"]:
            words = f"Service Profile {profile_id} is already associated with flavor {flavor_id}."
            raise Refused(409, words, detail="FlavorServiceProfileBindingExists")
        flavor["service_profiles"].append(profile_id)
        return json_reply(201, {"service_profile": {"id": profile_id}})

    def _associated(self, call: Call, flavor_id: str, profile_id: str) -> Record:
        flavor = self._found(FLAVOR, call, flavor_id)
        if profile_id not in flavor["service_profiles"]:
            words = f"Service Profile {profile_id} is not associated with flavor {flavor_id}."
            raise Refused(404, words, detail="FlavorServiceProfileBindingNotFound")
        return flavor

    def _show_profile_of_flavor(self, call: Call, flavor_id: str, profile_id: str) -> Reply:
        """Answer that it is there; Neutron says no more of it."""
        self._associated(call, flavor_id, profile_id)
        return json_reply(200, {"service_profile": {}})

    def _remove_profile(self, call: Call, flavor_id: str, profile_id: str) -> Reply:
        self._flavor_to_change(call, flavor_id, "delete")
        self._associated(call, flavor_id, profile_id)["service_profiles"].remove(profile_id)
        return Reply(204)


def _check_driver(driver: str) -> None:
    if driver and not driver.startswith(_DRIVERS):
        raise Refused(
            404, f"Service Profile driver {driver} could not be found.", detail="ServiceProfileDriverNotFound"
        )


def _no_agent(call: Call, agent_id: str) -> Reply:
    del call
    raise Refused(404, f"Agent {agent_id} could not be found.", detail="AgentNotFound")
