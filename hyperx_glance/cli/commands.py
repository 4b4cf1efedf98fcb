"""What every command shares: the client, its output, errors for people, a quiet end after Ctrl-C.

>>> from hyperx_glance.cli.commands import INTERRUPTED
>>> INTERRUPTED
130
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from osc_lib import exceptions
from osc_lib.command import command

import hyperx_glance
from hyperx_glance.cli import formats, options, output, words
from hyperx_glance.errors import AuthenticationError, HyperxGlanceError, ServiceUnavailableError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from hyperx_glance import Client, Image

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended (128 and the number of SIGINT)."""
Table = tuple[list[str], Iterable[tuple[object, ...]]]
One = tuple[list[str], tuple[object, ...]]
_Done = TypeVar("_Done")


class Command(command.Command):
    """Run with a client; end with status 1 and a sentence where the library raises, 130 after Ctrl-C."""

    goes_on = ("launch wait", "capture resume", "registration resume")
    """With which command to go on with a launch, a capture, or an image that this one has left."""
    shows_sentences = False
    """Whether it shows the library's own sentences, which are English: then all that it shows is English."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        if self.shows_sentences:
            parser.set_defaults(language="en")
        else:
            parser.add_argument(
                "--language",
                choices=words.LANGUAGES,
                default=words.language(),
                help="Of what is for people; default: Chinese where the locale is Chinese, else English",
            )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run, past osc-lib's own run: it logs every argument, passwords too (osc_lib/command/command.py)."""
        self.status = 0
        try:
            return int(super(command.Command, self).run(parsed_args) or 0) or self.status
        except HyperxGlanceError as error:
            raise exceptions.CommandError(_lines(self.told(error, _named(parsed_args)), *self._notes(error))) from error
        except KeyboardInterrupt as interrupt:
            self.app.stderr.write(_lines("", *(self._notes(interrupt) or ["Cancelled."]), ""))
            return INTERRUPTED

    def client(self, parsed_args: argparse.Namespace) -> Client:
        """Connect with the login of the command, and with what its options say."""
        from hyperx_glance.cloud.connecting import open_connection

        manager: Any = self.app.client_manager
        steward: str | None = getattr(parsed_args, "steward_cloud", None)
        return hyperx_glance.Client.from_connection(
            manager.sdk_connection,
            steward=open_connection(steward, {}) if steward else None,
            settings=options.settings(parsed_args),
        )

    def say_how_to_go_on(self, command: str, thing: str) -> None:
        """Tell, beside the output, with which command to go on with what this one has begun."""
        self.app.stderr.write(f"openstack hyperx {command} {thing}\n")

    def told(self, error: HyperxGlanceError, named: Mapping[str, str | None]) -> str:
        """Tell an error with the options of this command, and with the image, launch or capture that was ``named``."""
        from hyperx_glance.cli import hints

        parser = self.get_parser("")
        return hints.told(error, options.named(parser), named)

    def _notes(self, error: BaseException) -> list[str]:
        """Give the notes of an error, and how to go on with what it has left."""
        from hyperx_glance.cli.hints import translated

        notes = [translated(note) for note in getattr(error, "__notes__", ())]
        if isinstance(error, _LEAVING):
            left = [getattr(error, name, None) for name in ("launch_id", "capture_id", "image_id")]
            ways = [f"{command} {found}" for command, found in zip(self.goes_on, left, strict=True) if found]
            notes += [f"Go on: openstack hyperx {way}" for way in ways[:1]]
        return notes

    def each(self, what: str, names: Sequence[str], act: Callable[[str], _Done]) -> list[_Done]:
        """Do the same to several; what fails is told and makes the status 1, and the others are done."""
        done = []
        for name in names:
            try:
                done.append(act(name))
            except HyperxGlanceError as error:
                told = self.told(error, {what: name})
                self.log.error("%s", _lines(f"{name}: {told}"))  # noqa: TRY400  # a sentence, no traceback
                self.status = 1
        return done


class Several(Command):
    """Be a `Command` that does the same to each thing that is named."""

    what: str

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_names(parser, self.what)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = self.client(parsed_args)
        self.each(self.what, parsed_args.names, lambda name: self.act(client, name, parsed_args))

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Do it to one."""
        raise NotImplementedError


class Deleting(Several):
    """Be a command of `Several` after which something is gone: on a terminal it asks before."""

    goes_on = ("launch cancel", "capture cancel", "registration cancel")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--yes", action="store_true", help="Do not ask; where nobody is at a terminal, nobody is asked"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.yes or not self.app.stdin.isatty() or self._agreed(parsed_args):
            super().take_action(parsed_args)
            return
        self.app.stderr.write(f"{words.say('Nothing was deleted.', parsed_args.language)}\n")
        self.status = 1

    def _agreed(self, parsed_args: argparse.Namespace) -> bool:
        names = words.say(", ", parsed_args.language).join(parsed_args.names)
        question = words.say("Delete {} for good?", parsed_args.language).format(names)
        self.app.stderr.write(f"{output.printable(question)} [y/N] ")
        self.app.stderr.flush()
        return self.app.stdin.readline().strip().lower() in ("y", "yes", "是")


class Lister(Command, command.Lister):
    """Be a `Command` that shows a list."""

    def rows(
        self, parsed_args: argparse.Namespace, fields: Sequence[str], values: Iterable[Mapping[str, object]]
    ) -> Table:
        """Give headers, and a row for each of the values."""
        return output.headers(parsed_args, *fields), (output.row(fields, each) for each in values)

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Print rows that drive no terminal."""
        self.formatter = formats.writer(parsed_args.formatter) or self.formatter
        rows = [output.cells(parsed_args, row) for row in data]
        return super().produce_output(parsed_args, column_names, rows)


class ShowOne(Command, command.ShowOne):
    """Be a `Command` that shows one thing."""

    def one(self, parsed_args: argparse.Namespace, fields: Sequence[str], values: Mapping[str, object]) -> One:
        """Give headers and values."""
        return output.headers(parsed_args, *fields), output.row(fields, values)

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        """Print values that drive no terminal; people get those that say something, and those that they ask for."""
        self.formatter = formats.writer(parsed_args.formatter) or self.formatter
        shown = list(zip(column_names, data, strict=True))
        if parsed_args.formatter == "table" and not parsed_args.columns:
            shown = [(name, cell) for name, cell in shown if not output.is_empty(cell)]
        names = [name for name, _ in shown]
        return super().produce_output(parsed_args, names, output.cells(parsed_args, (cell for _, cell in shown)))


_LEAVING = (KeyboardInterrupt, AuthenticationError, ServiceUnavailableError)
"""What ends a command, and says nothing about what it has begun."""


def _named(parsed_args: argparse.Namespace) -> dict[str, str | None]:
    """Give the image, the launch and the capture that the arguments name."""
    return {
        what: getattr(parsed_args, what, None) or getattr(parsed_args, f"{what}_id", None)
        for what in ("image", "launch", "capture")
    }


def _lines(*texts: str) -> str:
    return "\n".join(map(output.printable, texts))


def add_names(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the arguments that name one or several things."""
    parser.add_argument("names", metavar=f"<{what}>", nargs="+", help=_NAMED.get(what, "Id"))


def add_name(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the argument that names one thing."""
    parser.add_argument(what, metavar=f"<{what}>", help=_NAMED.get(what, "Id"))


_NAMED = {"image": "Name or id"}


def reference(client: Client, image: str) -> Image | str:
    """Leave an id to the verb, which knows the images of every department; find the image of a name."""
    from hyperx_glance.models.image import is_uuid

    return image if is_uuid(image) else client.image(image)
