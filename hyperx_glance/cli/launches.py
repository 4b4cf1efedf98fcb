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
from hyperx_glance.cli.passwords import add_password, given_password, showing_password
from hyperx_glance.cli.progress import launch_progress
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from hyperx_glance import Client
    from hyperx_glance.launching import Launch

SHOWN = ("launch_id", "image_id", "admin_password", "servers")
_TIMEOUT = "After this, the command stops waiting, and the launch continues; default: an hour"


def _values(launch: Launch) -> dict[str, object]:
    """Return the values of a launch, with its password only if this command has set it, since nothing keeps it."""
    password = launch.admin_password
    return {
        "launch_id": launch.launch_id,
        "image_id": launch.image_id,
        "count": launch.count,
        "admin_password": None if password is None else password.get_secret_value(),
        "servers": output.Servers([server.model_dump(mode="json") for server in launch.servers]),
    }


class _ShowsLaunch(commands.ShowOne):
    def shown(self, parsed_args: argparse.Namespace, launch: Launch) -> commands.One:
        """Return a launch with its servers."""
        return self.one(parsed_args, SHOWN, _values(launch))


class LaunchImage(_ShowsLaunch):
    """Launch one or many servers from an image or ISO."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        image = commands.add_name(parser, "image")
        name = add("name", metavar="<name>", help="Name of the server; several servers are numbered: name-1, name-2")
        commands.add_family(parser, image, name)
        add("--flavor", required=True, metavar="<flavor>", help="Name or id of the size of the servers")
        add("--count", type=int, metavar="<number>", help="How many servers to launch; default: 1")
        networks = parser.add_mutually_exclusive_group()
        networks.add_argument(
            "--network",
            dest="networks",
            action="append",
            metavar="<network>",
            help="Name or id; repeat for several; default: the only network of the department",
        )
        networks.add_argument(
            "--no-network", dest="networks", action="store_const", const="none", help="Launch without an address"
        )
        add(
            "--install-disk",
            dest="install_disk_gib",
            type=int,
            metavar="<GiB>",
            help="Size of the empty disk beside an ISO; default: the disk of the flavor",
        )
        add("--layout", choices=("install", "live"), help="For an ISO; live: without an install disk; default: install")
        add(
            "--boot-volume",
            dest="boot_volume_gib",
            type=int,
            metavar="<GiB>",
            help="Put the root disk of an image on a volume of this size",
        )
        add("--volume-type", metavar="<type>", help="Kind of storage for the new volumes; default: as Cinder chooses")
        add("--keep-volumes", action="store_true", help="Keep the volumes when the server is deleted")
        add_password(parser)
        add("--key-name", metavar="<key>", help="Your key pair for logging in by SSH")
        add(
            "--security-group",
            dest="security_groups",
            action="append",
            metavar="<group>",
            help="Firewall rules for the servers; repeat for several",
        )
        add("--user-data", type=_file, metavar="<file>", help="What cloud-init does at the first start")
        add(
            "--config-drive",
            action=BooleanOptionalAction,
            default=None,
            help="Whether the servers read their settings from a disk instead of the network; default: as Nova chooses",
        )
        add("--availability-zone", metavar="<zone>", help="Where the servers run; default: as Nova chooses")
        add(
            "--metadata",
            action=KeyValueAction,
            metavar="<key=value>",
            help="What Nova keeps with each server; repeat for several",
        )
        add("--tag", dest="tags", action="append", metavar="<tag>", help="Tag of the servers; repeat for several")
        add("--server-group", metavar="<group>", help="Name or id; its policy says which servers share a host")
        add(
            "--on-failure",
            choices=("keep", "delete"),
            help="What to do with the other servers if some fail; default: keep",
        )
        add("--launch-id", metavar="<id>", help="An id of your choice, by which the launch can be found later")
        add(
            "--no-wait",
            dest="wait",
            action="store_false",
            help="Return once Nova has accepted the launch; continue with openstack hyperx launch wait",
        )
        options.add_timeout(parser, _TIMEOUT)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        commands.without_image(parsed_args, "name")
        parsed_args.admin_password = given_password(parsed_args)
        request = hyperx_glance.LaunchRequest(**options.given(parsed_args, *hyperx_glance.LaunchRequest.model_fields))
        with (
            showing_password(self.app.stderr, parsed_args.language),
            launch_progress(self.app.stderr, parsed_args.name, parsed_args.language) as show,
        ):
            launch = client.launch(
                commands.image_of(client, parsed_args),
                request,
                wait=parsed_args.wait,
                on_progress=show,
                timeout=parsed_args.timeout,
            )
        if not parsed_args.wait:
            self.say_how_to_go_on("launch wait", launch.launch_id)
        return self.shown(parsed_args, launch)


class ListLaunches(commands.Lister):
    """List the launches whose servers exist, the newest first."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        launches = self.client(parsed_args).launches()
        return self.rows(parsed_args, ("launch_id", "count", "image_id", "servers"), map(_values, launches))


class ShowLaunch(_ShowsLaunch):
    """Show the current state of a launch."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "launch")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        return self.shown(parsed_args, self.client(parsed_args).find_launch(parsed_args.launch))


class WaitForLaunch(_ShowsLaunch):
    """Wait for the servers of a launch that was started with --no-wait, or whose command was interrupted."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "launch")
        options.add_timeout(parser, _TIMEOUT)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        launch = self.client(parsed_args).find_launch(parsed_args.launch)
        with launch_progress(self.app.stderr, parsed_args.launch, parsed_args.language) as show:
            return self.shown(parsed_args, launch.wait(on_progress=show, timeout=parsed_args.timeout))


class CancelLaunch(commands.Deleting):
    """Delete the servers and volumes that launches have created."""

    what = "launch"

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Cancel one."""
        launch = client.find_launch(name)
        launch.cancel()
        if softly := [server.name for server in launch.servers]:
            text = self.read(say("servers-go-later", launch=name, servers=softly))
            self.app.stderr.write(f"{output.printable(text)}\n")


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error.strerror}") from None
