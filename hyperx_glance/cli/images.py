"""``openstack hyperx image ...`` and ``openstack hyperx iso ...``.

>>> from hyperx_glance.cli.images import SHOWN_IN_LISTS
>>> SHOWN_IN_LISTS[:3]
('name', 'created_at', 'disk_format')
"""

from __future__ import annotations

import argparse
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, output
from hyperx_glance.cli.progress import registration_progress
from hyperx_glance.errors import HyperxGlanceError, NotFoundError
from hyperx_glance.vocabulary import Category, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hyperx_glance import Client, Image, ImageQuery, NewImage, NewIso

SHOWN_IN_LISTS = ("name", "created_at", "disk_format", "size", "state", "owner", "password_enabled", "description")
"""The console's columns: 名称 创建日期 格式 大小 状态 所有者 密码启用 说明."""
_LISTED = tuple(field.name for field in vocabulary.FIELDS if field.listed)
SHOWN_LONG = ("id", *SHOWN_IN_LISTS, "kind", "category", "phase", *_LISTED, "updated_at")
_SAID = tuple(field.name for field in vocabulary.FIELDS if not field.part_of)
SHOWN_ALONE = (*_SAID[:2], "kind", "category", "state", "phase", *_SAID[2:], "properties")
_FORMATS = vocabulary.IMAGE_FORMATS


def _values(image: Image, client: Client) -> Mapping[str, object]:
    """Give every field, made ready for both kinds of readers."""
    dumped: dict[str, object] = image.model_dump(mode="json")
    return {field: _readable(value) for field, value in dumped.items()} | {
        "created_at": output.Time(image.created_at),
        "updated_at": output.Time(image.updated_at),
        "size": output.Size(image.size),
        "virtual_size": output.Size(image.virtual_size),
        "disk_format": output.Format(image.disk_format),
        "owner": output.Owner(image.owner, lambda: client.owner_name(image)),
        "tags": output.Listed(list(image.tags)),
        "stores": output.Listed(list(image.stores)),
        "properties": output.Pairs(image.properties),
    }


def _readable(value: object) -> object:
    if isinstance(value, bool):
        return output.Flag(value)
    return output.Readable(None) if value is None else value


# ----------------------------------------------------------------- list


class _List(commands.Lister):
    kinds: tuple[str, ...]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("search", metavar="<word>", nargs="*", help="Words that must all occur, in whatever field")
        add("--view", choices=[view.value for view in View], help="The console's tab; default: all")
        if len(self.kinds) > 1:
            add("--kind", choices=[*self.kinds, "any"], default=self.kinds[0], help="Default: %(default)s")
            add("--disk-format", dest="formats", action="append", choices=_FORMATS, help="Repeat for several")
        else:
            parser.set_defaults(kind=self.kinds[0])
        add("--state", choices=["ACTIVE", "INACTIVE"])
        add("--tag", dest="tags", action="append", metavar="<tag>", help="Has this tag; repeat: all of them")
        add("--any-tag", dest="any_tags", action="append", metavar="<tag>", help="Has at least one of these tags")
        add("--no-tag", dest="no_tags", action="append", metavar="<tag>", help="Has none of these tags")
        for field in "name", "owner":
            add(f"--{field}", metavar=f"<{field}>", help="Exactly this")
        commands.add_properties(parser, hyperx_glance.ImageQuery, text="Exactly this")
        for field in "name-contains", "description-contains", "os-name-contains":
            add(f"--{field}", metavar="<text>")
        add("--protected", action=BooleanOptionalAction, default=None)
        add("--hidden", choices=["no", "yes", "both"], default="no", help="Default: %(default)s")
        commands.add_free_properties(parser)
        for field in "min-size", "max-size":
            add(f"--{field}", type=commands.size, metavar="<size>", help="Bytes, or with K, M, G, T")
        for field in "created-after", "created-before", "updated-after", "updated-before":
            add(f"--{field}", type=commands.time, metavar="<time>", help="ISO 8601; UTC without a zone")
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
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[tuple[object, ...]]]:
        client = self.client()
        fields = SHOWN_LONG if parsed_args.long else SHOWN_IN_LISTS
        if parsed_args.formatter != "table" and "id" not in fields:
            fields = ("id", *fields)  # names are not unique, and programs go on with what they find
        shown = output.columns(*fields)
        images = self._images(client, parsed_args)
        return output.headers(parsed_args, shown), (output.row(fields, _values(image, client)) for image in images)

    def _images(self, client: Client, parsed_args: argparse.Namespace) -> Iterator[Image]:
        query = self._query(parsed_args)
        if parsed_args.page_size is None and parsed_args.cursor is None:
            return client.images(query)
        size = {} if parsed_args.page_size is None else {"size": parsed_args.page_size}
        page = client.page(query, cursor=parsed_args.cursor, **size)
        for name, cursor in (("Previous", page.previous), ("Next", page.next)):
            if cursor is not None:  # beside the table, which programs read
                self.app.stderr.write(f"{name} page: --cursor {cursor}\n")
        return iter(page.images)

    def _query(self, parsed_args: argparse.Namespace) -> ImageQuery:
        criteria = commands.given(parsed_args, *hyperx_glance.ImageQuery.model_fields) | {
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

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], list[tuple[str, int]]]:
        shown = output.columns("tag", "images")
        return output.headers(parsed_args, shown), sorted(self.client().tags().items())


