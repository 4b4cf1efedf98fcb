"""Base classes of all commands: the client, the output, errors for people, and exit status 130 after Ctrl-C.

>>> from hyperx_glance.cli.commands import INTERRUPTED
>>> INTERRUPTED
130
"""

from __future__ import annotations

import argparse
import functools
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from osc_lib import exceptions
from osc_lib.command import command

import hyperx_glance
from hyperx_glance.arguments import filled_text, require
from hyperx_glance.cli import formats, options, output, words
from hyperx_glance.cloud.failures import logging_in
from hyperx_glance.errors import AuthenticationError, HyperxGlanceError, InvalidRequestError, ServiceUnavailableError
from hyperx_glance.texts import LANGUAGES, Audience, Reader, Text, say, word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hyperx_glance import Client, Image

INTERRUPTED = 130
"""The exit status after Ctrl-C (128 plus the number of SIGINT)."""
Table = tuple[list[str], Iterable[tuple[object, ...]]]
One = tuple[list[str], tuple[object, ...]]
_Done = TypeVar("_Done")


class Command(command.Command):
    """Base class of a command: it exits with status 1 and a message if the library raises, and 130 after Ctrl-C."""

    goes_on = ("launch wait", "capture resume", "registration resume")
    """The commands to continue with a launch, a capture, or an image that this command has left."""

    auth_required = False
    """False because ``openstack`` would log in before the command, and show keystoneauth's errors; see `log_in`."""

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Fields that texts may name although only another command has an option for them, with that command."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--language",
            choices=LANGUAGES,
            default=words.language(),
            help=f"For tables and messages; default: Chinese in a Chinese locale, else English (Env: {words.VARIABLE})",
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run without osc-lib's own run, which logs every argument, even passwords (osc_lib/command/command.py)."""
        self.status = 0
        if parsed_args.language not in LANGUAGES:  # argparse does not compare defaults with choices
            raise exceptions.CommandError(f"{words.VARIABLE}: must be one of {', '.join(LANGUAGES)}")
        self.language, self.named = parsed_args.language, _named(parsed_args)
        try:
            return int(super(command.Command, self).run(parsed_args) or 0) or self.status
        except HyperxGlanceError as error:
            raise exceptions.CommandError(_lines(self.read(error), *self._notes(error))) from error
        except KeyboardInterrupt as interrupt:
            self.app.stderr.write(_lines("", *(self._notes(interrupt) or [self.read(say("cancelled"))]), ""))
            return INTERRUPTED

    def client(self, parsed_args: argparse.Namespace) -> Client:
        """Return a client with the login and the options of the command."""
        from hyperx_glance.cloud.connecting import open_connection

        self.log_in()
        manager: Any = self.app.client_manager
        steward: str | None = getattr(parsed_args, "steward_cloud", None)
        return hyperx_glance.Client.from_connection(
            manager.sdk_connection,
            steward=open_connection(steward, {}) if steward else None,
            settings=options.settings(parsed_args),
        )

    def log_in(self) -> None:
        """Let ``openstack`` log in as for its own commands; a failure is an error of this library."""
        with logging_in(None):
            self.app.prepare_to_run_command(_LoggedIn(self.app, None))

    def say_how_to_go_on(self, command: str, thing: str) -> None:
        """Write, on standard error, the command that continues what this one has started."""
        self.app.stderr.write(f"openstack hyperx {command} {thing}\n")

    def asks(self, parsed_args: argparse.Namespace) -> bool:
        """Check whether this command asks for confirmation: only on a terminal, and not with --yes."""
        return not parsed_args.yes and bool(self.app.stdin.isatty())

    def agreed(self, question: str) -> bool:
        """Ask a question on standard error, and return whether the answer is yes."""
        self.app.stderr.write(f"{output.printable(question)} [y/N] ")
        self.app.stderr.flush()
        return self.app.stdin.readline().strip().lower() in ("y", "yes", "是")

    def say_not_looked_at(self, services: Sequence[str]) -> None:
        """Tell the user that servers may be missing."""
        if services:
            named = [word("service", service) for service in services]
            self.app.stderr.write(f"{self.read(say('servers-may-be-missing', services=named))}\n")

    @functools.cached_property
    def reader(self) -> Reader:
        """The user of this command, whose options are collected only if there is a text to read."""
        return Reader(self.language, Audience.COMMAND, {**options.named(self.get_parser("")), **self.elsewhere})

    def read(self, text: Text | HyperxGlanceError, **named: str | None) -> str:
        """Return a text in the language, and with the options, of this command.

        ``named`` are the image, the launch or the capture that a hint means, if the arguments do not name it.
        """
        read = text.read_by(self.reader)
        for what, name in (self.named | named).items():
            read = read.replace(f"<{what}>", shlex.quote(name)) if name else read
        return read

    def explained(self, text: Text, explanation: str = "") -> output.Rendered[str]:
        """Return a text, with what a service said; programs read it in English."""
        whole = say("text-explained", text=text, explanation=explanation) if explanation else text
        english = whole.in_language("en", audience=Audience.COMMAND)
        return output.Rendered(english, self.read(whole))

    def _notes(self, error: BaseException) -> list[str]:
        """Return the notes of an error, and the command that continues with what the error has left."""
        notes = [self.read(note) if isinstance(note, Text) else note for note in getattr(error, "__notes__", ())]
        if isinstance(error, _LEAVING):
            left = [getattr(error, name, None) for name in ("launch_id", "capture_id", "image_id")]
            ways = [
                say("to-continue", command=way, id=found)
                for way, found in zip(self.goes_on, left, strict=True)
                if found
            ]
            notes += [self.read(way) for way in ways[:1]]
        return notes

    def each(self, what: str, names: Sequence[str], act: Callable[[str], _Done]) -> list[_Done]:
        """Act on each name; report each failure, set the status to 1, and continue with the other names."""
        done = []
        for name in names:
            try:
                done.append(act(name))
            except HyperxGlanceError as error:
                self.log.error("%s", _lines(f"{name}: {self.read(error, **{what: name})}"))  # noqa: TRY400  # no traceback
                self.status = 1
        return done


