"""``openstack hyperx registration ...``: unfinished registrations.

>>> from hyperx_glance.cli.registrations import SHOWN
>>> SHOWN[:3]
('id', 'name', 'created_at')
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hyperx_glance.cli import commands, images, options, output
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse

    from hyperx_glance import Client

SHOWN = ("id", "name", "created_at", "disk_format", "phase", "url")
_PROGRESS = ("id", "phase", "bytes_done", "bytes_expected", "elapsed_seconds", "message")


class ListRegistrations(commands.Lister):
    """List your registrations for this department that have not been finished or verified."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--older-than",
            type=float,
            default=0,
            metavar="<seconds>",
            help="Started at least this long ago; default: 0",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        unfinished = client.unfinished_registrations(older_than_seconds=parsed_args.older_than)
        return self.rows(parsed_args, SHOWN, (images.Values(image, client) for image in unfinished))


class ShowRegistration(commands.ShowOne):
    """Show the progress of a registration or a capture, regardless of who started it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "image")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        image = commands.reference(client, parsed_args.image)
        progress = client.progress(image)
        values = progress.model_dump() | {
            "id": image if isinstance(image, str) else image.id,
            "phase": output.Word(progress.phase.value),
            "bytes_done": output.Size(progress.bytes_done),
            "bytes_expected": output.Size(progress.bytes_expected),
            "elapsed_seconds": round(progress.elapsed_seconds),
        }
        return self.one(parsed_args, _PROGRESS, values)


class ResumeRegistration(images.ShowsImage):
    """Finish a registration that was started with --no-wait, or whose command was interrupted."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "image")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--url", metavar="<url>", help="Required if credentials were removed from the stored URL")
        source.add_argument("--file", type=Path, metavar="<path>", help="Required if the data came from a file")
        options.add_transfer(parser)
        options.add_timeout(parser, "After this, the command stops waiting, and Glance continues; default: an hour")
        parser.add_argument("--keep-failed", action="store_true", help="Keep the record of a failed upload, INACTIVE")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        registration = client.resume_registration(
            commands.reference(client, parsed_args.image),
            url=parsed_args.url,
            file=parsed_args.file,
            keep_failed=parsed_args.keep_failed,
        )
        with registration_progress(self.app.stderr, parsed_args.image, parsed_args.language) as show:
            image = registration.wait(on_progress=show, timeout=parsed_args.timeout)
        return self.shown(parsed_args, image, client, images.SHOWN_WHEN_MADE)


class CancelRegistration(commands.Deleting):
    """Delete the records of unfinished registrations."""

    what = "image"

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Cancel one."""
        client.cancel_registration(commands.reference(client, name))
