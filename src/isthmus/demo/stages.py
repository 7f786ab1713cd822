"""Stages: parts of the demo that are kept in its folder once finished, so a second run continues after the last one."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import reading
from isthmus.base.hashing import fingerprint_of
from isthmus.base.json_files import json_text, read_json
from isthmus.base.progress import OnProgress, Progress, Stage

Outcome = Mapping[str, Any]
"""The result of a stage, as plain data."""
RESULT, FINGERPRINT = "outcome.json", "fingerprint_of_outcome"
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
            return _read(home / RESULT)
        unfinished = home.with_suffix(".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        outcome = {**compute(unfinished), "seconds": time.perf_counter() - started}
        content = {**outcome, FINGERPRINT: _fingerprint(outcome)}
        write_text_atomically(unfinished / RESULT, json_text(content, indent=1))
        unfinished.rename(home)
        return outcome

    def finished(self, name: str, config: Mapping[str, Any]) -> bool:
        """Whether a stage is finished."""
        return self.home(name, config).exists()

    def home(self, name: str, config: Mapping[str, Any]) -> Path:
        """The folder of a finished stage."""
        key = json.dumps({"world": self.world, **config}, sort_keys=True, default=str)
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def _read(path: Path) -> Outcome:
    """The outcome in a file. Raises `IsthmusError` if it is cut or altered."""
    remedy = f"delete {path.parent} to compute it again"
    found = read_json(path, remedy, finite=False)
    with reading(path, remedy):
        outcome = {name: value for name, value in found.items() if name != FINGERPRINT}
        # Files of version 0.1 have no fingerprint.
        if FINGERPRINT in found and found[FINGERPRINT] != _fingerprint(outcome):
            raise ValueError("altered: its fingerprint does not match its figures")
    return outcome


def _fingerprint(outcome: Outcome) -> str:
    return fingerprint_of(json.loads(json_text(outcome)))


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
