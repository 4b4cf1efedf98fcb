"""How Sphinx builds this documentation."""

from __future__ import annotations

import inspect
import re
import typing
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

import pydantic
from sphinx.util.docutils import SphinxDirective

import hyperx_glance
from hyperx_glance.filters import CRITERIA, Criterion
from hyperx_glance.vocabulary import WORDS, Side, Word, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docutils.nodes import Node
    from sphinx.application import Sphinx

project = "hyperx-glance"
copyright = "the hyperx-glance authors"
version = release = installed_version("hyperx-glance")
language = "en"

extensions = ["myst_parser", "reno.sphinxext", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "releasenotes/notes"]
root_doc = "index"
html_theme = "alabaster"
html_theme_options = {"description": "HYPERX image management on OpenStack", "page_width": "64em"}
html_show_sourcelink = False
maximum_signature_line_length = 100

# `Client.register` in single backticks links where it can, and is code where it cannot.
default_role = "py:obj"
# Fields of several models share their names, so that a bare field name has no single target.
suppress_warnings = ["ref.python"]

autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "exclude-members": "model_config, model_post_init, model_validate, model_validate_json",
}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

WRITERS = {
    Writer.NOBODY: "Glance or the library",
    Writer.REGISTRATION: "registration, once",
    Writer.OWNER: "the department that owns it",
    Writer.STEWARD: "the department; everybody on a public image",
}
# What one word for the writer cannot say.
SPECIAL_WRITERS = {
    "visibility": "the department that owns it; ``public``: who the policy lets",
    "featured_flag": "administrators; the department may take it off",
    "guest_agent_before": "the library, with the password flag",
    "edited_by": "the library, when the steward edits",
}
SIDES = {Side.GLANCE: "Glance", Side.HERE: "the library", Side.NONE: "nobody"}


class Table(SphinxDirective):
    """Show rows that are read at build time, so that the page cannot be stale."""

    heading: typing.ClassVar[tuple[str, ...]]

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Give the cells as reStructuredText."""
        raise NotImplementedError

    def run(self) -> list[Node]:
        """Write them as a list-table."""
        rows = [self.heading, *self.rows()]
        lines = [f"{'  -' if number else '* -'} {cell}" for row in rows for number, cell in enumerate(row)]
        table = [".. list-table::", "   :header-rows: 1", "", *(f"   {line}" for line in lines)]
        return self.parse_text_to_nodes("\n".join(table))


class Words(Table):
    """Show the vocabulary: `.. words::`."""

    heading = ("Field", "Console", "In Glance", "Written by", "Filtered by")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Give a row for each word."""
        return map(self._row, WORDS)

    @staticmethod
    def _row(word: Word) -> tuple[str, ...]:
        key = f"property ``{word.key}``" if word.custom else f"``{word.key}``"
        writer = SPECIAL_WRITERS.get(word.field, WRITERS[word.writer])
        return f"``{word.field}``", f"{word.title} {word.title_zh}", key, writer, SIDES[word.side]


class Criteria(Table):
    """Show which side evaluates which criterion: `.. criteria::`."""

    heading = ("Criterion", "Glance is asked", "Only here")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Give a row for each field of `ImageQuery`."""
        return (self._row(name, criterion) for name, criterion in CRITERIA.items())

    @staticmethod
    def _row(name: str, criterion: Criterion) -> tuple[str, ...]:
        asked = re.sub(r"[^\s,]+=(\S*[^\s,;:]:?)?", r"``\g<0>``", criterion.glance)
        return f"``{name}``", asked or "nothing", criterion.here


def setup(app: Sphinx) -> None:
    """Show a model with its defaults, and without the validators in its types."""
    for name in hyperx_glance.__all__:
        model = getattr(hyperx_glance, name)
        if isinstance(model, type) and issubclass(model, pydantic.BaseModel):
            types = typing.get_type_hints(model)
            signature = inspect.signature(model)
            parameters = [
                parameter.replace(annotation=types[field])
                for field, parameter in signature.parameters.items()
                if field in types
            ]
            model.__signature__ = signature.replace(parameters=parameters)
            model.__annotations__ = {field: types[field] for field in model.model_fields}
    app.add_directive("words", Words)
    app.add_directive("criteria", Criteria)
    app.connect("autodoc-process-signature", _only_for_requests)


def _only_for_requests(*event: object) -> tuple[str, str] | None:
    documented = event[3]
    is_answer = isinstance(documented, type) and issubclass(documented, hyperx_glance.Image)
    return ("", "") if is_answer else None
