"""Properties that Glance takes from a caller and does not show to the same caller.

>>> from hyperx_glance.cloud.hidden import lacking
>>> from hyperx_glance.models.image import Image
>>> lacking({"hyperx_url": "http://a/b", "name": "debian"}, Image(id="7c1", name="debian"))
('hyperx_url',)

Property protections may let everybody write a property that only administrators may read
(glance/api/property_protections.py). Then no verb could find again what it has written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.errors import NotAllowedError
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import glance_keys
from hyperx_glance.texts import say
from hyperx_glance.vocabulary import OWN_PREFIX, glance_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hyperx_glance.cloud.cloud import Cloud

MESSAGE = "own-properties-hidden"
HINT = "check-the-protections"
"""The codes of the message and of the hint."""
_CREATOR = glance_key("created_by")


class _Images(Shape):
    images: tuple[Image, ...]


def lacking(written: Iterable[str], shown: Image) -> tuple[str, ...]:
    """Return HYPERX's properties that were written and are not shown."""
    keys = glance_keys(shown)
    return tuple(sorted(key for key in written if key.startswith(OWN_PREFIX) and key not in keys))


def on_own_images(cloud: Cloud) -> tuple[str, ...] | None:
    """Look at an image that the caller registered, by one request; None if there is none.

    Glance compares properties before it hides them, so the filter finds the image in any case.
    """
    params = {_CREATOR: cloud.user_id, "owner": cloud.project_id, "limit": 1}
    found = cloud.get_parsed(_Images, "image", "/images", params=params).images
    return lacking([_CREATOR], found[0]) if found else None


def refusal(keys: Iterable[str]) -> NotAllowedError:
    """Return the error of a verb that would not find again what it writes."""
    return NotAllowedError(say(MESSAGE, keys=list(keys)), hint=say(HINT), service="image")