class _LoggedIn(command.Command):
    """A command for which ``openstack`` logs in (osc_lib/shell.py, prepare_to_run_command)."""

    auth_required = True

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Do nothing: it never runs."""


class Several(Command):
    """Base class of a command that does the same to each named thing."""

    what: str
    of_families = False
    """Whether the thing is an image, which may be the latest of a family."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        named = add_names(parser, self.what)
        if self.of_families:
            add_family(parser, named)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = self.client(parsed_args)
        names = image_names(client, parsed_args) if self.of_families else parsed_args.names
        self.each(self.what, names, lambda name: self.act(client, name, parsed_args))

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Act on one thing."""
        raise NotImplementedError


class Deleting(Several):
    """Base class of a command that deletes: on a terminal, it asks first."""

    goes_on = ("launch cancel", "capture cancel", "registration cancel")

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_yes(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        if self.of_families and self.asks(parsed_args):
            parsed_args.names = image_names(self.client(parsed_args), parsed_args)
            parsed_args.family = None
        if not self.asks(parsed_args) or self._agreed(parsed_args):
            super().take_action(parsed_args)
            return
        self.app.stderr.write(f"{self.read(say('nothing-deleted'))}\n")
        self.status = 1

    def _agreed(self, parsed_args: argparse.Namespace) -> bool:
        return self.agreed(self.read(say("delete-for-good", names=parsed_args.names)))


class Lister(Command, command.Lister):
    """Base class of a command that shows a list."""

    def rows(
        self, parsed_args: argparse.Namespace, fields: Sequence[str], values: Iterable[Mapping[str, object]]
    ) -> Table:
        """Return headers, and a row for each of the values."""
        return output.headers(parsed_args, *fields), (output.row(fields, each) for each in values)

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Print the rows without control characters."""
        self.formatter = formats.writer(parsed_args.formatter, self.app.stderr) or self.formatter
        rows = [output.cells(parsed_args, row) for row in data]
        return super().produce_output(parsed_args, column_names, rows)


class ShowOne(Command, command.ShowOne):
    """Base class of a command that shows one thing."""

    def one(self, parsed_args: argparse.Namespace, fields: Sequence[str], values: Mapping[str, object]) -> One:
        """Return headers and values."""
        return output.headers(parsed_args, *fields), output.row(fields, values)

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        """Print the values without control characters; people see nonempty values, and the columns that they name."""
        self.formatter = formats.writer(parsed_args.formatter, self.app.stderr) or self.formatter
        shown = list(zip(column_names, data, strict=True))
        if parsed_args.formatter == "table" and not parsed_args.columns:
            shown = [(name, cell) for name, cell in shown if not output.is_empty(cell)]
        names = [name for name, _ in shown]
        return super().produce_output(parsed_args, names, output.cells(parsed_args, (cell for _, cell in shown)))


