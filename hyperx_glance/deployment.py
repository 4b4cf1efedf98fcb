"""What an operator sets up for HYPERX, and a check that says whether it is."""

from hyperx_glance.cloud import Cloud
from hyperx_glance.models import Finding
from hyperx_glance.settings import Settings


def doctor(cloud: Cloud, settings: Settings, *, probe: bool) -> list[Finding]:
    raise NotImplementedError
