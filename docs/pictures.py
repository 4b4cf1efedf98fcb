"""The pictures of the guide, drawn here while a page is built: `.. picture:: phases`, with its description below.

A picture stands in the page itself, as SVG, so that it has the colours of the page in the light and in the dark.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Callable

    from docutils.nodes import Node
    from sphinx.application import Sphinx

LINE = 18
"""Between two lines of text."""


class Drawing:
    """Boxes and arrows; places are pixels from the top left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self.parts: list[str] = []

    def text(self, x: float, y: float, text: str, *, of: str = "", at: str = "middle") -> None:
        """Write lines around a place."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            here = y + (number - (len(lines) - 1) / 2) * LINE + 5
            kind = f"picture-{of or ('title' if of == '' and number == 0 and len(lines) > 1 else 'text')}"
            self.parts.append(f'<text class="{kind}" x="{x}" y="{here}" text-anchor="{at}">{html.escape(line)}</text>')

    def box(self, x: int, y: int, width: int, height: int, text: str = "", *, kind: str = "box") -> None:
        """Draw a box, the first of several lines as its title."""
        self.parts.append(f'<rect class="picture-{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="7"/>')
        if text:
            self.text(x + width / 2, y + height / 2, text)

    def area(self, x: int, y: int, width: int, height: int, title: str) -> None:
        """Draw what holds boxes."""
        self.box(x, y, width, height, kind="area")
        self.text(x + 10, y + 14, title, of="label", at="start")

    def arrow(self, *places: tuple[int, int], label: str = "", at: tuple[int, int] | None = None) -> None:
        """Draw a line with a head at its end, and what goes along it."""
        (x1, y1), (x2, y2) = places[-2:]
        angle = math.atan2(y2 - y1, x2 - x1)
        wings = " ".join(
            f"{x2 - 9 * math.cos(angle + turn):.1f},{y2 - 9 * math.sin(angle + turn):.1f}" for turn in (0.4, -0.4)
        )
        line = " ".join(f"{x},{y}" for x, y in places)
        self.parts.append(f'<polyline class="picture-line" points="{line}"/>')
        self.parts.append(f'<polygon class="picture-head" points="{x2},{y2} {wings}"/>')
        if label:
            x, y = at or ((x1 + x2) // 2, (y1 + y2) // 2 - 10)
            self.text(x, y, label, of="label")

    def svg(self, title: str) -> str:
        """Return the picture, with the text for a person who cannot see it."""
        width, height = self.size
        return (
            f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{html.escape(title, quote=True)}">{"".join(self.parts)}</svg>'
        )


def phases() -> Drawing:
    """Show the phases of a registration, and what the console's column says meanwhile."""
    drawing = Drawing(600, 330)
    drawing.area(10, 10, 580, 130, "INACTIVE")
    drawing.area(10, 190, 580, 130, "")
    drawing.text(108, 206, "ready: ACTIVE · failed, disabled: INACTIVE", of="label", at="start")
    for x, name, what in (
        (30, "registered", "the record is there"),
        (225, "downloading", "Glance reads the URL"),
        (420, "storing", "data goes to the store"),
    ):
        drawing.box(x, 40, 150, 70, f"{name}\n{what}")
    drawing.box(30, 225, 135, 70, "failed\nwith keep_failed")
    drawing.box(195, 225, 135, 70, "disabled\nout of use")
    drawing.box(420, 225, 150, 70, "ready\nservers are made", kind="good")
    drawing.arrow((180, 60), (225, 60))
    drawing.arrow((375, 75), (420, 75))
    drawing.arrow((150, 110), (150, 126), (460, 126), (460, 110), label="streamed: uploaded from here", at=(305, 152))
    drawing.arrow((520, 110), (520, 225), label="verified", at=(552, 168))
    drawing.arrow((90, 110), (90, 225), label="what goes wrong", at=(90, 168))
    drawing.arrow((420, 248), (330, 248), label="disable", at=(375, 237))
    drawing.arrow((330, 275), (420, 275), label="enable", at=(375, 289))
    return drawing


def tabs() -> Drawing:
    """Show the three tabs, who sees them, and who moves an image between them."""
    drawing = Drawing(600, 250)
    for x, name, who in (
        (10, "private 私有", "its department\nsees and edits"),
        (220, "public 公共", "everybody sees,\neverybody may edit"),
        (430, "featured 精选", "everybody sees,\nadministrators edit"),
    ):
        drawing.box(x, 80, 160, 90, kind="good" if name.startswith("featured") else "box")
        drawing.text(x + 80, 100, name, of="title")
        drawing.text(x + 80, 138, who, of="text")
    drawing.arrow((170, 105), (220, 105))
    drawing.arrow((220, 145), (170, 145))
    drawing.text(195, 60, "its department", of="label")
    drawing.text(195, 190, "its department", of="label")
    drawing.arrow((380, 105), (430, 105))
    drawing.arrow((430, 145), (380, 145))
    drawing.text(405, 60, "administrators", of="label")
    drawing.text(405, 190, "its department, administrators", of="label")
    drawing.arrow((90, 80), (90, 28), (510, 28), (510, 80), label="administrators", at=(300, 16))
    drawing.arrow((510, 170), (510, 222), (90, 222), (90, 170), label="its department, administrators", at=(300, 236))
    return drawing


