"""Registering, in each way that data takes."""

from __future__ import annotations

import hashlib
import lzma
from typing import TYPE_CHECKING

from hyperx_glance import NewImage, NewIso, NotFoundError, Phase
from tests import samples
from tests.deployments.story import step
from tests.support.clouds import unique

if TYPE_CHECKING:
    from hyperx_glance import Image
    from tests.deployments.story import Story


def check(story: Story, image: Image, sample: str, owner: str = "dept-a") -> None:
    """Check what Glance has: an active record of the department with exactly this data."""
    record, data = story.oracle.image(image.id), samples.data(sample)
    assert record is not None, "Glance does not have the image"
    assert record["status"] == "active"
    assert record["disk_format"] == samples.DISK_FORMATS[sample], f"the format is {record['disk_format']}"
    assert record["owner"] == story.oracle.project_id(owner)
    assert record["size"] == len(data), "the size is not that of the source"
    assert story.oracle.data(image.id) == data
    assert (image.state, image.size, image.name) == ("ACTIVE", len(data), record["name"])


def url(story: Story, sample: str) -> str:
    return story.file_server.serve(f"/{sample}", samples.data(sample))


@step
def a_member_checks_a_url(story: Story) -> None:
    report = story.member.check_url(url(story, "disk.qcow2"))

    assert (report.problem, report.disk_format) == (None, "qcow2")


@step
def a_member_registers_a_qcow2_from_its_url(story: Story) -> None:
    new = NewImage(
        name=unique("debian"), url=url(story, "disk.qcow2"), password_enabled=True, admin_user="debian", tags={"web"}
    )
    image = story.things["disk"] = story.member.register(new)

    check(story, image, "disk.qcow2")
    record = story.oracle.image(image.id)
    assert record is not None
    assert (record["hyperx_password_enabled"], record["tags"]) == ("true", ["web"])
    assert record["hyperx_url"] == new.url


@step
def a_member_registers_a_raw_disk_that_the_client_streams(story: Story) -> None:
    digest = hashlib.sha512(samples.data("disk.raw")).hexdigest()
    new = NewImage(
        name=unique("raw"),
        url=url(story, "disk.raw"),
        disk_format="raw",
        checksum=f"sha512:{digest}",
        password_enabled=True,
        admin_user="debian",
    )
    image = story.things["raw"] = story.client("member", "stream").register(new)

    check(story, image, "disk.raw")


@step
def a_member_registers_a_file(story: Story) -> None:
    path = story.folder / "disk.vmdk"
    path.write_bytes(samples.data("stream.vmdk"))
    image = story.things["file"] = story.member.register(NewImage(name=unique("file"), file=path))

    check(story, image, "stream.vmdk")


@step
def a_member_registers_packed_data_with_a_checksum(story: Story) -> None:
    packed = lzma.compress(samples.data("disk.qcow2"))
    source = story.file_server.serve("/disk.qcow2.xz", packed)
    checksum = f"sha256:{hashlib.sha256(packed).hexdigest()}"
    new = NewImage(name=unique("packed"), url=source, checksum=checksum)
    image = story.things["packed"] = story.member.register(new)

    check(story, image, "disk.qcow2")


@step
def a_member_registers_an_iso(story: Story) -> None:
    new = NewIso(name=unique("installer"), url=url(story, "installer.iso"))
    image = story.things["iso"] = story.member.register(new)

    check(story, image, "installer.iso")


@step
def an_administrator_registers_for_a_department(story: Story) -> None:
    new = NewImage(name=unique("given"), url=url(story, "disk.qcow2"), owner="dept-b")
    image = story.things["given"] = story.administrator.register(new)

    check(story, image, "disk.qcow2", "dept-b")


@step
def another_department_registers_an_image(story: Story) -> None:
    image = story.things["foreign"] = story.other.register(
        NewImage(name=unique("foreign"), url=url(story, "disk.qcow2"))
    )

    check(story, image, "disk.qcow2", "dept-b")


@step
def a_member_cancels_a_registration(story: Story) -> None:
    held = story.file_server.hold(f"/{unique('held')}.iso", samples.data("installer.iso"), after=180_000)
    try:
        started = story.member.start_registration(NewIso(name=unique("held"), url=held.url))
        try:
            unfinished = [image.id for image in story.member.unfinished_registrations()]
        finally:
            story.member.cancel_registration(started.image_id)
    finally:
        held.release()

    assert started.image_id in unfinished
    assert story.oracle.image(started.image_id) is None


@step
def a_reader_registers_an_image(story: Story) -> None:
    request = NewImage(name=unique("reader"), url=url(story, "disk.qcow2"))
    story.things["of the reader"] = story.reader.register(request)


@step
def a_member_registers_nonsense(story: Story) -> None:
    """The library finds it before anything is created."""
    nonsense = story.file_server.page("/login.qcow2")
    story.member.register(NewImage(name=unique("nonsense"), url=nonsense))


@step
def a_member_follows_an_image_by_its_id(story: Story) -> None:
    image = story.things["disk"]

    assert story.member.progress(image.id).phase is Phase.READY
    assert story.member.image(image.name).id == image.id
    assert story.member.owner_name(image) == "dept-a"


@step
def another_department_looks_for_a_private_image(story: Story) -> None:
    try:
        story.other.image(story.things["disk"].id)
    except NotFoundError:
        return
    raise AssertionError("another department sees a private image")
