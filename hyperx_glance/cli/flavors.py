"""``openstack hyperx flavor list``.

>>> from hyperx_glance.cli.flavors import SHOWN
>>> SHOWN[:3]
('id', 'name', 'cores')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cli import commands, output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SHOWN = ("id", "name", "cores", "ram_mib", "disk_gib", "fits", "reason")
"""The fields of `FlavorChoice`; the last two are about an image."""


class ListFlavors(commands.Lister):
    """List flavors, the smallest first; with an image, those that it fits before the others."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--image", metavar="<image>", help="Name or id: tell which flavors it fits, and why not")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], list[tuple[object, ...]]]:
        client = self.client()
        image = None if parsed_args.image is None else commands.reference(client, parsed_args.image)
        fields = SHOWN if image is not None else SHOWN[:-2]
        rows = [
            output.row(fields, flavor.model_dump() | {"fits": output.Flag(flavor.fits)})
            for flavor in client.flavors(image)
        ]
        return output.headers(parsed_args, output.columns(*fields)), rows
