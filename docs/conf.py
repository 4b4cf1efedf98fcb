"""How Sphinx builds this documentation."""

from __future__ import annotations

from importlib.metadata import version as installed_version

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

# `Client.register` in single backticks links where it can, and is code where it cannot.
default_role = "py:obj"
# Fields of several models share their names, so that a bare field name has no single target.
suppress_warnings = ["ref.python"]

autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "exclude-members": "model_config, model_post_init",
}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
