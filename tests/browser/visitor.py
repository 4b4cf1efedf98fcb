"""A person at the console's page: what they see, press and fill in, found as a screen reader finds it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

PAGE: Final = Path(__file__).parents[2] / "hyperx_glance" / "testing" / "console" / "page"
WORDS: Final = re.compile(r"\{(\w+)\}")
IN_THE_ROW: Final = ("launch", "edit", "delete")
"""The actions whose buttons are in the row itself; the others are in its menu."""


class Visitor:
    """A person with a browser of their own; ``errors`` are those of the page's own program."""

    def __init__(self, context: BrowserContext, url: str, language: str) -> None:
        self.context = context
        self.language = language
        self.url = url
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.goto(url)
        self.texts: dict[str, list[str]] = json.loads((PAGE / "texts.json").read_text(encoding="utf-8"))

    def _hear(self, kind: str, text: str) -> None:
        # A browser tells of each status from 400 on, of which tests are about, and of a connection that is cut.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.errors.append(text)

    def say(self, key: str, **values: object) -> str:
        """Return a text of the page in the person's language."""
        text = self.texts[key][self.language == "zh"]
        return WORDS.sub(lambda match: isolated(str(values[match[1]])), text)

    def log_in(self, user: str, *, password: str = "secret") -> None:
        """Choose a person of the cloud, and type the password."""
        self.dialog.get_by_role("button", name=re.compile(rf"^{user} ")).click()
        self.fill(password=password)
        self.ok("log_in")
        expect(self.page.locator("#who")).to_contain_text(user)
        self.is_read()

    def is_read(self) -> None:
        """Wait until the list shows what it was asked for."""
        expect(self.table).to_be_visible()
        expect(self.table).not_to_have_attribute("aria-busy", "true")

    @property
    def table(self) -> Locator:
        """The list."""
        return self.page.locator("#rows")

    @property
    def dialog(self) -> Locator:
        """The dialogue that is open, above any other."""
        return self.page.get_by_role("dialog").last

    @property
    def notice(self) -> Locator:
        """What the page tells without being asked."""
        return self.page.get_by_role("status").first

    @property
    def problem(self) -> Locator:
        """What went wrong, if it belongs to no field."""
        return self.page.locator("#problem")

    def names(self) -> list[str]:
        """Return the names in the list, from the top."""
        self.is_read()
        names: list[str] = self.table.locator("tbody th .name").all_text_contents()
        return names

    def row(self, name: str) -> Locator:
        """Return the row of an image."""
        heading = self.page.get_by_role("button", name=name, exact=True)
        return self.table.locator("tbody tr").filter(has=heading)

    def column(self, name: str, column: str) -> Locator:
        """Return a cell of the row of an image."""
        return self.row(name).locator(f'td[data-column="{self.say(column)}"]')

    def action(self, name: str, action: str) -> Locator:
        """Return the button of an action, after opening the menu that has it."""
        row = self.row(name)
        if action not in IN_THE_ROW and row.locator("details[open]").count() == 0:
            row.locator("summary").click()
        word = self.say("action_for", action=self.say(action), name=name)
        return row.locator(f"[aria-label={_quoted(word)}]")

    def act(self, name: str, action: str) -> None:
        """Press the button of an action."""
        self.action(name, action).click()

    def tab(self, view: str) -> Locator:
        """Return a tab."""
        return self.page.locator("#views").get_by_role(
            "link", name=re.compile(rf"^{self.say(f'view_{view}')}(?: \d+)?$")
        )

    def open_tab(self, view: str) -> None:
        """Open a tab, and wait for its rows."""
        self.tab(view).click()
        expect(self.tab(view)).to_have_attribute("aria-current", "page")
        self.is_read()

    def search(self, text: str, names: list[str]) -> None:
        """Type into the quick search, and wait for these names alone."""
        self.page.get_by_role("searchbox").fill(text)
        expect(self.table.locator("tbody th .name")).to_have_text(names)

    def create(self, kind: str) -> None:
        """Open the form of a new image or ISO."""
        self.page.locator("#create summary").click()
        self.page.locator("#create").get_by_role("button", name=self.say(f"create_{kind}")).click()
        expect(self.dialog).to_be_visible()

    def fill(self, **fields: Any) -> None:  # noqa: ANN401  # as each field takes it
        """Fill in fields of the dialogue, each in its own way, opening what hides them."""
        for name, value in fields.items():
            field = self.dialog.locator(f'[name="{name}"]')
            field.wait_for(state="attached")
            if not field.is_visible():
                self.dialog.locator("summary").click()
            kind = field.get_attribute("type")
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            elif kind == "checkbox":
                field.set_checked(value)
            elif kind == "file":
                field.set_input_files(value)
            else:
                field.fill(str(value))

    def ok(self, button: str = "ok") -> None:
        """Press the button that ends the dialogue, and wait until it has closed."""
        dialog = self.page.get_by_role("dialog").last
        title = dialog.get_attribute("aria-labelledby")
        self.submit(button)
        expect(self.page.locator(f'dialog[aria-labelledby="{title}"]')).to_have_count(0)

    def submit(self, button: str = "ok") -> None:
        """Press the button that ends the dialogue, whatever comes of it."""
        self.dialog.get_by_role("button", name=self.say(button), exact=True).click()

    def close(self) -> None:
        """Leave the dialogue."""
        self.page.keyboard.press("Escape")

    def wrong(self, field: str) -> Locator:
        """Return what is said beside a field of the dialogue."""
        return self.dialog.locator(f'[data-field~="{field}"] .error')

    def hovered_reason(self, name: str, action: str) -> str:
        """Return the reason of a button that is missing, which the mouse shows and a screen reader reads."""
        button = self.action(name, action)
        assert button.get_attribute("aria-disabled") == "true"
        reason = button.get_attribute("title") or ""
        assert button.get_attribute("aria-description") == reason
        return reason


def isolated(text: str) -> str:
    """Keep a text to itself that would change the direction of what follows it, as the page does."""
    return f"\u2068{text}\u2069" if re.search("[\u202a-\u202e\u2066-\u2069]", text) else text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ") + '"'
