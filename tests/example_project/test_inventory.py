"""The tests of a program in another process: each has a cloud of its own, behind HTTP."""

import subprocess
import sys
from pathlib import Path

import pytest

from hyperx_glance.testing import InMemoryCloud

PROGRAM = [sys.executable, str(Path(__file__).with_name("inventory.py"))]


@pytest.fixture(scope="session")
def many_images():
    """Return the state of a cloud with many images, which is made once and loaded in milliseconds."""
    cloud = InMemoryCloud()
    for number in range(100):
        cloud.glance.add_image(owner="dept-a", name=f"image-{number}", status="active")
    return cloud.state()


def test_the_inventory_has_all_images(hyperx_served_cloud, many_images):
    hyperx_served_cloud.cloud.restore(many_images)

    done = subprocess.run(PROGRAM, env=hyperx_served_cloud.environment, capture_output=True, text=True, check=True)

    assert len(done.stdout.splitlines()) == 100


def test_the_inventory_of_another_user_is_empty(hyperx_served_cloud, many_images):
    hyperx_served_cloud.cloud.restore(many_images)

    done = subprocess.run(
        PROGRAM, env={**hyperx_served_cloud.environment, "OS_CLOUD": "bob"}, capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
