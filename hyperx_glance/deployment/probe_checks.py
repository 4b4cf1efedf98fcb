"""The verdicts on what was tried on the scratch record.

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
    assert evidence.trials is not None  # made whenever the image service answers, and needed only then
    return evidence.trials


def _scratch_record(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if trials.creation.outcome == "refused":
        return CheckResult(
            "warning",
            f"You may not register images, so nothing could be tried: {trials.creation.reason}",
            "Run the probe as somebody with the role member.",
        )
    if trials.removal.outcome != "done":
        made = "could not be removed" if trials.creation.outcome == "done" else "may have been made, and stays"
        return CheckResult(
            "error",
            f"The scratch record {trials.image_id} {made}: {trials.removal.reason}",
            f"Delete it: openstack image delete {trials.image_id}, or client.delete({trials.image_id!r}). If that is"
            " refused, see the policy delete_image of Glance.",
        )
    if trials.creation.outcome == "failed":
        return CheckResult(
            "error",
            f"No image can be registered: {trials.creation.reason}",
            f"Mend this. If an image {trials.image_id} appears after all, delete it.",
        )
    return CheckResult("ok", "A scratch record was made and removed.")


def _property_protections(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.flag)) is not None:
        return unclear
    if trials.ordinary.outcome != "done":
        return CheckResult(
            "error",
            f"Members cannot write ordinary image properties: {trials.ordinary.reason}",
            "End the file of property protections with a section [.*] for everybody, as the shipped one does.",
        )
    if trials.flag.outcome == "refused" and trials.creator.outcome != "refused":
        return CheckResult(
            "warning",
            "Members can change who registered an image: the property protections are of an older release.",
            HOW_TO_PROTECT,
        )
    if trials.flag.outcome == "refused":
        return CheckResult(
            "ok",
            "Property protections are active: members cannot set the flag of FEATURED images, nor change who registered"
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
                f"Members cannot make images PUBLIC, as public_visibility is public: {trials.publicize.reason}",
                'Let members publicize (policy publicize_image of Glance), or set public_visibility to "community".',
            )
        return CheckResult("ok", "Members may not publicize, and need not: PUBLIC images are community images.")
    if wanted:
        return CheckResult("ok", "Members may publicize, as public_visibility=public needs.")
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
        "Let members of the own project communitize (policy communitize_image of Glance), as by default.",
    )


def _download_ports(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if trials.port.outcome == "done":
        return CheckResult("ok", "Glance downloads from ports other than 80 and 443.")
    if trials.port.outcome != "refused":
        return _not_found_out(trials.port.reason)
    if trials.host.outcome != "done":
        return CheckResult(
            "warning",
            f"Not found out: Glance refuses {trials.url} for its host, whatever the port: {trials.host.reason}",
            "Try a registration from your file server's port.",
        )
    transfer = evidence.settings.transfer
    consequence = {
        "auto": "such a URL is streamed through the client instead.",
        "import": "a registration from such a URL fails.",
        "stream": "which is no matter, since settings.transfer is stream.",
    }[transfer]
    level: Level = "ok" if transfer == "stream" else "error" if transfer == "import" else "warning"
    return CheckResult(
        level,
        f"Glance refuses URLs with a port other than those it is told, by default 80 and 443: {consequence}",
        "Add the ports of your file servers to [import_filtering_opts] allowed_ports of glance-image-import.conf.",
    )


def _data_check(evidence: Evidence) -> CheckResult:
    data = _trials(evidence).data
    if data.outcome == "refused":
        return CheckResult("ok", "Glance looks at data, and refuses what is dangerous or of another format.")
    if data.outcome == "done":
        return CheckResult(
            "error",
            "Glance takes a disk that names a file of the host: it does not look at data. This library does, and"
            " streams or refuses what it may not look at; other clients need not.",
            "Upgrade Glance to 2025.1.",
        )
    return _not_found_out(data.reason)


def _hybrid_isos(evidence: Evidence) -> CheckResult:
    data, hybrid = _trials(evidence).data, _trials(evidence).hybrid
    if data.outcome in ("failed", "omitted") or hybrid.outcome == "failed":
        return _not_found_out(hybrid.reason if hybrid.outcome == "failed" else data.reason)
    if hybrid.outcome == "refused":
        return CheckResult(
            "error",
            "Glance refuses ISOs that boot from a memory stick too, as those of most distributions do.",
            "Upgrade Glance to 2026.1, or clear the first block of such an ISO before it is served: dd if=/dev/zero"
            " of=FILE bs=512 count=1 conv=notrunc.",
        )
    return CheckResult("ok", "Glance takes ISOs that boot from a memory stick too.")


def _stream_quota(evidence: Evidence) -> CheckResult:
    """Judge by a sign: Glance counts streams since it says why it refuses data (33.0.0)."""
    data = _trials(evidence).data
    if data.outcome in ("failed", "omitted"):
        return _not_found_out(data.reason)
    if data.outcome == "refused" and "safety" in data.reason:
        return CheckResult("ok", "Glance stops an upload at the department's quota.")
    return CheckResult(
        "warning",
        "Glance is older than 2026.2: an upload may go beyond the department's quota, and the reason for which data is"
        " refused is not told. This library stops its uploads itself, and looks for the reason; other clients need"
        " not.",
        "Upgrade Glance to 2026.2, or bound each upload: [DEFAULT] image_size_cap of glance-api.conf.",
    )


def _not_found_out(reason: str) -> CheckResult:
    return CheckResult("warning", f"Not found out: {reason}", "Mend this, and run the probe again.")


def _unclear(evidence: Evidence, attempt: Attempt) -> CheckResult | None:
    if evidence.cloud.is_administrator:
        return CheckResult(
            "warning", "Not found out: an administrator may do everything.", "Run the probe as a member."
        )
    if attempt.outcome in ("failed", "omitted"):
        return _not_found_out(attempt.reason)
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
