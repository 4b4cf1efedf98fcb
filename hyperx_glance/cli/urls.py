"""``openstack hyperx check-url``.

>>> from hyperx_glance.cli.urls import SHOWN
>>> SHOWN[-3:]
('problem', 'explanation', 'warnings')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hyperx_glance import vocabulary
from hyperx_glance.cli import commands, options, output
from hyperx_glance.texts import say, sentences

if TYPE_CHECKING:
    import argparse

SHOWN = (
    "url", "final_url", "address", "status", "size", "content_type", "file_name", "disk_format", "packed",
    "would_download", "problem", "explanation", "warnings",
)  # fmt: skip


class CheckUrl(commands.ShowOne):
    """Check whether a URL can be registered: read its first bytes, and create nothing.

    The exit status is 1 if the URL cannot be registered.
    """

    # This command always checks the URL, so only a registration can skip the check.
    elsewhere: ClassVar = {"preflight": "`openstack hyperx image create --no-preflight`"}

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("url", metavar="<url>", help="What to read: http or https")
        options.add_disk_format(parser, "The expected disk format", choices=vocabulary.DISK_FORMATS)
        options.add_trusted_hosts(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> commands.One:
        report = self.client(parsed_args).check_url(parsed_args.url, disk_format=parsed_args.disk_format)
        if report.problem is not None:
            self.status = 1
            problem = sentences(say("url-cannot-be-registered"), report.warnings[0])
            self.app.stderr.write(f"{self.read(problem)}\n")
        values = report.model_dump(mode="json") | {
            "size": output.Size(report.size),
            "disk_format": output.Format(report.disk_format),
            "problem": report.problem and output.Word(report.problem),
            "would_download": output.Flag(report.would_download),
            "warnings": output.Listed([self.read(warning) for warning in report.warnings]),
        }
        return self.one(parsed_args, SHOWN, values)