# ----------------------------------------------------------------- show, create, set


class ShowsImage(commands.ShowOne):
    """Be a command that shows an image."""

    def shown(
        self, parsed_args: argparse.Namespace, image: Image, client: Client
    ) -> tuple[Sequence[str], tuple[object, ...]]:
        """Give every field of an image, and what the caller may do with it."""
        fields = (*SHOWN_ALONE, "allowed")
        values = {**_values(image, client), "allowed": output.Listed(sorted(client.allowed(image)))}
        return output.headers(parsed_args, output.columns(*fields)), output.row(fields, values)


class ShowImage(ShowsImage):
    """Show an image or ISO."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Name or id")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], tuple[object, ...]]:
        client = self.client()
        return self.shown(parsed_args, client.image(parsed_args.image), client)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the options for what Glance keeps as columns."""
    add = parser.add_argument
    add("--category", choices=[category.value for category in Category], help="featured: administrators only")
    add("--tag", dest="tags", action="append", metavar="<tag>", help="Repeat for several")
    add("--min-disk", dest="min_disk_gib", type=int, metavar="<GiB>")
    add("--min-ram", dest="min_ram_mib", type=int, metavar="<MiB>")
    add("--protected", action=BooleanOptionalAction, default=None, help="Refuse deletion")
    commands.add_public_visibility(parser)


class _Create(ShowsImage):
    def request(self) -> type[NewImage | NewIso]:
        """Give what is asked for."""
        raise NotImplementedError

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("name", metavar="<name>")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--url", metavar="<url>", help="Where the data is: http or https")
        source.add_argument("--file", type=Path, metavar="<path>", help="A file of this machine")
        add("--no-unpack", dest="unpack", action="store_const", const=False, help="Refuse packed data (xz, gzip, ...)")
        commands.add_properties(parser, self.request(), but="url")
        add_columns(parser)
        checksum = parser.add_mutually_exclusive_group()
        checksum.add_argument("--checksum", metavar="<algorithm:hex>", help="sha256:..., sha512:... or md5:...")
        checksum.add_argument("--checksum-url", metavar="<url>", help="Where it is listed, such as .../SHA256SUMS")
        add("--owner", metavar="<department>", help="Another department, for administrators")
        commands.add_free_properties(parser)
        add("--store", dest="stores", action="append", metavar="<store>", help="Repeat for several")
        add("--id", metavar="<uuid>", help="An id of your own")
        add("--transfer", choices=("auto", "import", "stream"), default="auto", help="Who reads the URL; default: auto")
        add("--trusted-host", dest="trusted_hosts", action="append", default=[], metavar="<host>")
        add("--no-preflight", dest="preflight", action="store_false", help="Do not look at the URL before")
        add("--timeout", type=float, metavar="<seconds>")
        add("--keep-failed", action="store_true", help="Keep the record of a failed upload, INACTIVE")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], tuple[object, ...]]:
        client = self.client(commands.settings(parsed_args))
        request = self.request()
        with registration_progress(self.app.stderr) as show:
            image = client.register(
                request.model_validate(commands.given(parsed_args, *request.model_fields)),
                on_progress=show,
                timeout=parsed_args.timeout,
                keep_failed=parsed_args.keep_failed,
            )
        return self.shown(parsed_args, image, client)


