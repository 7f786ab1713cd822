"""Processes that import torch and isthmus once for all: a server that has imported them forks each one."""

import multiprocessing
from collections.abc import Callable
from typing import Any

from torch.multiprocessing.spawn import start_processes

IMPORTED = ("torch._dynamo", "isthmus.connectors.connect", "isthmus.codes.learning.fit")
"""Modules that training needs; importing them takes longer than the training of most tests."""
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(list(IMPORTED))


def run_together(target: Callable[..., None], arguments: tuple[Any, ...], processes: int) -> None:
    """Run ``target(number, *arguments)`` in processes numbered from 0; an error in one of them is raised here."""
    start_processes(target, args=arguments, nprocs=processes, start_method="forkserver")
