"""Watching: how codes are shared while they are learned, said every so many steps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from torch import Tensor

from isthmus.codes.reading.use import active, joint_use, perplexity
from isthmus.training.processes import this_process

LOG = logging.getLogger(__name__)
EVERY = 100
"""Steps over which uses are counted before they are said."""


@dataclass
class UseWatch:
    """Counts which modality uses which code and logs joint use and perplexity every `EVERY` steps."""

    steps: int = 0
    counts: dict[str, Float[np.ndarray, " codes"]] = field(default_factory=dict)

    def note(self, counts: Mapping[str, Float[Tensor, " codes"]]) -> None:
        """One step's uses of every code, by modality."""
        for modality, own in counts.items():
            self.counts[modality] = self.counts.get(modality, 0) + own.detach().cpu().numpy()
        self.steps += 1
        if self.steps % EVERY == 0:
            if this_process() == 0:
                LOG.info("over the last %d steps: %s", EVERY, self._said())
            self.counts = {}

    def _said(self) -> str:
        shares = np.stack([own / own.sum() for own in self.counts.values()])
        spread = ", ".join(f"{name} {value:.1f}" for name, value in zip(self.counts, perplexity(shares), strict=True))
        return f"joint use {joint_use(shares):.0%} of {active(shares).sum()} active codes, perplexity {spread}"
