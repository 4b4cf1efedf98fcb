"""Both clouds answer a tour of raw requests as the real services did when it was recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance.testing import InMemoryCloud, LocalCloud
from tests.tour.answers import recorded
from tests.tour.differences import DIFFERENCES
from tests.tour.player import play
from tests.tour.steps import TOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDED = recorded()
NAMES = [step.name for step in TOUR]


@pytest.fixture(scope="module")
def in_memory() -> Mapping[str, Any]:
    """Return the answers of the in-memory cloud, as JSON says them."""
    cloud = InMemoryCloud()
    answers: Mapping[str, Any] = json.loads(json.dumps({step.name: answer for step, answer in play(cloud, TOUR)}))
    cloud.check()
    return answers


def test_every_step_is_recorded_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) == set(RECORDED)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in DIFFERENCES])
def test_the_cloud_in_memory_answers_as_the_real_services(in_memory: Mapping[str, Any], name: str) -> None:
    assert in_memory[name] == RECORDED[name]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_known_difference_is_one(in_memory: Mapping[str, Any], name: str) -> None:
    """Take what agrees out of the list, which only shrinks."""
    assert in_memory[name] != RECORDED[name]


@pytest.mark.local
def test_the_real_services_answer_as_recorded() -> None:
    """In a cloud of its own: what other tests made or set would show in lists, limits and names."""
    with LocalCloud() as cloud:
        answers = {step.name: answer for step, answer in play(cloud, TOUR)}
    assert {name: answer for name, answer in answers.items() if answer != RECORDED[name]} == {}
