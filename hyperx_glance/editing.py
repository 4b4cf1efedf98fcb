"""Change images by the smallest patch, disable and enable them."""

from hyperx_glance.cloud import Cloud
from hyperx_glance.models import Image, ImageChanges, ImageFields
from hyperx_glance.settings import Settings


def changes(given: ImageChanges | None, fields: ImageFields) -> ImageChanges:
    raise NotImplementedError


def update(cloud: Cloud, steward: Cloud | None, settings: Settings, image: Image | str, changes: ImageChanges) -> Image:
    raise NotImplementedError


def disable(cloud: Cloud, image: Image | str) -> Image:
    raise NotImplementedError


def enable(cloud: Cloud, image: Image | str) -> Image:
    raise NotImplementedError
