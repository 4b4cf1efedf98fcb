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
from hyperx_glance.cloud.versions import CAREFUL_GLANCE
from hyperx_glance.deployment.facts import HOW_TO_PROTECT, CheckResult, Evidence, Level
from hyperx_glance.deployment.inheritance import inherited_properties
from hyperx_glance.errors import NotFoundError
from hyperx_glance.quotas.image_limits import SHOW_LIMITS, visibility
from hyperx_glance.quotas.resources import IMAGE_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hyperx_glance.cloud.cloud import Cloud, Service


class Feature(NamedTuple):
    """A feature of a service that the library uses, and the version that introduced it."""

    since: tuple[int, int]
    use: str


GLANCE_NEEDED = Feature((2, 7), "community images, imports and hidden images require")
GLANCE_WANTED = Feature((2, 12), "the reason for a failed import requires")
NOVA_NEEDED = Feature((2, 52), "finding the servers of a launch by their tag requires")
NOVA_WANTED = Feature((2, 67), "choosing the volume type of a disk requires")
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


class _RegisteredLimit(Shape):
    resource_name: str
    region_id: str | None = None


class _RegisteredLimits(Shape):
    registered_limits: tuple[_RegisteredLimit, ...]


def _image_version(evidence: Evidence) -> CheckResult:
    return _version("Glance", evidence.services["image"].version, GLANCE_NEEDED, GLANCE_WANTED)


def _compute_version(evidence: Evidence) -> CheckResult:
    return _version("Nova", evidence.services["compute"].version, NOVA_NEEDED, NOVA_WANTED)


def _version(project: str, version: tuple[int, ...], needed: Feature, wanted: Feature) -> CheckResult:
    if not version:
        return CheckResult(
            "warning",
            f"{project} does not report its version.",
            f"Make sure that the catalogue's URL for {project} leads to {project} and not to another page.",
        )
    if version < wanted.since:
        missing = needed if version < needed.since else wanted
        return CheckResult(
            "error" if missing is needed else "warning",
            f"{project} supports API version {_dotted(version)}; {missing.use} {_dotted(missing.since)}.",
            f"Upgrade {project}.",
        )
    return CheckResult("ok", f"{project} supports API version {_dotted(version)}.")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _clock_skew(evidence: Evidence) -> CheckResult:
    skews = {name: seen.skew_seconds for name, seen in evidence.services.items() if seen.skew_seconds is not None}
    if not skews:
        return CheckResult("warning", "No service sent its time.", "Make sure that no proxy strips the Date header.")
    off = {name: skew for name, skew in skews.items() if abs(skew) > SKEW_NOTICED_SECONDS}
    if not off:
        return CheckResult("ok", f"The clocks of {len(skews)} services agree with the clock of this machine.")
    level: Level = "error" if max(map(abs, off.values())) > SKEW_HARMFUL_SECONDS else "warning"
    listed = ", ".join(f"{name} is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}" for name, skew in off.items())
    who = "This machine's clock and the services' clocks differ" if len(off) == len(skews) else "Clocks differ"
    return CheckResult(
        level,
        f"{who}: {listed}. Tokens expire early or late, and filters by time return wrong results.",
        "Synchronize the clock of every machine with NTP, including this one.",
    )


def _web_download(evidence: Evidence) -> CheckResult:
    try:
        methods = evidence.cloud.get_parsed(_ImportInformation, "image", "/info/import").methods.value
    except NotFoundError:
        methods = ()
    transfer = evidence.settings.transfer
    if "web-download" in methods:
        return CheckResult("ok", "Glance downloads images from URLs.")
    if transfer == "stream":
        return CheckResult("ok", "Glance does not download from URLs, and need not: settings.transfer is stream.")
    consequence = "registrations fail" if transfer == "import" else "the client streams the data instead"
    return CheckResult(
        "error" if transfer == "import" else "warning",
        f"Glance does not download from URLs (import methods: {', '.join(methods) or 'none'}): {consequence}.",
        "Add web-download to [DEFAULT] enabled_import_methods of glance-api.conf, or set transfer to stream.",
    )


def _unified_limits(evidence: Evidence) -> CheckResult:
    try:
        usage = evidence.cloud.get_parsed(_Usages, "image", "/info/usage").usage
    except NotFoundError:
        return CheckResult("warning", "This Glance is too old for limits from Keystone.", "Upgrade Glance.")
    if not usage:
        return CheckResult(
            "warning",
            "Glance's unified limits are off: departments have no image quota.",
            "Set [DEFAULT] use_keystone_limits of glance-api.conf and [oslo_limit], and register the four limits.",
        )
    endpoint = evidence.cloud.endpoint("image")  # where oslo.limit looks for limits
    if endpoint is None:
        zero = sorted(name for name, figures in usage.items() if figures.limit == 0)
        if zero:
            return _unregistered(zero, "", evidence.cloud.region_name)
        return CheckResult("ok", "Every limit of Glance is above 0; the catalogue does not say enough to check more.")
    service_id, region = endpoint
    params = {"service_id": service_id}
    answer = evidence.cloud.get_parsed(_RegisteredLimits, "identity", "/registered_limits", params=params)
    regions: dict[str, set[str | None]] = {name: set() for name in LIMITS}
    for limit in answer.registered_limits:
        regions.setdefault(limit.resource_name, set()).add(limit.region_id)
    missing = [name for name in LIMITS if region not in regions[name]]
    if missing:
        elsewhere = {f"region {other}" if other else "no region" for name in missing for other in regions[name]}
        where = f" (but in {', '.join(sorted(elsewhere))})" if elsewhere else ""
        return _unregistered(missing, where, region)
    return CheckResult(
        "ok",
        f"Glance's four limits are registered in region {region}. A department's own limits are not checked.",
    )


