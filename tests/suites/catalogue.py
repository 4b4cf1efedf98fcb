"""The table of the suites."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Final

from tests.suites import gophercloud, openstacksdk, tempest, unittests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.suites.outcomes import Outcome
    from tests.suites.places import Place


@dataclasses.dataclass(frozen=True)
class Suite:
    """The tests of one suite."""

    title: str
    """Its name and version, as the documentation shows them."""
    run: Callable[[Place, Path, str], list[Outcome]]
    """Runs the tests whose names match a pattern against a cloud, and may write into an empty folder."""
    prepare: Callable[[], object] = lambda: None
    """Installs what the suite needs, before any cloud is started; raises `SuiteError`."""
    needs: Callable[[], str] = lambda: ""
    """Says what must be installed first; without it, a run of all suites leaves it out."""


def _python(title: str, modules: tuple[str, ...], configure: unittests.Configure) -> Suite:
    return Suite(title, functools.partial(unittests.run, modules, configure), prepare=unittests.environment)


SUITES: Final[Mapping[str, Suite]] = {
    "openstacksdk": _python("openstacksdk 4.22.0, functional tests", openstacksdk.MODULES, openstacksdk.configure),
    "tempest-image": _python("tempest 47.0.0, ``tempest.api.image``", ("tempest.api.image",), tempest.configure),
    "tempest-compute": _python("tempest 47.0.0, ``tempest.api.compute``", ("tempest.api.compute",), tempest.configure),
    "gophercloud": Suite("gophercloud 0.12.0, image and compute", gophercloud.run, needs=gophercloud.needs),
}
