"""``openstack hyperx server password reset``, and how any command takes a password.

>>> import argparse
>>> from hyperx_glance.cli.servers import given_password
>>> given_password(argparse.Namespace(password_prompt=False, password="s3cret")) == "s3cret"
True
"""

from __future__ import annotations

import contextlib
import getpass
from typing import TYPE_CHECKING, TextIO

from hyperx_glance.cli import commands, words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


class ResetPassword(commands.ShowOne):
    """Set the administrator's password of a running server; without one, draw one."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_name(parser, "server")
        add_password(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        given = given_password(parsed_args)
        with telling_password(self.app.stderr, parsed_args.language):
            password = self.client(parsed_args).reset_password(parsed_args.server, given)
        shown = {"server": parsed_args.server, "password": password.get_secret_value()}
        return self.one(parsed_args, ("server", "password"), shown)


def add_password(parser: argparse.ArgumentParser) -> None:
    """Add the ways to give a password."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--password", metavar="<password>", help="Everybody who lists processes sees it; better: --password-prompt"
    )
    group.add_argument("--password-prompt", action="store_true", help="Ask for the password")


def given_password(parsed_args: argparse.Namespace) -> str | None:
    """Give the password, asked for where that is wanted; None where the library is to draw one."""
    if parsed_args.password_prompt:
        return getpass.getpass("Password: ")
    password: str | None = parsed_args.password
    return password


@contextlib.contextmanager
def telling_password(stream: TextIO, language: words.Language) -> Iterator[None]:
    """Tell the password that servers may have, which nothing keeps, where the block ends with an exception."""
    try:
        yield
    except BaseException as error:
        password = getattr(error, "admin_password", None)
        if password is not None:
            stream.write(f"{words.title('admin_password', language)}: {password.get_secret_value()}\n")
        raise
