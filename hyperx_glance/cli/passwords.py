"""How commands take a password, and show one that nothing keeps.

>>> import argparse
>>> from hyperx_glance.cli.passwords import given_password
>>> given_password(argparse.Namespace(password_prompt=False, password="s3cret")) == "s3cret"
True
"""

from __future__ import annotations

import contextlib
import getpass
from typing import TYPE_CHECKING, TextIO

from hyperx_glance.cli import words
from hyperx_glance.texts import Language, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def add_password(parser: argparse.ArgumentParser) -> None:
    """Add the options that set a password."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--password",
        metavar="<password>",
        help="Visible to all users who can list processes; --password-prompt is safer",
    )
    group.add_argument("--password-prompt", action="store_true", help="Prompt for the password")


def given_password(parsed_args: argparse.Namespace) -> str | None:
    """Return the password, after a prompt if that is wanted, or None if the library should generate a password."""
    if parsed_args.password_prompt:
        return getpass.getpass(say("password-prompt").in_language(parsed_args.language))
    password: str | None = parsed_args.password
    return password


@contextlib.contextmanager
def showing_password(stream: TextIO, language: Language) -> Iterator[None]:
    """If the block raises, show the password that servers may have, since nothing keeps it."""
    try:
        yield
    except BaseException as error:
        password = getattr(error, "admin_password", None)
        if password is not None:
            stream.write(f"{words.title('admin_password', language)}: {password.get_secret_value()}\n")
        raise
