"""Progress of long jobs: the reports they make while they run, and one bar that shows them on the terminal.

`reporting` opens the place to report to; whatever runs inside finds it, however deep it is, as warnings and logs do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

INSTANT = 1e-3
"""Seconds below which a rate is not computed by division."""
LINE_SECONDS = 10.0
"""Seconds between two lines where stderr is not a terminal."""
Block = TypeVar("Block", bound=Sized)


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


def _ignore(now: Progress) -> None:
    """The function for ``progress=False``."""


_PLACE: ContextVar[OnProgress] = ContextVar("place", default=_ignore)


@contextmanager
def reporting(progress: bool | OnProgress) -> Iterator[OnProgress]:
    """Yields the function to report to: one that does nothing, a bar on stderr, or the user's own.

    Inside the block `begin` and `counted` report there as well.

    Args:
        progress: False reports nothing; True shows a bar from the first report on, or lines if stderr is not a
            terminal; a callable gets every report.
    """
    if progress is True:
        with _bar() as show, _placed(show):
            yield show
    else:
        with _placed(_ignore if progress is False else progress) as show:
            yield show


@contextmanager
def _placed(show: OnProgress) -> Iterator[OnProgress]:
    before = _PLACE.set(show)
    try:
        yield show
    finally:
        _PLACE.reset(before)


def begin(name: str, total: int | None = None) -> None:
    """Report that a stage begins whose steps are not counted."""
    _PLACE.get()(Stage(name, total).at(0))


def counted(blocks: Iterable[Block], name: str, total: int) -> Iterator[Block]:
    """Pass on blocks of rows, and report after each how many of the stage's rows are done.

    Example:
        >>> seen = []
        >>> with reporting(seen.append):
        ...     blocks = list(counted([[1, 2], [3]], "reading", 3))
        >>> [(now.stage, now.done, now.total) for now in seen]
        [('reading', 0, 3), ('reading', 2, 3), ('reading', 3, 3)]
    """
    stage, done = Stage(name, total), 0
    _PLACE.get()(stage.at(done))
    for block in blocks:
        yield block
        done += len(block)
        _PLACE.get()(stage.at(done))


@contextmanager
def _bar() -> Iterator[OnProgress]:
    """One rich bar on stderr, which restarts for every stage; lines instead if stderr is not a terminal."""
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        lines = _Lines(console)
        try:
            yield lines
        finally:
            lines.finish()
        return
    texts = [
        rich.TextColumn(f"{{task.{text}}}", markup=False)
        for text in ("description", "fields[count]", "fields[figures]")
    ]
    bar = rich.Progress(
        texts[0],
        rich.BarColumn(),
        *texts[1:],
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        console=console,
    )

    def show(now: Progress) -> None:
        if not bar.task_ids:
            bar.start()
            bar.add_task(now.stage, count="", figures="")
        task = bar.tasks[0]
        if task.description != now.stage or now.done < task.completed:
            bar.reset(task.id, total=now.total, description=now.stage)
        bar.update(task.id, total=now.total, completed=now.done, count=_count(now), figures=_figures(now))

    try:
        yield show
    finally:
        bar.stop()


class _Lines:
    """A line when a stage begins, one every ten seconds, and the stage's last state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Progress | None = None
        self._shown: Progress | None = None
        self._since = 0.0

    def __call__(self, now: Progress) -> None:
        begins = self._last is None or now.stage != self._last.stage or now.done < self._last.done
        if begins:
            self.finish()
        self._last = now
        if begins or time.monotonic() - self._since >= LINE_SECONDS:
            self._show(now)

    def finish(self) -> None:
        """Show the last report, unless it is shown already."""
        if self._last is not None and self._last is not self._shown:
            self._show(self._last)

    def _show(self, now: Progress) -> None:
        parts = (now.stage, _count(now), _figures(now))
        self._console.print("  ".join(filter(None, parts)), markup=False, highlight=False, soft_wrap=True)
        self._shown, self._since = now, time.monotonic()


def _count(now: Progress) -> str:
    return f"{now.done}/{now.total}" if now.total is not None else f"{now.done}" if now.done else ""


def _figures(now: Progress) -> str:
    rate = [f"{now.rate:.1f}/s"] if now.done else []
    return "  ".join([*rate, *(f"{name} {value:.5g}" for name, value in now.values.items())])
