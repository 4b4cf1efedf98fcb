"""The doctor: one finding for each thing that HYPERX requires of a deployment.

    >>> [finding.level for finding in client.doctor() if finding.check == "compute"]
    ['ok']

It reads only what any user may read, and changes nothing; only ``probe`` creates something, a scratch record. A service
that is down is a finding, never an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.deployment.facts import (
    CheckResult,
    Evidence,
    Level,
    ServiceStatus,
    service_status,
    words_of_service,
)
from hyperx_glance.deployment.probe_checks import PROBES
from hyperx_glance.deployment.reading_checks import CHECKS
from hyperx_glance.deployment.scratch_record import try_on_scratch_record
from hyperx_glance.errors import AuthenticationError, HyperxGlanceError, NotAllowedError
from hyperx_glance.models.results import Finding
from hyperx_glance.texts import NO_TEXT, Text, say, sentences, word
from hyperx_glance.waiting.made import MayHaveMade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.cloud.cloud import Cloud, Service
    from hyperx_glance.cloud.context import Context

SERVICES: Mapping[Service, tuple[str, Level, str]] = {
    "identity": ("Keystone", "error", "nothing-works-without"),
    "image": ("Glance", "error", "nothing-works-without"),
    "compute": ("Nova", "error", "no-launches"),
    "network": ("Neutron", "error", "no-networks"),
    "block-storage": ("Cinder", "warning", "no-volumes"),
}
"""Each service with its project, the level of a finding if it is missing, and the code of the consequence."""


def doctor(context: Context, *, probe: bool) -> list[Finding]:
    """Check a deployment, and return one finding per check, even if all is well."""
    cloud, settings = context.cloud, context.settings
    services = _statuses(cloud)
    tried = probe and services["image"].problem is None
    trials = try_on_scratch_record(cloud, settings.pace) if tried else None
    evidence = Evidence(cloud, settings, services, trials, context.steward)
    findings = [_service(service, status, services["identity"]) for service, status in services.items()]
    # If the doctor finishes, a finding names the record that is left.
    with MayHaveMade(image_id=None if trials is None else trials.left):
        findings += [_examine(check, evidence, needs, look) for check, (needs, look) in CHECKS.items()]
        if probe:
            findings += [_examine(check, evidence, "image", look) for check, look in PROBES.items()]
    return findings


def _statuses(cloud: Cloud) -> dict[Service, ServiceStatus]:
    """Ask each service; without a login, which is tried once, none can be asked."""
    try:
        cloud.check_scope()
    except HyperxGlanceError as error:
        return dict.fromkeys(SERVICES, ServiceStatus(problem=error))
    return {service: service_status(cloud, service) for service in SERVICES}


def _examine(check: str, evidence: Evidence, needs: Service | None, look: Callable[[Evidence], CheckResult]) -> Finding:
    if needs is not None and evidence.services[needs].problem is not None:
        return _not_checked(check, needs)
    try:
        result = look(evidence)
    except HyperxGlanceError as error:
        message, remedy = say("could-not-be-checked", problem=error.message), error.hint or say("run-the-doctor-again")
        # A refusal is no fault: the check of policies says what it means.
        level: Level = "warning" if isinstance(error, NotAllowedError) else "error"
        result = CheckResult(level, message, remedy, words_of_service(error))
    return Finding(check=check, **result._asdict())


def _not_checked(check: str, needs: Service) -> Finding:
    message, remedy = say("not-checked", service=word("service", needs)), say("see-the-finding", check=needs)
    return Finding(check=check, level="warning", message=message, remedy=remedy)


def _service(service: Service, status: ServiceStatus, identity: ServiceStatus) -> Finding:
    if status is identity and service != "identity":
        return _not_checked(service, "identity")
    project, level, _ = SERVICES[service]
    problem, consequence = status.problem, _consequence(service)
    if problem is None:
        return Finding(check=service, level="ok", message=say("service-responds", project=project))
    if not status.present:
        message, remedy = sentences(problem.message, consequence), say("deploy-or-correct-the-region", project=project)
        return Finding(check=service, level=level, message=message, remedy=remedy)
    failed = NO_TEXT if isinstance(problem, AuthenticationError) else say("does-not-respond-correctly", project=project)
    return Finding(
        check=service,
        level="error",
        message=sentences(failed, consequence, problem.message),
        remedy=problem.hint or say("check-whether-it-runs", project=project),
        explanation=words_of_service(problem),
    )


def _consequence(service: Service) -> Text:
    project, _, code = SERVICES[service]
    return say(code, project=project) if code == "nothing-works-without" else say(code)
