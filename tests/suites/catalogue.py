"""The suites: what is installed, which tests are run, and how they learn where the cloud is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tests.suites import openstacksdk, tempest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.suites.places import Place

PACKAGES: Final = (
    "openstacksdk==4.22.0",
    "tempest==47.0.0",
    # What openstacksdk's tests import besides.
    "ddt>=1.7",
    "oslotest>=5.0",
    "requests-mock>=1.12",
    "statsd>=4.0",
)


@dataclasses.dataclass(frozen=True)
class Suite:
    """The tests of one suite: modules, or packages of them; and what writes its configuration."""

    modules: tuple[str, ...]
    configure: Callable[[Place, Path], Mapping[str, str]]
    """Writes files into a folder, and gives variables for the environment."""


SUITES: Final[Mapping[str, Suite]] = {
    "openstacksdk": Suite(openstacksdk.MODULES, openstacksdk.configure),
    "tempest-image": Suite(("tempest.api.image.v2",), tempest.configure),
    "tempest-compute": Suite(tempest.COMPUTE, tempest.configure),
}
