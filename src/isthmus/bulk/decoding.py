"""Decoding in worker processes: items in, encoder inputs out, in the same order, with bounded look-ahead.

Each worker has limited memory, and limited time per file. A file that kills or hangs a worker costs only itself.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.media import Item, UnreadableError
from isthmus.media.remote import Remote
from isthmus.media.source import InMemory, sha256_of_source, unreadable
from isthmus.spaces import EncoderInputs, Preparation

if TYPE_CHECKING:
    from pebble import ProcessPool

MEMORY_BYTES = 3 * 2**30
"""What a worker may allocate beyond what it holds once its libraries are loaded."""
PARENT_SECONDS = 1.0
ATTEMPTS = 2
"""How many pools may break while an item is waited for, before it counts as the cause."""
START_SECONDS = 120.0
"""How long a worker may take to load its libraries and the preparation, in addition to the time for a file."""
LOOK_SECONDS = 1.0
"""How often to check that the pool is alive while it decodes an item."""
CONTEXT = multiprocessing.get_context("spawn")
KILLED = "the process that read it died: it needs too much memory, or a library crashed on it"


@dataclass(frozen=True)
class DecodedItem:
    """An item with the encoder's inputs and the hash of its content, or with the reason why it cannot be read."""

    item: Item
    inputs: EncoderInputs | None
    content: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Pending:
    """An item that the workers have, and the promise of its result."""

    item: Item
    future: Future[DecodedItem]


class Decoders:
    """Worker processes that decode items; with ``workers=0`` the caller's process decodes."""

    def __init__(self, preparation: Preparation, workers: int, ahead: int, timeout: float) -> None:
        self.preparation, self.workers, self.ahead, self.timeout = preparation, workers, ahead, timeout
        self._started = CONTEXT.RawValue("b", 0)
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Decoders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def prepared(self, items: Iterable[Item]) -> Iterator[DecodedItem]:
        """Every item once, in order. At most ``ahead`` of them are decoded before the caller takes them."""
        if self.workers == 0:
            yield from (prepare(self.preparation, item, self.timeout) for item in items)
            return
        waiting: deque[Pending] = deque()
        for item in items:
            waiting.append(self._submitted(item))
            if len(waiting) >= self.ahead:
                yield self._first(waiting)
        while waiting:
            yield self._first(waiting)

    def _first(self, waiting: deque[Pending]) -> DecodedItem:
        """The result of the item that has waited longest. If the pool breaks, a new one gets all unfinished items."""
        for _ in range(ATTEMPTS):
            try:
                found = self._result(waiting[0])
                break
            except BrokenProcessPool as error:
                if not self._started.value:
                    raise IsthmusError(
                        "the decoding processes cannot start: a script must call isthmus.embed under "
                        "if __name__ == '__main__': (each process begins by importing the script), or pass workers=0"
                    ) from error
                self._stop()
                for place, task in enumerate(waiting):
                    if not task.future.done() or breaks_pool(task.future.exception()):
                        waiting[place] = self._submitted(task.item)
        else:
            found = DecodedItem(waiting[0].item, None, problem=f"{waiting[0].item.name}: {KILLED}")
        waiting.popleft()
        return found

    def _result(self, task: Pending) -> DecodedItem:
        """Wait for a result. Raises `BrokenProcessPool` if the pool cannot give it any more."""
        from pebble import ProcessExpired

        # The pool's own limit begins when a worker takes the task: a worker that hangs before that never does.
        limit = time.monotonic() + START_SECONDS + self.timeout
        while not wait([task.future], LOOK_SECONDS).done:
            if self._pool is None or not self._pool.active:
                raise BrokenProcessPool
            if time.monotonic() > limit:
                raise IsthmusError(
                    f"the decoding processes have not come up within {START_SECONDS + self.timeout:g} seconds: "
                    "something hangs while they start; pass workers=0 to see where, or a longer timeout"
                )
        error = task.future.exception()
        if breaks_pool(error):
            raise BrokenProcessPool from error
        if isinstance(error, ProcessExpired):
            return DecodedItem(task.item, None, problem=f"{task.item.name}: {KILLED}")
        if isinstance(error, TimeoutError):
            return DecodedItem(task.item, None, problem=f"{task.item.name}: not read within {self.timeout:g} seconds")
        return task.future.result()

    def _submitted(self, item: Item) -> Pending:
        """Give an item to the pool, which is started if need be."""
        if self._pool is None:
            try:
                from pebble import ProcessPool
            except ImportError as error:
                raise IsthmusError("decoding in processes needs pip install 'isthmus[embed]', or workers=0") from error
            self._pool = ProcessPool(
                self.workers,
                initializer=start_worker,
                initargs=(self.preparation, self._started, os.getpid()),
                context=CONTEXT,
            )
        try:
            return Pending(item, self._pool.schedule(prepare_here, [item], timeout=self.timeout))
        except RuntimeError:
            broken: Future[DecodedItem] = Future()
            broken.set_exception(BrokenProcessPool())
            return Pending(item, broken)

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            # pebble asks workers to end; one that is still starting would print a traceback.
            for process in list(self._pool._pool_manager.worker_manager.workers.values()):
                process.kill()
            self._pool.join()
            self._pool = None


def breaks_pool(error: BaseException | None) -> bool:
    """Whether a task failed because of its pool, so that it must be done again.

    A worker exits with status 1 if another one was killed while it held the lock of their common pipe.
    """
    return isinstance(error, BrokenProcessPool) or getattr(error, "exitcode", None) == 1


def prepare(preparation: Preparation, asked: Item, timeout: float = math.inf) -> DecodedItem:
    """Prepare an item, or give the reason why it cannot be. Remote bytes are fetched once.

    Hashing takes at most ``timeout`` seconds; in a worker, the pool bounds all of it.
    """
    item = asked
    try:
        with unreadable(item.name):
            if isinstance(item.source, Remote):
                with item.source.open() as file:
                    item = replace(item, source=InMemory(item.source.name, file.read()))
            content = item.stamp if item.source is None else sha256_of_source(item.source, timeout)
        return DecodedItem(asked, preparation(item), content)
    except UnreadableError as error:
        return DecodedItem(asked, None, problem=str(error))
    except IsthmusError:
        raise
    except Exception as error:
        # Libraries raise errors of any type for hostile files, and no single file may stop the job.
        why = f"cannot be prepared ({type(error).__name__}: {reason_of(error)})"
        return DecodedItem(asked, None, problem=f"{asked.name}: {why}")


_PREPARATION: list[Preparation] = []
"""In a worker: the preparation it was started with."""


def start_worker(preparation: Preparation, started: Any, parent: int) -> None:
    """In a worker: load the libraries, limit the memory, and end when the parent ends."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _ = preparation.fingerprint
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    bound_memory(MEMORY_BYTES)
    _PREPARATION.append(preparation)
    started.value = 1


def prepare_here(item: Item) -> DecodedItem:
    """In a worker: prepare an item."""
    return prepare(_PREPARATION[0], item)


def bound_memory(more: int) -> None:
    """Let this process allocate ``more`` bytes beyond what it has; asking for more raises `MemoryError`.

    Only memory it may write to counts; files mapped for reading, as datasets are, do not.
    """
    try:
        import resource

        status = Path("/proc/self/status").read_text()
        held = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData"))
        resource.setrlimit(resource.RLIMIT_DATA, (held + more, held + more))
    except (ImportError, OSError, ValueError, StopIteration):
        return


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
