"""``openstack hyperx image launch`` and ``openstack hyperx server password reset``.

>>> from hyperx_glance.cli.servers import SHOWN
>>> SHOWN
('launch_id', 'image_id', 'admin_password', 'servers')
"""

from __future__ import annotations

import argparse
import getpass
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import TYPE_CHECKING

from osc_lib.cli.parseractions import KeyValueAction

import hyperx_glance
from hyperx_glance.cli import commands, output
from hyperx_glance.cli.progress import launch_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperx_glance import Server

SHOWN = ("launch_id", "image_id", "admin_password", "servers")


class LaunchImage(commands.ShowOne):
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
        _add_password(parser)
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
        add("--timeout", type=float, metavar="<seconds>")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], tuple[object, ...]]:
        client = self.client()
        parsed_args.admin_password = _password(parsed_args)
        request = hyperx_glance.LaunchRequest(**commands.given(parsed_args, *hyperx_glance.LaunchRequest.model_fields))
        with launch_progress(self.app.stderr) as show:
            launch = client.launch(
                commands.reference(client, parsed_args.image),
                request,
                wait=parsed_args.wait,
                on_progress=show,
                timeout=parsed_args.timeout,
            )
        servers = [server.model_dump(mode="json") for server in launch.servers]
        password = launch.admin_password
        values: dict[str, object] = {
            "launch_id": launch.launch_id,
            "image_id": launch.image_id,
            # The only time it is shown: it is kept nowhere.
            "admin_password": None if password is None else password.get_secret_value(),
            "servers": output.Rendered(servers, *map(_line, launch.servers)),
        }
        return output.headers(parsed_args, output.columns(*SHOWN)), output.row(SHOWN, values)


class ResetPassword(commands.ShowOne):
    """Set the administrator's password of a running server; without one, draw one."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("server", metavar="<server>", help="Id")
        _add_password(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], tuple[object, ...]]:
        password = self.client().reset_password(parsed_args.server, _password(parsed_args))
        header = output.headers(parsed_args, output.columns("server", "password"))
        return header, (parsed_args.server, password.get_secret_value())


def _add_password(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--password", metavar="<password>", help="Everybody who lists processes sees it; better: --password-prompt"
    )
    group.add_argument("--password-prompt", action="store_true", help="Ask for the password")


def _password(parsed_args: argparse.Namespace) -> str | None:
    if parsed_args.password_prompt:
        return getpass.getpass("Password: ")
    password: str | None = parsed_args.password
    return password


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error.strerror}") from None


def _line(server: Server) -> str:
    addresses = ", ".join(address for found in server.addresses.values() for address in found)
    return " ".join(filter(None, [server.name, server.id, server.status, addresses, server.fault]))
