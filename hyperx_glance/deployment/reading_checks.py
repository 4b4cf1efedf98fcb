"""The doctor's read-only checks.

    >>> from hyperx_glance.deployment.reading_checks import CHECKS
    >>> list(CHECKS)[:3]
    ['image-version', 'compute-version', 'clock-skew']

Each check looks at one thing and returns one result, even if all is well.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from hyperx_glance import removal, vocabulary
from hyperx_glance.cloud import pages
from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.pages import KeystonePage, Listed, keystone_collection, read_by_name
from hyperx_glance.cloud.versions import CAREFUL_GLANCE
from hyperx_glance.deployment.facts import HOW_TO_PROTECT, CheckResult, Evidence, Level
from hyperx_glance.deployment.inheritance import inherited_properties
from hyperx_glance.deployment.launch_checks import launch_choices
from hyperx_glance.deployment.limit_checks import image_formats, server_metadata
from hyperx_glance.deployment.rights import own_properties, policies
from hyperx_glance.errors import NotFoundError
from hyperx_glance.quotas.image_limits import SHOW_LIMITS, visibility
from hyperx_glance.quotas.resources import IMAGE_RESOURCES
from hyperx_glance.texts import Text, say, sentences, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hyperx_glance.cloud.cloud import Cloud, Service


class Feature(NamedTuple):
    """The version that introduced a feature that the library uses, and the code of the text about an older one."""

    since: tuple[int, int]
    code: str


GLANCE_NEEDED = Feature((2, 7), "too-old-for-imports")
GLANCE_WANTED = Feature((2, 12), "too-old-for-reasons")
NOVA_NEEDED = Feature((2, 52), "too-old-for-tags")
NOVA_WANTED = Feature((2, 67), "too-old-for-volume-types")
LIMITS = tuple(resource.word for resource in IMAGE_RESOURCES)
"""Every limit that Glance enforces; an unregistered limit counts as 0."""
SKEW_NOTICED_SECONDS, SKEW_HARMFUL_SECONDS = 5, 300
STUCK_AFTER = timedelta(hours=1)
"""Glance, too, considers the lock of an import stale after an hour without news (images.py, _enforce_import_lock)."""


class _ImportMethods(Shape):
    value: tuple[str, ...]


class _ImportInformation(Shape):
    methods: _ImportMethods = Field(alias="import-methods")


class _Limited(Shape):
    limit: int


class _Usages(Shape):
    usage: dict[str, _Limited]


class _RegisteredLimit(Listed):
    resource_name: str
    region_id: str | None = None


class _RegisteredLimits(KeystonePage[_RegisteredLimit], alias_generator=keystone_collection("registered_limits")):
    pass


def _image_version(evidence: Evidence) -> CheckResult:
    return _version("Glance", evidence.services["image"].version, GLANCE_NEEDED, GLANCE_WANTED)


def _compute_version(evidence: Evidence) -> CheckResult:
    return _version("Nova", evidence.services["compute"].version, NOVA_NEEDED, NOVA_WANTED)


def _version(project: str, version: tuple[int, ...], needed: Feature, wanted: Feature) -> CheckResult:
    if not version:
        message, remedy = say("version-not-reported", project=project), say("check-its-url", project=project)
        return CheckResult("warning", message, remedy)
    if version < wanted.since:
        missing = needed if version < needed.since else wanted
        return CheckResult(
            "error" if missing is needed else "warning",
            say(missing.code, project=project, version=_dotted(version), needed=_dotted(missing.since)),
            say("upgrade-it", project=project),
        )
    return CheckResult("ok", say("version-supported", project=project, version=_dotted(version)))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _clock_skew(evidence: Evidence) -> CheckResult:
    skews = {name: seen.skew_seconds for name, seen in evidence.services.items() if seen.skew_seconds is not None}
    if not skews:
        return CheckResult("warning", say("no-time-sent"), say("keep-the-date-header"))
    off = {name: skew for name, skew in skews.items() if abs(skew) > SKEW_NOTICED_SECONDS}
    if not off:
        return CheckResult("ok", say("clocks-agree", count=len(skews)))
    level: Level = "error" if max(map(abs, off.values())) > SKEW_HARMFUL_SECONDS else "warning"
    differences = [
        say("clock-ahead" if skew > 0 else "clock-behind", service=word("service", name), seconds=round(abs(skew)))
        for name, skew in off.items()
    ]
    code = "clocks-differ-from-this-machine" if len(off) == len(skews) else "clocks-differ"
    return CheckResult(level, say(code, skews=differences), say("synchronize-the-clocks"))


def _web_download(evidence: Evidence) -> CheckResult:
    try:
        methods = evidence.cloud.get_parsed(_ImportInformation, "image", "/info/import").methods.value
    except NotFoundError:
        methods = ()
    transfer = evidence.settings.transfer
    if "web-download" in methods:
        return CheckResult("ok", say("glance-downloads"))
    if transfer == "stream":
        return CheckResult("ok", say("glance-need-not-download"))
    fails = transfer == "import"
    code = "no-web-download-so-registrations-fail" if fails else "no-web-download-so-the-client-streams"
    message = say(code, methods=methods or say("no-import-methods"))
    return CheckResult("error" if fails else "warning", message, say("enable-web-download"))


def _unified_limits(evidence: Evidence) -> CheckResult:
    try:
        usage = evidence.cloud.get_parsed(_Usages, "image", "/info/usage").usage
    except NotFoundError:
        return CheckResult("warning", say("glance-too-old-for-limits"), say("upgrade-it", project="Glance"))
    if not usage:
        return CheckResult("warning", say("limits-are-off"), say("switch-limits-on"))
    endpoint = evidence.cloud.endpoint("image")  # where oslo.limit looks for limits
    if endpoint is None:
        zero = sorted(name for name, figures in usage.items() if figures.limit == 0)
        if zero:
            return _unregistered(zero, [], evidence.cloud.region_name)
        return CheckResult("ok", say("limits-above-zero"))
    service_id, region = endpoint
    params = {"service_id": service_id}
    registered = read_by_name(evidence.cloud, _RegisteredLimits, "/registered_limits", params, LIMITS)
    regions: dict[str, set[str | None]] = {name: set() for name in LIMITS}
    for limit in registered:
        regions.setdefault(limit.resource_name, set()).add(limit.region_id)
    missing = [name for name in LIMITS if region not in regions[name]]
    if missing:
        others = {other for name in missing for other in regions[name]}
        elsewhere = [say("in-a-region", region=other) if other else say("in-no-region") for other in others]
        return _unregistered(missing, sorted(elsewhere), region)
    return CheckResult("ok", say("limits-are-registered", region=region))


def _unregistered(names: list[str], elsewhere: list[Text], region: str | None) -> CheckResult:
    place = say("in-a-region", region=region) if region else say("in-its-region")
    if elsewhere:
        message = say("limits-registered-elsewhere", place=place, names=names, elsewhere=elsewhere)
    else:
        message = say("limits-not-registered", place=place, names=names)
    return CheckResult("error", message, say("register-the-limits", region=region or "REGION"))


def _redirects(evidence: Evidence) -> CheckResult:
    version = evidence.services["image"].version
    if not version or version >= CAREFUL_GLANCE:
        return CheckResult("ok", say("redirects-filtered"))
    message = say("redirects-not-filtered", version=_dotted(version))
    return CheckResult("warning", message, say("upgrade-glance-or-block"))


def _department_limits(evidence: Evidence) -> CheckResult:
    cloud = evidence.cloud
    if not cloud.is_administrator:
        return CheckResult("ok", say("limits-only-for-administrators"))
    match visibility(cloud):
        case "shown":
            return CheckResult("ok", say("limits-are-shown"))
        case "to the system":
            return CheckResult("ok", say("limits-shown-to-the-system"))
        case _:
            return CheckResult("warning", say("limits-are-hidden"), say(SHOW_LIMITS))


def _stuck_imports(evidence: Evidence) -> CheckResult:
    # The times are those of Glance's own clock.
    now = datetime.now(UTC) + timedelta(seconds=evidence.services["image"].skew_seconds or 0)
    stuck = list(_imports_without_news_since(evidence.cloud, now - STUCK_AFTER))
    seen = say("of-all-departments" if evidence.cloud.is_administrator else "of-your-department")
    if not stuck:
        return CheckResult("ok", say("no-stuck-imports", seen=seen))
    shown = stuck[:5] + (["..."] if len(stuck) > 5 else [])
    message = say("stuck-imports", seen=seen, count=len(stuck), images=shown)
    return CheckResult("warning", message, say("delete-stuck-imports"))


def _imports_without_news_since(cloud: Cloud, time: datetime) -> Iterator[str]:
    parameters = [
        ("status", "in:queued,importing,saving"),
        ("updated_at", f"lt:{time:%Y-%m-%dT%H:%M:%SZ}"),
        ("visibility", "all"),
    ]
    if not cloud.is_administrator:
        parameters.append(("owner", cloud.project_id))
    for image in pages.read(cloud, parameters):
        # A queued record is only registered, unless an import has locked it.
        if image.glance_status != "queued" or image.glance_property(vocabulary.glance_key("import_task")):
            yield image.id


def _lost_places(evidence: Evidence) -> CheckResult:
    unlisted = removal.unlisted(evidence.cloud)
    if unlisted is None:
        return CheckResult("ok", say("nothing-to-compare"))
    if not unlisted:
        return CheckResult("ok", say("no-lost-places"))
    return CheckResult("warning", say("lost-places", count=unlisted), say("free-the-places"))


def _featured_flag(evidence: Evidence) -> CheckResult:
    """Check whether a member can make an image FEATURED, by setting the flag and visibility public."""
    trials = evidence.trials
    tried = trials is not None and not evidence.cloud.is_administrator
    flag = trials.flag.outcome if trials is not None and tried else "omitted"
    publicize = trials.publicize.outcome if trials is not None and tried else "omitted"
    if flag == "refused":
        return CheckResult("ok", say("flag-is-protected"))
    if flag == "done" and publicize == "done":
        return CheckResult("error", say("members-can-feature"), say(HOW_TO_PROTECT))
    if flag == "done" and publicize == "refused" and evidence.settings.public_visibility == "community":
        return CheckResult("warning", say("only-a-policy-protects"), say(HOW_TO_PROTECT))
    if evidence.settings.public_visibility == "public":
        remedy = sentences(say(HOW_TO_PROTECT), say("then-run-the-probe"))
        return CheckResult("warning", say("flag-not-tried"), remedy)
    return CheckResult("ok", say("flag-has-no-effect"))


CHECKS: Mapping[str, tuple[Service | None, Callable[[Evidence], CheckResult]]] = {
    "image-version": ("image", _image_version),
    "compute-version": ("compute", _compute_version),
    "clock-skew": (None, _clock_skew),
    "policies": (None, policies),
    "launch-choices": (None, launch_choices),
    "web-download": ("image", _web_download),
    "unified-limits": ("image", _unified_limits),
    "redirects": ("image", _redirects),
    "department-limits": ("image", _department_limits),
    "stuck-imports": ("image", _stuck_imports),
    "lost-places": ("image", _lost_places),
    "featured-flag": ("image", _featured_flag),
    "inherited-properties": ("image", inherited_properties),
    "image-formats": ("image", image_formats),
    "server-metadata": ("compute", server_metadata),
    "own-properties": ("image", own_properties),
}
"""Each check with the service it needs, if any."""
