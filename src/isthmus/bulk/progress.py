"""What a bulk job says while it runs: items done, their rate, how many could not be read, the time that remains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnItem = Callable[[bool], None]
INSTANT = 1e-3


@contextmanager
def item_bar(title: str, total: int) -> Iterator[OnItem]:
    """A rich bar on the terminal's error stream; call what it gives once an item."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[unreadable]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, rate="", unreadable="")
        bad = 0

        def show(readable: bool) -> None:
            nonlocal bad
            bad += not readable
            bar.advance(task)
            rate = bar.tasks[0].completed / max(bar.tasks[0].elapsed or 0.0, INSTANT)
            bar.update(task, rate=f"{rate:.1f}/s", unreadable=f"{bad} unreadable" if bad else "")

        yield show
