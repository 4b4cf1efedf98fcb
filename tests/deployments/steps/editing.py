"""Editing, publishing, featuring and disabling, by everybody who may and by some who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyperx_glance import Action
from tests.deployments.story import step

if TYPE_CHECKING:
    from tests.deployments.story import Story


def record(story: Story, name: str) -> dict[str, Any]:
    found = story.oracle.image(story.things[name].id)
    assert found is not None, "Glance does not have the image"
    return found


@step
def a_member_edits_an_image(story: Story) -> None:
    image = story.member.update(story.things["disk"], description="Debian 12", os_name="Debian", tags=["web", "new"])

    found = record(story, "disk")
    assert (found["description"], found["hyperx_os_name"]) == ("Debian 12", "Debian")
    assert sorted(found["tags"]) == ["new", "web"] == sorted(image.tags)


@step
def a_reader_edits_an_image(story: Story) -> None:
    story.reader.update(story.things["disk"], description="by a reader")


@step
def a_member_publishes_an_image(story: Story) -> None:
    story.member.update(story.things["disk"], category="public")
    story.things["published"] = story.things["disk"]

    assert record(story, "disk")["visibility"] in {"community", "public"}


@step
def another_department_sees_the_published_image(story: Story) -> None:
    image = story.other.image(story.things["published"].id)

    assert image.id in [each.id for each in story.other.images(view="public")]
    assert story.other.why_not(image, Action.DELETE)


@step
def a_stranger_reads_the_published_image(story: Story) -> None:
    story.stranger.image(story.things["published"].id)


@step
def another_department_edits_the_published_image(story: Story) -> None:
    story.other.update(story.things["published"], description="by another department")


@step
def a_steward_edits_the_published_image(story: Story) -> None:
    story.steward.update(story.things["published"], description="by the steward")

    found = record(story, "published")
    assert found["description"] == "by the steward"
    assert found["hyperx_edited_by"] == story.steward.user_id


@step
def a_member_features_an_image(story: Story) -> None:
    story.member.update(story.things["published"], category="featured")


@step
def an_administrator_features_an_image(story: Story) -> None:
    story.administrator.update(story.things["published"], category="featured")

    assert record(story, "published")["hyperx_featured"] == "true"
    assert story.things["published"].id in [each.id for each in story.other.images(view="featured")]


@step
def a_member_protects_an_image(story: Story) -> None:
    story.member.update(story.things["raw"], protected=True)

    assert record(story, "raw")["protected"], "the image is not protected"


@step
def a_member_deletes_a_protected_image(story: Story) -> None:
    assert record(story, "raw")["protected"], "the image is not protected"
    story.member.delete(story.things["raw"].id)


@step
def a_member_takes_the_protection_off(story: Story) -> None:
    story.member.update(story.things["raw"], protected=False)

    assert record(story, "raw")["protected"] is False


@step
def a_member_disables_an_image(story: Story) -> None:
    image = story.member.disable(story.things["file"])
    story.things["disabled"] = story.things["file"]

    assert (image.state, record(story, "file")["status"]) == ("INACTIVE", "deactivated")


@step
def a_member_enables_the_image(story: Story) -> None:
    image = story.member.enable(story.things["disabled"])

    assert (image.state, record(story, "disabled")["status"]) == ("ACTIVE", "active")


@step
def an_administrator_disables_and_enables_an_image(story: Story) -> None:
    assert story.administrator.disable(story.things["packed"]).state == "INACTIVE"
    assert story.administrator.enable(story.things["packed"]).state == "ACTIVE"

    assert record(story, "packed")["status"] == "active"
