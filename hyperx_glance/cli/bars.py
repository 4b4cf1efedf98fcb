"""A bar on a terminal; rich is imported here alone, since it costs a tenth of a second that only a bar needs.

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
    """Show bytes a second, in the units of the amounts: rich's own are decimal."""

    def render(self, task: Task) -> Text:
        """Give the text."""
        return Text(f"{Size(int(task.speed)).human_readable()}/s" if task.speed else "")


@contextmanager
def bar(stream: TextIO, label: str, beginning: str, *, of_bytes: bool = True) -> Iterator[Callable[[State], None]]:
    """Draw a bar that runs from side to side as long as nobody knows how much is done; give a function that moves it.

    ``label`` may hold no control character.
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
