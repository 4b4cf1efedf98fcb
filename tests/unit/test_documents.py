"""The documents say what the library does."""

from __future__ import annotations

import inspect
import json
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
from hyperx_glance import Capture, Client, HyperxGlanceError, Launch, Registration, errors
from tests.deployments.test_worlds import doctor, unexpected
from tests.deployments.worlds import WORLDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployments.world import World

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
    manual = (ROOT / "docs" / "manual.rst").read_text()
    entries = re.split(r"^:zh:`.*`$", manual, flags=re.MULTILINE)[1:]

    assert len(entries) == len(re.findall(r"^:zh:", manual, re.MULTILINE))  # a term that goes on is no term
    assert all(re.match(r"\n    [A-Z0-9]", entry) for entry in entries)


PAGES = sorted((ROOT / "docs").rglob("*.rst"))
"""The pages of the documentation."""


NO_PROSE = [
    re.compile(r"``.*?``|:zh:`.*?`", re.DOTALL),
    re.compile(r"^ *>>>.*?(?=\n *\n|\Z)", re.MULTILINE | re.DOTALL),
    re.compile(r"^\.\. code-block::.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_in_a_page_leads_to_a_host(page: Path) -> None:
    prose = page.read_text()
    for pattern in NO_PROSE:
        prose = pattern.sub("", prose)

    assert [link for link in re.findall(r"https?://[^\s>`]*", prose) if "." not in link.split("/")[2]] == []


def test_the_manual_page_marks_what_is_different_here() -> None:
    manual = (ROOT / "docs" / "manual.rst").read_text()
    marked = re.findall(r"^:zh:`([^`]*)`\n(?:    .*\n)*?    .*\*\*Different here:\*\*", manual, re.MULTILINE)

    assert [sentence for sentence in marked if "所有者" in sentence or sentence.startswith("私有")] == marked
    assert len(marked) == 2


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


def test_each_error_has_its_status_in_the_guide() -> None:
    guide = (ROOT / "docs" / "guide" / "console.rst").read_text()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HyperxGlanceError)]

    told = {name: int(status) for name, status in re.findall(r"\* - `(\w+)`\n     - (\d+)\n", guide)}

    assert told == {kind.__name__: kind.suggested_status for kind in kinds}


def test_every_program_that_contributing_calls_is_installed_by_it() -> None:
    text = (ROOT / "docs" / "contributing.rst").read_text()
    installed = {"pip", "python"} | {
        package for line in re.findall(r"pip install ([^#\n]*)", text) for package in line.split()
    }
    calls = re.findall(r"^   \$ (.*?)(?: +#.*)?$", text, re.MULTILINE)

    called = {program for call in calls for program in re.findall(r"(?<=\.venv/bin/)[\w-]+", call)}
    assert called <= installed
    assert {module for call in calls for module in re.findall(r"-m (\w+)$", call)} - {"venv"} <= installed
    # A program that is called without its path is one of the system's.
    assert {call.split()[0] for call in calls if not call.startswith(".venv/")} == {"git", "python3"}


@pytest.mark.parametrize("page", ["contributing.rst", "architecture.rst"])
def test_every_file_that_a_page_for_developers_names_is_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    named = set(re.findall(r"``((?:[\w.-]+/)+[\w.-]*\w|\w[\w-]*\.(?:py|txt|toml|ini|cfg|po))``", text))
    named -= {"tests/releases/2026.2.txt"}  # an example

    there = [
        *ROOT.iterdir(),
        *(path for folder in (".ci", "hyperx_glance", "docs", "tests") for path in (ROOT / folder).rglob("*")),
    ]
    assert len(named) > 5
    assert sorted(name for name in named if not any(path.as_posix().endswith(f"/{name}") for path in there)) == []


def test_the_map_of_the_architecture_has_every_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [re.sub(r"[()]", "", layer).split(" | ") for layer in contracts[0]["layers"]]
    (listing,) = re.findall(r"\.\. code-block:: text\n\n((?:   .*\n)+)", (ROOT / "docs/architecture.rst").read_text())

    drawn = [re.split(r" \| ", re.split(r"  +", line.strip())[0]) for line in listing.splitlines()]

    assert drawn == layers


