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
    """A list that verbs read, with the code of what it means if a policy refuses it, and whether launches need it."""

    path: str
    consequence: str
    needed: bool = False


READ: Final[Mapping[Service, tuple[_Read, ...]]] = {
    "image": (
        _Read("/images", "no-images-are-listed", needed=True),
        _Read("/info/import", "import-methods-are-hidden"),
        _Read("/info/usage", "image-quotas-are-hidden"),
    ),
    "compute": (
        _Read("/flavors/detail", "flavors-are-hidden", needed=True),
        _Read("/servers/detail", "servers-are-read-one-by-one"),
        _Read("/servers", "servers-are-hidden", needed=True),
        _Read("/limits", "server-quotas-are-hidden"),
        _Read("/os-keypairs", "key-pairs-are-hidden"),
        _Read("/os-availability-zone", "zones-are-hidden"),
        _Read("/os-server-groups", "server-groups-are-hidden"),
    ),
    "network": (_Read("/networks", "networks-are-hidden"),),
    "block-storage": (_Read("/volumes/detail", "volumes-are-hidden"), _Read("/limits", "volume-quotas-are-hidden")),
}


def policies(evidence: Evidence) -> CheckResult:
    """Ask for every list that verbs read, as the caller."""
    cloud = evidence.cloud
    refused: list[tuple[str, _Read, NotAllowedError]] = []
    for service, lists in READ.items():
        if evidence.services[service].problem is not None:
            continue
        for each in lists:
            try:
                with contextlib.suppress(*_OTHER):
                    cloud.get(service, each.path, params={"limit": 1})
            except NotAllowedError as error:
                refused.append((f"GET {each.path} ({service})", each, error))
    if not refused:
        return CheckResult("ok", say("no-list-refused"))
    fails = any(each.needed for _, each, _ in refused)
    message = sentences(
        say("lists-refused", requests=[request for request, _, _ in refused]),
        *dict.fromkeys(say(each.consequence) for _, each, _ in refused),
    )
    explanation = next((words_of_service(error) for _, each, error in refused if each.needed == fails), "")
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
