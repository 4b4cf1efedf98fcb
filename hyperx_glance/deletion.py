"""Delete images, and find the servers that use them."""

from hyperx_glance.cloud import Cloud
from hyperx_glance.models import Deletion, Image, ServerRef
from hyperx_glance.settings import Settings


def delete(cloud: Cloud, settings: Settings, image: Image | str, *, missing_ok: bool, report_servers: bool) -> Deletion:
    raise NotImplementedError


def servers_using(cloud: Cloud, settings: Settings, image: Image | str) -> list[ServerRef]:
    raise NotImplementedError
