"""No text of the command line speaks Python."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hyperx_glance
from hyperx_glance.cli.hints import told, translated
from hyperx_glance.errors import InvalidRequestError, LaunchFailedError, NotFoundError, WaitTimeoutError
from hyperx_glance.models import browsing, capturing, editing, launching, registering
from hyperx_glance.quotas.resources import FIELDS as FIELDS_OF_QUOTAS
from hyperx_glance.texts import Text
from tests.support.command import URL, Run, debian, fake, openstack
from tests.unit.test_cli import TREE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.testing import InMemoryCloud

__all__ = ["debian", "fake", "openstack"]

PACKAGE = Path(hyperx_glance.__file__).parent
PYTHON = re.compile(r"\b\w+\(|\b[a-z_]+=|\b(?:NewImage|NewIso|NewCapture|ImageChanges|UrlPolicy|None|True|False)\b")
FIELDS = {
    field
    for model in (
        browsing.ImageQuery, capturing.NewCapture, editing.ImageChanges, launching.LaunchRequest,
        registering.NewImage, registering.NewIso,
    )
    for field in model.model_fields
    if "_" in field
}  # fmt: skip
NOT_TOLD_HERE = {
    "__init__.py": "names of classes",
    "arguments.py": "wrong classes, which no text of a command line has",
    "capturing/handle.py": "a repr",
    "cloud/connected.py": "wrong classes",
    "cloud/connecting.py": "wrong classes",
    "cloud/failures.py": "wrong classes",
    "deployment/protections.py": "the text of a file",
    "launching/handle.py": "a repr",
    "launching/user_data.py": "a header",
    "models/fields.py": "times have their zone: commands read them",
    "models/meanings.py": "JSON Schema and the reference",
    "models/request.py": "times",
    "quotas/refusals.py": "patterns for what services say",
    "sources/local.py": "wrong classes",
}


def words_of(node: ast.AST) -> str:
    """Return the text of a literal; what is filled in is X."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(words_of(part) if isinstance(part, ast.Constant) else "X" for part in parts)
    return ""


def sentences() -> Iterator[tuple[str, str]]:
    """Yield every text of the library that may be a sentence, with its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        if name.startswith(("cli/", "testing/")):
            continue
        tree = ast.parse(path.read_text())
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skipped |= {id(part) for part in ast.walk(node) if part is not node}
        for node in ast.walk(tree):
            text = words_of(node)
            if " " in text and id(node) not in skipped:
                yield name, text


SENTENCES = list(sentences())
SPEAKING_PYTHON = [(name, text) for name, text in SENTENCES if PYTHON.search(text)]


def test_the_hints_and_sentences_of_the_package_are_found() -> None:
    assert len(SENTENCES) > 500
    assert len(SPEAKING_PYTHON) > 50


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(name, text, id=f"{name}: {text[:50]}")
        for name, text in SPEAKING_PYTHON
        if name not in NOT_TOLD_HERE or translated(text) != text
    ],
)
def test_no_sentence_speaks_python(name: str, text: str) -> None:
    said = translated(text).replace("dd if=/dev/zero of=FILE bs=512 count=1 conv=notrunc", "")

    assert not PYTHON.search(said), name


@pytest.mark.parametrize("name", NOT_TOLD_HERE)
def test_every_excused_file_exists(name: str) -> None:
    assert (PACKAGE / name).exists()


def test_options_in_hints_are_those_of_commands() -> None:
    there = set(re.findall(r"--[a-z-]+", TREE.read_text()))
    there |= {"--sort-column", "--allowed-ports", "--only-hosts", "--charset"}
    """cliff's; what the command line never restricts; a header of a message."""
    said = {option for _, text in SPEAKING_PYTHON for option in re.findall(r"--[a-z-]+", translated(text))}

    assert len(said) > 15
    assert said <= there


def test_commands_in_hints_are_there() -> None:
    there = {line for line in TREE.read_text().splitlines() if line.startswith("hyperx ")}
    said = {
        found
        for _, text in SPEAKING_PYTHON
        for found in re.findall(r"`openstack (hyperx [a-z]+(?: [a-z]+)?)\b", translated(text))
    }

    assert len(said) > 10
    assert said <= there


