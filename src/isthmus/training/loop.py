"""The training loop of every trained method: an objective computes the loss of a batch, and AdamW minimises it.

The batch and the noise of a step follow from the seed and the step alone. So a killed run continues bit for bit from
its checkpoint, and several processes (``torchrun``) train as one.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.processes import average_gradients, mean_over_processes, this_process
from isthmus.training.schedule import Schedule, seed_of

REPORT_SECONDS = 0.5
CHECKPOINT_SECONDS = 30.0


@dataclass
class Cadence:
    """Tells when ``seconds`` have passed, again and again."""

    seconds: float
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether the seconds have passed; if so, the count starts again."""
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
    progress: bool | OnProgress = False,
    stage: str = "training",
) -> float:
    """Minimise an objective over a schedule; returns the last loss.

    ``objective(rows, draw)`` returns the loss of a batch of row numbers and draws its noise from the generator. Raises
    `IsthmusError` if a loss is not finite, without writing a checkpoint.
    """
    device = next(objective.parameters()).device
    optimizer = torch.optim.AdamW(
        objective.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    first = checkpoint.restore(objective, optimizer) if checkpoint else 0
    draw = torch.Generator(device)
    order, epoch_of_order = torch.empty(0, dtype=torch.long), -1
    to_report, to_save = Cadence(REPORT_SECONDS), Cadence(CHECKPOINT_SECONDS)
    clock = Stage(stage, schedule.steps, first)
    loss = torch.tensor(0.0)

    objective.train()
    with reporting(progress) as report:
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
                value = _finite(loss, done)
                if this_process() == 0:
                    report(clock.at(done, loss=value))
            if checkpoint and (to_save.due() or done == schedule.steps) and this_process() == 0:
                _finite(loss, done)
                checkpoint.save(done, objective, optimizer)
    return mean_over_processes(loss.detach()).item()


def _finite(loss: Tensor, step: int) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise IsthmusError(f"the loss is {value} at step {step}: lower the learning rate or raise the temperature")
    return value
