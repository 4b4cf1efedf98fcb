"""The doctor's checks of launches: what there is to choose, and whether Nova lets the caller launch.

    >>> from hyperx_glance.deployment.launch_checks import launch_choices, launch_rights
    >>> [finding.level for finding in client.doctor(probe=True) if finding.check in ("launch-choices", "launch-rights")]
    ['ok', 'ok']

Nova looks at its policies before it looks for the flavor (nova/api/openstack/compute/servers.py, create). So a launch
with a flavor that does not exist shows them, and cannot make a server.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from pydantic import Field

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.compute import nova
from hyperx_glance.cloud.pages import Listed, ListPage, collection, listed
from hyperx_glance.deployment.facts import CheckResult, Level, words_of_service
from hyperx_glance.errors import HyperxGlanceError, NotAllowedError
from hyperx_glance.texts import Text, say, sentences
from hyperx_glance.waiting.pace import attempts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperx_glance.cloud.cloud import Cloud, Json
    from hyperx_glance.deployment.facts import Evidence


class _Network(Listed):
    name: str | None = None
    project_id: str = ""
    shared: bool = False
    external: bool = Field(default=False, alias="router:external")
    subnets: tuple[str, ...] = ()
    port_security: bool = Field(default=True, alias="port_security_enabled")


class _NetworkPage(ListPage[_Network], alias_generator=collection("networks")):
    pass


class _Flavors(Shape):
    flavors: tuple[object, ...]


class _State(Shape):
    available: bool


class _Zone(Shape):
    state: _State = Field(alias="zoneState")


class _Zones(Shape):
    zones: tuple[_Zone, ...] = Field(alias="availabilityZoneInfo")


def launch_choices(evidence: Evidence) -> CheckResult:
    """Check whether the caller sees a flavor, a zone that works, and a network for servers."""
    cloud, services = evidence.cloud, evidence.services
    problems: list[Text] = []
    # What policies hide is another check's finding.
    if services["compute"].problem is None:
        with contextlib.suppress(NotAllowedError):
            if not cloud.get_parsed(_Flavors, "compute", "/flavors", params={"limit": 1}).flavors:
                problems.append(say("no-flavor-is-shown"))
        with contextlib.suppress(NotAllowedError):
            zones = cloud.get_parsed(_Zones, "compute", "/os-availability-zone").zones
            if not any(zone.state.available for zone in zones):
                problems.append(say("no-zone-is-available"))
    if services["network"].problem is None and not cloud.is_administrator:
        with contextlib.suppress(NotAllowedError):
            problems += _problems_of_networks(cloud)
    if problems:
        return CheckResult("error", sentences(*problems, say("so-launches-fail")), say("offer-what-launches-need"))
    return CheckResult("ok", say("launches-have-a-choice"))


def _problems_of_networks(cloud: Cloud) -> list[Text]:
    """Judge the networks among which Nova chooses (nova/network/neutron.py, _get_available_networks)."""

    def read(params: Mapping[str, object]) -> _NetworkPage:
        return cloud.get_parsed(_NetworkPage, "network", "/networks", params=params)

    fields = {"fields": ["id", "name", "project_id", "shared", "router:external", "subnets", "port_security_enabled"]}
    found = [each for each in listed("network", read, fields) if each.shared or each.project_id == cloud.project_id]
    if not found:
        return [] if _neutron_makes_one(cloud) else [say("no-network-is-shown")]
    names = [each.name or each.id for each in found]
    if all(each.external and not each.shared for each in found):
        return [say("only-external-networks", networks=names)]
    # Nova applies security groups to every server, which needs an address (nova/network/neutron.py).
    if not any(each.subnets or not each.port_security for each in found):
        return [say("networks-without-subnets", networks=names)]
    return []


def _neutron_makes_one(cloud: Cloud) -> bool:
    """Ask what Nova asks for a server without a network (nova/network/neutron.py, validate_networks)."""
    try:
        cloud.get("network", f"/auto-allocated-topology/{cloud.project_id}", params={"fields": "dry-run"})
    except HyperxGlanceError:
        return False
    return True


def launch_rights(evidence: Evidence) -> CheckResult:
    """Ask Nova for a server of a flavor that does not exist, with and without what policies may refuse."""
    if evidence.services["compute"].problem is not None:
        return CheckResult("ok", say("no-launch-is-tried"))
    nothing = str(uuid.uuid4())
    disk: Json = {
        "boot_index": 0,
        "uuid": nothing,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": 1,
    }
    whole: dict[str, Json] = {"imageRef": "", "networks": [{"uuid": nothing}], "block_device_mapping_v2": [disk]}
    refusal = _refusal(evidence, whole)
    if refusal is None:
        return CheckResult("ok", say("launches-are-allowed"))
    plain = _refusal(evidence, {"imageRef": nothing, "networks": "auto"})
    remedy = refusal.hint or say("allow-the-launches")
    if plain is None:
        return CheckResult("warning", say("some-launches-are-refused"), remedy, words_of_service(refusal))
    # To people who may only look, the default policies refuse it.
    level: Level = "error" if "member" in evidence.cloud.access.role_names else "warning"
    return CheckResult(level, say("launches-are-refused"), remedy, words_of_service(plain))


def _refusal(evidence: Evidence, parts: Mapping[str, Json]) -> NotAllowedError | None:
    body: Json = {"server": {"name": "hyperx-doctor", "flavorRef": str(uuid.uuid4()), **parts}}
    try:
        for attempt in attempts(evidence.settings.pace):
            with attempt:
                nova(evidence.cloud, "POST", "/servers", json=body)
    except NotAllowedError as error:
        return error
    except HyperxGlanceError:
        pass  # that there is no such flavor, or another check's finding
    return None
