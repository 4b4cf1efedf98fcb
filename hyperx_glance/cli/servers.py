"""``openstack hyperx server password reset``.

>>> from hyperx_glance.cli.servers import ResetPassword
>>> ResetPassword(None, None).get_parser("reset").parse_args(["web-1", "--password-prompt"]).server
'web-1'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cli import commands
from hyperx_glance.cli.passwords import add_password, given_password, showing_password

if TYPE_CHECKING:
    import argparse


class ResetPassword(commands.ShowOne):
    """Set the administrator's password of a running server, or generate a password."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "server")
        add_password(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        server_id = commands.server_id(client, parsed_args.server)
        given = given_password(parsed_args)
        with showing_password(self.app.stderr, parsed_args.language):
            password = client.reset_password(server_id, given)
        shown = {"server": server_id, "password": password.get_secret_value()}
        return self.one(parsed_args, ("server", "password"), shown)