def steward() -> Drawing:
    """Show how somebody edits a public image of another department."""
    drawing = Drawing(600, 290)
    drawing.area(180, 10, 220, 270, "your back end")
    drawing.box(10, 105, 120, 60, "bob\nof dept-b")
    drawing.box(200, 40, 180, 80, "bob's client\nhas bob's session", kind="box")
    drawing.box(200, 180, 180, 80, "the steward\na session with role admin", kind="good")
    drawing.box(460, 105, 135, 60, "Glance\nan image of dept-a")
    drawing.arrow((130, 120), (200, 85), label="edit", at=(152, 88))
    drawing.arrow((380, 65), (520, 65), (520, 105), label="1. PATCH, as bob", at=(470, 50))
    drawing.arrow((490, 105), (490, 95), (380, 95), label="2. 403", at=(430, 108))
    drawing.arrow((290, 120), (290, 180), label="3. public, not featured,\nand only fields for all", at=(290, 150))
    drawing.arrow((380, 225), (530, 225), (530, 165), label="4. the same PATCH, once", at=(480, 242))
    return drawing


def back_end() -> Drawing:
    """Show which part speaks to which, and where everything is kept."""
    drawing = Drawing(600, 330)
    drawing.box(20, 20, 160, 50, "browsers\na cookie each")
    drawing.area(10, 110, 370, 90, "the console keeps sessions, and caches of a minute")
    for x in (25, 145, 265):
        drawing.box(x, 140, 100, 45, "Client")
    drawing.area(10, 240, 370, 80, "OpenStack keeps everything")
    for x, name in ((22, "Keystone"), (112, "Glance"), (202, "Nova"), (292, "Cinder")):
        drawing.box(x, 268, 78, 40, name)
    drawing.box(450, 150, 140, 60, "file servers\nimages and ISOs")
    drawing.arrow((75, 70), (75, 110))
    drawing.arrow((130, 70), (310, 110), label="a client for each request", at=(300, 78))
    for x in (60, 151, 241, 331):
        drawing.arrow((x, 200), (x, 240))
    drawing.arrow((380, 165), (450, 165), label="look, stream", at=(415, 142))
    drawing.arrow((380, 290), (520, 290), (520, 210), label="import", at=(450, 276))
    return drawing


def iso() -> Drawing:
    """Show the two disks of a server that is installed from an ISO, and the one that runs from it."""
    drawing = Drawing(600, 260)
    drawing.area(10, 10, 370, 240, 'layout="install": the default')
    drawing.box(25, 40, 145, 70, "blank volume\ninstall_disk_gib", kind="good")
    drawing.box(195, 40, 170, 70, "volume of the ISO\nas a CD-ROM")
    drawing.box(25, 175, 340, 60, "server\nthe disk boots as soon as something is on it")
    drawing.arrow((100, 110), (100, 175), label="1st in boot order", at=(100, 142))
    drawing.arrow((280, 110), (280, 175), label="2nd: while the disk is empty", at=(280, 142))
    drawing.area(400, 10, 190, 240, 'layout="live"')
    drawing.box(420, 40, 150, 70, "the ISO\nas the only disk")
    drawing.box(420, 175, 150, 60, "server\nkeeps nothing")
    drawing.arrow((495, 110), (495, 175))
    return drawing


def terminal() -> Drawing:
    """Show a terminal: the first examples of the page on the command line, which the tests run."""
    page = (Path(__file__).parent / "guide" / "command-line.rst").read_text()
    (block, *_others) = re.findall(r"code-block:: console\n\n((?:   .*\n|\n)+)", page)
    lines = [
        part
        for line in textwrap.dedent(block).strip().splitlines()
        for part in textwrap.wrap(line, 76, subsequent_indent="    ")
    ]
    drawing = Drawing(640, 16 * len(lines) + 50)
    drawing.parts.append(f'<rect class="picture-screen" x="0" y="0" width="640" height="{drawing.size[1]}" rx="8"/>')
    drawing.parts += [f'<circle class="picture-light" cx="{x}" cy="16" r="5"/>' for x in (18, 36, 54)]
    for number, line in enumerate(lines):
        kind = "typed" if line.startswith(("$ ", "    ")) else "printed"
        text = html.escape(line).replace(" ", "\N{NO-BREAK SPACE}")
        drawing.parts.append(f'<text class="picture-{kind}" x="14" y="{46 + 16 * number}">{text}</text>')
    return drawing


PICTURES: dict[str, Callable[[], Drawing]] = {
    picture.__name__: picture for picture in (back_end, iso, phases, steward, tabs, terminal)
}


class Picture(SphinxDirective):
    """One picture: `.. picture:: NAME`, and its description in words."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Node]:
        """Draw it into the page."""
        told = " ".join(self.content)
        figure = nodes.figure(classes=["picture"])
        figure += nodes.raw("", PICTURES[self.arguments[0]]().svg(told), format="html")
        figure += nodes.caption("", "", *self.parse_inline(told, lineno=self.lineno)[0])
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    """Let pages use it."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True}
