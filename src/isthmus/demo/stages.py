"""Stages: parts of the demo that are kept in its folder once finished, so a second run continues after the last one."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from isthmus.base.progress import OnProgress, Progress, Stage

Outcome = Mapping[str, Any]
"""The result of a stage, as plain data."""
RESULT = "outcome.json"
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Stages:
    """A folder of finished stages. ``world`` is the fingerprint of the data they all use."""

    folder: Path
    world: str

    def run(self, name: str, config: Mapping[str, Any], compute: Callable[[Path], Outcome]) -> Outcome:
        """The outcome of a stage, read if it is finished with the same config and world, computed otherwise.

        ``compute`` gets a folder for its files: the same one after an interruption, so training can continue. The
        folder gets its final name once the outcome is written. The outcome gains ``seconds``.
        """
        home = self.home(name, config)
        if self.finished(name, config):
            return json.loads((home / RESULT).read_text())
        unfinished = home.with_suffix(".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        outcome = {**compute(unfinished), "seconds": time.perf_counter() - started}
        (unfinished / RESULT).write_text(json.dumps(outcome, indent=1) + "\n")
        unfinished.rename(home)
        return outcome

    def finished(self, name: str, config: Mapping[str, Any]) -> bool:
        """Whether a stage is finished."""
        return (self.home(name, config) / RESULT).exists()

    def home(self, name: str, config: Mapping[str, Any]) -> Path:
        """The folder of a finished stage."""
        key = json.dumps({"world": self.world, **config}, sort_keys=True, default=str)
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


class StageProgress:
    """Reports how many stages are done, and the training within a stage under the stage's label."""

    def __init__(self, report: OnProgress, stages: int) -> None:
        self.report, self.clock = report, Stage("", stages)
        self.done, self.label = 0, ""

    def run(self, label: str, compute: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute a stage."""
        self.label = label
        self.report(replace(self.clock.at(self.done), stage=label))
        outcome = compute(*args, **kwargs)
        self.done += 1
        self.report(replace(self.clock.at(self.done), stage=label))
        return outcome

    def training(self, now: Progress) -> None:
        """Report on training within the current stage."""
        self.report(replace(now, stage=f"{self.label}, {now.stage}"))
