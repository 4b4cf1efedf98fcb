"""The documents say what the library does."""

from __future__ import annotations

import importlib.util
import inspect
import re
import runpy
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import hyperx_glance
from hyperx_glance import Client, HyperxGlanceError, errors

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def test_the_quick_start_can_be_pasted() -> None:
    readme = (ROOT / "README.md").read_text()
    code, output = re.findall(r"```(?:python|text)\n(.*?)```", readme, re.DOTALL)[:2]

    pasted = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (pasted.stdout, pasted.stderr) == (output, "")


def sentences(markdown: str) -> Iterator[str]:
    """Take a text apart: headings, points and sentences, without pictures and marks."""
    for line in re.sub(r"!\[.*?\]\(.*?\)|<img.*?/>", "", markdown).splitlines():
        text = line.strip(" #>*-")
        yield from (sentence for sentence in re.split(r"(?<=。)", text) if sentence)


def test_the_manual_is_quoted_whole_and_in_its_order() -> None:
    manual = (ROOT / "tests" / "samples" / "manual.zh.md").read_text()

    assert re.findall(r":zh:`(.*?)`", (ROOT / "docs" / "manual.rst").read_text()) == list(sentences(manual))


def test_each_sentence_of_the_manual_is_told_in_english() -> None:
    entries = re.split(r"^:zh:`.*`$", (ROOT / "docs" / "manual.rst").read_text(), flags=re.MULTILINE)[1:]

    assert all(re.match(r"\n    [A-Z0-9]", entry) for entry in entries)


def test_commands_that_documents_name_are_there() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    commands = {
        line.partition(" =")[0].replace("_", " ")
        for line in setup["options.entry_points"]["openstack.hyperx.v1"].split("\n")
    }
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.rst")]
    named = {
        (path.name, words)
        for path in documents
        for words in re.findall(r"openstack (hyperx(?: [a-z][a-z-]*)+)", path.read_text())
    }

    assert named
    assert [each for each in named if not any(f"{each[1]} ".startswith(f"{name} ") for name in commands if name)] == []


def test_each_error_has_a_status_in_the_guide_and_in_its_back_end() -> None:
    guide = (ROOT / "docs" / "guide" / "console.rst").read_text()
    spec = importlib.util.spec_from_file_location("console_back_end", ROOT / "docs" / "guide" / "console_back_end.py")
    assert spec is not None
    assert spec.loader is not None
    back_end = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(back_end)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HyperxGlanceError)]

    told = {name: int(status) for name, status in re.findall(r"\* - `(\w+)`\n     - (\d+)\n", guide)}

    assert told == {kind.__name__: back_end.status_of(kind.__new__(kind)) for kind in kinds}


def test_the_unreleased_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    notes = yaml.safe_load((ROOT / "docs" / "releasenotes" / "config.yaml").read_text())

    assert project["tool"]["setuptools_scm"]["fallback_version"] == f"{notes['unreleased_version_title']}.dev0"


VERBS = sorted(name for name in dir(Client) if not name.startswith("_") and callable(getattr(Client, name)))
ENTRIES = dict(
    re.findall(
        r"^\.\. auto(?:method|function):: hyperx_glance\.(?:Client\.)?(\w+)\n(.*?)(?=^\S|\Z)",
        (ROOT / "docs" / "reference" / "client.rst").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)


@pytest.mark.parametrize("verb", [*VERBS, "connect"])
def test_the_reference_tells_each_argument_of_a_verb_and_has_an_example(verb: str) -> None:
    parameters = inspect.signature(getattr(Client, verb, hyperx_glance.connect)).parameters
    entry = ENTRIES[verb]

    assert re.findall(r":param (\w+):", entry) == [name for name in parameters if name != "self"]
    assert re.search(r">>> .*\b" + verb + r"\(|= Client\." + verb + r"\(", entry)


def fields() -> list[tuple[str, str]]:
    told = runpy.run_path(str(ROOT / "docs" / "fields.py"))["meaning"]
    public = {name: getattr(hyperx_glance, name) for name in hyperx_glance.__all__}
    models = {name: kind for name, kind in public.items() if isinstance(kind, type)}
    return [
        (f"{name}.{field}", told(name, field))
        for name, kind in models.items()
        for field in getattr(kind, "model_fields", getattr(kind, "__dataclass_fields__", ()))
    ]


@pytest.mark.parametrize(("field", "told"), fields())
def test_the_reference_tells_what_each_field_means(field: str, told: str) -> None:
    assert told.endswith("."), field
