"""``openstack hyperx image show``, ``save`` and ``servers``, and how any command shows an image.

>>> from hyperx_glance.cli.images import SHOWN_IN_LISTS
>>> SHOWN_IN_LISTS[:3]
('id', 'name', 'created_at')
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, options, output
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hyperx_glance import Client, Image, ServerRef

_CONSOLE = ("name", "created_at", "disk_format", "size", "state", "owner", "password_enabled", "description")
"""The console's columns: 名称 创建日期 格式 大小 状态 所有者 密码启用 说明."""
SHOWN_IN_LISTS = ("id", *_CONSOLE)
"""Names are not unique: the next command needs the id."""
_LISTED = tuple(field.name for field in vocabulary.FIELDS if field.listed)
SHOWN_LONG = (*SHOWN_IN_LISTS, "kind", "category", "phase", "lifecycle", *_LISTED, "updated_at")
_SAID = tuple(field.name for field in vocabulary.FIELDS if not field.part_of)
SHOWN_ALONE = (*_SAID[:2], "kind", "category", "state", "phase", "lifecycle", *_SAID[2:], "properties", "allowed")
SHOWN_WHEN_MADE = (
    "id", "name", "kind", "category", "state", "disk_format", "size", "owner", "password_enabled", "os_name", "tags",
    "description",
)  # fmt: skip
"""The fields that people see of an image that they have just created; ``-c`` shows any other field."""


class Values(dict[str, object]):
    """The fields of an image, prepared for people and programs on first use, because a list shows only some."""

    def __init__(self, image: Image, client: Client) -> None:
        super().__init__()
        self._image = image
        self._client = client

    def __missing__(self, field: str) -> object:
        """Prepare one field."""
        if field == "owner":
            return output.Owner(self._image.owner, lambda: self._client.owner_name(self._image))
        if field == "allowed":
            return output.Words(sorted(action.value for action in self._client.allowed(self._image)))
        value = getattr(self._image, field)
        return _SHOWN_AS.get(field, _readable)(value)


_SHOWN_AS: dict[str, Callable[[Any], object]] = {
    "created_at": output.Time,
    "updated_at": output.Time,
    "released_at": output.Time,
    "deprecated_at": output.Time,
    "obsolete_at": output.Time,
    "size": output.Size,
    "virtual_size": output.Size,
    "kind": lambda word: output.Word(word.value),
    "category": lambda word: output.Word(word.value),
    "phase": lambda word: output.Word(word.value),
    "lifecycle": lambda word: output.Word(word.value),
    "disk_format": output.Format,
    "failure": output.Said,
    "tags": lambda tags: output.Listed(list(tags)),
    "stores": lambda stores: output.Listed(list(stores)),
    "properties": lambda properties: output.Pairs(dict(properties)),
}


def _readable(value: object) -> object:
    match value:
        case bool():
            return output.Flag(value)
        case StrEnum():
            return value.value
    return value


class ShowsImage(commands.ShowOne):
    """Base class for commands that show an image."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.add_steward(parser)
        return parser

    def shown(
        self, parsed_args: argparse.Namespace, image: Image, client: Client, fields: Sequence[str] = SHOWN_ALONE
    ) -> commands.One:
        """Return the given fields of an image for people, or every field for programs and if columns are named."""
        if parsed_args.formatter != "table" or parsed_args.columns:
            fields = SHOWN_ALONE
        return self.one(parsed_args, fields, Values(image, client))


class ShowImage(ShowsImage):
    """Show an image or ISO, and what you may do with it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_family(parser, commands.add_name(parser, "image"))
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        image = commands.image_of(client, parsed_args)
        return self.shown(parsed_args, client.image(image) if isinstance(image, str) else image, client)


class SaveImage(commands.Command):
    """Save the data of an image or ISO to a file, and verify it; an interrupted download is resumed."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_family(parser, commands.add_name(parser, "image"))
        parser.add_argument(
            "--file", required=True, type=_target, metavar="<path>", help="Target file; an existing file is replaced"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = self.client(parsed_args)
        image = commands.image_of(client, parsed_args)
        with registration_progress(self.app.stderr, parsed_args.image, parsed_args.language) as show:
            client.download(image, parsed_args.file, on_progress=show)


def _target(path: str) -> str:
    """Refuse "-", which other commands treat as standard output: that data would be used before it is verified."""
    if path == "-":
        raise argparse.ArgumentTypeError("data is saved to a file and verified; for a file named -, write ./-")
    return path


class ListServers(commands.Lister):
    """List the servers that you can see and that were launched from an image."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_family(parser, commands.add_name(parser, "image"))
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        found = client.servers_using(commands.image_of(client, parsed_args))
        servers = found.servers
        self.say_not_looked_at(found.not_looked_at)
        names = {department.id: department.name for department in client.departments()} if servers else {}
        fields = ("id", "name", "status", "project_id", "through")
        return self.rows(parsed_args, fields, (_shown_server(server, names) for server in servers))


def _shown_server(server: ServerRef, names: Mapping[str, str]) -> dict[str, object]:
    department = server.project_id
    shown = {"through": output.Word(server.through)}
    return server.model_dump() | shown | {"project_id": output.Rendered(department, names.get(department, department))}
