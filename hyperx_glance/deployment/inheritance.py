"""The check of what Nova copies from images onto snapshots; no API shows Nova's option, but snapshots do.

>>> from hyperx_glance.deployment.inheritance import copied
>>> from hyperx_glance.models.image import Image
>>> copied(Image(id="7c1", hyperx_url="http://files.example/debian.qcow2", description="Debian"))
['hyperx_url']
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hyperx_glance import vocabulary
from hyperx_glance.cloud import pages
from hyperx_glance.deployment.facts import CheckResult
from hyperx_glance.deployment.protections import NOT_INHERITED
from hyperx_glance.errors import NotAllowedError, NotFoundError
from hyperx_glance.models.image import Image
from hyperx_glance.models.record import glance_keys, is_being_captured
from hyperx_glance.texts import say, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hyperx_glance.cloud.cloud import Cloud
    from hyperx_glance.deployment.facts import Evidence

LOOKED_AT = 100
"""The number of snapshots that are checked, the newest first."""
SOURCES_LOOKED_AT = 5
"""The number of images that are read from which these snapshots' servers were launched."""


def inherited_properties(evidence: Evidence) -> CheckResult:
    """Judge Nova's option by the newest conclusive snapshot."""
    cloud, seen, sources = evidence.cloud, 0, dict[str, bool]()
    for snapshot in islice(_snapshots(cloud), LOOKED_AT):
        seen += 1
        if keys := copied(snapshot):
            return CheckResult(
                "warning",
                say("properties-were-copied", keys=keys, snapshot=snapshot.id),
                sentences(say("set-inheritance"), say("clean-the-snapshots")),
            )
        source_id = snapshot.glance_property("base_image_ref")
        if source_id and source_id not in sources and len(sources) < SOURCES_LOOKED_AT:
            sources[source_id] = _is_conclusive(cloud, source_id)
            if sources[source_id]:
                return CheckResult("ok", say("no-properties-copied", snapshot=snapshot.id))
    return CheckResult("ok", say("snapshots-say-nothing" if seen else "no-snapshots"))


def copied(image: Image) -> list[str]:
    """Return the keys of an image's properties that are true of one record only."""
    present = glance_keys(image)
    return [key for key in NOT_INHERITED if key in present]


def _snapshots(cloud: Cloud) -> Iterator[Image]:
    """Iterate over Nova's unpublished snapshots of the department's servers, the newest first."""
    parameters = [
        (vocabulary.SNAPSHOT_KEY, vocabulary.SNAPSHOT_VALUE),
        ("owner", cloud.project_id),
        ("visibility", "private"),
        ("sort", "created_at:desc,id:desc"),
    ]
    for image in pages.read(cloud, parameters, size=lambda _: LOOKED_AT):
        if image.glance_property(vocabulary.SERVER_NOTE_KEY) and not is_being_captured(image):
            yield image


def _is_conclusive(cloud: Cloud, image_id: str) -> bool:
    """Check whether an image says who registered it, which Nova must not have copied when the server was created."""
    try:
        return bool(cloud.image(image_id).created_by)
    except (NotAllowedError, NotFoundError):
        return False
