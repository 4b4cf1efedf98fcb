"""The entry points of all commands: each imports its module when the command runs or prints its help.

>>> from hyperx_glance.cli import entries
>>> entries.images.ShowImage(None, None).get_description()
'Show an image or ISO, and what you may do with it.'

The ``openstack`` command loads every command of every plug-in before it runs one (cliff/commandmanager.py,
load_commands). Without these entries, all other commands would wait for our modules.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from cliff.app import App
    from cliff.command import Command


class Entry:
    """A placeholder that creates a command."""

    module: str

    def __new__(cls, app: App, app_args: argparse.Namespace | None, cmd_name: str | None = None) -> Command:  # type: ignore[misc]  # not an Entry
        """Return the command."""
        # No pydantic plug-in is needed, and pydantic would search for plug-ins in every installed package.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        command: type[Command] = getattr(importlib.import_module(f"hyperx_glance.cli.{cls.module}"), cls.__name__)
        return command(app, app_args, cmd_name=cmd_name)

    def __init__(self, app: App, app_args: argparse.Namespace | None, cmd_name: str | None = None) -> None:
        """Only show the arguments to cliff; no Entry is ever created."""


class Module:
    """A placeholder for a module of commands."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, command: str) -> type[Entry]:
        return type(command, (Entry,), {"module": self._name})


captures = Module("captures")
changing = Module("changing")
creating = Module("creating")
departments = Module("departments")
deployment = Module("deployment")
families = Module("families")
flavors = Module("flavors")
images = Module("images")
launches = Module("launches")
lists = Module("lists")
quotas = Module("quotas")
registrations = Module("registrations")
servers = Module("servers")
sharing = Module("sharing")
urls = Module("urls")
