"""Devices by name: the one check of every device that a user gives, for training, encoders and commands."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from isthmus.base.errors import IsthmusError

CUDA = re.compile(r"cuda(?::(\d{1,4}))?")


def checked_device(name: object = None) -> str:
    """The torch device that a user names; by default this process's GPU, or the CPU if there is none.

    Args:
        name: ``"cpu"``, ``"cuda"``, ``"cuda:N"``, or None for the default.

    Returns:
        The device. Of processes that ``torchrun`` started, each gets the GPU of its ``LOCAL_RANK`` for ``"cuda"``.

    Raises:
        IsthmusError: The name is another one, or this machine has no such device.

    Example:
        >>> checked_device("cpu")
        'cpu'
    """
    import torch  # here, so that commands that use no device do not wait for it

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return device_of(name, gpus, os.environ)


def device_of(name: object, gpus: int, environment: Mapping[str, str]) -> str:
    """The device of a name on a machine with some GPUs, for a process with this environment; raises `IsthmusError`."""
    asked = ("cuda" if gpus else "cpu") if name is None else str(name)
    if asked == "cpu":
        return asked
    found = CUDA.fullmatch(asked)
    if found is None:
        raise IsthmusError(f"device {asked!r} is not supported: give cpu, cuda or cuda:N")
    if gpus == 0:
        raise IsthmusError(f"device {asked!r}: this machine has no CUDA GPU: leave the device out, or give cpu")
    beside = int(environment.get("LOCAL_WORLD_SIZE", "1"))
    if found[1] is None and "LOCAL_RANK" in environment:
        return _own_gpu(int(environment["LOCAL_RANK"]), gpus, beside)
    if found[1] is not None and beside > 1:
        raise IsthmusError(f"device {asked!r} is one GPU for {beside} processes: give cuda, and each takes its own")
    if found[1] is not None and int(found[1]) >= gpus:
        raise IsthmusError(f"device {asked!r}: this machine has {gpus} GPU{'s' * (gpus > 1)}, numbered from 0")
    return asked


def _own_gpu(rank: int, gpus: int, beside: int) -> str:
    if rank >= gpus:
        raise IsthmusError(
            f"{beside} processes on a machine with {gpus} GPU{'s' * (gpus > 1)}: start one process per GPU, or give "
            "device cpu"
        )
    return f"cuda:{rank}"
