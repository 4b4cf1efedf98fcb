"""Names and values that a test gives to a cloud in memory: what the cloud does not have is refused at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hyperx_glance import CaptureFailedError, InvalidRequestError, LaunchRequest, NewCapture, NewImage
from hyperx_glance.testing import InMemoryCloud

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED: dict[str, tuple[Callable[[InMemoryCloud], object], str]] = {
    "status": (lambda cloud: cloud.glance.add_image(status="activ"), "Did you mean 'active'?"),
    "visibility": (lambda cloud: cloud.glance.add_image(visibility="publik"), "Did you mean 'public'?"),
    "owner": (lambda cloud: cloud.glance.add_image(owner="dept-typo"), "There is no department 'dept-typo'."),
    "image to share": (lambda cloud: cloud.glance.share("none", "dept-b"), "There is no image 'none'."),
    "department to share with": (
        lambda cloud: cloud.glance.share(cloud.glance.add_image(), "dept-typo"),
        "There is no department 'dept-typo'.",
    ),
    "member's status": (
        lambda cloud: cloud.glance.share(cloud.glance.add_image(), "dept-b", status="acepted"),
        "Did you mean 'accepted'?",
    ),
    "Nova's department": (lambda cloud: cloud.nova.set_quota("dept-typo", instances=1), "Did you mean 'dept-"),
    "Nova's limit": (lambda cloud: cloud.nova.set_quota("dept-a", instnces=1), "Did you mean 'instances'?"),
    "Nova's number": (
        lambda cloud: cloud.nova.set_quota("dept-a", instances="1"),  # type: ignore[arg-type]  # what it is about
        "must be a whole number",
    ),
    "Cinder's department": (lambda cloud: cloud.cinder.set_quota("dept-typo", volumes=1), "Did you mean 'dept-"),
    "Cinder's limit": (lambda cloud: cloud.cinder.set_quota("dept-a", volume=1), "Did you mean 'volumes'?"),
    "unified limit": (
        lambda cloud: cloud.keystone.set_limit(cloud.glance, "image_count_totl", "dept-a", 1),
        "Did you mean 'image_count_total'?",
    ),
    "department of a limit": (
        lambda cloud: cloud.keystone.set_limit(cloud.glance, "image_count_total", "dept-typo", 1),
        "There is no department 'dept-typo'.",
    ),
    "user's department": (
        lambda cloud: cloud.keystone.add_user("eve", "dept-typo", role="member"),
        "There is no department 'dept-typo'.",
    ),
    "role": (lambda cloud: cloud.keystone.add_user("eve", "dept-a", role="membr"), "Did you mean 'member'?"),
    "user of a session": (lambda cloud: cloud.session("alcie"), "Did you mean 'alice'?"),
    "user of a client": (lambda cloud: cloud.client("alcie"), "Did you mean 'alice'?"),
    "user of keywords": (lambda cloud: cloud.auth("alcie"), "Did you mean 'alice'?"),
    "server": (lambda cloud: cloud.nova.server("web"), "There is no server 'web'. Hint: Known: none."),
    "service to kill": (lambda cloud: cloud.kill("glnce"), "Did you mean 'glance'?"),  # type: ignore[arg-type]  # as above
    "service to restart": (lambda cloud: cloud.restart("glnce"), "Did you mean 'glance'?"),  # type: ignore[arg-type]  # as above
    "profile": (lambda _: InMemoryCloud(profile="devstak"), "Did you mean 'devstack'?"),  # type: ignore[arg-type]  # as above
    "release": (lambda _: InMemoryCloud(release="flamingo"), "must be a name such as"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_name_that_the_cloud_does_not_have_is_refused(cloud: InMemoryCloud, what: str) -> None:
    act, text = REFUSED[what]

    with pytest.raises(InvalidRequestError, match=re.escape(text)):
        act(cloud)


def test_departments_and_owners_may_be_ids(cloud: InMemoryCloud) -> None:
    dept_a, gone = cloud.departments["dept-a"], "5" * 32

    cloud.nova.set_quota(dept_a, instances=1)
    cloud.cinder.set_quota(dept_a, volumes=-1)
    cloud.keystone.set_limit(cloud.glance, "image_count_total", dept_a, 1)
    owners = [cloud.glance.images[cloud.glance.add_image(owner=owner)].owner for owner in (dept_a, gone, None)]

    assert owners == [dept_a, gone, None]


def test_setting_that_a_service_does_not_have_is_refused(cloud: InMemoryCloud) -> None:
    cloud.glance.import_polls = 3

    with pytest.raises(AttributeError, match=r"glance has no setting 'import_pols'\. Did you mean 'import_polls'\?"):
        cloud.glance.import_pols = 3  # type: ignore[attr-defined]  # what it is about
    with pytest.raises(AttributeError, match=r"nova has no setting 'xyz'\. Known: aggregates, "):
        cloud.nova.xyz = 3  # type: ignore[attr-defined]  # what it is about


def test_word_that_is_no_failure_of_a_snapshot_is_told_at_the_end() -> None:
    memory = InMemoryCloud()
    memory.glance.downloads["http://files.example/disk.raw"] = bytes(4096)
    client = memory.client("alice")
    image = client.register(NewImage(name="disk", url="http://files.example/disk.raw", disk_format="raw"))
    launch = client.launch(image, LaunchRequest(name="web", flavor="m1.tiny"))
    memory.nova.snapshot_faults.append("lsot")

    with pytest.raises(CaptureFailedError):
        client.capture(launch.servers[0].id, NewCapture(name="web"))

    with pytest.raises(AssertionError, match="There is no failure for snapshot_faults 'lsot'"):
        memory.check()
