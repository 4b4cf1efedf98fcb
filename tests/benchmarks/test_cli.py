"""How long the ``openstack`` command takes, with the plug-in and without, and its lists beside openstackclient's own.

All commands run as programs, in turn, against the same Glance, so that what else the machine does meets them all. The
best round of each counts: anything slower than that waited for something else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.benchmarks.records import table
from tests.benchmarks.rows import image_row
from tests.local.test_cli import OPENSTACK, environment
from tests.support import glance_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hyperx_glance.testing import LocalCloud

pytestmark = pytest.mark.local

AMOUNT = 8000
ROUNDS = 7
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Measured(NamedTuple):
    """The best of some rounds: seconds of the clock, and of the program's own CPU."""

    wall: float
    cpu: float


@pytest.fixture(scope="module")
def full(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """Yield a cloud whose member sees 8,000 images, all disk images."""
    session = local_cloud.session("alice")
    own, other = str(session.get_project_id()), str(local_cloud.session("bob").get_project_id())
    ids = [str(uuid.uuid4()) for _ in range(AMOUNT)]
    glance_rows.insert(local_cloud, (_row(number, image_id, own, other) for number, image_id in enumerate(ids)))
    yield local_cloud
    glance_rows.remove(local_cloud, ids)


def _row(number: int, image_id: str, own: str, other: str) -> dict[str, Any]:
    created = START - timedelta(seconds=37 * number)
    visibility, owner = ("public", other) if number % 2 else ("private", own)
    return image_row(number, created, id=image_id, visibility=visibility, owner=owner)


def _run(arguments: str, variables: Mapping[str, str]) -> tuple[Measured, int]:
    """Run a command to its end; return the time that it took, and how many lines it printed."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, OPENSTACK, *arguments.split()], env=variables, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        lines = sum(1 for _ in program.stdout)
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    assert program.returncode == 0, arguments
    return Measured(time.perf_counter() - started, used.ru_utime + used.ru_stime), lines


def _compared(title: str, rounds: int, **commands: tuple[str, Mapping[str, str]]) -> tuple[dict[str, Measured], int]:
    """Run commands in turn, some rounds long; print and return the best of each, and how many lines all printed."""
    taken: dict[str, list[Measured]] = {name: [] for name in commands}
    lines = set()
    for _ in range(rounds):
        for name, (arguments, variables) in commands.items():
            measured, printed = _run(arguments, variables)
            taken[name].append(measured)
            lines.add(printed)
    best = {name: Measured(min(m.wall for m in each), min(m.cpu for m in each)) for name, each in taken.items()}
    rows = [("", "wall ms", "CPU ms")]
    rows += [
        (f"{commands[name][0]} ({name.replace('_', ' ')})", f"{each.wall * 1000:.0f}", f"{each.cpu * 1000:.0f}")
        for name, each in best.items()
    ]
    table(f"{title} (best of {rounds})", rows)
    (printed,) = lines
    return best, printed


def test_the_plug_in_costs_other_commands_nothing_that_is_felt(local_cloud: LocalCloud, tmp_path: Path) -> None:
    # A distribution of the same name that stands before it on the path, and has no entry points, hides the plug-in.
    hiding = tmp_path / "hyperx_glance-0.dist-info"
    hiding.mkdir()
    (hiding / "METADATA").write_text("Metadata-Version: 2.1\nName: hyperx-glance\nVersion: 0\n")
    with_it = environment(local_cloud, "alice")
    without_it = with_it | {"PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), with_it.get("PYTHONPATH", "")]))}
    assert subprocess.run(
        [sys.executable, OPENSTACK, "hyperx", "doctor"], env=without_it, check=False, capture_output=True
    ).returncode

    best, _ = _compared(
        "openstack flavor list: with the plug-in, and without",
        3 * ROUNDS,
        with_it=("flavor list", with_it),
        without_it=("flavor list", without_it),
    )

    assert best["with_it"].cpu - best["without_it"].cpu <= 0.030
    assert best["with_it"].wall - best["without_it"].wall <= 0.030


def test_a_short_list_takes_hardly_longer_than_openstacks_own(full: LocalCloud) -> None:
    variables = environment(full, "alice")

    best, lines = _compared(
        f"20 of {AMOUNT} images",
        ROUNDS,
        theirs=("image list --limit 20", variables),
        ours=("hyperx image list --limit 20", variables),
    )

    assert lines == 20 + 4, "rows, three rules and a head"
    assert best["ours"].wall <= 1.2 * best["theirs"].wall


def test_the_whole_list_is_faster_than_openstacks_own(full: LocalCloud) -> None:
    variables = environment(full, "alice")

    best, lines = _compared(
        f"All of {AMOUNT} images",
        2,
        theirs=("image list", variables),
        ours=("hyperx image list", variables),
    )

    assert lines == AMOUNT + 4
    assert best["theirs"].wall >= 2.5 * best["ours"].wall
