"""The files of the console's page: both languages, nothing that runs text as a program, and their size."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from hyperx_glance import Action, Category, Lifecycle, Phase, ShareStatus, State

PAGE: Final = Path(__file__).parents[2] / "hyperx_glance" / "testing" / "console" / "page"
PROGRAM: Final = sorted(path for path in PAGE.iterdir() if path.suffix in {".js", ".css", ".html"})
TEXTS: Final[dict[str, list[str]]] = json.loads((PAGE / "texts.json").read_text(encoding="utf-8"))
SOURCE: Final = "".join(path.read_text(encoding="utf-8") for path in PROGRAM)
SAME: Final = {"ACTIVE", "INACTIVE", "action_for", "bytes_of", "flavor_text", "task_state", "url"}
"""What has no Chinese word in Chinese: two words of the manual, and what consists of values."""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_has_both_languages_with_the_same_values(key: str) -> None:
    english, chinese = TEXTS[key]

    assert english
    assert re.search("[\u4e00-\u9fff]", chinese) or key in SAME
    assert not re.search("[\u4e00-\u9fff]", english)
    assert placeholders(english) == placeholders(chinese)


def test_each_text_of_the_page_exists() -> None:
    used = set(re.findall(r"\bsay\(\"(\w+)\"", SOURCE)) | set(re.findall(r"data-(?:text|label)=\"(\w+)\"", SOURCE))
    fields = set(re.findall(r"name: \"(\w+)\"", SOURCE)) - {"username", "project_name"}  # with labels of their own

    assert used | fields <= TEXTS.keys()


def test_each_text_is_used() -> None:
    parts = re.findall(r"`(\w+_)\$\{", SOURCE)  # as in say(`view_${name}`)
    words = set(re.findall(r"\w+", SOURCE))
    enumerated = {word.value for words in (Action, Category, Lifecycle, Phase, State, ShareStatus) for word in words}

    assert {key for key in TEXTS if key not in words | enumerated and not any(map(key.startswith, parts))} == set()


@pytest.mark.parametrize("words", [Action, Category, Lifecycle, Phase, State, ShareStatus])
def test_each_word_of_the_library_has_a_text(words: type[Action]) -> None:
    assert {word.value for word in words} <= TEXTS.keys()


@pytest.mark.parametrize(
    "forbidden", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style="]
)
def test_no_text_becomes_markup_or_a_program(forbidden: str) -> None:
    assert forbidden not in SOURCE


def test_the_page_asks_no_other_host_for_anything() -> None:
    assert not re.search(r"(?:src|href|url\()\W*(?:https?:)?//", SOURCE)
    assert "@import" not in SOURCE


def test_the_page_is_small() -> None:
    assert len(SOURCE.splitlines()) < 900


def test_the_manual_names_the_words_of_the_page() -> None:
    manual = (PAGE.parents[3] / "docs" / "manual.rst").read_text(encoding="utf-8")
    notes = " ".join(" ".join(re.findall(r"\*On the page:\*(.*?)\n\n", manual, re.DOTALL)).split())
    named = re.findall(r"([\u4e00-\u9fff]+(?: ?(?:ISO|URL))?) \(([A-Z][\w ]+)\)", notes)

    assert len(named) > 30
    assert set(named) <= {(chinese, english) for english, chinese in TEXTS.values()}
