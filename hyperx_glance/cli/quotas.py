"""``openstack hyperx quota show`` and ``openstack hyperx quota set``.

>>> from hyperx_glance.cli.quotas import limit
>>> limit("unlimited"), limit("default"), limit("10")
(-1, 'default', 10)
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hyperx_glance.cli import commands, options, output
from hyperx_glance.quotas.resources import FIELDS
from hyperx_glance.texts import field_name

if TYPE_CHECKING:
    from hyperx_glance import DepartmentQuota, QuotaLimits

_SHOWN = ("resource", "used", "limit", "remaining")


class _ShowsQuota(commands.Lister):
    def shown(self, parsed_args: argparse.Namespace, quota: DepartmentQuota) -> commands.Table:
        """Return a row for each resource that this cloud reports, and say what it does not show."""
        for note in quota.notes:
            self.app.stderr.write(f"{output.printable(self.read(note))}\n")
        rows = (
            {
                "resource": output.Resource(resource),
                "used": usage.used,
                "limit": output.Limit(usage.limit),
                "remaining": output.Limit(usage.remaining),
            }
            for resource in FIELDS
            if (usage := getattr(quota, resource)) is not None
        )
        return self.rows(parsed_args, _SHOWN, rows)


class ShowQuota(_ShowsQuota):
    """Show the usage and limits of a department; other departments: administrators only."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "department", metavar="<department>", nargs="?", help="Name or id; default: your own department"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        return self.shown(parsed_args, self.client(parsed_args).quota(parsed_args.department))


class SetQuota(_ShowsQuota):
    """Set limits of a department; administrators only."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("department", metavar="<department>", help="Name or id")
        for resource in FIELDS:
            parser.add_argument(
                f"--{resource.replace('_', '-')}",
                type=limit,
                metavar="<limit>",
                help=f"{field_name(resource).in_language('en', audience='person')}: a number, unlimited, or default",
            )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.Table:
        asked = options.given(parsed_args, *FIELDS)
        limits: QuotaLimits = {  # type: ignore[assignment]  # its keys are FIELDS, as a test checks
            resource: None if value == "default" else value for resource, value in asked.items()
        }
        return self.shown(parsed_args, self.client(parsed_args).set_quota(parsed_args.department, **limits))


def limit(text: str) -> int | str:
    """Parse a limit; "default" stays a string, because None means that an argument was omitted."""
    if text == "default":
        return text
    if text == "unlimited":
        return -1
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be a number, unlimited, or default")
    return int(text)
