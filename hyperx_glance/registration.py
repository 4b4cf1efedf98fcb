"""Register images and ISOs from URLs."""

from collections.abc import Callable, Iterator

from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.models import Image, NewImage, NewIso, Progress, UrlReport
from hyperx_glance.settings import Settings


class Registration:
    """Follow one registration."""


def register(
    cloud: Cloud,
    departments: Departments,
    settings: Settings,
    new: NewImage | NewIso,
    *,
    on_progress: Callable[[Progress], object] | None,
    timeout: float | None,
    keep_failed: bool,
) -> Image:
    raise NotImplementedError


def start_registration(
    cloud: Cloud, departments: Departments, settings: Settings, new: NewImage | NewIso, *, keep_failed: bool
) -> Registration:
    raise NotImplementedError


def resume_registration(
    cloud: Cloud,
    departments: Departments,
    settings: Settings,
    image: Image | str,
    *,
    url: str | None,
    keep_failed: bool,
) -> Registration:
    raise NotImplementedError


def unfinished_registrations(cloud: Cloud, settings: Settings, *, older_than_seconds: float) -> Iterator[Image]:
    raise NotImplementedError


def check_url(settings: Settings, url: str, *, disk_format: str | None) -> UrlReport:
    raise NotImplementedError
