"""``openstack hyperx department list``.

>>> from hyperx_glance.cli.departments import ListDepartments
>>> ListDepartments.__doc__
'List your departments, or all departments for an administrator.'
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hyperx_glance.cli import commands

if TYPE_CHECKING:
    import argparse


class ListDepartments(commands.Lister):
    """List your departments, or all departments for an administrator."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        departments = self.client(parsed_args).departments()
        return self.rows(parsed_args, ("id", "name"), map(dataclasses.asdict, departments))
