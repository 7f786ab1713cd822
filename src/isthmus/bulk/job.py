"""A job: through which space a modality is embedded, and how. Picklable, so that a worker elsewhere can do a part."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from isthmus.bulk.config import EmbedConfig

BATCHES = {"text": 128, "image": 32, "audio": 16, "video": 4, "points": 16}
"""EncoderInputs encoded at once on a CPU, where a larger batch is no faster; a GPU takes eight times as many."""
GPU_FACTOR = 8
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
        """EncoderInputs encoded at once."""
        return self.config.batch or BATCHES.get(self.modality, 32) * (1 if self.device == "cpu" else GPU_FACTOR)

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
