"""What a long fit says while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a training run is: steps made of all steps, the latest loss, and the rate in steps per second."""

    step: int
    steps: int
    loss: float
    rate: float


OnProgress = Callable[[Progress], None]


@contextmanager
def progress_bar(title: str) -> Iterator[OnProgress]:
    """A rich bar on the terminal with loss, rate and time left, from the first step on; pass it as ``progress``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    facts = TextColumn("loss {task.fields[loss]:.4f}  {task.fields[rate]:.1f} steps/s")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        facts,
        TimeRemainingColumn(),
    )
    bar = Bar(*columns, console=Console(stderr=True))

    def show(now: Progress) -> None:
        if not bar.task_ids:
            bar.start()
            bar.add_task(title, loss=now.loss, rate=now.rate)
        bar.update(bar.task_ids[0], total=now.steps, completed=now.step, loss=now.loss, rate=now.rate)

    try:
        yield show
    finally:
        bar.stop()
