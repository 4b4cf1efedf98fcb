"""How Sphinx builds this documentation."""

from __future__ import annotations

import inspect
import sys
import typing
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

import hyperx_glance
import hyperx_glance.testing.console.serving  # autodoc imports with TYPE_CHECKING, under which FastAPI makes no models
from hyperx_glance.cloud.cloud import Cloud

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

project = "hyperx-glance"
copyright = "the hyperx-glance authors"
version = release = installed_version("hyperx-glance")
language = "en"

extensions = [
    "fields",
    "myst_parser",
    "notes",
    "pictures",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "suites",
    "tables",
]
exclude_patterns = ["_build", "releasenotes/notes"]
root_doc = "index"
html_theme = "furo"
html_title = "hyperx-glance " + version.partition("+")[0]
html_static_path = ["_static"]
html_css_files = ["hyperx.css"]
html_show_sourcelink = False
html_search_language = "zh"  # it finds Chinese words, and English ones as before
# Neither prompts nor output are copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
maximum_signature_line_length = 100

# `Client.register` in single backticks is a link, on every page: what cannot be found is an error.
default_role = "py:obj"
rst_prolog = ".. currentmodule:: hyperx_glance\n"
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names: this is built without a network, over which their lists of names would come.
    (r"py:.*", r"(collections|datetime|keystoneauth1|openstack|os|pathlib|pydantic|requests|socket|ssl|typing)\..*"),
    (r"py:class", r"Session|Connection|Path|SecretStr|datetime|timedelta|dict\[.*"),
    # What `cancelling` takes and returns: a Registration, a Launch or a Capture.
    (r"py:class", r"hyperx_glance\.waiting\.cancelling\.Handle"),
    # Words that a type checker knows, shown where they are accepted.
    (r"py:class", r"ActionWord|Language|ProfileName"),
    # The records in the services of the cloud in memory, whose attributes are those of the services' answers.
    (r"py:class", r"hyperx_glance\.testing\.memory\..*"),
]
# Fields of several models share their names, so that a bare field name has no single target.
suppress_warnings = ["ref.python"]

autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "exclude-members": "model_config, model_post_init, model_validate, model_validate_json, read_by",
}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True


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
    app.connect("autodoc-process-signature", _only_for_requests)


# Classes that verbs and other calls return, and that users do not create.
_GIVEN = (
    hyperx_glance.Client, hyperx_glance.Image, hyperx_glance.Registration, hyperx_glance.Launch, hyperx_glance.Capture,
    hyperx_glance.HyperxGlanceError, Cloud,
)  # fmt: skip


def _only_for_requests(*event: object) -> tuple[str, str] | None:
    documented = event[3]
    return ("", "") if isinstance(documented, type) and issubclass(documented, _GIVEN) else None
