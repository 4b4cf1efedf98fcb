"""The doctor's checks that judge the trials on the scratch record.

>>> from hyperx_glance.deployment.probe_checks import PROBES
>>> list(PROBES)[:3]
['scratch-record', 'property-protections', 'image-policies']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hyperx_glance.cloud import refusals
from hyperx_glance.cloud.failures import of_delayed_delete
from hyperx_glance.deployment.facts import HOW_TO_PROTECT, CheckResult, Evidence, Level
from hyperx_glance.deployment.launch_checks import launch_rights
from hyperx_glance.deployment.limit_checks import image_limits, maximum
from hyperx_glance.deployment.scratch_record import FORMAT_NOT_TAKEN, MANY_TAGS, ORDINARY
from hyperx_glance.quotas.refusals import image_quota_error
from hyperx_glance.texts import Text, say, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hyperx_glance.deployment.scratch_record import Attempt, Trials


_INTERNAL_ERROR = 500
"""The answer to the deletion of a record whose staging area is gone."""
_NO_DOWNLOADS = (400, 404)
"""The answers to a download if Glance has other ways to import, or none; "web-download" tells what that means."""
_LOST = (None, 502, 504)
"""The statuses of an upload whose response was lost on its way: they say nothing of the store."""


class _Policy(NamedTuple):
    """What is not possible without a policy of Glance; ``fatal`` if that is a part of HYPERX that fails."""

    consequence: str
    fatal: bool = True


_POLICIES: Mapping[str, _Policy] = {
    "modify_image": _Policy("no-edits-nor-imports"),
    "upload_image": _Policy("no-uploads"),
    "download_image": _Policy("no-downloads-nor-launches"),
    "delete_image": _Policy("no-deletions"),
    "deactivate": _Policy("no-disabling", fatal=False),
    "reactivate": _Policy("no-enabling", fatal=False),
}


def _trials(evidence: Evidence) -> Trials:
    assert evidence.trials is not None  # set if the image service responds, and needed only then
    return evidence.trials


def _scratch_record(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    creation, removal = trials.creation, trials.removal
    if creation.outcome == "refused":
        return _negative("warning", say("may-not-register"), say("run-the-probe-as-a-role"), creation)
    if removal.outcome != "done":
        code = "scratch-record-left" if creation.outcome in ("done", "omitted") else "scratch-record-may-exist"
        remedy = say("delete-the-scratch-record", image=trials.image_id)
        message = say(code, image=trials.image_id)
        if creation.outcome == "omitted":
            message = sentences(message, creation.reason)
        if removal.status == _INTERNAL_ERROR:
            remedy = sentences(remedy, say("look-at-the-staging-area"))
        remedy = of_delayed_delete(removal.explanation) or remedy
        return _negative("error", message, remedy, removal)
    if creation.outcome == "failed" and _no_room(creation):
        return _negative("warning", say("no-room-to-try"), say("make-room-and-probe"), creation)
    if creation.outcome == "failed":
        remedy = say("fix-and-delete-the-record", image=trials.image_id)
        return _negative("error", say("cannot-register"), remedy, creation)
    return CheckResult("ok", say("scratch-record-removed"))


def _property_protections(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.flag)) is not None:
        return unclear
    if trials.ordinary.outcome != "done" and maximum(trials.ordinary) is not None:
        return CheckResult("warning", say("properties-exceed-the-quota"), say("see-the-finding", check="image-limits"))
    if trials.ordinary.outcome != "done":
        return _negative("error", say("properties-not-writable"), say("end-the-protections-file"), trials.ordinary)
    if trials.removable.outcome != "done":
        return _negative("error", say("properties-not-removable"), say("end-the-protections-file"), trials.removable)
    if trials.flag.outcome == "refused" and trials.creator.outcome != "refused":
        return CheckResult("warning", say("protections-outdated"), say(HOW_TO_PROTECT))
    if trials.flag.outcome == "refused":
        return CheckResult("ok", say("protections-active"))
    level: Level = "error" if evidence.settings.public_visibility == "public" else "warning"
    return CheckResult(level, say("protections-inactive"), say(HOW_TO_PROTECT))


def _image_policies(evidence: Evidence) -> CheckResult:
    """Name the policies that refuse the caller anything on an image of the own department."""
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.creation)) is not None or trials.creation.outcome == "refused":
        return unclear or _inconclusive(trials.creation)
    tried = (trials.ordinary, *trials.rights, trials.data, trials.removal)
    refused = {name: each for each in tried if (name := refusals.policy(each.explanation) or "") in _POLICIES}
    if not refused:
        return CheckResult("ok", say("no-image-policy-refuses"))
    consequences = [say(_POLICIES[name].consequence) for name in refused]
    message = sentences(say("image-policies-refuse", policies=sorted(refused)), *consequences)
    fatal = [name for name in refused if _POLICIES[name].fatal]
    first = refused[fatal[0] if fatal else next(iter(refused))]
    return CheckResult("error" if fatal else "warning", message, say("allow-the-image-policies"), first.explanation)


def _image_store(evidence: Evidence) -> CheckResult:
    store = _trials(evidence).store
    if store.outcome == "done":
        return CheckResult("ok", say("store-takes-data"))
    is_judged = store.status not in _LOST and not _no_room(store) and refusals.policy(store.explanation) is None
    if store.outcome == "failed" and is_judged:
        return _negative("error", say("store-takes-no-data"), say("look-at-the-default-store"), store)
    if _trials(evidence).data.outcome == "refused" and store.outcome == "omitted":
        return CheckResult("ok", say("store-not-tried"))
    return _inconclusive(_trials(evidence).data if store.outcome == "omitted" else store)


def _volume_rights(evidence: Evidence) -> CheckResult:
    volume = _trials(evidence).volume
    if volume.outcome == "refused":
        return _negative("warning", say("volumes-are-refused"), say("allow-the-volumes"), volume)
    if _trials(evidence).creation.outcome != "done":
        return _inconclusive(_trials(evidence).creation)
    if volume.outcome == "failed" and volume.status == 400:
        return CheckResult("ok", say("volumes-are-allowed"))
    return CheckResult("ok", say("no-volume-was-tried"), explanation=volume.explanation)


def _publicize(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.publicize)) is not None:
        return unclear
    wanted = evidence.settings.public_visibility == "public"
    if trials.publicize.outcome == "refused":
        if wanted:
            remedy = say("let-members-publicize")
            return _negative("error", say("members-cannot-publicize"), remedy, trials.publicize)
        return CheckResult("ok", say("need-not-publicize"))
    return CheckResult("ok", say("members-may-publicize" if wanted else "publicizing-not-needed"))


def _communitize(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if (unclear := _unclear(evidence, trials.communitize)) is not None:
        return unclear
    if trials.communitize.outcome == "done":
        return CheckResult("ok", say("members-may-communitize"))
    if evidence.settings.public_visibility == "public":
        return CheckResult("ok", say("need-not-communitize"))
    remedy = say("let-members-communitize")
    return _negative("error", say("members-cannot-communitize"), remedy, trials.communitize)


def _download_ports(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if trials.port.outcome == "done":
        return CheckResult("ok", say("all-ports-allowed"))
    if trials.port.outcome == "failed" and trials.port.status in _NO_DOWNLOADS:
        return CheckResult("ok", say("no-import-was-tried"), explanation=trials.port.explanation)
    if trials.port.outcome != "refused":
        return _inconclusive(trials.port)
    if trials.host.outcome != "done":
        return _negative("warning", say("host-refused", url=trials.url), say("try-your-port"), trials.host)
    transfer = evidence.settings.transfer
    code = {
        "auto": "ports-refused-so-the-client-streams",
        "import": "ports-refused-so-registrations-fail",
        "stream": "ports-refused-without-harm",
    }[transfer]
    level: Level = "ok" if transfer == "stream" else "error" if transfer == "import" else "warning"
    return CheckResult(level, say(code), say("allow-the-ports"))


def _imports(evidence: Evidence) -> CheckResult:
    """Judge the import of a path that does not exist, which ends at once where Glance can begin imports at all."""
    trials = _trials(evidence)
    if trials.imported.outcome == "done":
        return CheckResult("ok", say("imports-end"))
    broken = trials.imported if trials.imported.outcome != "omitted" else trials.port
    if broken.outcome == "failed" and (broken is trials.imported or (broken.status or 0) >= 500):
        level: Level = "warning" if evidence.settings.transfer == "stream" else "error"
        return _negative(level, say("imports-do-not-end"), say("look-at-the-staging-area"), broken)
    if trials.imported.reason or trials.creation.outcome != "done":
        return _inconclusive(trials.imported)
    return CheckResult("ok", say("no-import-was-tried"))


def _data_check(evidence: Evidence) -> CheckResult:
    data = _trials(evidence).data
    if data.outcome == "refused":
        return CheckResult("ok", say("data-is-inspected"))
    if data.outcome == "done":
        remedy = say("upgrade-it-to", project="Glance", release="2025.1")
        return CheckResult("error", say("data-is-not-inspected"), remedy)
    return _inconclusive(data)


def _hybrid_isos(evidence: Evidence) -> CheckResult:
    data, hybrid = _trials(evidence).data, _trials(evidence).hybrid
    for attempt in (data, hybrid):
        if attempt.outcome == "failed" or (attempt.outcome == "omitted" and (attempt is data or attempt.reason)):
            return _inconclusive(attempt)
    if hybrid.outcome == "refused":
        return CheckResult("error", say("hybrid-isos-refused"), say("upgrade-or-clear-the-first-block"))
    return CheckResult("ok", say("hybrid-isos-accepted"))


def _stream_quota(evidence: Evidence) -> CheckResult:
    """Judge by the reason for refused data: the release that reports it (33.0.0) also counts streams."""
    data = _trials(evidence).data
    if data.outcome in ("failed", "omitted"):
        return _inconclusive(data)
    if data.outcome == "refused" and "safety" in data.explanation:
        return CheckResult("ok", say("uploads-stop-at-the-quota"))
    return CheckResult("warning", say("uploads-exceed-the-quota"), say("upgrade-or-limit-uploads"))


def _image_limits(evidence: Evidence) -> CheckResult:
    trials = _trials(evidence)
    if maximum(trials.creation) is None:
        for attempt in (trials.creation, trials.ordinary, trials.tags):
            if attempt.outcome != "done" and maximum(attempt) is None:
                return _inconclusive(attempt)
    return image_limits(trials, tried_properties=len(ORDINARY), tried_tags=MANY_TAGS)


def _no_room(attempt: Attempt) -> bool:
    """Check whether the quota of the department was the reason, which says nothing of the deployment."""
    return image_quota_error(attempt.explanation, department="") is not None


def _negative(level: Level, message: Text, remedy: Text, attempt: Attempt) -> CheckResult:
    return CheckResult(level, sentences(message, attempt.reason), remedy, attempt.explanation)


def _inconclusive(attempt: Attempt) -> CheckResult:
    if attempt.reason.code == FORMAT_NOT_TAKEN:
        return CheckResult("ok", attempt.reason)
    message = say("inconclusive", problem=attempt.reason or say("scratch-record-not-created"))
    return CheckResult("warning", message, say("fix-and-probe-again"), attempt.explanation)


def _unclear(evidence: Evidence, attempt: Attempt) -> CheckResult | None:
    if evidence.cloud.is_administrator:
        return CheckResult("warning", say("administrators-may-everything"), say("run-the-probe-as-a-member"))
    return _inconclusive(attempt) if attempt.outcome in ("failed", "omitted") else None


PROBES: Mapping[str, Callable[[Evidence], CheckResult]] = {
    "scratch-record": _scratch_record,
    "property-protections": _property_protections,
    "image-policies": _image_policies,
    "publicize": _publicize,
    "communitize": _communitize,
    "download-ports": _download_ports,
    "imports": _imports,
    "data-check": _data_check,
    "hybrid-isos": _hybrid_isos,
    "stream-quota": _stream_quota,
    "image-limits": _image_limits,
    "image-store": _image_store,
    "launch-rights": launch_rights,
    "volume-rights": _volume_rights,
}
