"""What a scenario needs of a cloud: ``@pytest.mark.needs("streams-counted")``.

On a release that lacks the capability the scenario has to fail, or to be refused as what that release cannot do. One
that passes fails the run: the table is out of date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hyperx_glance import InvalidRequestError
from hyperx_glance.testing.capabilities import CAPABILITIES, lacking

if TYPE_CHECKING:
    from hyperx_glance.testing import InMemoryCloud, LocalCloud


def declare(request: pytest.FixtureRequest, cloud: InMemoryCloud | LocalCloud) -> None:
    """Expect the failure of a scenario that needs what this cloud's release lacks."""
    lacks = lacking(cloud.release)
    for marker in request.node.iter_markers("needs"):
        for name in marker.args:
            if name not in CAPABILITIES:
                raise pytest.UsageError(f"{request.node.nodeid} needs {name!r}, which is no capability")
            if name in lacks:
                reason = f"{cloud.release} lacks {name}, which came with {CAPABILITIES[name].since}"
                request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=FAILURES))


FAILURES = (AssertionError, pytest.fail.Exception, InvalidRequestError)
