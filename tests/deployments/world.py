"""A world: a deployment that is configured in a way of its own, and what is expected there."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keystoneauth1.session import Session

    from hyperx_glance.testing import LocalCloud

Options = Mapping[str, Mapping[str, Mapping[str, "str | int | float | bool | None"]]]
Made = Callable[["LocalCloud"], AbstractContextManager[object]]
Login = Callable[["LocalCloud", str], "Session"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """What a deployment changes, and what is expected of each step that does not go as in the normal world.

    ``options`` and ``policies`` are those of services, ``made`` makes other changes for a while, ``login`` logs a
    person in, ``settings`` are fields of the clients' `Settings`. ``refused`` names the code of the error of a step
    ("done" if it is refused in the normal world alone), ``doctor`` the levels of findings that are not "ok".
    ``wrong`` is for steps that do not go as they should: what happens, until the library is mended.
    """

    name: str
    options: Options = dataclasses.field(default_factory=dict)
    policies: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    made: Made | None = None
    login: Login | None = None
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)
    wrong: Mapping[str, str] = dataclasses.field(default_factory=dict)
    doctor: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tenth: bool = False

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
