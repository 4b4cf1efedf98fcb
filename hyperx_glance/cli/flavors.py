"""``openstack hyperx flavor list``.

>>> from hyperx_glance.cli.flavors import SHOWN
>>> SHOWN[:3]
('id', 'name', 'cores')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cli import commands

if TYPE_CHECKING:
    import argparse

SHOWN = ("id", "name", "cores", "ram_mib", "disk_gib", "fits", "reason")
"""The fields of `FlavorChoice`; the last two depend on an image."""


class ListFlavors(commands.Lister):
    """List flavors, the smallest first; with an image, the flavors that fit come first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--image", metavar="<image>", help="Name or id: show which flavors fit, and why others do not"
        )
        parser.add_argument(
            "--family", metavar="<family>", help="Show which flavors fit the latest release of this family"
        )
        commands.add_family_owner(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        named = parsed_args.image is not None or parsed_args.family is not None
        image = commands.image_of(client, parsed_args) if named else None
        fields = SHOWN if image is not None else SHOWN[:-2]
        return self.rows(parsed_args, fields, (flavor.model_dump() for flavor in client.flavors(image)))
