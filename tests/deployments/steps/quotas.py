"""Quotas: what is shown is what the services count, and what is set holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keystoneauth1.exceptions import ConnectFailure

from hyperx_glance import NewImage
from tests import samples
from tests.deployments.story import step
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance import DepartmentQuota
    from tests.deployments.story import Story


def compare(story: Story, quota: DepartmentQuota) -> None:
    """Compare the usage with what Glance, Nova and Cinder list, as far as this cloud counts it."""
    project_id = story.oracle.project_id("dept-a")
    for name, look in (
        ("images", story.oracle.images),
        ("instances", story.oracle.servers),
        ("volumes", story.oracle.volumes),
    ):
        usage = getattr(quota, name)
        try:
            found = len(look(project_id))
        except ConnectFailure:  # the service is down
            assert usage is None, f"usage of {name} without its service"
            continue
        if name == "images" and not story.oracle.ask("glance", "/v2/info/usage")["usage"]:
            assert usage is None, "usage of images, which Glance does not count"
            continue
        assert usage is not None, f"no usage of {name}{', which it explains' if quota.notes else ''}"
        assert usage.used == found, f"the usage of {name} is not what is there"


@step
def an_administrator_gives_a_department_room_for_captures(story: Story) -> None:
    quota = story.administrator.set_quota("dept-a", image_size_mib=10_000)

    assert quota.image_size_mib is not None
    assert quota.image_size_mib.limit == 10_000


@step
def a_member_reads_the_quota(story: Story) -> None:
    compare(story, story.member.quota())


@step
def an_administrator_reads_the_quota_of_a_department(story: Story) -> None:
    compare(story, story.administrator.quota("dept-a"))


@step
def a_member_sets_a_quota(story: Story) -> None:
    story.member.set_quota("dept-a", images=100)


@step
def a_member_registers_beyond_the_limit_of_images(story: Story) -> None:
    """The administrator sets the limit to what is used."""
    url = story.file_server.serve("/disk.qcow2", samples.data("disk.qcow2"))
    used = len(story.oracle.images(story.oracle.project_id("dept-a")))
    story.administrator.set_quota("dept-a", images=used)
    try:
        story.things["too many"] = story.member.register(NewImage(name=unique("too-many"), url=url))
    finally:
        story.administrator.set_quota("dept-a", images=None)


@step
def an_administrator_limits_servers(story: Story) -> None:
    before = story.administrator.quota("dept-b").instances
    assert before is not None, "no quota of instances"
    changed = story.administrator.set_quota("dept-b", instances=7).instances
    try:
        assert changed is not None
        project_id = story.oracle.project_id("dept-b")
        limits = story.oracle.ask("nova", f"/v2.1/limits?tenant_id={project_id}")["limits"]["absolute"]
        assert changed.limit == limits["maxTotalInstances"] == 7
    finally:
        story.administrator.set_quota("dept-b", instances=-1 if before.limit is None else before.limit)


@step
def an_administrator_limits_volumes(story: Story) -> None:
    changed = story.administrator.set_quota("dept-b", volumes=7).volumes
    try:
        assert changed is not None
        quota = story.oracle.ask("cinder", f"/v3/os-quota-sets/{story.oracle.project_id('dept-b')}")["quota_set"]
        assert changed.limit == quota["volumes"] == 7
    finally:
        story.administrator.set_quota("dept-b", volumes=None)
