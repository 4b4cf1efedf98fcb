"""axe-core finds no serious fault in what a person meets, in either colours, wide or narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.lists import fill

if TYPE_CHECKING:
    from tests.browser.conftest import Visits, World
    from tests.browser.visitor import Visitor


def faults(visitor: Visitor) -> list[str]:
    """Return what axe-core calls serious or critical in the page as it is now."""
    found = Axe().run(visitor.page).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'][:200] for node in fault['nodes']][:3]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_on_the_page_is_seriously_wrong_for_anybody(
    world: World, visit: Visits, colours: str, width: int
) -> None:
    owner = world.cloud.session("alice").get_project_id()
    fill(world.cloud, 2, owner=owner, tags=["base"], hyperx_password_enabled="true", hw_qemu_guest_agent="yes")  # type: ignore[arg-type]  # in memory
    fill(world.cloud, 1, owner=owner, status="queued", hyperx_failure="The source was not found.", name="failed")  # type: ignore[arg-type]  # as above
    alice = visit(language="zh", viewport={"width": width, "height": 900}, color_scheme=colours)
    expect(alice.page.locator("html")).to_have_attribute("data-theme", colours)
    seen = {"login": faults(alice)}
    alice.log_in("alice")
    alice.page.locator("#filters > summary").click()
    alice.action("image 0", "feature")  # opens the menu
    seen["list"] = faults(alice)
    alice.page.keyboard.press("Escape")

    for kind in ("image", "iso"):
        alice.create(kind)
        alice.dialog.locator("summary").click()
        alice.submit()
        expect(alice.wrong("name")).not_to_be_empty()
        seen[f"create {kind}"] = faults(alice)
        alice.close()
    for action in ("edit", "launch", "delete", "share"):
        alice.act("image 0", action)
        expect(alice.dialog).to_be_visible()
        seen[action] = faults(alice)
        alice.close()
    alice.act("image 1", "launch")
    alice.fill(name="web")
    alice.ok()
    seen["password"] = faults(alice)
    alice.close()
    alice.page.locator("#servers").click()
    expect(alice.dialog).to_be_visible()
    seen["servers"] = faults(alice)

    assert {place: wrong for place, wrong in seen.items() if wrong} == {}
