"""The pictures of the documentation, of a page with images; ``--pictures`` writes them into the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests import samples
from tests.support.launches import put_image

if TYPE_CHECKING:
    from tests.browser.conftest import Visits, World
    from tests.browser.visitor import Visitor

PICTURES: Final = Path(__file__).parents[2] / "docs" / "_static" / "console"
LARGEST: Final = 150_000
"""Bytes of one picture."""


@pytest.fixture
def folder(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Return where the pictures are written."""
    if not pytestconfig.getoption("--pictures", default=False):
        return tmp_path
    PICTURES.mkdir(exist_ok=True)
    return PICTURES


def content(world: World) -> None:
    """Put images into the cloud, as a department has them."""
    mine = {"visibility": "private", "hyperx_password_enabled": "true", "hw_qemu_guest_agent": "yes"}
    images: list[tuple[str, str, dict[str, object]]] = [
        ("disk.raw", "Windows Server 2025", {"hyperx_os_name": "Windows Server 2025", "description": "cloudbase-init"}),
        ("installer.iso", "debian-12-netinst", {"hyperx_os_name": "Debian 12", "description": "安装光盘"}),
        ("disk.qcow2", "web with nginx", {"description": "nginx 1.24", "tags": ["web"], **mine}),
        (
            "disk.qcow2",
            "银河麒麟 V10",
            {"description": "SP3，服务器版", "tags": ["base", "麒麟"]},
        ),
        ("disk.qcow2", "debian-12", {"description": "stable", "tags": ["base"], **mine}),
    ]
    for sample, name, record in images:
        put_image(world.cloud, sample, {**record, "visibility": "private", "name": name})
    alice, admin = world.client("alice"), world.client("admin")
    for name in ("银河麒麟 V10", "debian-12"):
        alice.update(alice.image(name), category="public")
    admin.update(admin.image("debian-12"), category="featured")
    alice.disable(alice.image("Windows Server 2025"))


def take(visitor: Visitor, path: Path) -> None:
    """Take the picture of a page that has come to rest, with nothing that changes from run to run."""
    visitor.page.mouse.move(0, 0)
    days = visitor.table.locator("tbody td:nth-of-type(1)")
    days.evaluate_all("cells => cells.forEach((cell, day) => { cell.textContent = `2026-11-${29 - day} 09:12`; })")
    visitor.page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size < LARGEST


@pytest.mark.parametrize("world", ["memory"], indirect=True)
def test_pictures_show_a_page_with_images(world: World, visit: Visits, folder: Path) -> None:
    content(world)
    url = world.serve("/openEuler-24.03.qcow2", samples.data("disk.qcow2"))

    alice = visit("alice")
    take(alice, folder / "light.png")

    dark = visit("alice", "zh", color_scheme="dark")
    take(dark, folder / "dark.png")

    chinese = visit("alice", "zh", viewport={"width": 1180, "height": 900})
    chinese.create("image")
    chinese.fill(name="openEuler 24.03", url=url, os_name="openEuler 24.03", password_enabled=True)
    chinese.dialog.get_by_role("button", name=chinese.say("test_url")).click()
    expect(chinese.dialog.get_by_role("status")).to_contain_text("qcow2")
    chinese.page.evaluate("document.activeElement.blur()")
    take(chinese, folder / "create.png")

    narrow = visit("alice", "zh", viewport={"width": 400, "height": 800})
    narrow.row("debian-12").locator("summary").click()
    take(narrow, folder / "narrow.png")

    launching = visit("alice")
    launching.act("debian-12", "launch")
    launching.fill(name="web", count=2)
    launching.page.evaluate("document.activeElement.blur()")
    take(launching, folder / "launch.png")
