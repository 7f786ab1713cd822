"""Training in several processes (``torchrun``): gathered rows keep their gradient, batch statistics are shared.

In a single process, these functions change nothing.
"""

from __future__ import annotations

import atexit
import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError, reason_of

_alone = False


def join_processes() -> None:
    """Join the processes that ``torchrun`` started; call it as often as you like.

    Raises `IsthmusError` if the environment announces processes that cannot be joined.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count <= 1 or dist.is_initialized():
        return
    checked_device(None)
    gpus = torch.cuda.is_available()
    if gpus and "LOCAL_RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    except (RuntimeError, ValueError) as error:
        raise IsthmusError(
            f"WORLD_SIZE says {count} processes, but they cannot meet ({reason_of(error)}): start them with torchrun, "
            "or unset WORLD_SIZE"
        ) from error
    atexit.register(leave_processes)


def leave_processes() -> None:
    """Leave at once. Processes that still wait for this one raise `IsthmusError`."""
    if dist.is_initialized():
        dist.destroy_process_group()


def training_device(name: str | None) -> torch.device:
    """The named device; by default this process's GPU, or the CPU if there is none. Raises as `checked_device`."""
    return torch.device(checked_device(name))


@contextmanager
def alone() -> Iterator[None]:
    """Let each process compute as if it were the only one: for results that all of them compute alike."""
    global _alone
    before, _alone = _alone, True
    try:
        yield
    finally:
        _alone = before


@contextmanager
def _in_touch() -> Iterator[None]:
    """Turns a failed exchange into one line; the process that failed first has reported why."""
    try:
        yield
    except RuntimeError as error:
        raise IsthmusError(
            f"process {dist.get_rank()} stops because another one ended or does not answer ({reason_of(error)}): see "
            "the first error"
        ) from error


def all_reduce(value: Tensor) -> None:
    """Replace a tensor by its sum over the processes."""
    if processes() > 1:
        with _in_touch():
            dist.all_reduce(value)


def wait_for_all() -> None:
    """Wait until every process is here. Raises `IsthmusError` if one has ended."""
    if processes() > 1:
        with _in_touch():
            dist.barrier()


def require_agreement(**found: object) -> None:
    """Raise `IsthmusError` in every process unless all have the same values, as training in step needs."""
    if processes() == 1:
        return
    every: list[dict[str, object]] = [{} for _ in range(processes())]
    with _in_touch():
        dist.all_gather_object(every, found)
    for name, value in every[0].items():
        other = next((rank for rank, theirs in enumerate(every) if theirs.get(name) != value), None)
        if other is not None:
            raise IsthmusError(
                f"process 0 has {name} {value}, process {other} has {every[other].get(name)}: give all the same data, "
                "options and checkpoint"
            )


def same_start(model: nn.Module) -> None:
    """Give all processes the parameters and buffers of process 0."""
    if processes() > 1:
        with torch.no_grad(), _in_touch():
            for tensor in (*model.parameters(), *model.buffers()):
                dist.broadcast(tensor, 0)


def processes() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if not _alone and dist.is_available() and dist.is_initialized() else 1


def this_process() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if processes() > 1 else 0


def writes() -> bool:
    """Whether this process is the one that writes results; also before the processes have joined."""
    return int(os.environ.get("RANK", "0")) == 0


def my_rows(batch: int) -> slice:
    """This process's rows of a batch: shares differ by one row at most, and are empty if there are more processes."""
    share, more = divmod(batch, processes())
    start = this_process() * share + min(this_process(), more)
    return slice(start, start + share + (this_process() < more))


def my_share(rows: Shaped[Tensor, "*all"], dim: int = 0) -> Shaped[Tensor, "*share"]:
    """This process's part of a batch that all processes hold, cut along one dimension."""
    own = my_rows(rows.shape[dim])
    return rows.narrow(dim, own.start, own.stop - own.start)


def weighted_share(loss: Float[Tensor, ""], share: int, batch: Float[Tensor, ""] | int) -> Float[Tensor, ""]:
    """This process's part of the mean over a batch, from the mean over its own rows; the parts' mean is the whole.

    A process without rows has no mean: its part is 0, without gradient.
    """
    if processes() == 1:
        return loss
    return loss * (share * processes() / batch) if share else torch.nan_to_num(loss) * 0


