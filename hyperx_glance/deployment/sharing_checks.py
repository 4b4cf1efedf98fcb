"""The doctor's check of who accepts images that departments share with each other.

>>> {finding.check: finding.level for finding in client.doctor()}["share-acceptance"]
'ok'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.deployment.facts import CheckResult
from hyperx_glance.errors import AuthenticationError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from hyperx_glance.deployment.facts import Evidence


def share_acceptance(evidence: Evidence) -> CheckResult:
    """Check whether the steward can accept for other departments, if that is its task."""
    if evidence.settings.share_acceptance == "member":
        return CheckResult("ok", say("members-accept"))
    if evidence.steward is None:
        return CheckResult("error", say("acceptance-needs-a-steward"), say("connect-with-an-accepting-steward"))
    try:
        is_administrator = evidence.steward.is_administrator
    except AuthenticationError as error:
        return CheckResult("error", say("steward-is-refused", problem=error.message), say("renew-the-steward"))
    if not is_administrator:
        return CheckResult("error", say("steward-cannot-accept-at-all"), say("steward-needs-admin"))
    return CheckResult("ok", say("steward-accepts"))
