"""``openstack hyperx image create`` and ``openstack hyperx iso create``.

>>> from hyperx_glance.cli.creating import CreateIso
>>> CreateIso(None, None).get_parser("create").parse_args(["--url", "http://files.example/a.iso", "a"]).name
'a'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance.cli import commands, images, options
from hyperx_glance.cli.progress import registration_progress
from hyperx_glance.errors import InvalidRequestError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    import argparse

    from hyperx_glance import Client, Image, NewImage, NewIso


def add_request(parser: argparse.ArgumentParser, request: type[NewImage | NewIso]) -> None:
    """Add the options of a request: the data, and what describes it."""
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--url", metavar="<url>", help="URL of the data: http or https")
    source.add_argument("--file", type=Path, metavar="<path>", help="A file on this machine")
    add("--no-unpack", dest="unpack", action="store_const", const=False, help="Refuse packed data (xz, gzip, ...)")
    options.add_properties(parser, request, but="url")
    options.add_columns(parser)
    checksum = parser.add_mutually_exclusive_group()
    checksum.add_argument("--checksum", metavar="<algorithm:hex>", help="sha256:..., sha512:... or md5:...")
    checksum.add_argument("--checksum-url", metavar="<url>", help="URL of a checksum file, such as .../SHA256SUMS")
    add("--owner", metavar="<department>", help="Register for another department; administrators only")
    options.add_free_properties(parser)
    add(
        "--store",
        dest="stores",
        action="append",
        metavar="<store>",
        help="Where Glance keeps the data; repeat for several",
    )


class Making(images.ShowsImage):
    """Base class of a command that registers an image or an ISO."""

    def request(self) -> type[NewImage | NewIso]:
        """Return the class of the request."""
        raise NotImplementedError


class MakingImages(Making):
    """Base class of one that registers an image."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.add_disk_format(parser, "Default: detected from the first bytes")
        return parser

    def request(self) -> type[NewImage]:
        """Return the class of the request."""
        return hyperx_glance.NewImage


class MakingIsos(Making):
    """Base class of one that registers an ISO."""

    def request(self) -> type[NewIso]:
        """Return the class of the request."""
        return hyperx_glance.NewIso


class _Create(Making):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("name", metavar="<name>", help="Need not be unique")
        add_request(parser, self.request())
        add("--id", metavar="<uuid>", help="An id of your choice")
        options.add_transfer(parser)
        options.add_timeout(parser, "After this, the registration is cancelled; default: an hour")
        add(
            "--no-wait",
            dest="wait",
            action="store_false",
            help="Return once Glance has started; continue and verify with openstack hyperx registration resume",
        )
        add("--keep-failed", action="store_true", help="Keep the record of a failed upload, INACTIVE")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        request = self.request()
        new = request.model_validate(options.given(parsed_args, *request.model_fields))
        if not parsed_args.wait:
            image = self._begun(parsed_args, client, new)
        else:
            with registration_progress(self.app.stderr, parsed_args.name, parsed_args.language) as show:
                image = client.register(
                    new, on_progress=show, timeout=parsed_args.timeout, keep_failed=parsed_args.keep_failed
                )
        return self.shown(parsed_args, image, client, images.SHOWN_WHEN_MADE)

    def _begun(self, parsed_args: argparse.Namespace, client: Client, new: NewImage | NewIso) -> Image:
        """Start the registration, and say how to continue; with --no-wait, this machine cannot read the data itself."""
        if parsed_args.file is not None or parsed_args.transfer == "stream":
            raise InvalidRequestError(say("no-wait-means-glance-reads"), hint=say("use-url-and-glance"))
        image_id = client.start_registration(new, keep_failed=parsed_args.keep_failed).image_id
        self.say_how_to_go_on("registration resume", image_id)
        return client.image(image_id)


class CreateImage(MakingImages, _Create):
    """Register an image from a URL or a file, and wait until it is ready."""


class CreateIso(MakingIsos, _Create):
    """Register an ISO from a URL or a file, and wait until it is ready."""
