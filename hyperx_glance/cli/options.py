"""Options that several commands have, and how their texts are read.

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
from hyperx_glance.vocabulary import Category, Stored, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from hyperx_glance import Settings

CATEGORIES = [category.value for category in Category]
VIEWS = [view.value for view in View]


# ----------------------------------------------------------------- texts


def category(text: str) -> str:
    """Read a category or a view: the console's Chinese word is as good."""
    return words.VIEWS.get(text, text)


def size(text: str) -> int:
    """Read bytes: 1048576, 1M, 1MiB."""
    number = text.upper().removesuffix("B").removesuffix("I")
    shift = {"K": 10, "M": 20, "G": 30, "T": 40}.get(number[-1:], 0)
    try:
        return int(float(number[:-1] if shift else number) * (1 << shift))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1048576, 512M or 2GiB") from None


def time(text: str) -> datetime:
    """Read ISO 8601; a time without a zone is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-24 or 2026-11-24T08:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


# ----------------------------------------------------------------- fields of requests


def given(parsed_args: argparse.Namespace, *fields: str) -> dict[str, Any]:
    """Pick the arguments that somebody gave: the others are the models' affair.

    >>> given(argparse.Namespace(name="debian", tags=None), "name", "tags")
    {'name': 'debian'}
    """
    values = {field: getattr(parsed_args, field, None) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


def add_properties(parser: argparse.ArgumentParser, model: type[BaseModel], *, but: str = "", text: str = "") -> None:
    """Add an option for each Glance property that is a field of a request, with ``text`` or its meaning as help."""
    for field in vocabulary.FIELDS:
        if field.stored is Stored.COLUMN or field.name == but or field.name not in model.model_fields:
            continue
        option, meaning = field.name.replace("_", "-"), text or field.description or field.title
        if field.stored is Stored.FLAG:
            parser.add_argument(f"--{option}", action=BooleanOptionalAction, default=None, help=meaning)
        else:
            parser.add_argument(f"--{option}", metavar=f"<{option}>", help=meaning)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the options for what Glance keeps as columns."""
    add = parser.add_argument
    add(
        "--category",
        type=category,
        choices=CATEGORIES,
        help="By its English or its Chinese name; featured: administrators only",
    )
    add("--tag", dest="tags", action="append", metavar="<tag>", help="Repeat for several")
    add("--min-disk", dest="min_disk_gib", type=int, metavar="<GiB>")
    add("--min-ram", dest="min_ram_mib", type=int, metavar="<MiB>")
    add("--protected", action=BooleanOptionalAction, default=None, help="Refuse deletion")
    add_public_visibility(parser)


def add_free_properties(parser: argparse.ArgumentParser) -> None:
    """Add the option for properties that are no fields."""
    parser.add_argument("--property", dest="properties", action=KeyValueAction, metavar="<key=value>")


def named(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Give what each argument of a command is called there: its first option, else its place."""
    names: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to tell them
        names.setdefault(action.dest, next(iter(action.option_strings), str(action.metavar)))
    return names


# ----------------------------------------------------------------- settings


def add_public_visibility(parser: argparse.ArgumentParser) -> None:
    """Add the choice that a whole deployment makes: so it can stand in the environment."""
    parser.add_argument(
        "--public-visibility",
        choices=("community", "public"),
        default=os.environ.get("HYPERX_PUBLIC_VISIBILITY", "community"),
        help="What Glance is told for a PUBLIC image, for a whole deployment alike (Env: HYPERX_PUBLIC_VISIBILITY)",
    )


def add_steward(parser: argparse.ArgumentParser) -> None:
    """Add the second login, which a whole deployment has: so it can stand in the environment."""
    parser.add_argument(
        "--steward-cloud",
        metavar="<cloud>",
        default=os.environ.get("HYPERX_STEWARD_CLOUD"),
        help="Cloud of clouds.yaml that edits public images of other departments for you, and tells the names of"
        " departments (Env: HYPERX_STEWARD_CLOUD)",
    )


def add_transfer(parser: argparse.ArgumentParser) -> None:
    """Add how the data comes to Glance, and from where it may be read."""
    add = parser.add_argument
    add("--transfer", choices=("auto", "import", "stream"), default="auto", help="Who reads the URL; default: auto")
    add_trusted_hosts(parser)
    add("--no-preflight", dest="preflight", action="store_false", help="Do not look at the URL before")


def add_trusted_hosts(parser: argparse.ArgumentParser) -> None:
    """Add the exemption from the addresses that are denied."""
    parser.add_argument(
        "--trusted-host",
        dest="trusted_hosts",
        action="append",
        default=[],
        metavar="<host>",
        help="May be read from, though its address is denied by default; repeat for several",
    )
    parser.add_argument(
        "--ca-file",
        metavar="<path>",
        help="Certificates of authorities that an https URL's server is checked by",
    )


def add_timeout(parser: argparse.ArgumentParser, text: str) -> None:
    """Add how long to wait."""
    parser.add_argument("--timeout", type=float, metavar="<seconds>", help=text)


def settings(parsed_args: argparse.Namespace) -> Settings:
    """Make settings of the options that a command has."""
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
    )
