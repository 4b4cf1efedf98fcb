"""The public surface: what is exported is sorted, typed, documented and tested."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path

import pytest

import hyperx_glance
from hyperx_glance import (
    Client,
    DepartmentQuota,
    ImageChanges,
    ImageCriteria,
    ImageFields,
    ImageQuery,
    QuotaLimits,
    vocabulary,
)
from hyperx_glance.vocabulary import DiskFormatWord

if typing.TYPE_CHECKING:
    import pydantic

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hyperx_glance"
SOURCES = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"} | {
    path.parent.name: path for path in PACKAGE.glob("*/__init__.py")
}
MODULES = sorted(SOURCES)
VERBS = sorted(name for name in dir(Client) if not name.startswith("_") and callable(getattr(Client, name)))

ONLY_READING = {
    "allowed", "availability_zones", "check_url", "close", "departments", "download", "flavors", "from_connection",
    "key_pairs", "launches", "networks", "regions", "summary", "why_not",
}  # fmt: skip

WITHOUT_A_COMMAND = {
    "availability_zones": "openstack availability zone list",
    "close": "the shell ends the session",
    "count": "openstack hyperx image summary",
    "from_session": "the shell logs in",
    "key_pairs": "openstack keypair list",
    "networks": "openstack network list",
    "regions": "openstack region list",
    "servers": "openstack server list",
    "why_not": "openstack hyperx image show lists what is allowed, and each command says why it was refused",
}
"""The verbs that no command calls, and what an operator uses instead."""


def texts(folder: Path, pattern: str) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob(pattern)) if path != Path(__file__))


def test_exports_are_sorted_unique_and_there() -> None:
    assert hyperx_glance.__all__ == sorted(set(hyperx_glance.__all__))
    for name in hyperx_glance.__all__:
        assert getattr(hyperx_glance, name) is not None


def test_exports_are_all_that_is_public() -> None:
    public = {
        name for name in dir(hyperx_glance) if name[0] != "_" and not inspect.ismodule(getattr(hyperx_glance, name))
    }

    assert public == set(hyperx_glance.__all__) - {"deployment"}


def test_type_checkers_find_each_export_where_programs_find_it() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    homes = {alias.asname: str(node.module) for node in imports for alias in node.names}

    assert sorted(name for name in homes if name) == hyperx_glance.__all__
    for name, module in homes.items():
        assert getattr(importlib.import_module(module), str(name)) is getattr(hyperx_glance, str(name))


def test_import_waits_for_nothing() -> None:
    program = "import hyperx_glance, sys; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()

    assert not {"pydantic", "keystoneauth1", "openstack", "requests", "tenacity"} & set(imported)


def test_client_is_imported_without_what_only_some_verbs_need() -> None:
    program = "import hyperx_glance, sys; hyperx_glance.Client; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()

    assert not {"openstack", "tenacity", "oslo_utils.imageutils", "passlib", "hyperx_glance.launching"} & set(imported)


def test_misspelt_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="Clinet"):
        hyperx_glance.Clinet  # type: ignore[attr-defined]  # noqa: B018  # what it is about


@pytest.mark.parametrize("name", hyperx_glance.__all__)
def test_export_is_in_the_reference_and_has_a_docstring(name: str) -> None:
    assert re.search(rf":: hyperx_glance\.{name}$", texts(ROOT / "docs" / "reference", "*.rst"), re.MULTILINE)
    assert inspect.getdoc(getattr(hyperx_glance, name))


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_tested(verb: str) -> None:
    assert f".{verb}(" in texts(ROOT / "tests", "test_*.py")


@pytest.mark.parametrize("verb", sorted({*VERBS} - ONLY_READING))
def test_verb_has_each_request_struck(verb: str) -> None:
    assert f".{verb}(" in texts(ROOT / "tests" / "resilience", "*.py")


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_in_the_smoke_test(verb: str) -> None:
    assert f".{verb}(" in (ROOT / "tests" / "contract" / "test_smoke.py").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_verb_has_a_command_or_is_listed_without_one(verb: str) -> None:
    assert (f".{verb}(" in texts(PACKAGE / "cli", "*.py")) is (verb not in WITHOUT_A_COMMAND)


@pytest.mark.parametrize("verb", VERBS)
def test_verb_has_its_types_checked(verb: str) -> None:
    assert f".{verb}(" in texts(ROOT / "tests" / "typing", "*.py")


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_in_a_guide_and_has_a_docstring(verb: str) -> None:
    assert f".{verb}(" in texts(ROOT / "docs" / "guide", "*.rst")
    assert inspect.getdoc(getattr(Client, verb))


@pytest.mark.parametrize("verb", VERBS)
def test_verb_promises_types_without_any(verb: str) -> None:
    signature = inspect.signature(getattr(Client, verb))

    annotations = [parameter.annotation for name, parameter in signature.parameters.items() if name != "self"]
    for annotation in [*annotations, signature.return_annotation]:
        assert annotation is not inspect.Parameter.empty
        assert not re.search(r"\bAny\b", str(annotation))


@pytest.mark.parametrize("module", MODULES)
def test_module_opens_with_an_example(module: str) -> None:
    docstring = ast.get_docstring(ast.parse(SOURCES[module].read_text()))

    assert docstring
    assert ">>>" in docstring


@pytest.mark.parametrize("module", sorted({*MODULES} - {"testing"}))
def test_module_has_tests_of_its_name(module: str) -> None:
    assert list((ROOT / "tests").rglob(f"test_{module}*.py")) or (ROOT / "tests" / "unit" / module).is_dir()


@pytest.mark.parametrize(
    ("keywords", "model", "not_keywords"),
    [
        (ImageCriteria, ImageQuery, set()),
        (ImageFields, ImageChanges, set()),
        (QuotaLimits, DepartmentQuota, {"department", "not_looked_at", "notes"}),
    ],
)
def test_keywords_are_the_fields_of_their_model(
    keywords: type, model: type[pydantic.BaseModel], not_keywords: set[str]
) -> None:
    assert set(typing.get_type_hints(keywords)) == set(model.model_fields) - not_keywords


@pytest.mark.parametrize(("keywords", "model"), [(ImageCriteria, ImageQuery), (ImageFields, ImageChanges)])
def test_keywords_take_what_their_model_takes(keywords: type, model: type[pydantic.BaseModel]) -> None:
    for name, keyword in typing.get_type_hints(keywords).items():
        taken = {Mapping[str, str] if choice == dict[str, str] else choice for choice in choices(model, name)}
        if name == "formats":  # the keyword takes capitals, too
            taken = {frozenset[DiskFormatWord], type(None)}
        assert taken <= {*typing.get_args(keyword), keyword}, name


@pytest.mark.parametrize(
    ("words", "enumeration"),
    [
        (vocabulary.KindWord, vocabulary.Kind),
        (vocabulary.CategoryWord, vocabulary.Category),
        (vocabulary.StateWord, vocabulary.State),
        (vocabulary.LifecycleWord, vocabulary.Lifecycle),
        (vocabulary.ViewWord, vocabulary.View),
    ],
)
def test_the_words_that_editors_know_are_those_of_the_enumeration(words: object, enumeration: type[StrEnum]) -> None:
    assert typing.get_args(words) == tuple(enumeration)


@pytest.mark.parametrize(
    ("words", "formats"),
    [
        (vocabulary.DiskFormatWord, vocabulary.DISK_FORMATS),
        (vocabulary.ImageFormatWord, vocabulary.IMAGE_FORMATS),
    ],
)
def test_formats_are_typed_as_they_are_stored_and_as_they_are_shown(words: object, formats: tuple[str, ...]) -> None:
    typed = [word for choices in typing.get_args(words) for word in typing.get_args(choices) or [choices]]

    assert typed == [*formats, *(word.upper() for word in formats)]


def choices(model: type[pydantic.BaseModel], field: str) -> set[object]:
    annotation = typing.get_type_hints(model)[field]
    return set(typing.get_args(annotation)) if type(annotation) is type(int | None) else {annotation}


def test_package_promises_types() -> None:
    assert resources.files("hyperx_glance").joinpath("py.typed").is_file()


def test_import_brings_no_sdk_shell_or_test_double() -> None:
    names = "openstack", "cliff", "osc_lib", "requests_mock", "hyperx_glance.testing", "hyperx_glance.cli"
    program = f"import sys, hyperx_glance; print([name for name in {names} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
