"""What goes on while the page does not look: two browsers, a cut network, a session that ends, a second console."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from hyperx_glance.testing.console import Console
from tests import samples

if TYPE_CHECKING:
    from tests.browser.conftest import Visits, World
    from tests.browser.visitor import Visitor
    from tests.support.file_server import FileServer, Held

on_real_services = pytest.mark.parametrize("world", [pytest.param("local", marks=pytest.mark.local)], indirect=True)


def begin(visitor: Visitor, file_server: FileServer) -> Held:
    """Begin to register the image "slow", and return when the transfer of its data stands still."""
    held = file_server.hold("/slow.qcow2", samples.data("disk.qcow2"), after=200_000)
    visitor.create("image")
    visitor.fill(name="slow", url=held.url, disk_format="qcow2")
    visitor.ok()
    expect(visitor.page.locator(".task")).to_contain_text("slow")
    held.wait_until_reached()
    return held


@on_real_services
def test_an_import_is_followed_through_a_cut_a_reload_and_from_a_second_console(
    world: World, visit: Visits, file_server: FileServer
) -> None:
    alice = visit("alice")
    held = begin(alice, file_server)

    # The same person in another browser, on another process of the console.
    with Console.of(world.cloud) as second:
        visit.console = second
        other = visit("alice", "zh")
        expect(other.page.locator(".task")).to_contain_text("slow")
        expect(other.column("slow", "state")).to_contain_text("INACTIVE")

        # The browser's network is cut in the middle, and the page is loaded again.
        alice.context.set_offline(True)
        alice.page.locator("#refresh").click()
        expect(alice.problem).to_have_text(alice.say("unreachable"))
        alice.context.set_offline(False)
        alice.page.reload()
        alice.is_read()
        expect(alice.page.locator(".task progress")).to_be_visible()

        held.release()
        for visitor in (alice, other):
            expect(visitor.column("slow", "state")).to_have_text("ACTIVE")
            expect(visitor.page.locator(".task")).to_have_count(0)
        other.page.close()


@on_real_services
def test_an_import_whose_source_breaks_off_says_so(visit: Visits, file_server: FileServer) -> None:
    url = file_server.cut("/broken.qcow2", samples.data("disk.qcow2"), after=200_000)
    alice = visit("alice", "zh")

    alice.create("image")
    alice.fill(name="broken", url=url)
    alice.ok()

    expect(alice.column("broken", "state")).to_contain_text(alice.say("failed"))
    expect(alice.column("broken", "state").locator(".error")).not_to_be_empty()
    expect(alice.page.locator(".task")).to_contain_text(alice.say("failed"))
    alice.page.locator(".task").get_by_role("button", name=alice.say("close")).click()
    expect(alice.page.locator(".task")).to_have_count(0)
    alice.act("broken", "delete")
    alice.ok("confirm")
    expect(alice.row("broken")).to_have_count(0)


@on_real_services
def test_an_import_is_followed_again_after_the_session_has_ended(
    world: World, visit: Visits, file_server: FileServer
) -> None:
    alice = visit("alice")
    held = begin(alice, file_server)

    world.console.app.state.parts.sessions.end_all()
    expect(alice.dialog).to_contain_text(alice.say("session_ended"))  # the stream of events has ended with it
    alice.fill(password="secret")
    alice.ok("log_in")
    held.release()

    expect(alice.page.locator(".task")).to_have_count(0)
    expect(alice.column("slow", "state")).to_have_text("ACTIVE")


@on_real_services
def test_an_import_is_cancelled(world: World, visit: Visits, file_server: FileServer) -> None:
    alice = visit("alice")
    held = begin(alice, file_server)

    alice.page.locator(".task").get_by_role("button", name=alice.say("cancel_task", name="slow")).click()

    expect(alice.page.locator(".task")).to_have_count(0)
    expect(alice.row("slow")).to_have_count(0)
    held.release()
    assert list(world.client("alice").images()) == []


def test_two_browsers_change_the_same_image(world: World, visit: Visits) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    one, two = visit("alice"), visit("arthur", "zh")  # both of dept-a
    one.create("image")
    one.fill(name="debian 12", url=disk, category="private")
    one.ok()
    expect(one.column("debian 12", "state")).to_have_text("ACTIVE")
    two.page.locator("#refresh").click()
    expect(two.row("debian 12")).to_be_visible()

    two.act("debian 12", "edit")
    one.act("debian 12", "edit")
    one.fill(description="hers")
    one.ok()
    two.fill(tags="his")
    two.ok()
    expect(two.column("debian 12", "description")).to_have_text("hers")  # only what is changed is sent
    expect(two.row("debian 12").locator("th")).to_contain_text("his")

    one.act("debian 12", "delete")
    one.ok("confirm")
    two.act("debian 12", "disable")
    expect(two.problem).not_to_be_empty()  # it is gone
    expect(two.row("debian 12")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_session_that_ends_keeps_the_form_that_is_being_filled_in(world: World, visit: Visits, language: str) -> None:
    disk = world.serve("/debian-12.qcow2", samples.data("disk.qcow2"))
    alice = visit("alice", language, path="/?view=private")
    alice.create("image")
    alice.fill(name="typed before", url=disk, category="private")

    sessions = world.console.app.state.parts.sessions
    sessions.clock = lambda: time.monotonic() + 2 * 3600  # of silence
    alice.submit()
    expect(alice.dialog).to_contain_text(alice.say("session_ended"))
    alice.close()  # Escape leaves everything but the login
    expect(alice.dialog).to_contain_text(alice.say("session_ended"))
    alice.fill(password="secret")
    alice.ok("log_in")

    expect(alice.dialog.locator("[name=name]")).to_have_value("typed before")
    alice.ok()
    expect(alice.column("typed before", "state")).to_have_text("ACTIVE")
    expect(alice.tab("private")).to_have_attribute("aria-current", "page")


def test_a_wrong_password_is_said_in_the_login(visit: Visits) -> None:
    nobody = visit(language="zh")
    nobody.fill(username="alice", password="wrong", project_name="dept-a")
    nobody.submit("log_in")
    expect(nobody.dialog.locator(".error").last).not_to_be_empty()
    nobody.fill(password="secret")
    nobody.ok("log_in")
    nobody.is_read()

    nobody.page.locator("#log-out").click()
    expect(nobody.dialog.get_by_role("heading")).to_have_text(nobody.say("log_in"))
    nobody.page.go_back()
    expect(nobody.table).not_to_be_visible()
