"""Options that several commands share, and the parsers of their values.

>>> from hyperx_glance.cli.options import category, size
>>> size("2GiB"), category("精选")
(2147483648, 'featured')
"""

from __future__ import annotations

import argparse
import os
from argparse import BooleanOptionalAction
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from osc_lib.cli.parseractions import KeyValueAction

import hyperx_glance
from hyperx_glance import vocabulary
from hyperx_glance.cli import words
from hyperx_glance.vocabulary import Category, Lifecycle, Stored, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from hyperx_glance import Settings

CATEGORIES = [category.value for category in Category]
VIEWS = [view.value for view in View]
LIFECYCLES = [lifecycle.value for lifecycle in Lifecycle]


# ----------------------------------------------------------------- values


def category(text: str) -> str:
    """Parse a category or a view; the console's Chinese words are accepted, too."""
    return words.VIEWS.get(text, text)


def size(text: str) -> int:
    """Parse a number of bytes: 1048576, 1M, 1MiB."""
    number = text.upper().removesuffix("B").removesuffix("I")
    shift = {"K": 10, "M": 20, "G": 30, "T": 40}.get(number[-1:], 0)
    try:
        return int(float(number[:-1] if shift else number) * (1 << shift))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 1048576, 512M or 2GiB") from None


def time(text: str) -> datetime:
    """Parse a time in ISO 8601; a time without a zone is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24 or 2026-11-24T08:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


# ----------------------------------------------------------------- fields of requests


def given(parsed_args: argparse.Namespace, *fields: str) -> dict[str, Any]:
    """Return the arguments that were given; the models decide about the others.

    >>> given(argparse.Namespace(name="debian", tags=None), "name", "tags")
    {'name': 'debian'}
    """
    values = {field: getattr(parsed_args, field, None) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


_MEANINGS = {
    "description": "Text for people, which consoles show",
    "admin_user": "Login name of the administrator in the servers, such as root or Administrator",
    "os_distro": "Distribution in lower case, such as debian or ubuntu",
    "os_version": "Number of the release, such as 12 or 24.04",
    "os_type": "Either linux or windows",
    "architecture": "Processor of the servers, such as x86_64 or aarch64",
}
"""The help of options for fields without a description."""
CRITERIA = {
    "name": "Exactly this name, in this spelling",
    "owner": "Owned by the department with this name or id",
    "family": "Claims to be a release of exactly this family",
    "created_by": "Registered by the user with this id",
    "password_enabled": "Whether servers get an administrator password; by default, this does not matter",
    "bootable": "Whether servers can start from it; by default, this does not matter",
    "os_distro": "Exactly this distribution, such as debian or ubuntu",
    "os_version": "Exactly this release, such as 12 or 24.04",
    "os_type": "Exactly this kind of system, such as linux or windows",
    "hypervisor": "Made for exactly this virtualization technology, such as KVM",
    "architecture": "Made for exactly this processor, such as x86_64 or aarch64",
    "protected": "Whether deletion is refused; by default, this does not matter",
    "name_contains": "Part of the name, in upper or lower case",
    "description_contains": "Part of the description, in upper or lower case",
    "os_name_contains": "Part of the operating system's display name, in upper or lower case",
    "min_size": "At least this many bytes; K, M, G or T may follow",
    "max_size": "At most this many bytes; K, M, G or T may follow",
    "created_after": "Created at this time or later, in ISO 8601; UTC without a zone",
    "created_before": "Created at this time or earlier, in ISO 8601; UTC without a zone",
    "updated_after": "Last changed at this time or later, in ISO 8601; UTC without a zone",
    "updated_before": "Last changed at this time or earlier, in ISO 8601; UTC without a zone",
}
"""The help of the options by which lists are filtered."""


def add_properties(
    parser: argparse.ArgumentParser, model: type[BaseModel], *, but: str = "", criteria: bool = False
) -> None:
    """Add an option for each Glance property that is a field of a request, or one of the ``criteria`` of a list."""
    for field in vocabulary.FIELDS:
        if field.stored is Stored.COLUMN or field.name == but or field.name not in model.model_fields:
            continue
        option, meaning = field.name.replace("_", "-"), field.description or _MEANINGS.get(field.name, field.title)
        if criteria:
            meaning = CRITERIA.get(field.name, f"Exactly this: {meaning}")
        if field.stored is Stored.FLAG:
            parser.add_argument(f"--{option}", action=BooleanOptionalAction, default=None, help=meaning)
        else:
            parser.add_argument(f"--{option}", metavar=f"<{option}>", help=meaning)


def add_columns(parser: argparse.ArgumentParser, *, tag: str = "One of the tags; repeat for several") -> None:
    """Add the options for the attributes that Glance keeps as columns; ``tag`` is the help of the option for tags."""
    add = parser.add_argument
    add(
        "--category",
        type=category,
        choices=CATEGORIES,
        help="English or Chinese name; featured: administrators only",
    )
    add("--tag", dest="tags", action="append", metavar="<tag>", help=tag)
    add(
        "--min-disk",
        dest="min_disk_gib",
        type=int,
        metavar="<GiB>",
        help="Disk that a flavor needs for this image; 0: any",
    )
    add(
        "--min-ram",
        dest="min_ram_mib",
        type=int,
        metavar="<MiB>",
        help="Memory that a flavor needs for this image; 0: any",
    )
    add("--protected", action=BooleanOptionalAction, default=None, help="Protect from deletion")
    add_public_visibility(parser)


def add_disk_format(
    parser: argparse.ArgumentParser,
    text: str,
    *,
    choices: Sequence[str] = vocabulary.IMAGE_FORMATS,
    several: bool = False,
) -> None:
    """Add the option for a disk format, or for ``several``, in upper or lower case."""
    more: dict[str, Any] = {"dest": "formats", "action": "append"} if several else {}
    parser.add_argument("--disk-format", type=str.lower, choices=choices, help=text, **more)


def add_free_properties(
    parser: argparse.ArgumentParser, text: str = "Any property for which there is no option; repeat for several"
) -> None:
    """Add the option for properties that are not fields."""
    parser.add_argument("--property", dest="properties", action=KeyValueAction, metavar="<key=value>", help=text)


def named(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the name of each argument on the command line: its first option, or its placeholder."""
    names: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to list them
        names.setdefault(action.dest, next(iter(action.option_strings), str(action.metavar)))
    return names


