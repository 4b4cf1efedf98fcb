"""A world: a deployment that is configured in a way of its own, and what is expected there."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from hyperx_glance.deployment.probe_checks import PROBES
from hyperx_glance.deployment.reading_checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keystoneauth1.session import Session

    from hyperx_glance.cloud.cloud import Service
    from hyperx_glance.testing import LocalCloud

WITH_VOLUMES: Final = ("a member launches a server on a volume", "a member installs from an iso")
LAUNCHES: Final = (
    "a member launches a server",
    "a member launches two servers",
    *WITH_VOLUMES,
    "another department launches the published image",
)
REGISTRATIONS: Final = (
    "a member registers a qcow2 from its url",
    "a member registers a raw disk that the client streams",
    "a member registers a file",
    "a member registers packed data with a checksum",
    "a member registers an iso",
    "an administrator registers for a department",
    "another department registers an image",
)
QUOTAS: Final = (
    "an administrator gives a department room for captures",
    "a member reads the quota",
    "an administrator reads the quota of a department",
    "a member registers beyond the limit of images",
    "an administrator limits servers",
    "a member sees that nothing is used any more",
    "an administrator takes the room back",
)
INCOMPLETE: Final = "otherwise: servers on volumes are missing, and the answer says so"
"""What becomes of the question which servers use an image if Cinder cannot be asked."""
Options = Mapping[str, Mapping[str, Mapping[str, "str | int | float | bool | None"]]]
Made = Callable[["LocalCloud"], AbstractContextManager[object]]
Login = Callable[["LocalCloud", str], "Session"]


def unchecked(*services: Service) -> dict[str, str]:
    """Expect that the doctor cannot check what needs these services."""
    checks = [check for check, (needs, _) in CHECKS.items() if needs in services]
    return dict.fromkeys([*checks, *(PROBES if "image" in services else ())], "warning")


def each(steps: Iterable[str], outcome: str) -> dict[str, str]:
    """Expect the same of several steps."""
    return dict.fromkeys(steps, outcome)


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """What a deployment changes, and what is expected of each step that does not go as in the normal world.

    ``options`` and ``policies`` are those of services, ``made`` makes other changes for a while, ``login`` logs a
    person in, ``settings`` are fields of the clients' `Settings`, ``interface`` is the kind of endpoints they use.
    ``refused`` names the code of the error of a step ("done" if it is refused in the normal world alone), ``doctor``
    the levels of findings that differ.
    ``wrong`` is for steps that do not go as they should: what happens, until the library is mended.
    """

    name: str
    options: Options = dataclasses.field(default_factory=dict)
    policies: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    made: Made | None = None
    login: Login | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    interface: str = "public"
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    wrong: Mapping[str, str] = dataclasses.field(default_factory=dict)
    doctor: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tenth: bool = False
    needs: str = ""
    """The environment variable of what only some environments of tox have; without it, the world is not told."""

    def expecting(
        self,
        *,
        refused: Mapping[str, str] | None = None,
        wrong: Mapping[str, str] | None = None,
        doctor: Mapping[str, str] | None = None,
        tenth: bool = False,
    ) -> World:
        """Return the world with what is expected in it."""
        return dataclasses.replace(self, refused=refused or {}, wrong=wrong or {}, doctor=doctor or {}, tenth=tenth)

    @contextlib.contextmanager
    def built(self, cloud: LocalCloud) -> Iterator[None]:
        """Change the cloud for a while."""
        with contextlib.ExitStack() as stack:
            for service in {*self.options, *self.policies}:
                changes, rules = self.options.get(service, {}), self.policies.get(service, {})
                stack.enter_context(cloud.configured(service, changes, policies=rules))
            if self.made is not None:
                stack.enter_context(self.made(cloud))
            yield
