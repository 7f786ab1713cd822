"""The schedule of a training run: the rows and the learning rate of each step, all from the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.training.config import OptimisationConfig

LARGEST_BATCH = 4096
SMALLEST_BATCH = 64
STEPS_PER_EPOCH = 16
"""If the paper's batch size gives fewer steps an epoch, the batch is smaller."""


@dataclass(frozen=True)
class Schedule:
    """The rows and the learning rate of each step; both follow from the seed and the step."""

    rows: int
    batch_size: int
    steps: int
    learning_rate: float
    weight_decay: float
    seed: int

    @classmethod
    def over(cls, rows: int, config: OptimisationConfig, seed: int) -> Schedule:
        """The schedule of a config for a number of rows. Raises `IsthmusError` for fewer than two."""
        if rows < 2:
            raise IsthmusError(f"training needs at least 2 overlap rows, got {rows}: add rows with ids in both spaces")
        batch = min(rows, config.batch_size or _batch_size(rows))
        steps = max(config.min_steps, config.epochs * (rows // batch))
        return cls(rows, batch, steps, config.learning_rate, config.weight_decay, seed)

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step: a cosine from the peak to zero."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def place_of(self, step: int) -> tuple[int, int]:
        """The epoch of a step, and the start of its batch in the order of that epoch."""
        epoch, batch = divmod(step, self.rows // self.batch_size)
        return epoch, batch * self.batch_size

    def permutation(self, epoch: int) -> Int[Tensor, " rows"]:
        """The order of the rows in an epoch."""
        return torch.randperm(self.rows, generator=torch.Generator().manual_seed(seed_of(self.seed, 0, epoch)))


def _batch_size(rows: int) -> int:
    """The largest power of two, between the limits, that gives enough steps an epoch."""
    fitting = 2 ** int(math.log2(max(1, rows // STEPS_PER_EPOCH)))
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, fitting))


def seed_of(*numbers: int) -> int:
    """A seed made from several numbers; different numbers give unrelated seeds."""
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))
