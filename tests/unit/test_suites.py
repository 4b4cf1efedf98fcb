"""What a run of other projects' suites says is held against lists, and recorded without noise."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.suites.catalogue import SUITES
from tests.suites.outcomes import Cause, Lists, Outcome, judge, read
from tests.suites.recording import RESULTS, record
from tests.suites.running import CLOUDS, GOALS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PAGE: Mapping[str, Any] = runpy.run_path(str(ROOT / "docs" / "suites.py"))
GUEST = Cause("guest", "There is no guest.")
BUG = Cause("differs", "It answers 404.")
LISTS = Lists({"m.test_bug": BUG, "m.test_guest": GUEST}, {"^Validation": GUEST})
AS_LISTED = [
    Outcome("m.test_good", "passed", ""),
    Outcome("m.test_bug", "failed", "404"),
    Outcome("m.test_guest", "failed", "no guest"),
    Outcome("m.test_login", "skipped", "Validation is disabled."),
]


def test_a_run_that_goes_as_listed_has_no_problem() -> None:
    verdict = judge(AS_LISTED, LISTS)

    assert verdict.problems == {}
    assert verdict.passed == 1
    assert verdict.counted == {BUG: 1, GUEST: 2}


def test_what_is_left_out_does_not_count() -> None:
    verdict = judge(AS_LISTED, LISTS)

    assert verdict.failed == 1
    assert verdict.share == 50


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (Outcome("m.test_new", "failed", "500"), "Failed, and is not listed: m.test_new"),
        (Outcome("m.test_new", "skipped", "No such thing"), "Skipped, and its reason is not listed: m.test_new"),
    ],
)
def test_a_test_that_does_not_pass_and_is_not_listed_is_a_problem(outcome: Outcome, problem: str) -> None:
    assert judge([*AS_LISTED, outcome], LISTS).problems == {problem: outcome.words}


@pytest.mark.parametrize("outcome", ["passed", "skipped"])
def test_a_test_listed_as_failing_that_does_not_fail_is_a_problem(outcome: str) -> None:
    ended = [each._replace(outcome=outcome) if each.test == "m.test_bug" else each for each in AS_LISTED]

    assert judge(ended, LISTS).problems == {f"Listed as failing, and {outcome}: m.test_bug": BUG.sentence}


@pytest.mark.parametrize("entry", ["m.test_bug", "^Validation"])
def test_an_entry_that_explains_nothing_is_a_problem(entry: str) -> None:
    gone = {"m.test_bug": "m.test_bug", "^Validation": "m.test_login"}[entry]
    ended = [each for each in AS_LISTED if each.test != gone]

    assert list(judge(ended, LISTS).problems) == [f"Listed, and explains nothing: {entry}"]


def test_a_part_of_a_suite_need_not_use_every_entry() -> None:
    assert judge(AS_LISTED[:1], LISTS, whole=False).problems == {}


def test_a_run_without_tests_is_a_problem() -> None:
    assert "No test was run" in judge([], LISTS, whole=False).problems


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# There is no guest.\nm.test\n", "line 1: no such kind of cause"),
        ("# luck: \nm.test\n", "line 1: no such kind of cause"),
        ("m.test\n", "line 1: no cause stands above"),
    ],
)
def test_a_list_with_a_mistake_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "suite.txt").write_text(text)

    with pytest.raises(ValueError, match=reason):
        read("suite", "memory", tmp_path)


def test_the_lists_of_both_clouds_are_read_after_the_common_one(tmp_path: Path) -> None:
    (tmp_path / "suite.txt").write_text("# guest: There is no guest.\nskipped: ^Validation\n")
    (tmp_path / "suite-memory.txt").write_text("# differs: It answers 404.\n\nm.test_bug\n")

    assert read("suite", "memory", tmp_path) == Lists({"m.test_bug": BUG}, {"^Validation": GUEST})
    assert read("suite", "local", tmp_path) == Lists({}, {"^Validation": GUEST})


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_lists_of_this_repository_can_be_read(name: str, cloud: str) -> None:
    lists = read(name, cloud)

    assert all(cause.sentence.endswith(".") for cause in [*lists.tests.values(), *lists.patterns.values()])


def test_a_second_run_with_the_same_outcomes_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    record("suite", "memory", judge(AS_LISTED, LISTS), path)
    first = path.read_text()

    record("suite", "memory", judge(AS_LISTED[::-1], LISTS), path)

    assert path.read_text() == first
    assert json.loads(first) == {
        "suite": {
            "memory": {"passed": 1, "failed": {BUG.sentence: 1}, "left_out": {"guest": {GUEST.sentence: 2}}},
        }
    }


def test_a_run_on_one_cloud_keeps_what_the_other_has_shown(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for cloud in CLOUDS:
        record("suite", cloud, judge(AS_LISTED, LISTS), path)

    assert list(json.loads(path.read_text())["suite"]) == ["local", "memory"]


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_recorded_results_reach_the_goal_and_have_the_causes_of_the_lists(name: str, cloud: str) -> None:
    told = json.loads(RESULTS.read_text())[name][cloud]
    lists = read(name, cloud)
    listed = {*lists.tests.values(), *lists.patterns.values()}
    recorded = {Cause(kind, sentence) for kind, group in told["left_out"].items() for sentence in group}
    recorded |= {Cause("differs", sentence) for sentence in told["failed"]}

    assert recorded == listed
    assert 100 * told["passed"] >= GOALS[cloud] * (told["passed"] + sum(told["failed"].values()))


def test_the_page_shows_numbers_and_causes_with_failures_first() -> None:
    told = {
        "memory": {"passed": 2999, "failed": {"It answers 404.": 1}, "left_out": {"guest": {"There is no guest.": 2}}},
        "local": {"passed": 3000, "failed": {}, "left_out": {"guest": {"There is no guest.": 2}}},
    }

    assert list(PAGE["summary"]({"tempest-image": told})) == [
        (SUITES["tempest-image"].title, "in memory", "2999 (99.9 %)", "1", "2"),
        (SUITES["tempest-image"].title, "real services", "3000 (100 %)", "0", "2"),
    ]
    assert list(PAGE["causes"](told)) == [
        ("1", "", "fails: It answers 404."),
        ("2", "2", "needs a hypervisor: There is no guest."),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "no such suite: nothing"),
        (["openstacksdk", "--tests", "("], "not a regular expression"),
    ],
)
def test_a_wrong_argument_is_one_clear_line_before_anything_is_started(arguments: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.suites", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )

    assert ended.returncode == 2
    assert said in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_suite_that_cannot_be_installed_is_one_clear_line_and_starts_no_cloud(cloud: str, tmp_path: Path) -> None:
    """The user's cache is a file here, so that no environment can be made; a cloud would need its place, too."""
    cache = tmp_path / "cache"
    cache.write_text("")

    ended = subprocess.run(
        [sys.executable, "-m", "tests.suites", "tempest-image", f"--{cloud}"],
        env={"XDG_CACHE_HOME": str(cache), "TMPDIR": str(cache)},
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr == ""
    assert ended.stdout.startswith(f"tempest-image, {cloud}: could not be run: its packages could not be installed: ")
    assert len(ended.stdout.splitlines()) == 1