def _unregistered(names: list[str], where: str, region: str | None) -> CheckResult:
    return CheckResult(
        "error",
        f"Not registered for Glance in region {region or 'of its endpoint'}: {', '.join(names)}{where}."
        " Glance treats unregistered limits as 0 and refuses requests.",
        f"openstack registered limit create --service glance --region {region or 'REGION'} --default-limit NUMBER NAME",
    )


def _redirects(evidence: Evidence) -> CheckResult:
    version = evidence.services["image"].version
    if not version or version >= CAREFUL_GLANCE:
        return CheckResult("ok", "Glance applies its URL filter to redirects, too, judging by its version.")
    return CheckResult(
        "warning",
        f"Glance supports API version {_dotted(version)}, and follows redirects past its own URL filter: any user who"
        " may import can make Glance read from the cloud's network. This library streams data from URLs that redirect;"
        " other clients may not.",
        "Upgrade Glance to 2025.1. Until then, remove web-download from enabled_import_methods, or block internal"
        " addresses for Glance's hosts.",
    )


def _department_limits(evidence: Evidence) -> CheckResult:
    cloud = evidence.cloud
    if not cloud.is_administrator:
        return CheckResult("ok", "Only administrators see the limits of other departments.")
    match visibility(cloud):
        case "shown":
            return CheckResult("ok", "Keystone shows this administrator the image limits of every department.")
        case "to the system":
            return CheckResult(
                "ok",
                "This administrator's token for the whole system shows the image limits of every department. A Keystone"
                " before 2026.1 hides them from project tokens.",
            )
        case _:
            return CheckResult(
                "warning",
                "Keystone issues this administrator no token for the whole system, and shows no image limits of other"
                " departments: before 2026.1 it hides them. They are None in quota(), and set_quota refuses them.",
                SHOW_LIMITS,
            )


def _stuck_imports(evidence: Evidence) -> CheckResult:
    # The times are those of Glance's own clock.
    now = datetime.now(UTC) + timedelta(seconds=evidence.services["image"].skew_seconds or 0)
    stuck = list(_imports_without_news_since(evidence.cloud, now - STUCK_AFTER))
    seen = "all departments" if evidence.cloud.is_administrator else "your department (an administrator sees all)"
    if not stuck:
        return CheckResult("ok", f"No import of {seen} has gone without news for over an hour.")
    shown = ", ".join(stuck[:5]) + (", ..." if len(stuck) > 5 else "")
    return CheckResult(
        "warning",
        f"Imports of {seen} without news for over an hour ({len(stuck)}): {shown}.",
        "Delete these images: Glance accepts no second import for such an image, and the image counts in the quota."
        " Then check Glance's log for workers that died or a file server that hangs.",
    )


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
        return CheckResult("ok", "Glance counts no images, or the images change too often to be compared.")
    if not unlisted:
        return CheckResult("ok", "Every image that counts in your department's quota is in its list.")
    return CheckResult(
        "warning",
        f"The quota of your department counts {unlisted} images that are in no list: each was deleted while a service"
        " wrote to it, and takes a place in the quota forever.",
        "An operator can free the places in Glance's database: see the guide, Departments and quotas, A place that is"
        " lost. Run the doctor in each department: Glance reports only what it counts for the caller's department.",
    )


def _featured_flag(evidence: Evidence) -> CheckResult:
    """Check whether a member can make an image FEATURED, by setting the flag and visibility public."""
    trials = evidence.trials
    tried = trials is not None and not evidence.cloud.is_administrator
    flag = trials.flag.outcome if trials is not None and tried else "omitted"
    publicize = trials.publicize.outcome if trials is not None and tried else "omitted"
    if flag == "refused":
        return CheckResult("ok", "A member cannot put the flag of FEATURED images on an image.")
    if flag == "done" and publicize == "done":
        return CheckResult(
            "error",
            "A member can make FEATURED images: property protections are off, and members may publicize.",
            HOW_TO_PROTECT,
        )
    if flag == "done" and publicize == "refused" and evidence.settings.public_visibility == "community":
        return CheckResult(
            "warning",
            "Only the policy publicize_image keeps members from making FEATURED images: property protections are off.",
            HOW_TO_PROTECT,
        )
    if evidence.settings.public_visibility == "public":
        return CheckResult(
            "warning",
            "public_visibility is public, so members may publicize; only the probe can show whether the flag of"
            " FEATURED images is protected from them.",
            f"{HOW_TO_PROTECT} Then run the probe as a member: doctor(probe=True).",
        )
    return CheckResult(
        "ok",
        "By Glance's default policy members cannot publicize, so a flag that they set has no effect."
        " Run the probe as a member to check this Glance.",
    )


CHECKS: Mapping[str, tuple[Service | None, Callable[[Evidence], CheckResult]]] = {
    "image-version": ("image", _image_version),
    "compute-version": ("compute", _compute_version),
    "clock-skew": (None, _clock_skew),
    "web-download": ("image", _web_download),
    "unified-limits": ("image", _unified_limits),
    "redirects": ("image", _redirects),
    "department-limits": ("image", _department_limits),
    "stuck-imports": ("image", _stuck_imports),
    "lost-places": ("image", _lost_places),
    "featured-flag": ("image", _featured_flag),
    "inherited-properties": ("image", inherited_properties),
}
"""Each check with the service it needs, if any."""
