"""The training loop of every trained method: an objective computes the loss of a batch, and AdamW minimises it.

The batch and the noise of a step follow from the seed and the step alone. So a killed run continues bit for bit from
its checkpoint, and several processes (``torchrun``) train as one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.config import Precision
from isthmus.training.processes import (
    average_gradients,
    leave_processes,
    require_agreement,
    same_start,
    this_process,
    wait_for_all,
)
from isthmus.training.schedule import Schedule, seed_of

REPORT_SECONDS = 0.5
CHECKPOINT_SECONDS = 30.0
GPU_CHECK_STEPS = 16
"""Steps between two looks at whether losses and gradients are finite: on a GPU each one waits for all queued work."""


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
    precision: Precision = "float32",
    checkpoint: Checkpoint | None = None,
    progress: bool | OnProgress = False,
    stage: str = "training",
) -> float:
    """Minimise an objective over a schedule; returns the last loss.

    ``objective(rows, draw)`` returns this process's part of the loss of a batch of row numbers (`weighted_share`), and
    draws its noise from the generator. All processes make every step together; if one of them fails, all end.

    Raises `IsthmusError` if a loss, a gradient or a weight is not finite, without writing a checkpoint, and if
    processes differ in schedule or checkpoint.
    """
    try:
        loss = _train(objective, schedule, half_precision(precision, _device(objective)), checkpoint, progress, stage)
        wait_for_all()
    except BaseException:
        leave_processes()
        raise
    return loss


def half_precision(precision: Precision, device: torch.device) -> bool:
    """Whether to train in bfloat16; ``auto`` does on GPUs that have it. Raises `IsthmusError` if a GPU lacks it."""
    if device.type != "cuda" or precision == "float32":
        return precision == "bfloat16"
    supported = torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bfloat16" and not supported:
        raise IsthmusError(f"device {device} has no bfloat16: give precision float32")
    return supported


def _train(
    objective: nn.Module,
    schedule: Schedule,
    half: bool,
    checkpoint: Checkpoint | None,
    progress: bool | OnProgress,
    stage: str,
) -> float:
    device = _device(objective)
    optimizer = torch.optim.AdamW(
        objective.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    first = _in_turn(lambda: checkpoint.restore(objective, optimizer)) if checkpoint else 0
    require_agreement(schedule=schedule, steps_done=first, half_precision=half)
    same_start(objective)
    draw = torch.Generator(device)
    to_report, to_save = Cadence(REPORT_SECONDS), Cadence(CHECKPOINT_SECONDS)
    clock = Stage(stage, schedule.steps, first)
    loss, finite = torch.tensor(0.0), torch.tensor(True, device=device)

    objective.train()
    with reporting(progress) as report:
        for step, rows in _batches(schedule, first, device):
            draw.manual_seed(seed_of(schedule.seed, 1, step))
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate_at(step)

            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                own = objective(rows, draw)
            optimizer.zero_grad()
            own.backward()
            loss = average_gradients(objective, own)
            finite = finite & _all_finite(objective, loss)

            done = step + 1
            if device.type == "cpu" or done % GPU_CHECK_STEPS == 0 or done == schedule.steps:
                _require(finite, loss, done)
            optimizer.step()
            if this_process() > 0:
                continue
            if to_report.due() or done == schedule.steps:
                report(clock.at(done, loss=loss.item()))
            if checkpoint and (to_save.due() or done == schedule.steps):
                _require(finite, loss, done)
                _require_finite_state(objective, done)
                checkpoint.save(done, objective, optimizer)
    _require_finite_state(objective, schedule.steps)
    return loss.item()


def _batches(schedule: Schedule, first: int, device: torch.device) -> Iterator[tuple[int, Int[Tensor, " batch"]]]:
    """Every step from ``first``, with the row numbers of its batch."""
    order, epoch_of_order = torch.empty(0, dtype=torch.long), -1
    for step in range(first, schedule.steps):
        epoch, start = schedule.place_of(step)
        if epoch != epoch_of_order:
            order, epoch_of_order = schedule.permutation(epoch).to(device), epoch
        yield step, order[start : start + schedule.batch_size]


def _device(objective: nn.Module) -> torch.device:
    return next(objective.parameters()).device


def _in_turn(restore: Callable[[], int]) -> int:
    """Let process 0 restore before the others: it may create the folder that they look into."""
    found = restore() if this_process() == 0 else 0
    wait_for_all()
    return found if this_process() == 0 else restore()


def _all_finite(objective: nn.Module, loss: Float[Tensor, ""]) -> Bool[Tensor, ""]:
    gradients = [parameter.grad for parameter in objective.parameters() if parameter.grad is not None]
    return torch.isfinite(loss) & torch.isfinite(nn.utils.get_total_norm(gradients))


def _require(finite: Bool[Tensor, ""], loss: Float[Tensor, ""], step: int) -> None:
    """Raise `IsthmusError` unless every loss and gradient so far was finite; all processes see the same ones."""
    if not finite.item():
        value = loss.item()
        what = "the gradient is not finite" if torch.isfinite(loss) else f"the loss is {value}"
        raise IsthmusError(f"{what} at step {step}: lower the learning rate or raise the temperature")


def _require_finite_state(objective: nn.Module, step: int) -> None:
    for name, tensor in objective.state_dict().items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise IsthmusError(f"{name} is not finite after step {step}: lower the learning rate")
