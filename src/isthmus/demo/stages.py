"""Stages: finished parts of the demo stay in its folder, so that a second run goes on where the first stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Outcome = Mapping[str, Any]
"""What a stage found, as plain data."""
RESULT = "outcome.json"


@dataclass(frozen=True)
class Stages:
    """A folder of finished stages. ``world`` is the fingerprint of the data all of them work on."""

    folder: Path
    world: str

    def run(self, name: str, config: Mapping[str, Any], compute: Callable[[Path], Outcome]) -> Outcome:
        """The outcome of a stage: read where it was finished with the same config on the same world, else computed.

        ``compute`` gets a folder for its files. It is the same one after an interruption, so that training continues;
        the folder takes its final name once the outcome is written. The outcome gains ``seconds``.
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
        """Whether a stage's outcome is there to be read."""
        return (self.home(name, config) / RESULT).exists()

    def home(self, name: str, config: Mapping[str, Any]) -> Path:
        """The folder of a finished stage."""
        key = json.dumps({"world": self.world, **config}, sort_keys=True, default=str)
        return self.folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
