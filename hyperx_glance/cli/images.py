"""``openstack hyperx image ...`` and ``openstack hyperx iso ...``.

>>> from hyperx_glance.cli.images import SHOWN_IN_LISTS
>>> SHOWN_IN_LISTS[:3]
('id', 'name', 'created_at')
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, options, output
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from hyperx_glance import Client, Image, ImageQuery

_CONSOLE = ("name", "created_at", "disk_format", "size", "state", "owner", "password_enabled", "description")
"""The console's columns: 名称 创建日期 格式 大小 状态 所有者 密码启用 说明."""
SHOWN_IN_LISTS = ("id", *_CONSOLE)
"""Names are not unique: what one goes on with is the id."""
_LISTED = tuple(field.name for field in vocabulary.FIELDS if field.listed)
SHOWN_LONG = (*SHOWN_IN_LISTS, "kind", "category", "phase", *_LISTED, "updated_at")
_SAID = tuple(field.name for field in vocabulary.FIELDS if not field.part_of)
SHOWN_ALONE = (*_SAID[:2], "kind", "category", "state", "phase", *_SAID[2:], "properties", "allowed")
SHOWN_WHEN_MADE = (
    "id", "name", "kind", "category", "state", "disk_format", "size", "owner", "password_enabled", "os_name", "tags",
    "description",
)  # fmt: skip
"""What matters to people of an image that they have just made; ``-c`` gives them any other field."""


def values(image: Image, client: Client) -> Mapping[str, object]:
    """Give every field, made ready for both kinds of readers."""
    dumped: dict[str, object] = image.model_dump(mode="json")
    return {field: _readable(value) for field, value in dumped.items()} | {
        "created_at": output.Time(image.created_at),
        "updated_at": output.Time(image.updated_at),
        "size": output.Size(image.size),
        "virtual_size": output.Size(image.virtual_size),
        "kind": output.Word(image.kind.value),
        "category": output.Word(image.category.value),
        "phase": output.Word(image.phase.value),
        "disk_format": output.Format(image.disk_format),
        "owner": output.Owner(image.owner, lambda: client.owner_name(image)),
        "tags": output.Listed(list(image.tags)),
        "stores": output.Listed(list(image.stores)),
        "properties": output.Pairs(image.properties),
        "allowed": output.Words(sorted(action.value for action in client.allowed(image))),
    }


def _readable(value: object) -> object:
    return output.Flag(value) if isinstance(value, bool) else value


# ----------------------------------------------------------------- list


class _List(commands.Lister):
    kinds: tuple[str, ...]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("search", metavar="<word>", nargs="*", help="Words that must all occur, in whatever field")
        add(
            "--view",
            type=options.category,
            choices=options.VIEWS,
            help="The console's tab; default: all; 所有, 精选, 公共 and 私有 are understood, too",
        )
        if len(self.kinds) > 1:
            add("--kind", choices=[*self.kinds, "any"], default=self.kinds[0], help="Default: %(default)s")
            add(
                "--disk-format",
                dest="formats",
                action="append",
                choices=vocabulary.IMAGE_FORMATS,
                help="Repeat for several",
            )
        else:
            parser.set_defaults(kind=self.kinds[0])
        add("--state", choices=["ACTIVE", "INACTIVE"])
        add("--tag", dest="tags", action="append", metavar="<tag>", help="Has this tag; repeat: all of them")
        add("--any-tag", dest="any_tags", action="append", metavar="<tag>", help="Has at least one of these tags")
        add("--no-tag", dest="no_tags", action="append", metavar="<tag>", help="Has none of these tags")
        for field in "name", "owner":
            add(f"--{field}", metavar=f"<{field}>", help="Exactly this")
        options.add_properties(parser, hyperx_glance.ImageQuery, text="Exactly this")
        for field in "name-contains", "description-contains", "os-name-contains":
            add(f"--{field}", metavar="<text>")
        add("--protected", action=BooleanOptionalAction, default=None)
        add("--hidden", choices=["no", "yes", "both"], default="no", help="Default: %(default)s")
        options.add_free_properties(parser)
        for field in "min-size", "max-size":
            add(f"--{field}", type=options.size, metavar="<size>", help="Bytes, or with K, M, G, T")
        for field in "created-after", "created-before", "updated-after", "updated-before":
            add(f"--{field}", type=options.time, metavar="<time>", help="ISO 8601; UTC without a zone")
        add(
            "--sort",
            action="append",
            metavar="<[-]column>",
            help="What Glance sorts by, such as name or -created_at; repeat for several; others: --sort-column",
        )
        add("--limit", type=int, metavar="<number>", help="At most this many")
        add("--page-size", type=int, metavar="<number>", help="One page of this many; where others begin is told")
        add("--cursor", metavar="<cursor>", help="Where the page begins, as told by the page beside")
        add("--long", action="store_true", help="Show more columns")
        options.add_steward(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        fields = SHOWN_LONG if parsed_args.long else SHOWN_IN_LISTS
        images = self._images(client, parsed_args)
        return self.rows(parsed_args, fields, (values(image, client) for image in images))

    def _images(self, client: Client, parsed_args: argparse.Namespace) -> Iterable[Image]:
        query = self._query(parsed_args)
        if parsed_args.page_size is None and parsed_args.cursor is None:
            return client.images(query)
        size = {} if parsed_args.page_size is None else {"size": parsed_args.page_size}
        page = client.page(query, cursor=parsed_args.cursor, **size)
        for name, cursor in (("Previous", page.previous), ("Next", page.next)):
            if cursor is not None:  # beside the table, which programs read
                self.app.stderr.write(f"{name} page: --cursor {cursor}\n")
        return page.images

    def _query(self, parsed_args: argparse.Namespace) -> ImageQuery:
        criteria = options.given(parsed_args, *hyperx_glance.ImageQuery.model_fields) | {
            "search": " ".join(parsed_args.search),
            "kind": None if parsed_args.kind == "any" else parsed_args.kind,
            "hidden": {"no": False, "yes": True, "both": None}[parsed_args.hidden],
        }
        return hyperx_glance.ImageQuery(**criteria)


class ListImages(_List):
    """List images."""

    kinds = ("image", "iso")


class ListIsos(_List):
    """List ISOs."""

    kinds = ("iso",)


class ListTags(commands.Lister):
    """List every tag with the number of images and ISOs that carry it."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        tags = sorted(self.client(parsed_args).tags().items())
        return self.rows(parsed_args, ("tag", "images"), ({"tag": tag, "images": images} for tag, images in tags))


# ----------------------------------------------------------------- show, save


class ShowsImage(commands.ShowOne):
    """Be a command that shows an image."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.add_steward(parser)
        return parser

    def shown(
        self, parsed_args: argparse.Namespace, image: Image, client: Client, fields: Sequence[str] = SHOWN_ALONE
    ) -> commands.One:
        """Give fields of an image to people, and every field to programs and to those who name columns."""
        if parsed_args.formatter != "table" or parsed_args.columns:
            fields = SHOWN_ALONE
        return self.one(parsed_args, fields, values(image, client))


class ShowImage(ShowsImage):
    """Show an image or ISO, and what you may do with it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Name or id")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        return self.shown(parsed_args, client.image(parsed_args.image), client)


class SaveImage(commands.Command):
    """Save the data of an image or ISO in a file, verified; a download that broke off is taken up again."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Name or id")
        parser.add_argument("--file", required=True, metavar="<path>", help="Where to; what is there is replaced")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = self.client(parsed_args)
        image = commands.reference(client, parsed_args.image)
        with registration_progress(self.app.stderr) as show:
            client.download(image, parsed_args.file, on_progress=show)
