"""Deleting: images are gone, and so is what they counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deployments.steps.quotas import compare
from tests.deployments.story import step

if TYPE_CHECKING:
    from tests.deployments.story import Story


@step
def another_department_deletes_the_published_image(story: Story) -> None:
    story.other.delete(story.things["published"])


@step
def a_reader_deletes_an_image(story: Story) -> None:
    story.reader.delete(story.things["raw"])


@step
def a_member_deletes_an_image_and_asks_for_its_servers(story: Story) -> None:
    deletion = story.member.delete(story.things["raw"], report_servers=True)

    assert story.oracle.image(story.things["raw"].id) is None
    assert not deletion.servers
    assert (deletion.servers is None) == ("compute" in deletion.not_looked_at), "it does not say what was not asked"


@step
def a_member_deletes_the_captures(story: Story) -> None:
    story.member.delete(story.things["captured"])

    assert story.oracle.image(story.things["captured"].id) is None


@step
def an_administrator_deletes_the_image_of_a_department(story: Story) -> None:
    story.administrator.delete(story.things["given"])

    assert story.oracle.image(story.things["given"].id) is None


@step
def a_member_deletes_every_image_that_is_left(story: Story) -> None:
    for image in list(story.member.images(view="private")):
        story.member.delete(image)
    for name in ("disk", "iso", "file"):
        if name in story.things:
            story.member.delete(story.things[name].id, missing_ok=True)

    assert story.oracle.images(story.oracle.project_id("dept-a")) == [], "there are images left"


@step
def a_member_sees_that_nothing_is_used_any_more(story: Story) -> None:
    compare(story, story.member.quota())


@step
def an_administrator_takes_the_room_back(story: Story) -> None:
    story.administrator.set_quota("dept-a", image_size_mib=None)
