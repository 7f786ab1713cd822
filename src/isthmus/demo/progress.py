"""What the demo says while it runs: which stage of how many, and how far its training is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from isthmus.base.progress import Progress as Training

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Follower:
    """Calls stages one after another and shows them on the terminal."""

    bars: Progress
    stage: TaskID
    steps: TaskID

    def __call__(self, label: str, compute: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute a stage under its label."""
        self.bars.update(self.stage, description=label)
        self.bars.update(self.steps, visible=False)
        outcome = compute(*args, **kwargs)
        self.bars.advance(self.stage)
        return outcome

    def training(self, now: Training) -> None:
        """Show how far a training run is."""
        label = f"  training, loss {now.values['loss']:.3f}"
        self.bars.update(self.steps, total=now.total, completed=now.done, description=label, visible=True)


@contextmanager
def quiet(package: str) -> Iterator[None]:
    """Nothing below an error is said by a package: what the page says in its place needs no warning on the way."""
    logger = logging.getLogger(package)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def following(stages: int) -> Iterator[Follower]:
    """A follower of so many stages."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield Follower(bars, bars.add_task("", total=stages), bars.add_task("", total=None, visible=False))
