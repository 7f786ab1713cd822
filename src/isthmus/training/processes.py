"""Training in several processes (``torchrun``): gathered rows keep their gradient, batch statistics are shared.

In a single process, these functions change nothing.
"""

from __future__ import annotations

import atexit
import os
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from isthmus.base.errors import IsthmusError, reason_of


def join_processes() -> None:
    """Join the processes that ``torchrun`` started; call it as often as you like."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(_leave)


def _leave() -> None:
    """Leave together: a process that leaves while another still communicates with it takes that one down."""
    dist.barrier()
    dist.destroy_process_group()


def training_device(name: str | None) -> torch.device:
    """The named device; by default this process's GPU, or the CPU if there is none."""
    if name is not None:
        try:
            torch.zeros(1, device=name)
            return torch.device(name)
        except (RuntimeError, AssertionError) as error:
            raise IsthmusError(f"device {name!r} is not available ({reason_of(error)}): try cpu") from error
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def processes() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def this_process() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if processes() > 1 else 0


def my_share(rows: Shaped[Tensor, "*all"], dim: int = 0) -> Shaped[Tensor, "*share"]:
    """This process's part of a batch that all processes hold, cut along one dimension."""
    return rows.chunk(processes(), dim)[this_process()]


class _Gather(torch.autograd.Function):
    """Concatenates the rows of all processes; in the backward pass, each process gets the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(processes())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].contiguous()
        dist.all_reduce(gradient)
        return my_share(gradient)


def gather(rows: Float[Tensor, "share dim"]) -> Float[Tensor, "batch dim"]:
    """The rows of all processes, in order, with gradient to each of them."""
    gathered: Tensor = _Gather.apply(rows) if processes() > 1 else rows
    return gathered


class _MeanOverProcesses(torch.autograd.Function):
    """The mean over processes, which is its own adjoint: gradients are averaged like values."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total / processes()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total / processes()


def mean_over_processes(value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The mean of a value that differs between processes, with gradient."""
    mean: Tensor = _MeanOverProcesses.apply(value) if processes() > 1 else value
    return mean


def average_gradients(model: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, with a single all-reduce."""
    if processes() == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    parts = (together / processes()).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation by the statistics of all processes' rows, on any device (SyncBatchNorm needs GPUs)."""

    def forward(self, rows: Float[Tensor, "share dim"]) -> Float[Tensor, "share dim"]:
        """Normalise by the shared statistics in training, and by the running ones otherwise."""
        if processes() == 1 or not self.training:
            return super().forward(rows)
        mean_rows = mean_over_processes(torch.tensor(float(len(rows)), device=rows.device))
        part = len(rows) / mean_rows
        mean = mean_over_processes(rows.mean(0) * part)
        variance = mean_over_processes((rows - mean).square().mean(0) * part)
        self._update_running(mean.detach(), variance.detach(), round(mean_rows.item() * processes()))
        return (rows - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias

    def _update_running(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * rows / (rows - 1), self.momentum)
