"""Find images: lists, one image, counts, tags."""

from collections.abc import Iterator

from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.models import Image, ImageQuery
from hyperx_glance.settings import Settings


def images(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> Iterator[Image]:
    raise NotImplementedError


def image(cloud: Cloud, departments: Departments, settings: Settings, name_or_id: str) -> Image:
    raise NotImplementedError


def count(cloud: Cloud, departments: Departments, settings: Settings, query: ImageQuery) -> int:
    raise NotImplementedError


def tags(cloud: Cloud, departments: Departments, settings: Settings) -> dict[str, int]:
    raise NotImplementedError


def owner_name(cloud: Cloud, departments: Departments, image: Image | str) -> str:
    raise NotImplementedError
