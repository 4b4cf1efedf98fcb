"""``openstack hyperx image list``, ``iso list``, ``image tags`` and ``image summary``.

>>> from hyperx_glance.cli.lists import ListIsos, query
>>> query(ListIsos(None, None).get_parser("list").parse_args(["debian", "--view", "公共"])).view
<View.PUBLIC: 'public'>
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, images, options, output
from hyperx_glance.texts import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from hyperx_glance import Client, Image, ImageQuery

_KINDS = ("image", "iso", "any")


def add_criteria(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add the criteria for images; ISOs have one kind and one format."""
    add = parser.add_argument
    add("search", metavar="<word>", nargs="*", help="Words that must all occur, in any field")
    add(
        "--view",
        type=options.category,
        choices=options.VIEWS,
        help="Tab of the console, by its English or Chinese name; default: all",
    )
    if kind != "iso":
        add("--kind", choices=_KINDS, default=kind, help="Images, ISOs or both; default: %(default)s")
        options.add_disk_format(
            parser,
            "Stored in this format; repeat for several",
            choices=(*vocabulary.IMAGE_FORMATS, vocabulary.ISO_FORMAT),
            several=True,
        )
    else:
        parser.set_defaults(kind=kind)
    add("--state", choices=["ACTIVE", "INACTIVE"], help="Whether servers can be launched from it")
    add(
        "--lifecycle",
        choices=options.LIFECYCLES,
        help="Whether it is recommended; releases that are not are hidden: --hidden both",
    )
    add("--tag", dest="tags", action="append", metavar="<tag>", help="Has this tag; repeat: all of them")
    add("--any-tag", dest="any_tags", action="append", metavar="<tag>", help="Has at least one of these tags")
    add("--no-tag", dest="no_tags", action="append", metavar="<tag>", help="Has none of these tags")
    for field in "name", "owner":
        add(f"--{field}", metavar=f"<{field}>", help=options.CRITERIA[field])
    options.add_properties(parser, hyperx_glance.ImageQuery, criteria=True)
    for field in "name_contains", "description_contains", "os_name_contains":
        add(_option(field), metavar="<text>", help=options.CRITERIA[field])
    add("--protected", action=BooleanOptionalAction, default=None, help=options.CRITERIA["protected"])
    add(
        "--hidden",
        choices=["no", "yes", "both"],
        default="no",
        help="Whether to list images that are hidden from lists; yes: no others; default: %(default)s",
    )
    options.add_free_properties(parser, "Has this property with exactly this value; repeat: all of them")
    for field in "min_size", "max_size":
        add(_option(field), type=options.size, metavar="<size>", help=options.CRITERIA[field])
    for field in "created_after", "created_before", "updated_after", "updated_before":
        add(_option(field), type=options.time, metavar="<time>", help=options.CRITERIA[field])


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def query(parsed_args: argparse.Namespace) -> ImageQuery:
    """Return the query that the options describe."""
    criteria = options.given(parsed_args, *hyperx_glance.ImageQuery.model_fields) | {
        "search": " ".join(parsed_args.search),
        "kind": None if parsed_args.kind == "any" else parsed_args.kind,
        "hidden": {"no": False, "yes": True, "both": None}[parsed_args.hidden],
    }
    return hyperx_glance.ImageQuery(**criteria)


class ListImages(commands.Lister):
    """List images and ISOs."""

    kind = "any"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_criteria(parser, self.kind)
        add = parser.add_argument
        add(
            "--sort",
            action="append",
            metavar="<[-]column>",
            help="Column that Glance sorts by, such as name or -created_at; repeat for several;"
            " for other columns use --sort-column",
        )
        add("--limit", type=int, metavar="<number>", help="Show at most this many images")
        add(
            "--page-size",
            type=int,
            metavar="<number>",
            help="Show one page of this size, and the cursors of its neighbours",
        )
        add("--cursor", metavar="<cursor>", help="Start of the page, as shown with a neighbouring page")
        add("--long", action="store_true", help="Show more columns")
        options.add_steward(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        fields = images.SHOWN_LONG if parsed_args.long else images.SHOWN_IN_LISTS
        return self.rows(
            parsed_args, fields, (images.Values(image, client) for image in self._images(client, parsed_args))
        )

    def _images(self, client: Client, parsed_args: argparse.Namespace) -> Iterable[Image]:
        asked = query(parsed_args)
        if parsed_args.page_size is None and parsed_args.cursor is None:
            return client.images(asked)
        size = {} if parsed_args.page_size is None else {"size": parsed_args.page_size}
        page = client.page(asked, cursor=parsed_args.cursor, **size)
        for code, cursor in (("previous-page", page.previous), ("next-page", page.next)):
            if cursor is not None:  # on stderr, because programs read the table; a cursor may begin with "-"
                self.app.stderr.write(f"{self.read(say(code, cursor=cursor))}\n")
        return page.images


class ListIsos(ListImages):
    """List ISOs."""

    kind = "iso"


class ListTags(commands.Lister):
    """List every tag with the number of images and ISOs that have it."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        tags = sorted(self.client(parsed_args).tags().items())
        return self.rows(parsed_args, ("tag", "images"), ({"tag": tag, "images": images} for tag, images in tags))


class Summary(commands.Lister):
    """Count images and ISOs: in total, and by kind, category, state, format, operating system, tag and owner."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_criteria(parser, "any")
        options.add_steward(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        summary = client.summary(query(parsed_args)).model_dump(mode="json")
        names = {department.id: department.name for department in client.departments()}
        shown_as: dict[str, Callable[[str], object]] = {
            "by_format": output.Format,
            "by_owner": lambda owner: output.Rendered(owner, names.get(owner, owner)),
        }

        def rows() -> Iterator[dict[str, object]]:
            yield {"by": output.Word("total"), "value": "", "images": summary["total"]}
            for by, counts in summary.items():
                for value, amount in counts.items() if by.startswith("by_") else ():
                    shown = shown_as.get(by, output.Word)(value)
                    yield {"by": output.Word(by.removeprefix("by_")), "value": shown, "images": amount}

        return self.rows(parsed_args, ("by", "value", "images"), rows())
