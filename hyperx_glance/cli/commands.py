"""What every command shares: the client, errors for people, a quiet end after Ctrl-C.

>>> import argparse
>>> from hyperx_glance.cli.commands import given
>>> given(argparse.Namespace(name="debian", tags=None), "name", "tags")
{'name': 'debian'}
"""

from __future__ import annotations

import argparse
import os
from argparse import BooleanOptionalAction
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from osc_lib import exceptions
from osc_lib.cli.parseractions import KeyValueAction
from osc_lib.command import command

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import output
from hyperx_glance.errors import HyperxGlanceError
from hyperx_glance.vocabulary import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from hyperx_glance import Client, Image, Settings

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended (128 and the number of SIGINT)."""


class Command(command.Command):
    """Run with a client; end with status 1 and a sentence where the library raises, 130 after Ctrl-C."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run, past osc-lib's own run: it logs every argument, passwords too (osc_lib/command/command.py)."""
        try:
            return int(super(command.Command, self).run(parsed_args) or 0)
        except HyperxGlanceError as error:
            raise exceptions.CommandError(_lines(str(error), *getattr(error, "__notes__", ()))) from error
        except KeyboardInterrupt as interrupt:
            notes = getattr(interrupt, "__notes__", ()) or ("Cancelled.",)
            self.app.stderr.write(_lines("", *notes, ""))
            return INTERRUPTED

    def client(self, settings: Settings | None = None) -> Client:
        """Connect with the login of the command; ``settings`` where the command has options for them."""
        manager: Any = self.app.client_manager
        return hyperx_glance.Client.from_connection(manager.sdk_connection, settings=settings)


class Lister(Command, command.Lister):
    """Be a `Command` that shows a list."""

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Print rows that drive no terminal."""
        rows = [output.printable_cells(parsed_args, row) for row in data]
        return super().produce_output(parsed_args, column_names, rows)


class ShowOne(Command, command.ShowOne):
    """Be a `Command` that shows one thing."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        """Print values that drive no terminal."""
        return super().produce_output(parsed_args, column_names, output.printable_cells(parsed_args, data))


def _lines(*texts: str) -> str:
    return "\n".join(map(output.printable, texts))


def given(parsed_args: argparse.Namespace, *fields: str) -> dict[str, Any]:
    """Pick the arguments that somebody gave: the others are the models' affair."""
    values = {field: getattr(parsed_args, field, None) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


def reference(client: Client, image: str) -> Image | str:
    """Leave an id to the verb, which knows the images of every department; find the image of a name."""
    from hyperx_glance.models.image import is_uuid

    return image if is_uuid(image) else client.image(image)


def size(text: str) -> int:
    """Read bytes: 1048576, 1M, 1MiB."""
    number = text.upper().removesuffix("B").removesuffix("I")
    shift = {"K": 10, "M": 20, "G": 30, "T": 40}.get(number[-1:], 0)
    try:
        return int(float(number[:-1] if shift else number) * (1 << shift))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1048576, 512M or 2GiB") from None


def time(text: str) -> datetime:
    """Read ISO 8601; a time without a zone is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-24 or 2026-11-24T08:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def add_properties(parser: argparse.ArgumentParser, model: type[BaseModel], *, but: str = "", text: str = "") -> None:
    """Add an option for each Glance property that is a field of a request, with ``text`` or its meaning as help."""
    for field in vocabulary.FIELDS:
        if field.stored is Stored.COLUMN or field.name == but or field.name not in model.model_fields:
            continue
        option, meaning = field.name.replace("_", "-"), text or field.description or field.title
        if field.stored is Stored.FLAG:
            parser.add_argument(f"--{option}", action=BooleanOptionalAction, default=None, help=meaning)
        else:
            parser.add_argument(f"--{option}", metavar=f"<{option}>", help=meaning)


def add_free_properties(parser: argparse.ArgumentParser) -> None:
    """Add the option for properties that are no fields."""
    parser.add_argument("--property", dest="properties", action=KeyValueAction, metavar="<key=value>")


def add_public_visibility(parser: argparse.ArgumentParser) -> None:
    """Add the choice that a whole deployment makes: so it can stand in the environment."""
    parser.add_argument(
        "--public-visibility",
        choices=("community", "public"),
        default=os.environ.get("HYPERX_PUBLIC_VISIBILITY", "community"),
        help="What Glance is told for a PUBLIC image, for a whole deployment alike (Env: HYPERX_PUBLIC_VISIBILITY)",
    )


def settings(parsed_args: argparse.Namespace) -> Settings:
    """Make settings of the options that a command has."""
    hosts: Sequence[str] = getattr(parsed_args, "trusted_hosts", ())
    policy = hyperx_glance.UrlPolicy(trusted_hosts=tuple(hosts), preflight=getattr(parsed_args, "preflight", True))
    return hyperx_glance.Settings(
        url_policy=policy,
        transfer=getattr(parsed_args, "transfer", "auto"),
        public_visibility=parsed_args.public_visibility,
    )
