"""How far something is: a bar on a terminal, plain lines elsewhere; always on standard error, beside the output.

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import LaunchProgress, Progress

_STEPS = 10
"""Plain lines come at each change of phase, and at each tenth in between."""
_LABEL = 30
"""So many letters of a name stand beside a bar."""


class State(NamedTuple):
    """Say what is done now, how much of it, of how much, and this in words."""

    doing: str
    done: int | None
    total: int | None
    amount: str = ""


@contextmanager
def registration_progress(stream: TextIO, name: str, language: words.Language) -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows the progress of a registration, of a capture, or of a download."""
    with _told(stream, name, words.say("checking", language)) as tell:

        def show(progress: Progress) -> None:
            done, expected = _amount(progress)
            phase, between = (words.say(word, language) for word in (progress.phase.value, " of "))
            tell(State(phase, done, expected, amount(done, expected, between)))

        yield show


def _amount(progress: Progress) -> tuple[int | None, int | None]:
    """Tell how much is done of how much; of packed data only the packed size is known before its end."""
    if progress.bytes_expected is None and progress.bytes_to_read is not None:
        return progress.bytes_read, progress.bytes_to_read
    return progress.bytes_done, progress.bytes_expected


@contextmanager
def launch_progress(stream: TextIO, name: str, language: words.Language) -> Iterator[Callable[[LaunchProgress], None]]:
    """Give a function that shows the progress of a launch."""
    with _told(stream, name, words.say("checking", language), of_bytes=False) as tell:

        def show(progress: LaunchProgress) -> None:
            counts = words.say("{} of {} active", language).format(progress.active, progress.count)
            if progress.failed:
                counts += words.say(", {} failed", language).format(progress.failed)
            tell(State(counts, progress.active, progress.count))

        yield show


@contextmanager
def _told(stream: TextIO, name: str, beginning: str, *, of_bytes: bool = True) -> Iterator[Callable[[State], None]]:
    """Give a function that draws a bar, or writes a line where something else is done, or the next step of it."""
    label = printable(name)
    if stream.isatty():
        from hyperx_glance.cli.bars import bar

        short = label if len(label) <= _LABEL else f"{label[:_LABEL]}…"
        with bar(stream, short, beginning, of_bytes=of_bytes) as draw:
            yield draw
        return
    told: tuple[object, ...] = ()

    def write(state: State) -> None:
        nonlocal told
        step = None if state.done is None or not state.total else state.done * _STEPS // state.total
        if (state.doing, step) != told:
            told = state.doing, step
            print(f"{label}: {state.doing} {state.amount}".rstrip(), file=stream, flush=True)

    yield write
