"""A job: one modality to embed through one space, and the count of what it has done. Jobs can be pickled."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from isthmus.base.progress import OnProgress, Stage
from isthmus.bulk.config import EmbedConfig
from isthmus.media import Item
from isthmus.spaces.batching import default_batch

INLINE = ("text",)
"""Modalities that are prepared in the encoder's process: sending them to another one costs more than preparing them."""
AHEAD_BATCHES = 2

NumberedShard = tuple[int, tuple[Item, ...]]
"""The number of a shard and the items to embed into it."""


@dataclass(frozen=True)
class Job:
    """One modality of the set at ``out``; ``space`` is a name that `load_space` takes.

    ``dim`` is the dimension of the set's rows, 0 if it has none: then most items of the first shard decide.
    """

    space: str
    modality: str
    out: Path
    device: str
    config: EmbedConfig
    dim: int = 0

    @property
    def batch(self) -> int:
        """How many windows to encode at once."""
        return self.config.batch or default_batch(self.modality, self.device)

    @property
    def workers(self) -> int:
        """How many processes decode; on a CPU half the cores, since the encoder needs the others."""
        if self.config.workers is not None:
            return self.config.workers
        if self.modality in INLINE:
            return 0
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // 2) if self.device == "cpu" else cores

    @property
    def ahead(self) -> int:
        """How many items are decoded before the encoder takes them."""
        return max(AHEAD_BATCHES * self.batch, 2 * self.workers)


@dataclass
class ItemCount:
    """Counts the items of a stage that are done, and reports each change."""

    stage: Stage
    report: OnProgress
    done: int = 0
    unreadable: int = 0

    def add(self, read: int = 0, unreadable: int = 0) -> None:
        """Add to the count."""
        self.done += read + unreadable
        self.unreadable += unreadable
        self.report(self.stage.at(self.done, unreadable=float(self.unreadable)))
