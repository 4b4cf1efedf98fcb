"""``openstack hyperx image share``, ``shares``, ``unshare``, ``accept`` and ``decline``.

>>> from hyperx_glance.cli.sharing import UnshareImage
>>> UnshareImage(None, None).get_parser("unshare").parse_args(["debian", "dept-b", "dept-c"]).department
['dept-b', 'dept-c']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperx_glance.cli import commands, options, output
from hyperx_glance.errors import AmbiguousNameError, InvalidRequestError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from hyperx_glance import Client, Image, Share

_SHOWN = ("department", "department_id", "status", "since")
_DEPARTMENT = "Name or id; without a steward, only administrators know the names of other departments"


class _ShowsShares(commands.Lister):
    """Base class for commands that show with whom an image is shared."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        image = commands.add_name(parser, "image")
        commands.add_family(parser, image, self.add_departments(parser))
        options.add_steward(parser)
        return parser

    def add_departments(self, parser: argparse.ArgumentParser) -> argparse.Action | None:
        """Add the argument behind the image, if the command has one."""

    def shown(self, parsed_args: argparse.Namespace, shares: Iterable[Share]) -> commands.Table:
        """Return a row for each department."""
        return self.rows(parsed_args, _SHOWN, map(_row, shares))


def _row(share: Share) -> dict[str, object]:
    shown = {"status": output.Word(share.status.value), "since": output.Time(share.since)}
    return share.model_dump() | shown


class ShareImage(_ShowsShares):
    """Share an image or ISO with departments, and show all departments with which it is shared.

    They can use it at once; in their lists it is when they have accepted it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--accept", action="store_true", help="Also accept it for the departments; administrators only"
        )
        options.add_share_acceptance(parser)
        return parser

    def add_departments(self, parser: argparse.ArgumentParser) -> argparse.Action:
        """Add the departments that get the image."""
        return parser.add_argument("department", metavar="<department>", nargs="+", help=_DEPARTMENT)

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        departments = _departments(parsed_args)
        if not departments:
            raise InvalidRequestError(say("name-a-department"))
        client = self.client(parsed_args)
        image = commands.image_of(client, parsed_args)
        return self.shown(parsed_args, client.share(image, *departments, accept=parsed_args.accept))


class ListShares(_ShowsShares):
    """List the departments with which an image or ISO is shared."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        if parsed_args.family is None:
            return self.shown(parsed_args, client.shares(_reference(client, parsed_args.image)))
        return self.shown(parsed_args, client.shares(commands.image_of(client, parsed_args)))


class UnshareImage(_ShowsShares):
    """Take an image or ISO back from departments for good, and show those that still have it.

    Servers that they launched keep running.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--all", dest="everyone", action="store_true", help="Take it back from all departments")
        return parser

    def add_departments(self, parser: argparse.ArgumentParser) -> argparse.Action:
        """Add the departments that lose the image."""
        return parser.add_argument("department", metavar="<department>", nargs="*", help=_DEPARTMENT)

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        departments = _departments(parsed_args)
        client = self.client(parsed_args)
        image = commands.image_of(client, parsed_args)
        return self.shown(parsed_args, client.unshare(image, *departments, everyone=parsed_args.everyone))


class AcceptImage(commands.Several):
    """Accept images or ISOs that other departments share, so that they are in your department's lists."""

    what = "image"

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Accept one."""
        client.accept(_reference(client, name))


class DeclineImage(commands.Several):
    """Take images or ISOs that other departments share out of your department's lists."""

    what = "image"

    def act(self, client: Client, name: str, parsed_args: argparse.Namespace) -> None:
        """Decline one."""
        client.decline(_reference(client, name))


def _departments(parsed_args: argparse.Namespace) -> list[str]:
    """Return the departments; with a family, the first argument is one of them, since there is no image."""
    named: list[str] = parsed_args.department
    if parsed_args.family is not None and parsed_args.image is not None:
        named = [parsed_args.image, *named]
        parsed_args.image = None
    return named


def _reference(client: Client, name: str) -> Image | str:
    """Find an image by its name, also one that is offered, which is in no other list."""
    from hyperx_glance.models.image import is_uuid

    if is_uuid(name) or client.is_administrator:
        return commands.reference(client, name)
    offered = list(client.images(view="offered", name=name))
    if len(offered) > 1:
        raise AmbiguousNameError(
            say("several-images", count=len(offered), name=name), matches=[image.id for image in offered]
        )
    return offered[0] if offered else client.image(name)
