"""Progress of long work: bars on a terminal, nothing elsewhere (the logs say it there)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from daemon.cli.common import err


class Bars:
    """One bar per piece of work; how much there is to do is not known before a vendor has been read."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def of(self, name: str) -> Callable[[int], None]:
        """A new bar; call what it gives with the number of rows so far."""
        task = self._shown.add_task(name, total=None, rows=0)
        return lambda rows: self._shown.update(task, rows=rows)

    def done(self, name: str) -> None:
        """Fill the bar of a piece of work that is over."""
        for task in self._shown.tasks:
            if task.description == name:
                self._shown.update(task.id, total=1, completed=1)


@contextmanager
def progress() -> Iterator[Bars]:
    """Bars on standard error while the block runs."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as shown:
        yield Bars(shown)
