"""``openstack hyperx image create`` and ``openstack hyperx iso create``.

>>> from hyperx_glance.cli.creating import CreateIso
>>> CreateIso(None, None).get_parser("create").parse_args(["--url", "http://files.example/a.iso", "a"]).name
'a'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, images, options
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse

    from hyperx_glance import NewImage, NewIso


class _Create(images.ShowsImage):
    def request(self) -> type[NewImage | NewIso]:
        """Give what is asked for."""
        raise NotImplementedError

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("name", metavar="<name>")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--url", metavar="<url>", help="Where the data is: http or https")
        source.add_argument("--file", type=Path, metavar="<path>", help="A file of this machine")
        add("--no-unpack", dest="unpack", action="store_const", const=False, help="Refuse packed data (xz, gzip, ...)")
        options.add_properties(parser, self.request(), but="url")
        options.add_columns(parser)
        checksum = parser.add_mutually_exclusive_group()
        checksum.add_argument("--checksum", metavar="<algorithm:hex>", help="sha256:..., sha512:... or md5:...")
        checksum.add_argument("--checksum-url", metavar="<url>", help="Where it is listed, such as .../SHA256SUMS")
        add("--owner", metavar="<department>", help="Another department, for administrators")
        options.add_free_properties(parser)
        add("--store", dest="stores", action="append", metavar="<store>", help="Repeat for several")
        add("--id", metavar="<uuid>", help="An id of your own")
        options.add_transfer(parser)
        options.add_timeout(parser, "When it is over, the registration is cancelled; default: an hour")
        add("--keep-failed", action="store_true", help="Keep the record of a failed upload, INACTIVE")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        request = self.request()
        with registration_progress(self.app.stderr) as show:
            image = client.register(
                request.model_validate(options.given(parsed_args, *request.model_fields)),
                on_progress=show,
                timeout=parsed_args.timeout,
                keep_failed=parsed_args.keep_failed,
            )
        return self.shown(parsed_args, image, client, images.SHOWN_WHEN_MADE)


class CreateImage(_Create):
    """Register an image from a URL or a file, and wait until it is ready."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--disk-format", choices=vocabulary.IMAGE_FORMATS, help="Default: what the first bytes say")
        return parser

    def request(self) -> type[NewImage]:
        """Give what is asked for."""
        return hyperx_glance.NewImage


class CreateIso(_Create):
    """Register an ISO from a URL or a file, and wait until it is ready."""

    def request(self) -> type[NewIso]:
        """Give what is asked for."""
        return hyperx_glance.NewIso
