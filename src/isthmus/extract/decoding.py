"""Decoding in worker processes: items in, what the encoder takes out, in order, with bounded look-ahead.

A worker may use only so much memory and time; one that dies or hangs on a file costs that file, not the job.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from isthmus.errors import IsthmusError
from isthmus.media import Item, UnreadableError
from isthmus.media.source import sha256_of_source
from isthmus.spaces import Preparation, Views

MEMORY_BYTES = 3 * 2**30
"""What a worker may take beyond what it holds once its libraries are loaded."""
PARENT_SECONDS = 1.0
KILLED = "the process that read it died: it needs too much memory, or a library failed on it"


@dataclass(frozen=True)
class Prepared:
    """An item, and what the encoder takes with the hash of its content; or why it cannot be read."""

    item: Item
    views: Views | None
    content: str = ""
    problem: str = ""


class Decoders:
    """Worker processes that prepare items; with ``workers=0`` they are prepared where they are asked for."""

    def __init__(self, preparation: Preparation, workers: int, ahead: int, timeout: float) -> None:
        self.preparation, self.workers, self.ahead, self.timeout = preparation, workers, ahead, timeout
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Decoders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def prepared(self, items: Iterable[Item]) -> Iterator[Prepared]:
        """Every item once, in order. At most ``ahead`` of them are prepared before they are taken."""
        if self.workers == 0:
            yield from (prepare(self.preparation, item) for item in items)
            return
        waiting: deque[tuple[Item, Future[Prepared]]] = deque()
        for item in items:
            waiting.append((item, self._submit(item)))
            if len(waiting) >= self.ahead:
                yield self._first(waiting)
        while waiting:
            yield self._first(waiting)

    def _first(self, waiting: deque[tuple[Item, Future[Prepared]]]) -> Prepared:
        """The result of the item that has waited longest. Where a worker died or hangs, the pool is made anew."""
        item, future = waiting.popleft()
        try:
            return future.result(self.timeout * (1 + len(waiting) / max(1, self.workers)))
        except (BrokenProcessPool, TimeoutError):
            self._stop()
            found = self._alone(item)
            resubmitted = [(other, self._submit(other)) for other, _ in waiting]
            waiting.clear()
            waiting.extend(resubmitted)
            return found

    def _alone(self, item: Item) -> Prepared:
        """An item prepared with nothing beside it: whether a worker survives it is then its own doing."""
        try:
            return self._submit(item).result(self.timeout)
        except BrokenProcessPool:
            self._stop()
            return Prepared(item, None, problem=f"{item.name}: {KILLED}")
        except TimeoutError:
            self._stop()
            return Prepared(item, None, problem=f"{item.name}: not read within {self.timeout:g} seconds")

    def _submit(self, item: Item) -> Future[Prepared]:
        for _ in range(2):
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self.workers,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=start_worker,
                    initargs=(self.preparation, os.getpid()),
                )
            try:
                return self._pool.submit(prepare_here, item)
            except BrokenProcessPool:
                self._stop()
        raise RuntimeError("decoding processes cannot be started")

    def _stop(self) -> None:
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            with contextlib.suppress(OSError):
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None


def prepare(preparation: Preparation, item: Item) -> Prepared:
    """An item prepared, or why it cannot be."""
    try:
        content = item.stamp if item.source is None else sha256_of_source(item.source)
        return Prepared(item, preparation(item), content)
    except UnreadableError as error:
        return Prepared(item, None, problem=str(error))
    except IsthmusError:
        raise
    except Exception as error:
        # What a library raises for a hostile file has no bounds, and no one file may stop the job.
        reason = " ".join(str(error).split())[:200]
        return Prepared(item, None, problem=f"{item.name}: cannot be prepared ({type(error).__name__}: {reason})")


_PREPARATIONS: list[Preparation] = []


def start_worker(preparation: Preparation, parent: int) -> None:
    """In a worker: load what preparing needs, then bound its memory; end when the parent has."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _ = preparation.fingerprint
    _PREPARATIONS[:] = [preparation]
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    bound_memory(MEMORY_BYTES)


def prepare_here(item: Item) -> Prepared:
    """In a worker: prepare an item."""
    return prepare(_PREPARATIONS[0], item)


def bound_memory(more: int) -> None:
    """Let this process take so many bytes more than it has; asking for more is then a `MemoryError`."""
    try:
        import resource

        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + more, held + more))
    except (ImportError, OSError, ValueError):
        return


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
