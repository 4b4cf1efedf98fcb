"""The whole manual, as one story for each person, in both languages and on both clouds: docs/manual.rst says where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import samples
from tests.support import launches

if TYPE_CHECKING:
    from tests.browser.conftest import Visits, World
    from tests.browser.visitor import Visitor

both_languages = pytest.mark.parametrize("language", ["en", "zh"])


def register(visitor: Visitor, kind: str, **fields: object) -> None:
    """Create an image or an ISO by URL, and wait until it is ACTIVE."""
    visitor.create(kind)
    visitor.fill(**fields)
    visitor.ok()
    expect(visitor.column(str(fields["name"]), "state")).to_have_text("ACTIVE")


@both_languages
def test_alice_does_everything_that_the_manual_describes(world: World, visit: Visits, language: str) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    disc = world.serve("/installer.iso", samples.data("installer.iso"))
    alice = visit("alice", language)
    say, page = alice.say, alice.page

    # The tabs; the page opens with the tab of all.
    assert [text.split()[0] for text in page.locator("#views a").all_text_contents()] == [
        say(f"view_{view}") for view in ("all", "featured", "public", "private", "shared", "offered")
    ]
    expect(alice.tab("all")).to_have_attribute("aria-current", "page")

    # Create an image: test the URL, look at the quota, fill in the form.
    alice.create("image")
    expect(alice.dialog.locator(".quota")).to_contain_text("dept-a")
    alice.fill(name="debian 12", url=disk.replace("debian-12", "absent"))
    alice.dialog.get_by_role("button", name=say("test_url")).click()
    expect(alice.dialog.get_by_role("status")).to_contain_text("404")
    alice.fill(url=disk)
    alice.dialog.get_by_role("button", name=say("test_url")).click()
    expect(alice.dialog.get_by_role("status")).to_contain_text("debian-12.qcow2")
    alice.fill(description="stable", password_enabled=True, hypervisor="KVM", os_name="Debian 12", tags="base, 稳定")
    alice.ok()
    expect(alice.column("debian 12", "state")).to_have_text("ACTIVE")

    # The columns.
    heads = alice.table.get_by_role("columnheader").all_inner_texts()
    columns = "name created_at disk_format size state owner password_enabled description actions"
    assert [head.rstrip(" ▲▼") for head in heads] == [say(column) for column in columns.split()]
    expect(alice.column("debian 12", "disk_format")).to_have_text("qcow2")
    expect(alice.column("debian 12", "owner")).to_have_text("dept-a")
    expect(alice.column("debian 12", "password_enabled")).to_have_text(say("yes"))
    expect(alice.column("debian 12", "description")).to_have_text("stable")

    # Create an ISO; "Create a public image" has made the first one public, this one is private.
    register(alice, "iso", name="installer", url=disc, category="private")
    alice.open_tab("public")
    assert alice.names() == ["debian 12"]
    alice.open_tab("private")
    assert alice.names() == ["installer"]
    alice.open_tab("all")

    # Sorting; all tags, all images, quick search, advanced filters.
    alice.table.get_by_role("button", name=say("sort_by", column=say("name"))).click()
    expect(alice.table.locator("tbody th .name")).to_have_text(["debian 12", "installer"])
    page.locator("#tags").get_by_role("link", name=re.compile("稳定")).click()
    expect(alice.table.locator("tbody th .name")).to_have_text(["debian 12"])
    page.locator("#tags").get_by_role("link", name=say("all_tags")).click()
    page.locator("#kind").select_option("iso")
    expect(alice.table.locator("tbody th .name")).to_have_text(["installer"])
    page.locator("#kind").select_option("")
    expect(alice.table.locator("tbody th .name")).to_have_text(["debian 12", "installer"])
    alice.search("DEBIAN stable active", ["debian 12"])
    alice.search("", ["debian 12", "installer"])
    page.locator("#filters > summary").click()
    page.locator("#filters [name=hypervisor]").fill("KVM")
    page.locator("#filters [name=name_contains]").fill("bian")
    page.locator("#filters").get_by_role("button", name=say("apply"), exact=True).click()
    expect(alice.table.locator("tbody th .name")).to_have_text(["debian 12"])
    page.locator("#filters").get_by_role("button", name=say("clear")).click()
    expect(alice.table.locator("tbody th .name")).to_have_text(["debian 12", "installer"])

    # Edit an image.
    alice.act("debian 12", "edit")
    expect(alice.dialog).to_contain_text(say("never_changes"))
    alice.fill(name="debian 12.1", description="")
    alice.ok()
    expect(alice.column("debian 12.1", "description")).to_have_text("")

    # Launch two servers; the password is shown once.
    alice.act("debian 12.1", "launch")
    expect(alice.dialog.locator(".quota")).to_contain_text("dept-a")
    alice.fill(name="web", count=2)
    alice.ok()
    expect(alice.dialog).to_contain_text(say("password_once"))
    password = alice.dialog.locator("output").inner_text()
    assert len(password) >= 12
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    alice.dialog.get_by_role("button", name=say("copy")).click()
    expect(alice.dialog.locator("span[role=status]")).to_have_text(say("copied"))
    assert page.evaluate("navigator.clipboard.readText()") == password
    alice.close()
    expect(page.locator(".task")).to_have_count(0)

    # The list of servers has those that others have launched, too.
    theirs = launches.boot(world.cloud, "theirs", launches.put_image(world.cloud))
    page.locator("#servers").click()
    expect(alice.dialog.locator("strong")).to_have_count(3)
    assert sorted(alice.dialog.locator("strong").all_inner_texts()) == ["theirs", "web-1", "web-2"]
    alice.dialog.get_by_role("searchbox").fill("WEB-1")
    expect(alice.dialog.locator("strong")).to_have_text(["web-1"])
    alice.dialog.get_by_role("searchbox").fill("none of these")
    expect(alice.dialog.get_by_role("status")).to_have_text(say("no_servers"))
    alice.dialog.get_by_role("searchbox").fill("")
    expect(alice.dialog.locator("strong")).to_have_count(3)

    # Reset a password, and package servers; a stopped one takes no password, and says so.
    alice.dialog.get_by_role("button", name=re.compile(rf"{say('reset_password')} web-1")).click()
    alice.ok()
    expect(alice.dialog.locator("output")).not_to_be_empty()
    alice.close()
    alice.dialog.get_by_role("button", name=say("capture_server", name="web-2")).click()
    alice.fill(name="web with nginx", description="nginx", tags="web")
    alice.ok()
    alice.close()
    expect(alice.column("web with nginx", "state")).to_have_text("ACTIVE")
    launches.stop(world.cloud, theirs)
    page.locator("#servers").click()
    button = alice.dialog.get_by_role("button", name=f"{say('reset_password')} theirs")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("aria-description", re.compile("运行" if language == "zh" else "not running"))
    alice.dialog.get_by_role("button", name=say("capture_server", name="theirs")).click()
    alice.fill(name="packaged theirs")
    alice.ok()
    alice.close()
    expect(alice.column("packaged theirs", "state")).to_have_text("ACTIVE")

    # Make it public, and private again.
    alice.act("web with nginx", "publish")
    expect(alice.row("web with nginx").locator("th")).to_contain_text(say("public"))
    alice.act("web with nginx", "withdraw")
    expect(alice.row("web with nginx").locator("th")).to_contain_text(say("private"))
    assert alice.hovered_reason("web with nginx", "feature")

    # Disable and enable.
    alice.act("web with nginx", "disable")
    expect(alice.column("web with nginx", "state")).to_contain_text(say("disabled"))
    assert alice.hovered_reason("web with nginx", "launch")
    alice.act("web with nginx", "enable")
    expect(alice.column("web with nginx", "state")).to_have_text("ACTIVE")

    # Protect, download.
    alice.act("web with nginx", "protect")
    expect(alice.row("web with nginx").locator("th")).to_contain_text(say("protected"))
    assert alice.hovered_reason("web with nginx", "delete")
    alice.act("web with nginx", "unprotect")
    expect(alice.row("web with nginx").locator("th")).not_to_contain_text(say("protected"))
    with page.expect_download() as download:
        alice.act("installer", "download")
    assert download.value.path().read_bytes() == samples.data("installer.iso")

    # A server from an ISO, with a disk to install on; another runs from the ISO itself.
    alice.act("installer", "launch")
    alice.fill(name="setup", install_disk_gib=2)
    alice.ok()
    expect(page.locator(".task")).to_have_count(0)
    alice.act("installer", "launch")
    alice.fill(name="rescue", layout="live")
    expect(alice.dialog.locator("[name=install_disk_gib]")).to_be_hidden()
    alice.ok()
    expect(page.locator(".task")).to_have_count(0)

    # Delete: the servers that were made from the image are named, and stay.
    alice.act("debian 12.1", "delete")
    expect(alice.dialog).to_contain_text("web-1, web-2")
    alice.ok("confirm")
    expect(alice.row("debian 12.1")).to_have_count(0)
    page.locator("#servers").click()
    expect(alice.dialog.locator("strong")).to_have_count(5)
    assert {"setup", "rescue", "web-1", "web-2"} < {*alice.dialog.locator("strong").all_inner_texts()}


@both_languages
def test_bob_uses_what_is_public_and_uploads_a_file(world: World, visit: Visits, language: str, tmp_path: Path) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    alice, bob = visit("alice", language), visit("bob", language)
    register(alice, "image", name="for all", url=disk, category="public")
    register(alice, "image", name="hers", url=disk, category="private")

    # What is public can be used by everybody, what is private by its department.
    bob.page.locator("#refresh").click()
    expect(bob.row("for all")).to_be_visible()
    expect(bob.row("hers")).to_have_count(0)
    expect(bob.column("for all", "owner")).to_have_text("dept-a")
    assert bob.hovered_reason("for all", "delete")
    bob.act("for all", "edit")
    bob.fill(description="works with our scanner")
    bob.ok()
    expect(bob.column("for all", "description")).to_have_text("works with our scanner")
    bob.act("for all", "launch")
    bob.fill(name="bobs")
    bob.ok()
    expect(bob.page.locator(".task")).to_have_count(0)

    # An upload; without a name, the field says so.
    file = tmp_path / "made.raw"
    file.write_bytes(samples.data("disk.raw"))
    bob.create("image")
    bob.fill(source="file", file=file)
    bob.submit()
    expect(bob.wrong("name")).not_to_be_empty()
    expect(bob.dialog.locator("[name=name]")).to_be_focused()
    bob.fill(name="made", disk_format="raw")
    bob.ok()
    expect(bob.column("made", "state")).to_have_text("ACTIVE")

    # Shared with a department, and accepted there.
    bob.act("made", "withdraw")
    expect(bob.row("made").locator("th")).to_contain_text(bob.say("private"))
    bob.act("made", "share")
    bob.fill(departments="dept-a")
    bob.ok()
    alice.open_tab("offered")
    alice.act("made", "accept")
    alice.open_tab("shared")
    assert alice.names() == ["made"]

    # The department's quota is beside the form, and says what is missing.
    world.client("admin").set_quota("dept-b", images=0)
    try:
        bob.create("image")
        bob.fill(name="no room", url=disk)
        bob.submit()
        expect(bob.dialog.locator(".error").last).to_contain_text("dept-b")
    finally:
        world.client("admin").set_quota("dept-b", images=None)


@both_languages
def test_rita_may_look_and_is_told_why_not_more(world: World, visit: Visits, language: str) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    alice, rita = visit("alice", language), visit("rita", language)
    register(alice, "image", name="debian 12", url=disk)

    rita.page.locator("#refresh").click()
    expect(rita.row("debian 12")).to_be_visible()
    for action in ("edit", "delete", "publish", "disable", "protect", "share"):
        reason = rita.hovered_reason("debian 12", action)
        assert re.search("[\u4e00-\u9fff]" if language == "zh" else "[a-z]", reason)
    launches.boot(world.cloud, "web", world.client("alice").image("debian 12").id)
    rita.page.locator("#servers").click()
    for label in rita.say("capture_server", name="web"), f"{rita.say('reset_password')} web":
        button = rita.dialog.get_by_role("button", name=label)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", re.compile("[\u4e00-\u9fff]" if language == "zh" else "read-only"))
    rita.close()
    rita.create("image")
    rita.fill(name="mine", url=disk)
    rita.submit()
    expect(rita.dialog.locator(".error").last).not_to_be_empty()
    assert [image.name for image in world.client("alice").images()] == ["debian 12"]


@both_languages
def test_an_administrator_features_images(world: World, visit: Visits, language: str) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    alice, admin = visit("alice", language), visit("admin", language)
    register(alice, "image", name="debian 12", url=disk)

    admin.page.locator("#refresh").click()
    expect(admin.page.locator("#views a")).to_have_count(4)  # nobody shares with administrators, who see everything
    admin.act("debian 12", "feature")
    expect(admin.row("debian 12").locator("th")).to_contain_text(admin.say("featured"))
    alice.open_tab("featured")
    assert alice.names() == ["debian 12"]
    expect(alice.tab("featured")).to_contain_text("1")
