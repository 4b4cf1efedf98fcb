"""The first steps: what a deployment shows before anything is made in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deployments.story import step

if TYPE_CHECKING:
    from tests.deployments.story import Story


def examine(story: Story, person: str) -> None:
    """Ask the doctor, who names the record that it could not remove."""
    findings = story.findings[person] = story.client(person).doctor(probe=True)
    left = story.unknown()
    story.accept()
    for thing in left:
        assert thing in " ".join(str(finding.message) for finding in findings), "the doctor leaves an unnamed record"


@step
def a_member_asks_the_doctor(story: Story) -> None:
    examine(story, "member")


@step
def an_administrator_asks_the_doctor(story: Story) -> None:
    examine(story, "administrator")


@step
def an_administrator_installs_the_metadefs(story: Story) -> None:
    story.administrator.install_metadefs()

    space = story.oracle.ask("glance", "/v2/metadefs/namespaces/OS::HyperX::Image")
    assert "hyperx_featured" in space["properties"]


@step
def a_member_sees_the_own_department(story: Story) -> None:
    seen = [each.name for each in story.member.departments()]
    assert seen == ["dept-a"], f"the departments are {', '.join(seen)}"


@step
def an_administrator_sees_all_departments(story: Story) -> None:
    seen = {each.name for each in story.administrator.departments()}

    assert {"admin", "dept-a", "dept-b", "dept-z", "service"} <= seen, "departments are missing"


@step
def a_member_sees_the_flavors(story: Story) -> None:
    for name in ("m1.tiny", "m1.small"):
        assert name in [each.name for each in story.member.flavors()], name


@step
def a_member_sees_the_networks(story: Story) -> None:
    assert "net1" in [each.name for each in story.member.networks()], "net1 is not offered"


@step
def a_member_sees_the_zones(story: Story) -> None:
    assert "nova" in [zone.name for zone in story.member.availability_zones() if zone.available], "nova is not offered"


@step
def a_member_sees_the_key_pairs(story: Story) -> None:
    """Three of them, which is more than a page where pages are small."""
    seen = [each.name for each in story.member.key_pairs()]

    assert seen == ["one", "three", "two"]


@step
def a_stranger_lists_images(story: Story) -> None:
    assert list(story.stranger.images()) == []
