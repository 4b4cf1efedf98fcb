"""``openstack hyperx family ...``, and ``image release``, ``iso release``, ``image deprecate`` and ``image reinstate``.

>>> from hyperx_glance.cli.families import ReleaseImage
>>> words = ["debian-12", "--name", "Debian 12", "--url", "http://files.example/a.qcow2"]
>>> ReleaseImage(None, None).get_parser("release").parse_args(words).release_family
'debian-12'
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hyperx_glance.cli import commands, creating, images, options, output
from hyperx_glance.cli.progress import registration_progress

if TYPE_CHECKING:
    import argparse

    from hyperx_glance import Family, Image, Retirement

SHOWN = ("name", "latest", "releases", "owner")
_RELEASES = ("version", "id", "name", "lifecycle", "released_at", "category", "state", "size")
_SHOWN_WHEN_RELEASED = (*images.SHOWN_WHEN_MADE[:2], "family", "version", *images.SHOWN_WHEN_MADE[2:])
_RETIRED = ("version", "id", "action", "reason")


class _Release(creating.Making):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("release_family", metavar="<family>", help="Family of images of which this is a release")
        add(
            "--name",
            required=True,
            metavar="<name>",
            help="Name while it is the latest; older ones have the version, too",
        )
        add(
            "--release-version",
            dest="version",
            metavar="<version>",
            help="Default: the time in UTC, such as 20261130.124530",
        )
        add("--keep", type=int, metavar="<number>", help="Deprecate current releases beyond so many; default: keep all")
        creating.add_request(parser, self.request())
        options.add_transfer(parser)
        options.add_timeout(parser, "After this, the release is cancelled; default: an hour")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        request = self.request()
        new = request.model_validate(options.given(parsed_args, *request.model_fields))
        with registration_progress(self.app.stderr, parsed_args.name, parsed_args.language) as show:
            image = client.release(
                new,
                family=parsed_args.release_family,
                version=parsed_args.version,
                keep=parsed_args.keep,
                on_progress=show,
                timeout=parsed_args.timeout,
            )
        return self.shown(parsed_args, image, client, _SHOWN_WHEN_RELEASED)


class ReleaseImage(creating.MakingImages, _Release):
    """Release an image as the next version of a family, and wait until it is published."""


class ReleaseIso(creating.MakingIsos, _Release):
    """Release an ISO as the next version of a family, and wait until it is published."""


class ListFamilies(commands.Lister):
    """List the families of your department and those of featured images, with their latest release."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.add_steward(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)

        def shown(family: Family) -> dict[str, object]:
            latest = family.latest
            owner = output.Owner(family.owner, lambda: client.owner_name(latest) if latest else family.owner)
            return {
                "name": family.name,
                "latest": output.Rendered(latest.id, latest.version) if latest else None,
                "releases": family.releases,
                "owner": owner,
            }

        return self.rows(parsed_args, SHOWN, map(shown, client.families()))


class ShowFamily(commands.Lister):
    """List the releases of a family, the newest first; hidden and deprecated ones, too."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("family", metavar="<family>", help="As family list shows it")
        commands.add_family_owner(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        releases = client.releases(parsed_args.family, owner=parsed_args.family_owner)
        return self.rows(parsed_args, _RELEASES, (images.Values(image, client) for image in releases))


class RetireFamily(commands.Lister):
    """Take old releases of a family out of use, each one step further: deprecated, disabled, deleted."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("family", metavar="<family>", help="As family list shows it")
        add(
            "--owner",
            metavar="<department>",
            help="Department of the family; another than your own: administrators only",
        )
        add("--keep", type=int, default=3, metavar="<number>", help="How many current releases stay so; default: 3")
        add(
            "--obsolete-after",
            type=float,
            metavar="<days>",
            help="Disable it so long after its deprecation; default: never",
        )
        add("--delete-after", type=float, metavar="<days>", help="Delete it so long after its deprecation")
        add(
            "--delete",
            action="store_true",
            help="Delete what is neither used nor protected; by default, nothing is deleted",
        )
        add("--dry-run", action="store_true", help="Change nothing, and show what would be done")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        retired = client.retire(
            parsed_args.family,
            owner=parsed_args.owner,
            keep=parsed_args.keep,
            obsolete_after=_days(parsed_args.obsolete_after),
            delete_after=_days(parsed_args.delete_after),
            delete=parsed_args.delete,
            dry_run=parsed_args.dry_run,
        )

        def shown(each: Retirement) -> dict[str, object]:
            return {
                "version": each.image.version,
                "id": each.image.id,
                "action": output.Word(each.action),
                "reason": self.explained(each.reason),
            }

        return self.rows(parsed_args, _RETIRED, map(shown, retired))


class _ShowsLifecycle(images.ShowsImage):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        commands.add_family(parser, commands.add_name(parser, "image"))
        return parser

    def shown_with_lifecycle(self, parsed_args: argparse.Namespace, image: Image) -> commands.One:
        """Return the fields that a change of the lifecycle concerns."""
        fields = ("id", "name", "lifecycle", "deprecated_at", "obsolete_at", "replacement")
        return self.shown(parsed_args, image, self.client(parsed_args), fields)


class DeprecateImage(_ShowsLifecycle):
    """No longer recommend an image: it is hidden, and the release before it becomes the latest of its family."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add = parser.add_argument
        add("--at", type=options.time, metavar="<time>", help="From this time on, in ISO 8601; default: now")
        add(
            "--obsolete-at",
            type=options.time,
            metavar="<time>",
            help="Refuse launches from this time on; default: never",
        )
        add("--replacement", metavar="<image>", help="Image that people should use instead, by its name or id")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        replacement = parsed_args.replacement
        image = client.deprecate(
            commands.image_of(client, parsed_args),
            at=parsed_args.at,
            obsolete_at=parsed_args.obsolete_at,
            replacement=None if replacement is None else commands.reference(client, replacement),
        )
        return self.shown_with_lifecycle(parsed_args, image)


class ReinstateImage(_ShowsLifecycle):
    """Recommend an image again that is deprecated or obsolete, and enable it if it is disabled."""

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        client = self.client(parsed_args)
        return self.shown_with_lifecycle(parsed_args, client.reinstate(commands.image_of(client, parsed_args)))


def _days(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)
