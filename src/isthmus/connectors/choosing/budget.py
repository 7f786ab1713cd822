"""Budget: the seconds that `auto` may take. Training that would not end in time is left out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from isthmus.base.progress import OnProgress, Progress

TRIAL_SECONDS = 3.0
"""Training runs this long before its rate tells when it would end."""


class OverBudgetError(Exception):
    """Training would not end in time."""


@dataclass(frozen=True)
class Budget:
    """Seconds that may pass from now on."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def watching(self, report: OnProgress) -> OnProgress:
        """Takes the reports of training, passes them on, and raises `OverBudgetError` once it would not end in time."""
        begun = time.monotonic()
        left = self.seconds - (begun - self.started)
        if left <= 0:
            raise OverBudgetError(f"no time to train: the closed forms took the --time-budget of {self.seconds:g} s")

        def watch(now: Progress) -> None:
            report(now)
            trained = time.monotonic() - begun
            remaining = ((now.total or 0) - now.done) / now.rate if now.done else 0.0
            if trained >= TRIAL_SECONDS and trained + remaining > left:
                raise OverBudgetError(
                    f"training would take {trained + remaining:.0f} s, and {left:.0f} s were left of the --time-budget "
                    f"of {self.seconds:g} s"
                )

        return watch
