"""What only real services show of places in quotas: what is lost if a deletion meets a writer, and the way back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import PlaceLostError
from tests.local import captures, places
from tests.support import glance_rows, launches
from tests.support.clouds import unique
from tests.support.interference import Interference

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.testing import LocalCloud
    from tests.support.clouds import ClientFactory
    from tests.support.file_server import FileServer

pytestmark = pytest.mark.usefixtures("room")
ROUNDS = 10


@pytest.mark.parametrize("backing", captures.BACKINGS)
def test_cancelled_captures_give_their_places_back(
    local_cloud: LocalCloud, client: ClientFactory, backing: str
) -> None:
    with places.busy_machine():
        places.cancel_captures(local_cloud, client, backing, rounds=ROUNDS if backing == "disk" else 2)


def test_cancelled_registrations_give_their_places_back(
    local_cloud: LocalCloud, client: ClientFactory, file_server: FileServer
) -> None:
    with places.busy_machine():
        places.cancel_registrations(local_cloud, client, file_server, rounds=ROUNDS)


def lose_a_place(cloud: LocalCloud, alice: Client) -> str:
    """Let an upload fail between the two changes of the deletion that ends its registration; return the image's id."""
    body = {"name": unique("lost"), "disk_format": "raw", "container_format": "bare"}
    image_id: str = cloud.session("alice").post("/v2/images", json=body, endpoint_filter=launches.IMAGES).json()["id"]
    glance_rows.set_status(cloud, image_id, "saving")
    between = Interference(alice)
    between.after("DELETE", "^/images/", lambda: glance_rows.set_status(cloud, image_id, "queued"))
    with pytest.raises(PlaceLostError, match="may still take a place in the quota of department dept-a") as caught:
        alice.cancel_registration(image_id)
    assert caught.value.image_id == image_id
    return image_id


@pytest.mark.parametrize("way", ["by SQL", "by glance-manage"])
def test_a_lost_place_is_told_and_an_operator_gives_it_back(
    local_cloud: LocalCloud, client: ClientFactory, pytestconfig: pytest.Config, way: str
) -> None:
    """The commands stand in the guide, Departments and quotas."""
    alice = client("alice")
    before, lost_before = alice.quota().images, glance_rows.lost(local_cloud)
    image_id = lose_a_place(local_cloud, alice)
    after = alice.quota().images
    assert before is not None
    assert after is not None
    assert after.used == before.used + 1
    assert glance_rows.lost(local_cloud) == lost_before | {image_id}
    (finding,) = [each for each in alice.doctor() if each.check == "lost-places"]
    assert finding.level == "warning"

    if way == "by SQL":
        glance_rows.give_back(local_cloud)
    else:
        for command in ("purge", "purge_images_table"):
            python = pytestconfig.getoption("--hyperx-python") or sys.executable
            glance_manage(python, local_cloud, "db", command, "--age_in_days", "0", "--max_rows", "-1")
    assert glance_rows.lost(local_cloud) == set()
    counted = alice.quota().images
    assert counted is not None
    assert counted.used == before.used - len(lost_before)
    (finding,) = [each for each in alice.doctor() if each.check == "lost-places"]
    assert finding.level == "ok"


def glance_manage(python: str, cloud: LocalCloud, *words: str) -> None:
    """Run an operator's command."""
    configuration = cloud.directory / "glance" / "glance-api.conf"
    command = [python, "-P", "-m", "glance.cmd.manage", "--config-file", str(configuration), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
