"""The story in each world: every step goes as in the normal one, or as the world's entry says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.deployments import steps
from tests.deployments.story import DONE, LEFT_OUT, STEPS, Story
from tests.deployments.worlds import WORLDS
from tests.deployments.worlds.normal import NORMAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hyperx_glance import Finding
    from hyperx_glance.testing import LocalCloud
    from tests.deployments.world import World
    from tests.support.file_server import FileServer

assert steps.chapter


def unexpected(world: World, outcomes: Mapping[str, str]) -> dict[str, str]:
    """Return the steps that went otherwise than expected; what a refused step left undone needs no entry."""
    usual = dict.fromkeys(STEPS, DONE) | dict(NORMAL.refused) | dict(NORMAL.wrong)
    own = {**world.refused, **world.wrong}
    expected = usual | own
    assert expected.keys() == STEPS.keys()
    return {
        name: outcome
        for name, outcome in outcomes.items()
        if not goes_as(outcome, expected[name]) and (outcome != LEFT_OUT or name in own)
    }


def goes_as(outcome: str, expected: str) -> bool:
    """Compare; a refusal may be expected by its code, by its class, or by both."""
    refusal, _, left = outcome.partition(", ")
    code, _, kind = refusal.removesuffix(")").partition(" (")
    return expected == outcome or (not left and expected in (code, kind))


def doctor(world: World) -> dict[str, str]:
    """Return what the doctor is expected to say that is not well."""
    return {check: level for check, level in {**NORMAL.doctor, **world.doctor}.items() if level != "ok"}


def judged(findings: Mapping[str, list[Finding]]) -> dict[str, str]:
    """Return what the doctor says that is not well: to a member, and to the administrator if it is an error there.

    Warnings to the administrator say that only a member's requests show what members are refused.
    """
    told = {each.check: each.level for each in findings.get("member", ())}
    told |= {each.check: each.level for each in findings.get("administrator", ()) if each.level == "error"}
    return {check: level for check, level in told.items() if level != "ok"}


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(world, id=world.name, marks=[pytest.mark.tenth] if world.tenth else [])
        for world in WORLDS
        if not world.needs or world.needs in os.environ
    ],
)
def test_the_story_goes_as_expected(
    world: World,
    deployment: LocalCloud,
    file_server: FileServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    with world.built(deployment):
        story = Story(deployment, world, file_server, tmp_path)
        outcomes = {name: story.tell(name) for name in STEPS}
    findings = judged(story.findings)
    record_property("world", {"steps": outcomes, "doctor": findings, "wrong": sorted(world.wrong)})

    assert (unexpected(world, outcomes), findings) == ({}, doctor(world))


def test_a_tenth_of_the_worlds_is_marked() -> None:
    assert len(WORLDS) / 15 <= sum(world.tenth for world in WORLDS) <= len(WORLDS) / 8 + 1


def test_each_world_has_a_name_of_its_own() -> None:
    assert len({world.name for world in WORLDS}) == len(WORLDS)
