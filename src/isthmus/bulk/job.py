"""A job: through which space a modality is embedded, and how. Picklable, so that a worker elsewhere can do a part."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from isthmus.bulk.config import EmbedConfig
from isthmus.spaces.batching import default_batch

INLINE = ("text",)
"""Modalities prepared where the encoder runs: sending them to another process costs more than preparing them."""
AHEAD_BATCHES = 2


@dataclass(frozen=True)
class Job:
    """One modality of a set at ``out``, made by the space that ``space`` names (see `spaces.load_space`)."""

    space: str
    modality: str
    out: Path
    device: str
    config: EmbedConfig

    @property
    def batch(self) -> int:
        """Windows encoded at once."""
        return self.config.batch or default_batch(self.modality, self.device)

    @property
    def workers(self) -> int:
        """Processes that decode; on a CPU half the cores, since the encoder needs them too."""
        if self.config.workers is not None:
            return self.config.workers
        if self.modality in INLINE:
            return 0
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // 2) if self.device == "cpu" else cores

    @property
    def ahead(self) -> int:
        """Items prepared before the encoder takes them."""
        return max(AHEAD_BATCHES * self.batch, 2 * self.workers)
