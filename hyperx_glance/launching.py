"""Launch servers from images and ISOs."""

from collections.abc import Callable

from pydantic import SecretStr

from hyperx_glance.cloud import Cloud
from hyperx_glance.departments import Departments
from hyperx_glance.models import Image, LaunchProgress, LaunchRequest
from hyperx_glance.settings import Settings


class Launch:
    """Follow one launch."""


def launch(
    cloud: Cloud,
    departments: Departments,
    settings: Settings,
    image: Image | str,
    request: LaunchRequest,
    *,
    wait: bool,
    on_progress: Callable[[LaunchProgress], object] | None,
    timeout: float | None,
) -> Launch:
    raise NotImplementedError


def find_launch(cloud: Cloud, settings: Settings, launch_id: str) -> Launch:
    raise NotImplementedError


def reset_password(cloud: Cloud, server_id: str, password: str | SecretStr | None) -> SecretStr:
    raise NotImplementedError