_LEAVING = (KeyboardInterrupt, AuthenticationError, ServiceUnavailableError)
"""Exceptions that end a command without saying anything about what it has started."""


def _named(parsed_args: argparse.Namespace) -> dict[str, str | None]:
    """Return the image, the launch and the capture that the arguments name."""
    return {
        what: getattr(parsed_args, what, None) or getattr(parsed_args, f"{what}_id", None)
        for what in ("image", "launch", "capture")
    }


def _lines(*texts: str) -> str:
    return "\n".join(map(output.printable, texts))


def add_names(parser: argparse.ArgumentParser, what: str) -> argparse.Action:
    """Add the arguments that name one or several things."""
    return parser.add_argument("names", metavar=f"<{what}>", nargs="+", help=_NAMED.get(what, "Id"))


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add the option that answers the question of a command that asks."""
    parser.add_argument(
        "--yes", action="store_true", help="Do not ask for confirmation; without a terminal, the command never asks"
    )


def add_name(parser: argparse.ArgumentParser, what: str) -> argparse.Action:
    """Add the argument that names one thing."""
    return parser.add_argument(what, metavar=f"<{what}>", help=_NAMED.get(what, "Id"))


_NAMED = {"image": "Name or id", "server": "Name or id", "launch": "Id, as launch list shows it"}


def reference(client: Client, image: str) -> Image | str:
    """Return an id as it is, because verbs accept ids of every department; find an image by its name."""
    from hyperx_glance.models.image import is_uuid

    return image if is_uuid(image) else client.image(image)


# ----------------------------------------------------------------- the latest image of a family, instead of its name


class _InsteadOfAName(argparse.Action):
    """The option --family: with it, a command takes one argument less, wherever the option stands."""

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401  # argparse's own
        named: argparse.Action,
        last: argparse.Action,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*arguments, **options)
        self._named = named
        self._last = last

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, values)
        if self._last.nargs is None:
            self._last.nargs = 0
        else:
            self._named.nargs, self._last.nargs = "?", "*"


def add_family(parser: argparse.ArgumentParser, named: argparse.Action, behind: argparse.Action | None = None) -> None:
    """Let a command take the latest image of a family instead of the image that is ``named``.

    ``behind`` is the argument after it. The arguments are read in their order, so without an image the first one is
    meant for ``behind``: see `without_image`.
    """
    parser.add_argument(
        "--family", action=_InsteadOfAName, named=named, last=behind or named, metavar="<family>", help=_LATEST
    )
    add_family_owner(parser)


def add_family_owner(parser: argparse.ArgumentParser) -> None:
    """Add the option for the department of a family."""
    parser.add_argument(
        "--family-owner",
        metavar="<department>",
        help="Name or id of the department that releases the family; default: your own, and featured images",
    )


_LATEST = "Take the latest release of this family, in place of an image"


def without_image(parsed_args: argparse.Namespace, behind: str) -> None:
    """With a family, take the first argument for the one ``behind`` the image."""
    if parsed_args.family is not None and not getattr(parsed_args, behind):
        setattr(parsed_args, behind, parsed_args.image)
        parsed_args.image = None


def image_of(client: Client, parsed_args: argparse.Namespace) -> Image | str:
    """Return the image that a command names, or the latest of its family."""
    if parsed_args.family is None:
        return reference(client, parsed_args.image)
    if parsed_args.image:
        raise _both()
    image = client.latest(parsed_args.family, owner=parsed_args.family_owner)
    parsed_args.image = image.id
    return image


def image_names(client: Client, parsed_args: argparse.Namespace) -> list[str]:
    """Return the images that a command names, or the id of the latest of its family."""
    names: list[str] = parsed_args.names
    if parsed_args.family is None:
        return names
    if names:
        raise _both()
    return [client.latest(parsed_args.family, owner=parsed_args.family_owner).id]


def _both() -> InvalidRequestError:
    return InvalidRequestError(say("image-or-family"))


def server_id(client: Client, server: str) -> str:
    """Return an id as it is, and the id of a server that is given by its name, as ``openstack server`` accepts it."""
    from hyperx_glance.cloud import compute
    from hyperx_glance.models.image import is_uuid

    require([("server", server)], {"server": filled_text})
    return server if is_uuid(server) else compute.server_id(client.cloud, server)
