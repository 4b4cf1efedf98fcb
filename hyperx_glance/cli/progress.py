"""How far something is: a bar on a terminal, plain lines elsewhere; always on standard error, beside the output.

>>> import io
>>> from hyperx_glance import Phase, Progress
>>> lines = io.StringIO()
>>> with registration_progress(lines) as show:
...     show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1 << 20, bytes_done=0))
...     show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1 << 20, bytes_done=1 << 19))
...     show(Progress(phase=Phase.READY))
>>> print(lines.getvalue(), end="")
downloading 0 B of 1.0 MiB
downloading 512.0 KiB of 1.0 MiB
ready
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from hyperx_glance.cli.output import Size

if TYPE_CHECKING:
    from hyperx_glance import LaunchProgress, Progress

_STEPS = 10
"""Plain lines come at each change of phase, and at each tenth in between."""


@contextmanager
def registration_progress(stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows the progress of a registration."""
    if not stream.isatty():
        yield _registration_lines(stream)
        return
    from rich.console import Console  # a tenth of a second that only a bar needs
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress as Bar,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(progress: Progress) -> None:
            done, expected = _amount(progress)
            bar.update(task, description=progress.phase.value, total=expected, completed=done or 0)

        yield show


def _amount(progress: Progress) -> tuple[int | None, int | None]:
    """Tell how much is done of how much; of packed data only the packed size is known before its end."""
    if progress.bytes_expected is None and progress.bytes_to_read is not None:
        return progress.bytes_read, progress.bytes_to_read
    return progress.bytes_done, progress.bytes_expected


def _registration_lines(stream: TextIO) -> Callable[[Progress], None]:
    told: tuple[object, ...] = ()

    def show(progress: Progress) -> None:
        nonlocal told
        done, expected = _amount(progress)
        step = done * _STEPS // expected if done is not None and expected else None
        if (progress.phase, step) == told:
            return
        told = progress.phase, step
        amount = "" if done is None else f" {Size(done)}"
        amount += f" of {Size(expected)}" if amount and expected else ""
        print(f"{progress.phase.value}{amount}", file=stream, flush=True)

    return show


@contextmanager
def launch_progress(stream: TextIO) -> Iterator[Callable[[LaunchProgress], None]]:
    """Give a function that shows the progress of a launch."""
    if not stream.isatty():
        yield _launch_lines(stream)
        return
    from rich.console import Console  # as above
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bar(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(progress: LaunchProgress) -> None:
            bar.update(task, description=_counts(progress), total=progress.count, completed=progress.active)

        yield show


def _launch_lines(stream: TextIO) -> Callable[[LaunchProgress], None]:
    told = ""

    def show(progress: LaunchProgress) -> None:
        nonlocal told
        if (text := _counts(progress)) != told:
            told = text
            print(text, file=stream, flush=True)

    return show


def _counts(progress: LaunchProgress) -> str:
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{progress.active} of {progress.count} active{failed}"
