"""The training loop, the same for every trained method: an objective gives the loss of a batch, AdamW lowers it.

Batches and noise of a step follow from the seed and the step alone, so a run that was killed continues bit-exactly
from its checkpoint, and several processes (``torchrun``) train as one.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, Progress
from isthmus.connectors.methods.config import OptimisationConfig
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.processes import average_gradients, mean_over_processes, processes, this_process

LARGEST_BATCH = 4096
SMALLEST_BATCH = 64
STEPS_PER_EPOCH = 16
"""A data set too small for this many steps an epoch at the paper's batch size gets a smaller batch."""
REPORT_SECONDS = 0.5
CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Schedule:
    """Which rows each step sees, and at what learning rate; everything follows from the seed and the step."""

    rows: int
    batch_size: int
    steps: int
    learning_rate: float
    weight_decay: float
    seed: int

    @classmethod
    def over(cls, rows: int, config: OptimisationConfig, seed: int) -> Schedule:
        """The schedule a config asks for over a number of rows. Raises `IsthmusError` for fewer than two rows."""
        if rows < 2:
            raise IsthmusError(f"training needs at least 2 overlap rows, got {rows}: add rows with ids in both spaces")
        batch = min(rows, config.batch_size or _batch_size(rows))
        batch -= batch % processes()
        steps = max(config.min_steps, config.epochs * (rows // batch))
        return cls(rows, batch, steps, config.learning_rate, config.weight_decay, seed)

    def learning_rate_at(self, step: int) -> float:
        """Cosine from the peak to zero."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def place_of(self, step: int) -> tuple[int, int]:
        """The epoch a step belongs to, and where in the epoch's order its batch starts."""
        epoch, batch = divmod(step, self.rows // self.batch_size)
        return epoch, batch * self.batch_size

    def permutation(self, epoch: int) -> Int[Tensor, " rows"]:
        """The order in which an epoch visits the rows."""
        return torch.randperm(self.rows, generator=torch.Generator().manual_seed(seed_of(self.seed, 0, epoch)))


def _batch_size(rows: int) -> int:
    """The largest power of two that leaves enough steps in an epoch, between the smallest and the largest batch."""
    fitting = 2 ** int(math.log2(max(1, rows // STEPS_PER_EPOCH)))
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, fitting))


def seed_of(*numbers: int) -> int:
    """A seed that follows from several numbers, unrelated for unequal ones."""
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


@dataclass
class Cadence:
    """Something to be done every so many seconds."""

    seconds: float
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether the time has come; the clock then starts again."""
        now = time.monotonic()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True


def train(
    objective: nn.Module,
    schedule: Schedule,
    *,
    checkpoint: Checkpoint | None = None,
    progress: OnProgress | None = None,
) -> float:
    """Lower the objective's loss over the schedule; returns the last loss.

    ``objective(rows, draw)`` gives the loss of a batch of row numbers, drawing its noise from the generator.
    Raises `IsthmusError` as soon as a loss that is not finite is seen; no checkpoint is written then.
    """
    device = next(objective.parameters()).device
    optimizer = torch.optim.AdamW(
        objective.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    first = checkpoint.restore(objective, optimizer) if checkpoint else 0
    draw = torch.Generator(device)
    order, epoch_of_order = torch.empty(0, dtype=torch.long), -1
    to_report, to_save = Cadence(REPORT_SECONDS), Cadence(CHECKPOINT_SECONDS)
    started = time.monotonic()
    loss = torch.tensor(0.0)

    objective.train()
    for step in range(first, schedule.steps):
        epoch, start = schedule.place_of(step)
        if epoch != epoch_of_order:
            order, epoch_of_order = schedule.permutation(epoch).to(device), epoch
        draw.manual_seed(seed_of(schedule.seed, 1, step))
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate_at(step)

        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = objective(order[start : start + schedule.batch_size], draw)
        optimizer.zero_grad()
        loss.backward()
        average_gradients(objective)
        optimizer.step()

        done = step + 1
        if to_report.due() or done == schedule.steps:
            rate = (done - first) / (time.monotonic() - started)
            _report(Progress(done, schedule.steps, _finite(loss, done), rate), progress)
        if checkpoint and (to_save.due() or done == schedule.steps) and this_process() == 0:
            _finite(loss, done)
            checkpoint.save(done, objective, optimizer)
    return mean_over_processes(loss.detach()).item()


def _finite(loss: Tensor, step: int) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise IsthmusError(f"the loss is {value} at step {step}: lower the learning rate or raise the temperature")
    return value


def _report(now: Progress, progress: OnProgress | None) -> None:
    if progress is not None and this_process() == 0:
        progress(now)