class _Gather(torch.autograd.Function):
    """Concatenates the rows of all processes; in the backward pass, each process gets the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        counts = torch.zeros(processes(), dtype=torch.long, device=rows.device)
        counts[this_process()] = len(rows)
        all_reduce(counts)
        sizes = counts.tolist()
        ctx.own = slice(sum(sizes[: this_process()]), sum(sizes[: this_process() + 1]))
        padded = rows.new_zeros(max(sizes), *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in sizes]
        with _in_touch():
            dist.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].clone()
        all_reduce(gradient)
        return gradient[ctx.own]


def gather(rows: Float[Tensor, "share dim"]) -> Float[Tensor, "batch dim"]:
    """The rows of all processes, in order, with gradient to each of them; shares may differ in size."""
    gathered: Tensor = _Gather.apply(rows) if processes() > 1 else rows
    return gathered


def own_columns(scores: Float[Tensor, "share batch"]) -> Int[Tensor, " share"]:
    """The column of each of this process's rows in its scores with the whole batch, gathered from `my_rows`."""
    start = my_rows(scores.shape[1]).start
    return torch.arange(start, start + len(scores), device=scores.device)


class _MeanOverProcesses(torch.autograd.Function):
    """The mean over processes, which is its own adjoint: gradients are averaged like values."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        all_reduce(total)
        return total / processes()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        all_reduce(total)
        return total / processes()


def mean_over_processes(value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The mean of a value that differs between processes, with gradient."""
    mean: Tensor = _MeanOverProcesses.apply(value) if processes() > 1 else value
    return mean


@torch.no_grad()
def average_gradients(model: nn.Module, loss: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """Replace every gradient by its mean over the processes, with a single all-reduce; returns the mean loss.

    A parameter that only some processes used has gradient 0 in the others; one that none used keeps none.
    """
    if processes() == 1:
        return loss.detach()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    used = loss.new_tensor([float(parameter.grad is not None) for parameter in trained])
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    sizes = [gradient.numel() for gradient in gradients]
    together = torch.cat([loss.detach().reshape(1), used, *(gradient.flatten() for gradient in gradients)])
    all_reduce(together)
    used = together[1 : 1 + len(used)]
    parts = (together[1 + len(used) :] / processes()).split(sizes)
    for parameter, times, part in zip(trained, used.tolist(), parts, strict=True):
        parameter.grad = part.view_as(parameter).to(parameter.dtype) if times else None
    return together[0] / processes()


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation by the statistics of all processes' rows, on any device (SyncBatchNorm needs GPUs).

    Statistics are float32 also under autocast, as in torch's own. A single row is centred, and changes no statistics.
    """

    def forward(self, rows: Float[Tensor, "share dim"]) -> Float[Tensor, "share dim"]:
        """Normalise by the shared statistics in training, and by the running ones otherwise."""
        if not self.training or (processes() == 1 and len(rows) > 1):
            return super().forward(rows)
        values = rows if rows.dtype == torch.float64 else rows.float()
        mean_rows = mean_over_processes(torch.tensor(float(len(rows)), device=rows.device))
        mean = mean_over_processes(values.sum(0) / mean_rows)
        variance = mean_over_processes((values - mean).square().sum(0) / mean_rows)
        self._update_running(mean.detach(), variance.detach(), round(mean_rows.item() * processes()))
        normal = (values - mean) * (variance + self.eps).rsqrt()
        return (normal * self.weight + self.bias if self.affine else normal).to(rows.dtype)

    def _update_running(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None or rows < 2:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_((variance * rows / (rows - 1)).to(self.running_var.dtype), share)

    @classmethod
    def of(cls, norm: nn.BatchNorm1d) -> SharedBatchNorm:
        """Another batch normalisation with shared statistics."""
        shared = copy.deepcopy(norm)
        shared.__class__ = cls
        assert isinstance(shared, SharedBatchNorm)
        return shared
