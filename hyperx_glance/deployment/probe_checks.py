"""The doctor's checks that judge the trials on the scratch record.

>>> from hyperx_glance.deployment.probe_checks import PROBES
>>> list(PROBES)[:3]
['scratch-record', 'property-protections', 'publicize']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.deployment.facts import HOW_TO_PROTECT, CheckResult, Evidence, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.deployment.scratch_record import Attempt, Trials


def _trials(evidence: Evidence) -> Trials:
    assert evidence.trials is not None  # set if the image service responds, and needed only then
    return evidence.trials


def _scratch_record(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if trials.creation.outcome == "refused":
        return CheckResult(
            "warning",
            f"You may not register images, so nothing was tried: {trials.creation.reason}",
            "Run the probe as a user with the role member.",
        )
    if trials.removal.outcome != "done":
        made = "could not be removed" if trials.creation.outcome == "done" else "may exist"
        return CheckResult(
            "error",
            f"The scratch record {trials.image_id} {made}: {trials.removal.reason}",
            f"Delete it: openstack image delete {trials.image_id}, or client.delete({trials.image_id!r}). If that is"
            " refused, check Glance's policy delete_image.",
        )
    if trials.creation.outcome == "failed":
        return CheckResult(
            "error",
            f"No image can be registered: {trials.creation.reason}",
            f"Fix this. If an image {trials.image_id} appears later, delete it.",
        )
    return CheckResult("ok", "A scratch record was created and removed.")


def _property_protections(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.flag)) is not None:
        return unclear
    if trials.ordinary.outcome != "done":
        return CheckResult(
            "error",
            f"Members cannot write ordinary image properties: {trials.ordinary.reason}",
            "End the property protections file with a section [.*] for all users, as the shipped file does.",
        )
    if trials.flag.outcome == "refused" and trials.creator.outcome != "refused":
        return CheckResult(
            "warning",
            "Members can change who registered an image: the property protections are from an older release.",
            HOW_TO_PROTECT,
        )
    if trials.flag.outcome == "refused":
        return CheckResult(
            "ok",
            "Property protections are active: members cannot set the flag of FEATURED images or change who registered"
            " an image.",
        )
    level: Level = "error" if evidence.settings.public_visibility == "public" else "warning"
    return CheckResult(
        level, "Property protections are not active: a member set the flag of FEATURED images.", HOW_TO_PROTECT
    )


def _publicize(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.publicize)) is not None:
        return unclear
    wanted = evidence.settings.public_visibility == "public"
    if trials.publicize.outcome == "refused":
        if wanted:
            return CheckResult(
                "error",
                f"Members cannot make images PUBLIC, because public_visibility is public: {trials.publicize.reason}",
                'Let members publicize (Glance\'s policy publicize_image), or set public_visibility to "community".',
            )
        return CheckResult("ok", "Members may not publicize, and need not: PUBLIC images are community images.")
    if wanted:
        return CheckResult("ok", "Members may publicize, as they must if public_visibility is public.")
    return CheckResult(
        "ok", "Members may publicize, though HYPERX does not need it: PUBLIC images are community images."
    )


def _communitize(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.communitize)) is not None:
        return unclear
    if trials.communitize.outcome == "done":
        return CheckResult("ok", "Members may make community images.")
    if evidence.settings.public_visibility == "public":
        return CheckResult("ok", "Members may not make community images, and need not: public_visibility is public.")
    return CheckResult(
        "error",
        f"Members cannot make images PUBLIC: {trials.communitize.reason}",
        "Let members communitize images of their own project (Glance's policy communitize_image), as by default.",
    )


def _download_ports(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if trials.port.outcome == "done":
        return CheckResult("ok", "Glance downloads from ports other than 80 and 443.")
    if trials.port.outcome != "refused":
        return _inconclusive(trials.port.reason)
    if trials.host.outcome != "done":
        return CheckResult(
            "warning",
            f"Inconclusive: Glance refuses {trials.url} because of its host, on any port: {trials.host.reason}",
            "Try a registration from your file server's port.",
        )
    transfer = evidence.settings.transfer
    consequence = {
        "auto": "the client streams data from such a URL instead.",
        "import": "a registration from such a URL fails.",
        "stream": "this does not matter, because settings.transfer is stream.",
    }[transfer]
    level: Level = "ok" if transfer == "stream" else "error" if transfer == "import" else "warning"
    return CheckResult(
        level,
        f"Glance refuses URLs with ports that its configuration does not list, by default 80 and 443: {consequence}",
        "Add the ports of your file servers to [import_filtering_opts] allowed_ports of glance-image-import.conf.",
    )


def _data_check(evidence: Evidence) -> CheckResult:
    data = _trials(evidence).data
    if data.outcome == "refused":
        return CheckResult("ok", "Glance inspects data, and refuses dangerous data and data of another format.")
    if data.outcome == "done":
        return CheckResult(
            "error",
            "Glance accepts a disk that names a file of the host, because it does not inspect data. This library"
            " inspects data, and streams or refuses data that it may not inspect; other clients may not.",
            "Upgrade Glance to 2025.1.",
        )
    return _inconclusive(data.reason)


def _hybrid_isos(evidence: Evidence) -> CheckResult:
    data, hybrid = _trials(evidence).data, _trials(evidence).hybrid
    if data.outcome in ("failed", "omitted") or hybrid.outcome == "failed":
        return _inconclusive(hybrid.reason if hybrid.outcome == "failed" else data.reason)
    if hybrid.outcome == "refused":
        return CheckResult(
            "error",
            "Glance refuses ISOs that can also boot from a memory stick, as those of most distributions can.",
            "Upgrade Glance to 2026.1, or clear the first block of such an ISO before you serve it: dd if=/dev/zero"
            " of=FILE bs=512 count=1 conv=notrunc.",
        )
    return CheckResult("ok", "Glance accepts ISOs that can also boot from a memory stick.")


def _stream_quota(evidence: Evidence) -> CheckResult:
    """Judge by the reason for refused data: the release that reports it (33.0.0) also counts streams."""
    data = _trials(evidence).data
    if data.outcome in ("failed", "omitted"):
        return _inconclusive(data.reason)
    if data.outcome == "refused" and "safety" in data.reason:
        return CheckResult("ok", "Glance stops an upload at the department's quota.")
    return CheckResult(
        "warning",
        "Glance is older than 2026.2: an upload may exceed the department's quota, and Glance does not report why it"
        " refuses data. This library stops its uploads itself, and looks for the reason; other clients may not.",
        "Upgrade Glance to 2026.2, or limit each upload: [DEFAULT] image_size_cap of glance-api.conf.",
    )


def _inconclusive(reason: str) -> CheckResult:
    return CheckResult("warning", f"Inconclusive: {reason}", "Fix this, and run the probe again.")


def _unclear(evidence: Evidence, attempt: Attempt) -> CheckResult | None:
    if evidence.cloud.is_administrator:
        return CheckResult("warning", "Inconclusive: administrators may do everything.", "Run the probe as a member.")
    if attempt.outcome in ("failed", "omitted"):
        return _inconclusive(attempt.reason)
    return None


PROBES: Mapping[str, Callable[[Evidence], CheckResult]] = {
    "scratch-record": _scratch_record,
    "property-protections": _property_protections,
    "publicize": _publicize,
    "communitize": _communitize,
    "download-ports": _download_ports,
    "data-check": _data_check,
    "hybrid-isos": _hybrid_isos,
    "stream-quota": _stream_quota,
}
