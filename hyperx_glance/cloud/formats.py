"""The formats of images that a deployment's Glance takes: its options disk_formats and container_formats.

>>> from hyperx_glance.cloud.formats import formats
>>> formats(cloud).container
('ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed')

Glance's schema of images names them, and changes only when an operator does.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from hyperx_glance.cloud.answers import Shape
from hyperx_glance.cloud.cloud import Cloud
from hyperx_glance.errors import InvalidRequestError, NotAllowedError, NotFoundError
from hyperx_glance.texts import field_name, say

CONTAINER_FORMAT = "bare"
"""The container format of every image that this library makes."""


class _Words(Shape):
    enum: tuple[str | None, ...] = ()


class _Properties(Shape):
    disk_format: _Words = _Words()
    container_format: _Words = _Words()


class _Schema(Shape):
    properties: _Properties = Field(default_factory=_Properties)


class Formats(NamedTuple):
    """The formats that Glance takes; none if its schema does not say, so that everything may be tried."""

    disk: tuple[str, ...] = ()
    container: tuple[str, ...] = ()

    def takes(self, disk_format: str) -> bool:
        """Check whether Glance may take images of a format."""
        return disk_format in self.disk or not self.disk

    @property
    def takes_bare(self) -> bool:
        """Whether Glance may take images that are in no container."""
        return CONTAINER_FORMAT in self.container or not self.container


def formats(cloud: Cloud) -> Formats:
    """Read Glance's schema of images: one request."""
    try:
        properties = cloud.get_parsed(_Schema, "image", "/schemas/image").properties
    except (NotAllowedError, NotFoundError):
        return Formats()
    return Formats(
        tuple(filter(None, properties.disk_format.enum)), tuple(filter(None, properties.container_format.enum))
    )


def check_formats(taken: Formats, *disk_formats: str) -> None:
    """Raise `InvalidRequestError` if Glance takes no image of any of these formats, or none without a container."""
    if not taken.takes_bare:
        raise InvalidRequestError(
            say("container-not-taken", format=CONTAINER_FORMAT, taken=list(taken.container)),
            hint=say("allow-the-container", format=CONTAINER_FORMAT),
        )
    if disk_formats and not any(map(taken.takes, disk_formats)):
        problem = say("format-not-taken", formats=list(disk_formats), taken=list(taken.disk))
        raise InvalidRequestError(
            say("wrong-field", field=field_name("disk_format"), problem=problem), hint=say("provide-a-taken-format")
        )