# ----------------------------------------------------------------- settings


def add_public_visibility(parser: argparse.ArgumentParser) -> None:
    """Add an option that is the same for a whole deployment, so its default comes from the environment."""
    parser.add_argument(
        "--public-visibility",
        choices=("community", "public"),
        default=os.environ.get("HYPERX_PUBLIC_VISIBILITY", "community"),
        help="Glance's visibility for PUBLIC images, the same for a whole deployment (Env: HYPERX_PUBLIC_VISIBILITY)",
    )


def add_share_acceptance(parser: argparse.ArgumentParser) -> None:
    """Add an option that is the same for a whole deployment, so its default comes from the environment."""
    parser.add_argument(
        "--share-acceptance",
        choices=("member", "steward"),
        default=os.environ.get("HYPERX_SHARE_ACCEPTANCE", "member"),
        help="Who accepts shared images, the same for a whole deployment: the other department, or the steward at once"
        " (Env: HYPERX_SHARE_ACCEPTANCE)",
    )


def add_steward(parser: argparse.ArgumentParser) -> None:
    """Add the second login, which is the same for a whole deployment, so its default comes from the environment."""
    parser.add_argument(
        "--steward-cloud",
        metavar="<cloud>",
        default=os.environ.get("HYPERX_STEWARD_CLOUD"),
        help="Cloud in clouds.yaml that edits public images of other departments for you, looks up the names of"
        " departments, and accepts images that you share if --share-acceptance says so (Env: HYPERX_STEWARD_CLOUD)",
    )


def add_transfer(parser: argparse.ArgumentParser) -> None:
    """Add the options for how the data is sent to Glance, and from where it may be read."""
    add = parser.add_argument
    add(
        "--transfer",
        choices=("auto", "import", "stream"),
        default="auto",
        help="Whether Glance imports the URL or this machine streams it; default: auto",
    )
    add_trusted_hosts(parser)
    add("--no-preflight", dest="preflight", action="store_false", help="Do not check the URL before the registration")


def add_trusted_hosts(parser: argparse.ArgumentParser) -> None:
    """Add the options for hosts with denied addresses, and for certificate authorities."""
    parser.add_argument(
        "--trusted-host",
        dest="trusted_hosts",
        action="append",
        default=[],
        metavar="<host>",
        help="Allow reading from this host although its address is denied by default; repeat for several",
    )
    parser.add_argument(
        "--ca-file",
        metavar="<path>",
        help="CA certificates that verify the servers of https URLs",
    )


def add_timeout(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the option for how long to wait."""
    parser.add_argument("--timeout", type=float, metavar="<seconds>", help=text)


def settings(parsed_args: argparse.Namespace) -> Settings:
    """Return the settings from the options of a command."""
    hosts: Sequence[str] = getattr(parsed_args, "trusted_hosts", ())
    policy = hyperx_glance.UrlPolicy(
        trusted_hosts=tuple(hosts),
        preflight=getattr(parsed_args, "preflight", True),
        ca_file=getattr(parsed_args, "ca_file", None),
    )
    return hyperx_glance.Settings(
        url_policy=policy,
        transfer=getattr(parsed_args, "transfer", "auto"),
        public_visibility=getattr(parsed_args, "public_visibility", "community"),
        share_acceptance=getattr(parsed_args, "share_acceptance", "member"),
    )
