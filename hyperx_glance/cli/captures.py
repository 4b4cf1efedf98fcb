"""``openstack hyperx image capture`` and ``openstack hyperx capture ...``.

>>> from hyperx_glance.cli.captures import CaptureServer
>>> CaptureServer(None, None).get_parser("capture").parse_args(["81f", "web"]).name
'web'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance.cli import commands, options, output
from hyperx_glance.cli.images import SHOWN_WHEN_MADE, ShowsImage
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse

    from hyperx_glance import Capture, Client

_SHOWN = ("capture_id", "server", "image_id")


class CaptureServer(ShowsImage):
    """Capture a server's disk as an image, and wait until the image is ready; the server keeps running.

    Omitted options keep the values of the image from which the server was launched; an empty string clears a value.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        commands.add_name(parser, "server")
        add("name", metavar="<name>", help="Name of the image")
        options.add_properties(parser, hyperx_glance.NewCapture, but="capture_id")
        options.add_columns(parser, tag="Replace the inherited tags by this one; repeat for several")
        add(
            "--no-tags",
            dest="tags",
            action="store_const",
            const=[],
            help="Do not inherit the tags of the server's image",
        )
        options.add_free_properties(parser)
        options.add_disk_format(
            parser, "For a server on a volume; default: raw. For other servers, Nova chooses the format."
        )
        add(
            "--no-wait",
            dest="wait",
            action="store_false",
            help="Return once the services have started; you must continue with openstack hyperx capture resume",
        )
        add("--capture-id", metavar="<id>", help="An id of your choice, by which the capture can be found later")
        options.add_timeout(
            parser, "After this, the capture is cancelled, and its objects are deleted; default: an hour"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        new = hyperx_glance.NewCapture(**options.given(parsed_args, *hyperx_glance.NewCapture.model_fields))
        server_id = commands.server_id(client, parsed_args.server)
        if not parsed_args.wait:
            capture = client.start_capture(server_id, new)
            self.say_how_to_go_on("capture resume", capture.capture_id)
            return self.one(parsed_args, _SHOWN, _values(capture))
        with registration_progress(self.app.stderr, parsed_args.name, parsed_args.language) as show:
            image = client.capture(server_id, new, on_progress=show, timeout=parsed_args.timeout)
        return self.shown(parsed_args, image, client, SHOWN_WHEN_MADE)


class ShowCapture(commands.ShowOne):
    """Show the progress of a capture."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "capture")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        capture = self.client(parsed_args).find_capture(parsed_args.capture)
        phase = output.Word(capture.progress().phase.value)
        return self.one(parsed_args, (*_SHOWN, "phase"), {**_values(capture), "phase": phase})


class ResumeCapture(ShowsImage):
    """Finish a capture that was started with --no-wait, or whose command was interrupted."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "capture")
        options.add_timeout(parser, "After this, the command stops waiting, and the capture remains; default: an hour")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        capture = client.find_capture(parsed_args.capture)
        with registration_progress(self.app.stderr, parsed_args.capture, parsed_args.language) as show:
            image = capture.wait(on_progress=show, timeout=parsed_args.timeout)
        return self.shown(parsed_args, image, client, SHOWN_WHEN_MADE)


class CancelCapture(commands.Deleting):
    """Delete the objects of unfinished captures, but not the servers."""

    what = "capture"

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Cancel one."""
        client.find_capture(name).cancel()


def _values(capture: Capture) -> dict[str, object]:
    return {"capture_id": capture.capture_id, "server": capture.server_id, "image_id": capture.image_id}
