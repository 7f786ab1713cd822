"""Progress of long jobs: the reports they make while they run, and one bar that shows them on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

INSTANT = 1e-3
"""Seconds below which a rate is not computed by division."""


@dataclass(frozen=True)
class Progress:
    """A report of a running job, as a ``progress=`` callable gets it.

    Args:
        stage: Name of the stage, such as ``"training"``.
        done: Steps or items done so far.
        total: Steps or items in all; None if unknown.
        rate: Steps or items per second.
        values: Figures of the stage, such as ``loss`` or ``unreadable``.

    Example:
        >>> now = Progress("training", done=10, total=600, rate=52.5, values={"loss": 4.2})
        >>> f"{now.done}/{now.total}, loss {now.values['loss']}"
        '10/600, loss 4.2'
    """

    stage: str
    done: int
    total: int | None
    rate: float
    values: Mapping[str, float]


OnProgress = Callable[[Progress], None]
"""A function that takes every report."""


@dataclass(frozen=True)
class Stage:
    """Makes the reports of a stage that begins now, with ``first`` steps already done by an earlier run."""

    name: str
    total: int | None
    first: int = 0
    started: float = field(default_factory=time.monotonic)

    def at(self, done: int, **values: float) -> Progress:
        """The report after ``done`` steps."""
        seconds = max(time.monotonic() - self.started, INSTANT)
        return Progress(self.name, done, self.total, (done - self.first) / seconds, values)


@contextmanager
def reporting(progress: bool | OnProgress) -> Iterator[OnProgress]:
    """Yields the function to report to: one that does nothing, a bar on stderr, or the user's own.

    Args:
        progress: False reports nothing; True shows a bar from the first report on; a callable gets every report.
    """
    if progress is True:
        with _bar() as show:
            yield show
    else:
        yield _ignore if progress is False else progress


def _ignore(now: Progress) -> None:
    """The function for ``progress=False``."""


@contextmanager
def _bar() -> Iterator[OnProgress]:
    """One rich bar on stderr, which restarts for every stage."""
    from rich import progress as rich
    from rich.console import Console

    texts = [rich.TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[figures]}")]
    bar = rich.Progress(
        texts[0],
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        texts[1],
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
    )

    def show(now: Progress) -> None:
        if not bar.task_ids:
            bar.start()
            bar.add_task(now.stage, figures="")
        task = bar.tasks[0]
        if task.description != now.stage or now.done < task.completed:
            bar.reset(task.id, total=now.total, description=now.stage)
        bar.update(task.id, total=now.total, completed=now.done, figures=_figures(now))

    try:
        yield show
    finally:
        bar.stop()


def _figures(now: Progress) -> str:
    return "  ".join([f"{now.rate:.1f}/s", *(f"{name} {value:.5g}" for name, value in now.values.items())])
