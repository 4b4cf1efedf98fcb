"""The doctor: one finding for each thing that HYPERX requires of a deployment.

    >>> [finding.level for finding in client.doctor() if finding.check == "compute"]
    ['ok']

It reads only what any user may read, and changes nothing; only ``probe`` creates something, a scratch record. A service
that is down is a finding, never an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.deployment.facts import CheckResult, Evidence, Level, ServiceStatus, service_status
from hyperx_glance.deployment.probe_checks import PROBES
from hyperx_glance.deployment.reading_checks import CHECKS
from hyperx_glance.deployment.scratch_record import try_on_scratch_record
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.models.results import Finding
from hyperx_glance.waiting.made import MayHaveMade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.cloud.cloud import Service
    from hyperx_glance.cloud.context import Context

SERVICES: Mapping[Service, tuple[str, Level, str]] = {
    "identity": ("Keystone", "error", "Nothing works without Keystone."),
    "image": ("Glance", "error", "Nothing works without Glance."),
    "compute": ("Nova", "error", "Images cannot be launched."),
    "network": ("Neutron", "error", "Networks for a launch cannot be found."),
    "block-storage": (
        "Cinder",
        "warning",
        "ISOs get no install disk, so they can only be launched with the layout live, and images get no boot volume.",
    ),
}
"""Each service with its project, the level of a finding if it is missing, and the consequence."""


def doctor(context: Context, *, probe: bool) -> list[Finding]:
    """Check a deployment, and return one finding per check, even if all is well."""
    cloud, settings = context.cloud, context.settings
    services = {service: service_status(cloud, service) for service in SERVICES}
    tried = probe and services["image"].problem is None
    trials = try_on_scratch_record(cloud, settings.pace) if tried else None
    evidence = Evidence(cloud, settings, services, trials)
    findings = [_service(service, status) for service, status in services.items()]
    # If the doctor finishes, a finding names the record that is left.
    with MayHaveMade(image_id=None if trials is None else trials.left):
        findings += [_examine(check, evidence, needs, look) for check, (needs, look) in CHECKS.items()]
        if probe:
            findings += [_examine(check, evidence, "image", look) for check, look in PROBES.items()]
    return findings


def _examine(check: str, evidence: Evidence, needs: Service | None, look: Callable[[Evidence], CheckResult]) -> Finding:
    if needs is not None and evidence.services[needs].problem is not None:
        return Finding(
            check=check,
            level="warning",
            message=f"Not checked: the {needs} service is not usable.",
            remedy=f'See the finding "{needs}" first.',
        )
    try:
        result = look(evidence)
    except HyperxGlanceError as error:
        result = CheckResult("error", f"Could not be checked: {error.message}", error.hint or "Run the doctor again.")
    return Finding(check=check, level=result.level, message=result.message, remedy=result.remedy)


def _service(service: Service, status: ServiceStatus) -> Finding:
    project, level, consequence = SERVICES[service]
    if not status.present:
        message = f"The catalogue has no {service} service in this region. {consequence}"
        return Finding(
            check=service, level=level, message=message, remedy=f"Deploy {project}, or correct the region name."
        )
    if status.problem is not None:
        message = f"{project} does not respond correctly: {status.problem.message}"
        remedy = status.problem.hint or f"Check whether {project} is running."
        return Finding(check=service, level="error", message=f"{message} {consequence}", remedy=remedy)
    return Finding(check=service, level="ok", message=f"{project} responds.")
