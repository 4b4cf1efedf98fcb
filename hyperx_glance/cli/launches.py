"""``openstack hyperx image launch`` and ``openstack hyperx launch ...``.

>>> from hyperx_glance.cli.launches import SHOWN
>>> SHOWN
('launch_id', 'image_id', 'admin_password', 'servers')
"""

from __future__ import annotations

import argparse
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import TYPE_CHECKING

from osc_lib.cli.parseractions import KeyValueAction

import hyperx_glance
from hyperx_glance.cli import commands, options, output
from hyperx_glance.cli.progress import launch_progress
from hyperx_glance.cli.servers import add_password, given_password

if TYPE_CHECKING:
    from hyperx_glance.launching import Launch

SHOWN = ("launch_id", "image_id", "admin_password", "servers")


class _ShowsLaunch(commands.ShowOne):
    def shown(self, parsed_args: argparse.Namespace, launch: Launch) -> commands.One:
        """Give a launch with its servers, and its password the only time that it is known: it is kept nowhere."""
        password = launch.admin_password
        values = {
            "launch_id": launch.launch_id,
            "image_id": launch.image_id,
            "admin_password": None if password is None else password.get_secret_value(),
            "servers": output.Servers([server.model_dump(mode="json") for server in launch.servers]),
        }
        return self.one(parsed_args, SHOWN, values)


class LaunchImage(_ShowsLaunch):
    """Launch one or many servers from an image or ISO."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("image", metavar="<image>", help="Name or id")
        add("name", metavar="<name>", help="Name of the server; several are numbered: name-1, name-2")
        add("--flavor", required=True, metavar="<flavor>", help="Name or id")
        add("--count", type=int, metavar="<number>", help="Default: 1")
        networks = parser.add_mutually_exclusive_group()
        networks.add_argument("--network", dest="networks", action="append", metavar="<network>", help="Default: auto")
        networks.add_argument("--no-network", dest="networks", action="store_const", const="none")
        add("--install-disk", dest="install_disk_gib", type=int, metavar="<GiB>", help="For an ISO; default: flavor's")
        add("--layout", choices=("install", "live"), help="For an ISO; live: no disk beside it; default: install")
        add(
            "--boot-volume",
            dest="boot_volume_gib",
            type=int,
            metavar="<GiB>",
            help="Put an image's root disk on a volume",
        )
        add("--volume-type", metavar="<type>")
        add("--keep-volumes", action="store_true", help="Volumes outlive the server")
        add_password(parser)
        add("--key-name", metavar="<key>")
        add("--security-group", dest="security_groups", action="append", metavar="<group>", help="Repeat for several")
        add("--user-data", type=_file, metavar="<file>")
        add("--config-drive", action=BooleanOptionalAction, default=None)
        add("--availability-zone", metavar="<zone>")
        add("--metadata", action=KeyValueAction, metavar="<key=value>")
        add("--tag", dest="tags", action="append", metavar="<tag>", help="Tag of the servers; repeat for several")
        add("--server-group", metavar="<group>")
        add(
            "--on-failure",
            choices=("keep", "delete"),
            help="What becomes of the good ones when some fail; default: keep",
        )
        add("--launch-id", metavar="<id>", help="An id of your own, by which the launch can be found again")
        add("--no-wait", dest="wait", action="store_false", help="Return once Nova has accepted")
        options.add_timeout(parser, "When it is over, the waiting ends, and the launch goes on; default: an hour")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        parsed_args.admin_password = given_password(parsed_args)
        request = hyperx_glance.LaunchRequest(**options.given(parsed_args, *hyperx_glance.LaunchRequest.model_fields))
        with launch_progress(self.app.stderr) as show:
            launch = client.launch(
                commands.reference(client, parsed_args.image),
                request,
                wait=parsed_args.wait,
                on_progress=show,
                timeout=parsed_args.timeout,
            )
        return self.shown(parsed_args, launch)


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error.strerror}") from None
