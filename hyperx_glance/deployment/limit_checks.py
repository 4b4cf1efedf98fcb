"""The doctor's checks of a deployment's own limits, each with what it means for HYPERX.

>>> from hyperx_glance.deployment.limit_checks import LAUNCH_ITEMS
>>> LAUNCH_ITEMS
4

Glance shows its formats, and Nova the limit of a server's metadata. Glance's limits of properties and tags show only in
refusals. Nothing shows Glance's image_size_cap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.formats import CONTAINER_FORMAT, formats
from hyperx_glance.deployment.facts import CheckResult
from hyperx_glance.errors import NotAllowedError, NotFoundError
from hyperx_glance.texts import Text, say, sentences
from hyperx_glance.vocabulary import ISO_FORMAT, MOST_OWN_PROPERTIES, USUAL_OWN_PROPERTIES

if TYPE_CHECKING:
    from hyperx_glance.deployment.facts import Evidence
    from hyperx_glance.deployment.scratch_record import Attempt, Trials

LAUNCH_ITEMS = 4
"""The most metadata of a server that a launch writes: see `LaunchOrder.metadata`."""
_FORMATS = ("raw", "qcow2", ISO_FORMAT)
_TOO_MANY = ("too-many-properties", "too-many-tags")


class _Absolute(Shape):
    maxServerMeta: int | None = None  # noqa: N815  # as Nova calls it


class _Limits(Shape):
    absolute: _Absolute


class _LimitsAnswer(Shape):
    limits: _Limits


def image_formats(evidence: Evidence) -> CheckResult:
    """Check whether Glance takes the formats of images, of ISOs, and of captures."""
    taken = formats(evidence.cloud)
    if not taken.takes_bare:
        return CheckResult(
            "error",
            say("bare-not-taken", format=CONTAINER_FORMAT, taken=list(taken.container)),
            say("allow-the-container", format=CONTAINER_FORMAT),
        )
    missing = [each for each in _FORMATS if not taken.takes(each)]
    if missing:
        message = say("formats-missing", missing=missing, taken=list(taken.disk))
        captures = [say("captures-need-a-format")] if "raw" in missing else []
        return CheckResult("warning", sentences(message, *captures), say("allow-or-provide-formats"))
    return CheckResult("ok", say("formats-taken", taken=list(taken.disk)) if taken.disk else say("formats-not-shown"))


def server_metadata(evidence: Evidence) -> CheckResult:
    """Check whether Nova's metadata_items has room for what launches write.

    Nova counts what captures write before microversion 2.39 only (nova/api/openstack/compute/servers.py, createImage).
    """
    try:
        limit = evidence.cloud.get_parsed(_LimitsAnswer, "compute", "/limits").limits.absolute.maxServerMeta
    except (NotAllowedError, NotFoundError):
        limit = None
    if limit is None:
        return CheckResult("ok", say("metadata-limit-not-shown"))
    if limit < 0 or limit >= LAUNCH_ITEMS:
        return CheckResult("ok", say("metadata-fits", limit=limit) if limit >= 0 else say("metadata-unlimited"))
    remedy = say("raise-metadata-items", needed=LAUNCH_ITEMS)
    if limit == 0:
        # Unified limits show 0 for what is not registered; by default, Nova does not enforce it (nova/limit/utils.py).
        return CheckResult("warning", say("metadata-limit-zero"), remedy)
    return CheckResult("error", say("launches-exceed-metadata", limit=limit, needed=LAUNCH_ITEMS), remedy)


def maximum(attempt: Attempt) -> int | None:
    """Return the limit of properties or tags that made Glance refuse a trial; None if it was something else."""
    most = attempt.reason.values.get("most") if attempt.reason.code in _TOO_MANY else None
    return most if isinstance(most, int) else None


def image_limits(trials: Trials, *, tried_properties: int, tried_tags: int) -> CheckResult:
    """Judge the trials of many properties and tags; a Glance that takes none of them takes no scratch record."""
    most, most_tags = maximum(trials.creation), maximum(trials.tags)
    most = maximum(trials.ordinary) if most is None else most
    problems: list[Text] = []
    fatal = most is not None and most < USUAL_OWN_PROPERTIES
    if most is not None:
        code = "registrations-exceed-properties" if fatal else "few-properties"
        problems.append(say(code, most=most, usual=USUAL_OWN_PROPERTIES, needed=MOST_OWN_PROPERTIES))
    if most_tags is not None:
        problems.append(say("few-tags", most=most_tags))
    if not problems:
        return CheckResult("ok", say("properties-and-tags-fit", properties=tried_properties, tags=tried_tags))
    return CheckResult("error" if fatal else "warning", sentences(*problems), say("raise-image-quotas"))
