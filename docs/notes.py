"""The release notes: of each version if git knows which, and all of them together without git."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from reno.config import Config
from reno.formatter import format_report
from reno.sphinxext import ReleaseNotesDirective
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
FOLDER = "docs/releasenotes"


class _Files:
    """A source from which reno reads notes, by their files alone."""

    def __init__(self, version: str) -> None:
        self.notes = {
            str(path): yaml.safe_load(path.read_text()) for path in sorted((ROOT / FOLDER / "notes").glob("*.yaml"))
        }
        self.version = version

    def __getitem__(self, version: str) -> list[tuple[str, bytes]]:
        return [(note, b"") for note in self.notes]

    def parse_note_file(self, filename: str, _: bytes) -> dict[str, object]:
        """Return the sections of one note."""
        return {name: [text] if isinstance(text, str) else text for name, text in self.notes[filename].items()}


class ReleaseNotes(ReleaseNotesDirective, SphinxDirective):
    """The release notes: `.. release-notes::`."""

    def run(self) -> list[Node]:
        """Let reno ask git, if there is one."""
        if (ROOT / ".git").exists():
            self.options |= {"relnotessubdir": FOLDER, "reporoot": str(ROOT)}
            return super().run()
        configuration = Config(str(ROOT), FOLDER)
        version = configuration.unreleased_version_title
        text = format_report(_Files(version), configuration, [version], show_source=False)
        return self.parse_text_to_nodes(
            re.sub(r"^\.\. _.*$", "", text, flags=re.MULTILINE), allow_section_headings=True
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Let the page use it."""
    logging.getLogger("reno").setLevel(logging.WARNING)
    app.add_directive("release-notes", ReleaseNotes)
    return {"parallel_read_safe": True}
