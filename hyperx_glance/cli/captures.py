"""``openstack hyperx image capture``.

>>> from hyperx_glance.cli.captures import CaptureServer
>>> CaptureServer(None, None).get_parser("capture").parse_args(["81f", "web"]).name
'web'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, options
from hyperx_glance.cli.images import SHOWN_WHEN_MADE, ShowsImage
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse


class CaptureServer(ShowsImage):
    """Make an image of a server's disk, and wait until it is ready; the server goes on running.

    What is left out is as in the image that the server was made of; an empty text clears.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("server", metavar="<server>", help="Id")
        add("name", metavar="<name>", help="Name of the image")
        options.add_properties(parser, hyperx_glance.NewCapture, but="capture_id")
        options.add_columns(parser)
        add("--no-tags", dest="tags", action="store_const", const=[], help="No tag of the server's image")
        options.add_free_properties(parser)
        add(
            "--disk-format",
            choices=vocabulary.IMAGE_FORMATS,
            help="For a server on a volume; default: raw; of others Nova chooses it",
        )
        add("--capture-id", metavar="<id>", help="An id of your own, by which the capture can be found again")
        options.add_timeout(parser, "When it is over, what was made is deleted; default: an hour")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        fields = options.given(parsed_args, *hyperx_glance.NewCapture.model_fields)
        with registration_progress(self.app.stderr) as show:
            image = client.capture(
                parsed_args.server,
                hyperx_glance.NewCapture(**fields),
                on_progress=show,
                timeout=parsed_args.timeout,
            )
        return self.shown(parsed_args, image, client, SHOWN_WHEN_MADE)
