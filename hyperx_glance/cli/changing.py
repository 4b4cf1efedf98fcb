"""``openstack hyperx image set``, ``enable``, ``disable`` and ``delete``, for one or several images.

>>> from hyperx_glance.cli.changing import DeleteImage
>>> DeleteImage(None, None).get_parser("delete").parse_args(["debian", "7c1", "--yes"]).names
['debian', '7c1']
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING, Any

import hyperx_glance
from hyperx_glance.cli import commands, images, options, output, words
from hyperx_glance.errors import NotFoundError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from hyperx_glance import Client, ImageChanges

_SHOWN_AS = {"remove_properties": "properties"}


class SetImage(commands.Lister):
    """Change images or ISOs, and show the changes; an empty string clears a value."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        commands.add_family(parser, commands.add_names(parser, "image"))
        add("--name", metavar="<name>", help="New name")
        options.add_properties(parser, hyperx_glance.ImageChanges)
        options.add_columns(parser, tag="Replace all tags by this one; repeat for several")
        add("--no-tags", dest="tags", action="store_const", const=[], help="Remove every tag")
        add("--hidden", action=BooleanOptionalAction, default=None, help="Hide it from lists")
        options.add_free_properties(parser)
        add(
            "--remove-property",
            dest="remove_properties",
            action="append",
            metavar="<key>",
            help="Delete this property; repeat for several",
        )
        options.add_steward(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        changes = hyperx_glance.ImageChanges(**options.given(parsed_args, *hyperx_glance.ImageChanges.model_fields))
        changed = self.each(
            "image",
            commands.image_names(client, parsed_args),
            lambda name: client.update(commands.reference(client, name), changes),
        )
        return self.rows(parsed_args, _shown(parsed_args, changes), (images.Values(image, client) for image in changed))

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Print no table if every change has failed: cliff would print an empty line."""
        rows = list(data)
        if not rows and parsed_args.formatter == "table":
            return 0
        return super().produce_output(parsed_args, column_names, rows)


def _shown(parsed_args: argparse.Namespace, changes: ImageChanges) -> Sequence[str]:
    """Return the requested fields for people, and every field for programs."""
    if parsed_args.formatter != "table" or parsed_args.columns:
        return images.SHOWN_ALONE
    asked = (_SHOWN_AS.get(field, field) for field in sorted(changes.model_fields_set))
    return tuple(dict.fromkeys(("id", "name", *asked)))


class EnableImage(commands.Several):
    """Make disabled images or ISOs ACTIVE again."""

    what = "image"
    of_families = True

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Enable one."""
        client.enable(commands.reference(client, name))


class DisableImage(commands.Several):
    """Make images or ISOs INACTIVE, without deleting their data."""

    what = "image"
    of_families = True

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Disable one."""
        client.disable(commands.reference(client, name))


class DeleteImage(commands.Deleting):
    """Delete images or ISOs for good; servers launched from them keep running."""

    what = "image"
    of_families = True

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--missing-ok", action="store_true", help="Succeed if the image does not exist")
        parser.add_argument("--report-servers", action="store_true", help="Report the servers launched from it")
        return parser

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Delete one."""
        try:
            image = commands.reference(client, name)
        except NotFoundError:
            if parsed_args.missing_ok:
                return
            raise
        deletion = client.delete(image, missing_ok=parsed_args.missing_ok, report_servers=parsed_args.report_servers)
        self.say_not_looked_at(deletion.not_looked_at)
        for server in deletion.servers or ():
            line = say(
                "server-still-uses-it",
                image=output.printable(name),
                id=server.id,
                name=output.printable(server.name),
                status=server.status,
                through=words.word(server.through, parsed_args.language),
            )
            self.app.stdout.write(f"{output.printable(self.read(line))}\n")
