"""Browsing: every list is compared with Glance's own, read page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import samples
from tests.deployments.story import step

if TYPE_CHECKING:
    from hyperx_glance import Client
    from tests.deployments.story import Story


def owned(story: Story) -> list[str]:
    """List the department's images that are not hidden."""
    records = story.oracle.images(story.oracle.project_id("dept-a"))
    return sorted(each["id"] for each in records if not each["os_hidden"])


def listed(client: Client) -> list[str]:
    return sorted(image.id for image in client.images(view="private"))


@step
def a_member_lists_the_private_images(story: Story) -> None:
    assert listed(story.member) == owned(story)


@step
def a_reader_lists_the_private_images(story: Story) -> None:
    assert listed(story.reader) == owned(story)


@step
def a_member_turns_pages_of_two(story: Story) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = story.member.page(view="private", size=2, cursor=cursor)
        seen += [image.id for image in page.images]
        cursor = page.next
        if cursor is None:
            break

    assert sorted(seen) == owned(story)


@step
def an_administrator_lists_everything(story: Story) -> None:
    seen = sorted(image.id for image in story.administrator.images(view="everything", hidden=None))

    assert seen == sorted(each["id"] for each in story.oracle.images())


@step
def a_member_reads_the_summary(story: Story) -> None:
    everything = owned(story)
    summary = story.member.summary(view="private")

    assert summary.total == story.member.count(view="private") == len(everything)


@step
def a_member_finds_images_by_tag_and_words(story: Story) -> None:
    image = story.things["disk"]

    tagged = [each["id"] for each in story.oracle.images() if "web" in each["tags"]]
    assert [found.id for found in story.member.images(tags=["web"])] == tagged
    assert [found.id for found in story.member.images(search=image.name)] == [image.id]
    assert story.member.tags().get("web", 0) == len(tagged)


@step
def a_member_downloads_an_image(story: Story) -> None:
    path = story.folder / "downloaded"
    story.member.download(story.things["disk"], path)

    assert path.read_bytes() == story.oracle.data(story.things["disk"].id)


@step
def a_reader_downloads_an_image(story: Story) -> None:
    path = story.folder / "read.raw"
    story.reader.download(story.things["raw"], path)

    assert path.read_bytes() == samples.data("disk.raw")
