"""The interface that the ``openstack`` command expects of a plug-in (entry point ``openstack.cli.extension``).

>>> from hyperx_glance.cli import plugin
>>> plugin.API_NAME, plugin.API_VERSIONS
('hyperx', ('1',))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osc_lib import utils

import hyperx_glance

if TYPE_CHECKING:
    import argparse

    from openstackclient.common.clientmanager import ClientManager

API_NAME = "hyperx"
API_VERSION_OPTION = "os_hyperx_api_version"
API_VERSIONS = ("1",)
DEFAULT_API_VERSION = "1"


def make_client(instance: ClientManager) -> hyperx_glance.Client:
    """Return ``client_manager.hyperx``: a client with the login of the command."""
    return hyperx_glance.Client.from_connection(instance.sdk_connection)


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the option that every plug-in has; so far there is one version."""
    parser.add_argument(
        "--os-hyperx-api-version",
        metavar="<hyperx-api-version>",
        default=utils.env("OS_HYPERX_API_VERSION", default=DEFAULT_API_VERSION),
        help=f"Version of the hyperx commands, default={DEFAULT_API_VERSION} (Env: OS_HYPERX_API_VERSION)",
    )
    return parser
