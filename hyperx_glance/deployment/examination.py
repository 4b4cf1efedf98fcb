"""The doctor: one finding for each thing that HYPERX needs of a deployment.

    >>> [finding.level for finding in client.doctor() if finding.check == "compute"]
    ['ok']

It reads what the services tell anybody and changes nothing; only ``probe`` makes something, a scratch record. A service
that is down is a finding, never an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.deployment.checks import CHECKS
from hyperx_glance.deployment.probes import PROBES
from hyperx_glance.deployment.trials import try_on_scratch_record
from hyperx_glance.deployment.visit import Level, Sighting, Verdict, Visit, sight
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.models.results import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.cloud import Service
    from hyperx_glance.context import Context

SERVICES: Mapping[Service, tuple[str, Level, str]] = {
    "identity": ("Keystone", "error", "Nothing works without it."),
    "image": ("Glance", "error", "Nothing works without it."),
    "compute": ("Nova", "error", "Nothing can be launched."),
    "network": ("Neutron", "error", "Networks cannot be found for a launch."),
    "block-storage": (
        "Cinder",
        "warning",
        "ISOs get no install disk, so only the layout live can be launched, and no image gets a boot volume.",
    ),
}
"""Each service with its project, and how bad it is to have none."""


def doctor(context: Context, *, probe: bool) -> list[Finding]:
    """Check a deployment; give one finding a check, also for what is well."""
    cloud, settings = context.cloud, context.settings
    sightings = {service: sight(cloud, service) for service in SERVICES}
    tried = probe and sightings["image"].problem is None
    trials = try_on_scratch_record(cloud, settings.pace) if tried else None
    visit = Visit(cloud, settings, sightings, trials)
    findings = [_service(service, sighting) for service, sighting in sightings.items()]
    findings += [_examine(check, visit, needs, look) for check, (needs, look) in CHECKS.items()]
    if probe:
        findings += [_examine(check, visit, "image", look) for check, look in PROBES.items()]
    return findings


def _examine(check: str, visit: Visit, needs: Service | None, look: Callable[[Visit], Verdict]) -> Finding:
    if needs is not None and visit.sightings[needs].problem is not None:
        return Finding(
            check=check,
            level="warning",
            message=f"Not checked: the {needs} service cannot be used.",
            remedy=f'See the finding "{needs}" first.',
        )
    try:
        verdict = look(visit)
    except HyperxGlanceError as error:
        verdict = Verdict("error", f"Could not be checked: {error.message}", error.hint or "Run the doctor again.")
    return Finding(check=check, level=verdict.level, message=verdict.message, remedy=verdict.remedy)


def _service(service: Service, sighting: Sighting) -> Finding:
    project, level, consequence = SERVICES[service]
    if not sighting.present:
        message = f"The catalogue has no {service} service in this region. {consequence}"
        return Finding(
            check=service, level=level, message=message, remedy=f"Deploy {project}, or mend the region name."
        )
    if sighting.problem is not None:
        message = f"{project} does not answer as it should: {sighting.problem.message}"
        remedy = sighting.problem.hint or f"See whether {project} is up."
        return Finding(check=service, level="error", message=f"{message} {consequence}", remedy=remedy)
    return Finding(check=service, level="ok", message=f"{project} answers.")
