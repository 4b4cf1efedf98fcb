"""One story of six people, told step by step, and what became of each step."""

from __future__ import annotations

import dataclasses
import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from hyperx_glance import Client, HyperxGlanceError, Pace, Settings
from hyperx_glance.testing.timing import scaled
from tests.deployments import people
from tests.deployments.oracle import Oracle
from tests.support.clouds import LOOPBACK, REGION
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hyperx_glance import Finding
    from hyperx_glance.testing import LocalCloud
    from tests.deployments.world import World
    from tests.support.file_server import FileServer

LOG: Final = logging.getLogger(__name__)
DONE: Final = "done"
LEFT_OUT: Final = "left out"
"""A step that needs what an earlier one has not made."""
_PACE: Final = Pace(deadline=scaled(45))
STEPS: Final[dict[str, Callable[[Story], None]]] = {}


def step(function: Callable[[Story], None]) -> Callable[[Story], None]:
    """Add a step to the story; its name is the function's."""
    STEPS[function.__name__.replace("_", " ")] = function
    return function


class MissingError(Exception):
    """What a step needs has not been made."""


class Things(dict[str, Any]):
    """What the steps have made, by name."""

    def __missing__(self, name: str) -> object:
        if name == "disk" and "raw" in self:  # people take the format that the deployment takes
            return self["raw"]
        raise MissingError(name)


@dataclasses.dataclass
class Story:
    """The people of one world and what they have made."""

    cloud: LocalCloud
    world: World
    file_server: FileServer
    folder: Path
    findings: dict[str, list[Finding]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.oracle = Oracle(self.cloud)
        self.things = Things()
        self._clients: dict[tuple[str, str], Client] = {}
        self._before = self.oracle.everything()

    def client(self, person: str, transfer: str = "auto") -> Client:
        """Return the client of a person."""
        if (person, transfer) not in self._clients:
            login = self.world.login or people.session
            self._clients[person, transfer] = Client.from_session(
                login(self.cloud, person),
                region_name=REGION,
                interface=self.world.interface,
                steward=login(self.cloud, "administrator") if person == "steward" else None,
                settings=Settings(
                    url_policy=LOOPBACK,
                    pace=_PACE,
                    transfer=transfer,  # type: ignore[arg-type]  # one of the three words
                    **self.world.settings,  # type: ignore[arg-type]  # as the world says
                ),
            )
        return self._clients[person, transfer]

    @property
    def member(self) -> Client:
        """Return the client of a member of the department of the story."""
        return self.client("member")

    @property
    def other(self) -> Client:
        """Return the client of a member of another department."""
        return self.client("other")

    @property
    def reader(self) -> Client:
        """Return the client of somebody who may only read in the department of the story."""
        return self.client("reader")

    @property
    def administrator(self) -> Client:
        """Return the administrator's client."""
        return self.client("administrator")

    @property
    def steward(self) -> Client:
        """Return the client of the other department with an administrator's connection."""
        return self.client("steward")

    @property
    def stranger(self) -> Client:
        """Return the client of a user whose role says nothing to OpenStack."""
        return self.client("stranger")

    def tell(self, name: str) -> str:
        """Take a step, and return what became of it: done, left out, the code of a refusal, or what is wrong."""
        began = time.monotonic()
        outcome = self._outcome(name)
        LOG.info("%s: %s, %.1f s", name, outcome, time.monotonic() - began)
        return outcome

    def _outcome(self, name: str) -> str:
        try:
            STEPS[name](self)
        except MissingError:
            return LEFT_OUT
        except HyperxGlanceError as error:
            LOG.warning("%s: %s %s", name, error.message, error.explanation)
            left = self._taken_back(name, error) or self._surplus(error)
            refusal = f"{error.code} ({type(error).__name__})" if error.code else type(error).__name__
            return f"{refusal}, {left}" if left else refusal
        except AssertionError as error:
            LOG.warning("%s: %s", name, error)
            # pytest adds lines about the values, if it has rewritten the module.
            said = str(error).partition("\n")[0] or traceback.extract_tb(error.__traceback__)[-1].line
            return f"otherwise: {said}"
        except Exception as error:
            LOG.exception("%s", name)
            return f"otherwise: {type(error).__name__}"
        return DONE

    def _taken_back(self, name: str, error: HyperxGlanceError) -> str:
        """Take back what an error names, as the guides say; return what is wrong with that."""
        client = self.other if name.startswith("another") else self.member
        try:
            if error.launch_id and self.oracle.launched(error.launch_id):
                client.find_launch(error.launch_id).cancel()
            if error.capture_id and self.oracle.captured(error.capture_id):
                client.find_capture(error.capture_id).cancel()
        except HyperxGlanceError as second:
            LOG.warning("%s, taken back: %s", name, second)
            self._remove(error.launch_id or "")
            self.accept()
            return f"and what it names cannot be taken back: {second.code or type(second).__name__}"
        return ""

    def _remove(self, launch_id: str) -> None:
        """Remove a launch past the library: what Nova still makes would look like something of a later step."""
        for server in self.oracle.launched(launch_id):
            self.oracle.delete(server["id"], "server")
        until(lambda: not self.oracle.launched(launch_id))

    def _surplus(self, error: HyperxGlanceError) -> str:
        """Return what a refused step has left behind and the error does not name."""
        named = {error.image_id, error.volume_id, *(text.values.get("id") for text in error.left)}
        end = time.monotonic() + scaled(5)
        # What is on its way out is gone in a moment.
        while (found := self.unknown().items()) and time.monotonic() < end:
            if {thing for thing, _ in found} <= named:
                break
            time.sleep(0.2)
        self.accept()
        kinds = sorted({kind for thing, kind in found if thing not in named})
        return f"and there is an unnamed {', '.join(kinds)}" if kinds else ""

    def unknown(self) -> dict[str, str]:
        """Return what is there and no step has made."""
        made = {each.id for thing in self.things.values() for each in getattr(thing, "servers", (thing,))}
        return {thing: kind for thing, kind in self.oracle.everything().items() if thing not in {*self._before, *made}}

    def accept(self) -> None:
        """Regard what is there now as known."""
        self._before |= self.oracle.everything()