@pytest.mark.parametrize(
    ("error", "options", "text"),
    [
        (
            InvalidRequestError(Text("boot_volume_gib: an ISO has no root disk; its blank disk is install_disk_gib")),
            {"boot_volume_gib": "--boot-volume", "install_disk_gib": "--install-disk"},
            "--boot-volume: an ISO has no root disk; its blank disk is --install-disk",
        ),
        (
            InvalidRequestError(Text("name: is missing\nnote: stays")),
            {"name": "<name>"},
            "<name>: is missing\nnote: stays",
        ),
        (
            LaunchFailedError(
                Text("1 of 2 failed."), launch_id="81f", servers=[], hint=Text("find_launch(launch_id) finds it.")
            ),
            {},
            "1 of 2 failed. Hint: `openstack hyperx launch show 81f` finds it.",
        ),
        (
            WaitTimeoutError(
                Text("Late."),
                image_id="7c1",
                hint=Text("Use wait or resume_registration to follow it, or delete to stop it."),
            ),
            {},
            (
                "Late. Hint: Use `openstack hyperx registration resume 7c1` to follow it,"
                " or `openstack hyperx registration cancel 7c1` to stop it."
            ),
        ),
        (
            WaitTimeoutError(
                Text("Late."),
                image_id="7c1",
                hint=Text("Use resume_registration to verify it, or delete to remove it."),
            ),
            {},
            (
                "Late. Hint: Use `openstack hyperx registration resume 7c1` to verify it,"
                " or `openstack hyperx image delete 7c1` to remove it."
            ),
        ),
        (NotFoundError(Text("No name=x, says install_disk_gib.")), {}, "No name=x, says install_disk_gib."),
    ],
)
def test_an_error_names_what_the_command_has(error: InvalidRequestError, options: dict[str, str], text: str) -> None:
    assert told(error, options) == text


def test_a_capture_is_no_launch() -> None:
    error = WaitTimeoutError(
        Text("Late."), hint=Text("find_capture(capture_id).wait() finishes it; cancel() deletes it.")
    )
    error.capture_id = "4d2"

    assert told(error).endswith("capture resume 4d2` finishes it; `openstack hyperx capture cancel 4d2` deletes it.")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("image create a --url http://127.0.0.1/a", "An operator can trust the server: --trusted-host."),
        (f"image create a --no-preflight --url {URL}", "--disk-format: required without preflight"),
        ("check-url http://nowhere.example/a", "resolve it, use `openstack hyperx image create --no-preflight`."),
        ("image create a --url http://nowhere.example/a", "resolve it, use --no-preflight."),
        ("image show nobody", "try `openstack hyperx image list <word> --hidden both`"),
        ("image delete precious", "`openstack hyperx image set precious --no-protected`"),
        ("image delete 'of great value'", "`openstack hyperx image set 'of great value' --no-protected`"),
        (
            "image launch debian web --flavor m1.tiny --launch-id order-26",
            "`openstack hyperx launch show order-26`",
        ),
        ("image save debian --file /nowhere/disk", "--file: must be in an existing folder"),
        ("image list --page-size 0", "--page-size: must be between 1 and 1000 images"),
        ("image set debian --hidden --steward-cloud nowhere", "Hint: Name a cloud of clouds.yaml.\n"),
        ("image launch debian web --flavor m1.tiny --boot-volume 0", "--boot-volume: "),
        ("image launch debian web --flavor m1.tiny --password ''", "--password: must have 1 to 127 printable"),
        ("image launch debian web --flavor m1.tiny --install-disk 5", "the disk of an image is --boot-volume"),
        ("image list --sort size", "--sort: Glance cannot sort by size; use name, disk_format, "),
        ("image set debian --property a=1 --remove-property a", "both name a"),
        ("image launch twins web --flavor m1.tiny", "Their ids: "),
    ],
)
@pytest.mark.usefixtures("debian")
def test_errors_and_hints_name_commands_and_options_instead_of_python(
    openstack: Callable[..., Run], fake: InMemoryCloud, line: str, said: str
) -> None:
    for name in "precious", "of great value":
        fake.glance.add_image(name=name, status="active", protected=True)
    twins = [fake.glance.add_image(name="twins", status="active") for _ in range(2)]

    openstack("hyperx image launch debian web --flavor m1.tiny --launch-id order-26")

    run = openstack(f"hyperx {line}")

    assert run.status == 1
    assert said in run.err
    assert not PYTHON.search(run.err)
    assert "--sort" in line or not FIELDS & set(re.findall(r"[a-z_]+", run.err)), run.err
    assert said != "Their ids: " or all(twin in run.err for twin in twins)


def test_a_variable_of_the_environment_is_told_as_its_option(
    openstack: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERX_PUBLIC_VISIBILITY", "everybody")

    assert openstack("hyperx image set debian --category public").err.startswith("--public-visibility: ")


def test_a_quota_without_limits_names_options(openstack: Callable[..., Run]) -> None:
    run = openstack("hyperx quota set dept-a", user="admin")

    limits = ", ".join(f"--{field}".replace("_", "-") for field in FIELDS_OF_QUOTAS)
    assert (run.status, run.err) == (1, f"Name at least one of {limits}\n")
