"""Captures on real services: kills, and what Nova and Cinder create by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local import captures

if TYPE_CHECKING:
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory

pytestmark = [pytest.mark.local, pytest.mark.usefixtures("room")]


@pytest.mark.parametrize(("backing", "step"), [("disk", "after createImage"), ("volume", "after the copy")])
@pytest.mark.parametrize("ending", captures.ENDINGS)
def test_another_process_ends_the_capture_of_a_killed_caller(
    local_cloud: LocalCloud, client: ClientFactory, backing: str, step: str, ending: str
) -> None:
    server = captures.captured_server(local_cloud, client, backing)
    outcome = captures.survive_a_killed_caller(server, step, ending)
    assert outcome in ("finished", "cancelled")


@pytest.mark.parametrize(
    ("backing", "service", "step"),
    [
        ("disk", "nova", "after createImage"),
        ("volume", "cinder", "after the image metadata"),
        ("volume", "glance", "while uploading"),
    ],
)
def test_a_service_that_dies_loses_nothing(
    local_cloud: LocalCloud, client: ClientFactory, backing: str, service: str, step: str
) -> None:
    server = captures.captured_server(local_cloud, client, backing)
    captures.survive_a_killed_service(server, service, step, "finish")
