"""``openstack hyperx doctor`` and ``openstack hyperx deployment ...``.

>>> from hyperx_glance.cli.deployment import Doctor
>>> Doctor.__doc__.splitlines()[0]
'Check whether this deployment has everything that HYPERX requires.'
"""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance.cli import commands, options, output
from hyperx_glance.errors import HyperxGlanceError, ServiceUnavailableError
from hyperx_glance.texts import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hyperx_glance import Client, Departure, Finding

_SHOWN = ("check", "level", "message", "remedy")
_LEFT = ("image_id", "name", "owner", "outcome", "left", "reason")
_LEFT_AND_REMOVED = (*_LEFT[:4], "removed", *_LEFT[4:])


class Doctor(commands.Lister):
    """Check whether this deployment has everything that HYPERX requires.

    The exit status is 1 if a finding is an error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--probe",
            action="store_true",
            help="Also try changes on a scratch record, which is removed; run this as a member",
        )
        parser.add_argument(
            "--transfer",
            choices=("auto", "import", "stream"),
            default="auto",
            help="As used for registrations; default: auto",
        )
        options.add_public_visibility(parser)
        options.add_steward(parser)
        options.add_share_acceptance(parser)
        return parser

    def log_in(self) -> None:
        """Go on without Keystone: a finding says what is wrong with it."""
        with contextlib.suppress(ServiceUnavailableError):
            super().log_in()

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        findings = self.client(parsed_args).doctor(probe=parsed_args.probe)
        self.status = 1 if any(finding.level == "error" for finding in findings) else 0
        return self.rows(parsed_args, _SHOWN, map(self._shown, findings))

    def _shown(self, finding: Finding) -> dict[str, object]:
        return {
            "check": finding.check,
            "level": output.Word(finding.level),
            "message": self.explained(finding.message, finding.explanation),
            "remedy": self.explained(finding.remedy),
        }


class ShowProtections(commands.Command):
    """Print the property protections file for Glance."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.app.stdout.write(hyperx_glance.deployment.property_protections())


class Leave(commands.Lister):
    """Remove the properties that HYPERX wrote on images, and change nothing else; other tools see ordinary images.

    An administrator leaves for all departments, a member for the department of the login. Images of which a
    registration, a capture or a launch is under way are skipped. On a terminal, the command lists the properties and
    asks first. The exit status is 1 if anything is left; then run the command again.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--department", metavar="<department>", help="Name or id; default for administrators: all")
        parser.add_argument("--dry-run", action="store_true", help="Only list what would be removed")
        commands.add_yes(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        client = self.client(parsed_args)
        departures: Sequence[Departure]
        if parsed_args.dry_run:
            departures = client.leave(department=parsed_args.department, dry_run=True)
        elif self.asks(parsed_args) and not self._agreed(client, parsed_args):
            departures, self.status = [], 1
        else:
            departures = client.leave(department=parsed_args.department)
            self.status = 1 if any(departure.left for departure in departures) else 0
        people = parsed_args.formatter == "table" and not parsed_args.columns
        fields = _LEFT if people else _LEFT_AND_REMOVED
        return self.rows(parsed_args, fields, (self._shown(each, client) for each in departures))

    def _agreed(self, client: Client, parsed_args: argparse.Namespace) -> bool:
        """List what would be removed, and ask; there is no question if nothing would be."""
        planned = client.leave(department=parsed_args.department, dry_run=True)
        listed = [departure for departure in planned if departure.outcome == "listed"]
        for departure in listed:
            line = f"{departure.image_id} {departure.name}: {', '.join(departure.left)}"
            self.app.stderr.write(f"{output.printable(line)}\n")
        if not listed or self.agreed(self.read(say("remove-these-properties"))):
            return True
        self.app.stderr.write(f"{self.read(say('nothing-removed'))}\n")
        return False

    def _shown(self, departure: Departure, client: Client) -> dict[str, object]:
        return departure.model_dump() | {
            "owner": output.Owner(departure.owner, lambda: _owner_name(departure, client)),
            "outcome": output.Word(departure.outcome),
            "removed": output.Listed(list(departure.removed)),
            "left": output.Listed(list(departure.left)),
            "reason": self.explained(departure.reason, departure.explanation),
        }


def _owner_name(departure: Departure, client: Client) -> str:
    """Return the name of the department, or its id: no failure may hide what was done."""
    try:
        return client.owner_name(hyperx_glance.Image(id=departure.image_id, owner=departure.owner))
    except HyperxGlanceError:
        return departure.owner


class InstallMetadefs(commands.Command):
    """Install the metadata definitions of HYPERX's properties; administrators only."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.client(parsed_args).install_metadefs()
