"""Progress: a bar on a terminal, plain lines elsewhere; always on standard error, apart from the output.

>>> import io
>>> from hyperx_glance import Phase, Progress
>>> lines = io.StringIO()
>>> with registration_progress(lines, "debian", "en") as show:
...     show(Progress(phase=Phase.DOWNLOADING, bytes_expected=1 << 20))
...     show(Progress(phase=Phase.STORING, bytes_expected=1 << 20, bytes_done=1 << 19))
...     show(Progress(phase=Phase.READY))
>>> print(lines.getvalue(), end="")
debian: downloading 1.0 MiB
debian: storing 0.5 of 1.0 MiB
debian: ready
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

from hyperx_glance.cli import words
from hyperx_glance.cli.output import amount, printable
from hyperx_glance.texts import Language, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import LaunchProgress, Progress

_STEPS = 10
"""Plain lines are written at each change of phase, and at each tenth in between."""
_LABEL = 30
"""The number of letters of a name that are shown beside a bar."""


class State(NamedTuple):
    """The current activity, how much is done, of how much, and this amount in words."""

    doing: str
    done: int | None
    total: int | None
    amount: str = ""


@contextmanager
def registration_progress(stream: TextIO, name: str, language: Language) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows the progress of a registration, a capture, or a download."""
    with _reporter(stream, name, words.word("checking", language)) as report:

        def show(progress: Progress) -> None:
            done, expected = _amount(progress)
            phase, between = (words.word(word, language) for word in (progress.phase.value, " of "))
            report(State(phase, done, expected, amount(done, expected, between)))

        yield show


def _amount(progress: Progress) -> tuple[int | None, int | None]:
    """Return how much is done, of how much; for packed data, only the packed size is known before the end."""
    if progress.bytes_expected is None and progress.bytes_to_read is not None:
        return progress.bytes_read, progress.bytes_to_read
    return progress.bytes_done, progress.bytes_expected


@contextmanager
def launch_progress(stream: TextIO, name: str, language: Language) -> Iterator[Callable[[LaunchProgress], None]]:
    """Yield a function that shows the progress of a launch."""
    with _reporter(stream, name, words.word("checking", language), of_bytes=False) as report:

        def show(progress: LaunchProgress) -> None:
            code = "servers-active-and-failed" if progress.failed else "servers-active"
            failed = {"failed": progress.failed} if progress.failed else {}
            counts = say(code, active=progress.active, count=progress.count, **failed).in_language(language)
            report(State(counts, progress.active, progress.count))

        yield show


@contextmanager
def _reporter(stream: TextIO, name: str, beginning: str, *, of_bytes: bool = True) -> Iterator[Callable[[State], None]]:
    """Yield a function that draws a bar, or writes a line at each change of activity or step."""
    label = printable(name)
    if stream.isatty():
        from hyperx_glance.cli.bars import bar

        short = label if len(label) <= _LABEL else f"{label[:_LABEL]}…"
        with bar(stream, short, beginning, of_bytes=of_bytes) as draw:
            yield draw
        return
    written: tuple[object, ...] = ()

    def write(state: State) -> None:
        nonlocal written
        step = None if state.done is None or not state.total else state.done * _STEPS // state.total
        if (state.doing, step) != written:
            written = state.doing, step
            print(f"{label}: {state.doing} {state.amount}".rstrip(), file=stream, flush=True)

    yield write
