"""What Glance's policies have refused to this connection on images of its own department.

>>> from hyperx_glance.cloud.refusals import refused
>>> refused(cloud, "reactivate")
False

No API shows a policy, so only a refusal does. The defaults of Glance allow members everything on their own images.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from hyperx_glance.errors import HyperxGlanceError, NotAllowedError
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import OWN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.cloud.cloud import Cloud

_REFUSED = re.compile(r"not authorized to complete (\w+) action")  # glance/api/policy.py, enforce
_RESERVED = re.compile(rf"Attribute '{OWN_PREFIX}\w+' is reserved")  # glance/domain/proxy.py, by property protections


def policy(explanation: str) -> str | None:
    """Return the policy of Glance that a refusal names."""
    found = _REFUSED.search(explanation)
    return found[1] if found else None


def refused(cloud: Cloud, policy: str) -> bool:
    """Check whether a policy has refused its action to this connection on an image of its own department."""
    return policy in cloud.refused_policies


@contextlib.contextmanager
def remembered(cloud: Cloud, image_id: str) -> Iterator[None]:
    """Remember a refusal that is not due to the owner of the image, and name its policy in the hint."""
    try:
        yield
    except NotAllowedError as error:
        found = policy(error.explanation)
        if found and "member" in cloud.access.role_names and _is_own(cloud, image_id):
            cloud.refused_policies.add(found)
            error.hint = say("ask-for-the-policy", policy=found)
        raise


@contextlib.contextmanager
def explained_creation(cloud: Cloud) -> Iterator[None]:
    """Say in the hint what an operator can change, if a member may not create an image of the own department."""
    try:
        yield
    except NotAllowedError as error:
        found = policy(error.explanation)
        if found and "member" in cloud.access.role_names:
            error.hint = say("ask-for-the-policy", policy=found)
        elif _RESERVED.search(error.explanation):
            error.hint = say("own-properties-are-reserved")
        raise


def _is_own(cloud: Cloud, image_id: str) -> bool:
    try:
        return cloud.image(image_id).owner == cloud.project_id
    except HyperxGlanceError:
        return False