class CreateImage(_Create):
    """Register an image from a URL or a file, and wait until it is ready."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--disk-format", choices=_FORMATS, help="Default: what the first bytes say")
        return parser

    def request(self) -> type[NewImage]:
        """Give what is asked for."""
        return hyperx_glance.NewImage


class CreateIso(_Create):
    """Register an ISO from a URL or a file, and wait until it is ready."""

    def request(self) -> type[NewIso]:
        """Give what is asked for."""
        return hyperx_glance.NewIso


class SaveImage(commands.Command):
    """Save the data of an image or ISO in a file, verified; a download that broke off is taken up again."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Name or id")
        parser.add_argument("--file", required=True, metavar="<path>", help="Where to; what is there is replaced")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = self.client()
        image = commands.reference(client, parsed_args.image)
        with registration_progress(self.app.stderr) as show:
            client.download(image, parsed_args.file, on_progress=show)


class SetImage(ShowsImage):
    """Change an image or ISO; an empty text clears."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("image", metavar="<image>", help="Name or id")
        add("--name", metavar="<name>")
        commands.add_properties(parser, hyperx_glance.ImageChanges)
        add_columns(parser)
        add("--no-tags", dest="tags", action="store_const", const=[], help="Take every tag off")
        add("--hidden", action=BooleanOptionalAction, default=None, help="Leave it out of lists")
        commands.add_free_properties(parser)
        add("--remove-property", dest="remove_properties", action="append", metavar="<key>")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], tuple[object, ...]]:
        client = self.client(commands.settings(parsed_args))
        fields = commands.given(parsed_args, *hyperx_glance.ImageChanges.model_fields)
        changed = client.update(commands.reference(client, parsed_args.image), hyperx_glance.ImageChanges(**fields))
        return self.shown(parsed_args, changed, client)


# ----------------------------------------------------------------- enable, disable, delete


class _Several(commands.Command):
    """Do the same to several images; what fails is told, and the others are done."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("images", metavar="<image>", nargs="+", help="Name or id")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        client = self.client()
        failed = 0
        for name in parsed_args.images:
            try:
                self.act(client, name, parsed_args)
            except HyperxGlanceError as error:
                self.log.error("%s", output.printable(f"{name}: {error}"))  # noqa: TRY400  # a sentence, no traceback
                failed += 1
        return 1 if failed else 0

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Do it to one."""
        raise NotImplementedError


class EnableImage(_Several):
    """Make disabled images or ISOs ACTIVE again."""

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Enable one."""
        client.enable(commands.reference(client, name))


class DisableImage(_Several):
    """Make images or ISOs INACTIVE, without deleting their data."""

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Disable one."""
        client.disable(commands.reference(client, name))


class DeleteImage(_Several):
    """Delete images or ISOs for good; servers made from them keep running."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--missing-ok", action="store_true", help="It is no error if there is none")
        parser.add_argument("--report-servers", action="store_true", help="Tell the servers made from it")
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
        for server in deletion.servers or ():
            line = f"{name}: server {server.id} {server.name} {server.status} ({server.through})"
            self.app.stdout.write(f"{output.printable(line)}\n")
