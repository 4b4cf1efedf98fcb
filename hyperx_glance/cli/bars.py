"""A progress bar on a terminal; only this module imports rich, because importing it takes a tenth of a second.

>>> import io
>>> from hyperx_glance.cli.progress import State
>>> with bar(io.StringIO(), "debian", "checking") as show:
...     show(State("storing", 512, 1024, "0.5 of 1.0 KiB"))
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from hyperx_glance.cli.output import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance.cli.progress import State


class _Speed(ProgressColumn):
    """A column with bytes per second in binary units, like the amounts; rich's own units are decimal."""

    def render(self, task: Task) -> Text:
        """Return the text."""
        return Text(f"{Size(int(task.speed)).human_readable()}/s" if task.speed else "")


@contextmanager
def bar(stream: TextIO, label: str, beginning: str, *, of_bytes: bool = True) -> Iterator[Callable[[State], None]]:
    """Draw a bar, which pulses while the amount is unknown, and yield a function that updates it.

    ``label`` must not contain control characters.
    """
    columns: list[ProgressColumn] = [
        TextColumn("{task.fields[label]}", markup=False),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[amount]}", markup=False),
        *([_Speed()] if of_bytes else []),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=Console(file=stream), transient=True) as drawn:
        task = drawn.add_task(beginning, total=None, label=label, amount="")

        def show(state: State) -> None:
            total = None if state.done is None else state.total
            drawn.update(task, description=state.doing, total=total, completed=state.done or 0, amount=state.amount)

        yield show
