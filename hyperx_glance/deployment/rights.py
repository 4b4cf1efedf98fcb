"""The doctor's checks of the caller's own rights: which lists policies refuse, and which properties are hidden.

>>> from hyperx_glance.deployment.rights import READ
>>> [request.path for request in READ["network"]]
['/networks']

No API shows a policy. So each list that the verbs read is asked for, with one record at most.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, NamedTuple

from hyperx_glance.cloud import hidden
from hyperx_glance.deployment.facts import CheckResult, words_of_service
from hyperx_glance.errors import HyperxGlanceError, NotAllowedError
from hyperx_glance.texts import say, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperx_glance.cloud.cloud import Service
    from hyperx_glance.deployment.facts import Evidence


class _Read(NamedTuple):
    """A list that verbs read; without a ``needed`` one, launches fail."""

    path: str
    needed: bool = False


READ: Final[Mapping[Service, tuple[_Read, ...]]] = {
    "image": (_Read("/images", needed=True), _Read("/info/import"), _Read("/info/usage")),
    "compute": (
        _Read("/flavors/detail", needed=True),
        _Read("/servers/detail"),
        _Read("/servers", needed=True),
        _Read("/limits"),
        _Read("/os-keypairs"),
        _Read("/os-availability-zone"),
        _Read("/os-server-groups"),
    ),
    "network": (_Read("/networks"),),
    "block-storage": (_Read("/volumes/detail"), _Read("/limits")),
}


def policies(evidence: Evidence) -> CheckResult:
    """Ask for every list that verbs read, as the caller."""
    cloud = evidence.cloud
    refused: list[tuple[str, bool, NotAllowedError]] = []
    for service, lists in READ.items():
        if evidence.services[service].problem is not None:
            continue
        for path, needed in lists:
            try:
                with contextlib.suppress(*_OTHER):
                    cloud.get(service, path, params={"limit": 1})
            except NotAllowedError as error:
                refused.append((f"GET {path} ({service})", needed, error))
    if not refused:
        return CheckResult("ok", say("no-list-refused"))
    fails = any(needed for _, needed, _ in refused)
    message = say("lists-refused", requests=[request for request, _, _ in refused])
    if fails:
        message = sentences(message, say("launches-need-them"))
    explanation = next((words_of_service(error) for _, needed, error in refused if needed == fails), "")
    return CheckResult("error" if fails else "warning", message, say("allow-the-lists"), explanation)


_OTHER: Final = tuple(kind for kind in HyperxGlanceError.__subclasses__() if kind is not NotAllowedError)
"""Other errors are those of other checks."""


def own_properties(evidence: Evidence) -> CheckResult:
    """Check whether the caller may read what HYPERX writes on images: on the scratch record, or on an own image."""
    cloud, trials = evidence.cloud, evidence.trials
    if cloud.is_administrator:
        return CheckResult("ok", say("administrators-read-all"))
    tried = trials is not None and (bool(trials.hidden) or trials.ordinary.outcome == "done")
    keys = trials.hidden if trials is not None and tried else hidden.on_own_images(cloud)
    if keys is None:
        return CheckResult("ok", say("no-own-image-to-read"))
    if not keys:
        return CheckResult("ok", say("own-properties-shown"))
    return CheckResult("error", say(hidden.MESSAGE, keys=list(keys)), say(hidden.HINT))