def test_a_commit_is_checked_by_the_ruff_of_the_tests_whatever_is_on_the_path() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (pinned,) = set(re.findall(r"^    (ruff~.*)$", (ROOT / "tox.ini").read_text(), re.MULTILINE))

    assert [(hook["language"], hook["additional_dependencies"]) for hook in hooks] == [("python", [pinned])] * 2


LINKS = {"Documentation", "Source", "Changelog", "Contributing"}


def test_the_readme_links_to_documentation_source_changelog_and_contributing() -> None:
    links = dict(re.findall(r"\[(.*?)\]\((.*?)\)", (ROOT / "README.md").read_text()))

    assert links.keys() >= LINKS
    assert [target for target in links.values() if not (ROOT / target).exists()] == []


def test_the_metadata_links_to_documentation_source_changelog_and_contributing() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    links = dict(line.split(" = ") for line in setup["metadata"]["project_urls"].strip().split("\n"))

    assert links.keys() == LINKS
    assert all(target.startswith("https://") for target in links.values())


def test_the_unreleased_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    notes = yaml.safe_load((ROOT / "docs" / "releasenotes" / "config.yaml").read_text())

    assert project["tool"]["setuptools_scm"]["fallback_version"] == f"{notes['unreleased_version_title']}.dev0"


VERBS = sorted(name for name in dir(Client) if not name.startswith("_") and callable(getattr(Client, name)))
HANDLES = [Registration, Launch, Capture]
PUBLIC_METHODS = {
    "connect": hyperx_glance.connect,
    **{
        f"{kind.__name__}.{name}": getattr(kind, name)
        for kind in [Client, *HANDLES]
        for name in dir(kind)
        if not name.startswith("_") and callable(getattr(kind, name))
    },
}
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, HyperxGlanceError)}
ENTRIES = dict(
    re.findall(
        r"^\.\. auto(?:method|function):: hyperx_glance\.(?:Client\.)?(\w+)\n(.*?)(?=^\S|\Z)",
        (ROOT / "docs" / "reference" / "client.rst").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)


@pytest.mark.parametrize("name", PUBLIC_METHODS)
def test_the_docstring_of_a_public_method_tells_each_parameter_and_its_errors(name: str) -> None:
    method = PUBLIC_METHODS[name]
    told = inspect.getdoc(method) or ""
    raised = re.findall(r"^:raises (\w+): \S", told, re.MULTILINE)

    assert re.findall(r"^:param (\w+): \S", told, re.MULTILINE) == [
        parameter for parameter in inspect.signature(method).parameters if parameter != "self"
    ]
    assert set(raised) <= ERRORS
    assert raised or name == "Client.close"  # it fails in no way


@pytest.mark.parametrize(
    "name", [name for name, method in PUBLIC_METHODS.items() if "timeout" in inspect.signature(method).parameters]
)
def test_the_docstring_of_a_method_tells_the_unit_of_its_timeout_and_what_happens_after_it(name: str) -> None:
    told = " ".join((inspect.getdoc(PUBLIC_METHODS[name]) or "").split())

    assert re.search(r":param timeout: seconds.*None is ``Settings\.pace\.deadline``.*After it, ", told)
    assert ":raises WaitTimeoutError:" in told


@pytest.mark.parametrize("verb", [*VERBS, "connect"])
def test_the_reference_is_built_from_the_docstring_of_a_verb_and_adds_an_example(verb: str) -> None:
    entry = ENTRIES[verb]

    assert ":param" not in entry
    assert ":raises" not in entry
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


@pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
def test_the_table_of_deployments_says_what_is_expected_of_each(world: World) -> None:
    recorded = json.loads((ROOT / "tests/deployments/results.json").read_text())[world.name]

    assert unexpected(world, recorded["steps"]) == {}
    assert recorded["doctor"] == doctor(world)
