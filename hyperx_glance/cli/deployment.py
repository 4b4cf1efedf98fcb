"""``openstack hyperx doctor`` and ``openstack hyperx deployment ...``.

>>> from hyperx_glance.cli.deployment import Doctor
>>> Doctor.__doc__.splitlines()[0]
'Check whether this deployment has everything that HYPERX requires.'
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import hyperx_glance
from hyperx_glance.cli import commands, hints, options, output

if TYPE_CHECKING:
    from hyperx_glance import Finding

_SHOWN = ("check", "level", "message", "remedy")


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
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        findings = self.client(parsed_args).doctor(probe=parsed_args.probe)
        self.status = 1 if any(finding.level == "error" for finding in findings) else 0
        return self.rows(parsed_args, _SHOWN, map(self._shown, findings))

    def _shown(self, finding: Finding) -> dict[str, object]:
        known = options.named(self.get_parser(""))
        told = {part: hints.translated(getattr(finding, part), known) for part in ("message", "remedy")}
        return finding.model_dump() | told | {"level": output.Word(finding.level)}


class ShowProtections(commands.Command):
    """Print the property protections file for Glance."""

    auth_required = False

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.app.stdout.write(hyperx_glance.deployment.property_protections())


class InstallMetadefs(commands.Command):
    """Install the metadata definitions of HYPERX's properties; administrators only."""

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.client(parsed_args).install_metadefs()
