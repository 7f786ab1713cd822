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
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from types import TracebackType
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.media import Item, UnreadableError
from isthmus.media.source import InMemory, Remote, sha256_of_source
from isthmus.spaces import EncoderInputs, Preparation

MEMORY_BYTES = 3 * 2**30
"""What a worker may take beyond what it holds once its libraries are loaded."""
PARENT_SECONDS = 1.0
LOOKS = 4
"""How often within its time a file that is being read is looked at."""
CONTEXT = multiprocessing.get_context("spawn")
KILLED = "the process that read it died: it needs too much memory, or a library failed on it"


@dataclass(frozen=True)
class DecodedItem:
    """An item, and what the encoder takes with the hash of its content; or why it cannot be read."""

    item: Item
    inputs: EncoderInputs | None
    content: str = ""
    problem: str = ""


class Decoders:
    """Worker processes that prepare items; with ``workers=0`` they are prepared where they are asked for."""

    def __init__(self, preparation: Preparation, workers: int, ahead: int, timeout: float) -> None:
        self.preparation, self.workers, self.ahead, self.timeout = preparation, workers, ahead, timeout
        self._pool: ProcessPoolExecutor | None = None
        self._board = Board.of(max(1, workers))
        self._waiting: deque[Task] = deque()
        self._numbers = count()

    def __enter__(self) -> Decoders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def prepared(self, items: Iterable[Item]) -> Iterator[DecodedItem]:
        """Every item once, in order. At most ``ahead`` of them are prepared before they are taken."""
        if self.workers == 0:
            yield from (prepare(self.preparation, item) for item in items)
            return
        for item in items:
            self._waiting.append(self._submitted(item))
            if len(self._waiting) >= self.ahead:
                yield self._first()
        while self._waiting:
            yield self._first()

    def _first(self) -> DecodedItem:
        """The result of the item that has waited longest. A pool in which a worker died or hangs is made anew."""
        while True:
            try:
                found = self._waiting[0].future.result(self.timeout / LOOKS)
                self._waiting.popleft()
                return found
            except BrokenProcessPool:
                self._after_death()
            except TimeoutError:
                self._give_up(self._board.longer_than(self.timeout))

    def _after_death(self) -> None:
        """Workers that died take what they held with them: held items are tried alone, in workers of their own."""
        if not self._board.started:
            raise IsthmusError(
                "the decoding processes cannot start: in a script, call isthmus.embed under "
                "if __name__ == '__main__': (processes begin by importing it), or pass workers=0"
            )
        held = self._board.held() or {task.number for task in islice(self._waiting, 1)}
        self._stop()
        for place, task in enumerate(list(self._waiting)):
            if task.number in held:
                self._waiting[place] = self._alone(task)
        self._resubmit()

    def _alone(self, task: Task) -> Task:
        """The task done by workers that have nothing else to do: whether they survive is then its own doing."""
        again = self._submitted(task.item)
        while True:
            try:
                again.future.result(self.timeout / LOOKS)
                return again
            except BrokenProcessPool:
                self._stop()
                return failed(task, KILLED)
            except TimeoutError:
                if self._board.longer_than(self.timeout):
                    self._stop()
                    return failed(task, self._too_long)

    @property
    def _too_long(self) -> str:
        return f"not read within {self.timeout:g} seconds"

    def _give_up(self, numbers: set[int]) -> None:
        """Record items that take too long as failures and go on with the others in a new pool."""
        if not numbers:
            return
        self._stop()
        for place, task in enumerate(list(self._waiting)):
            if task.number in numbers:
                self._waiting[place] = failed(task, self._too_long)
        self._resubmit()

    def _resubmit(self) -> None:
        """Give what the old pool did not finish to a new one."""
        for place, task in enumerate(list(self._waiting)):
            future = task.future
            if not future.done() or future.cancelled() or isinstance(future.exception(), BrokenProcessPool):
                self._waiting[place] = self._submitted(task.item)

    def _submitted(self, item: Item) -> Task:
        number = next(self._numbers)
        for _ in range(2):
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self.workers,
                    mp_context=CONTEXT,
                    initializer=start_worker,
                    initargs=(self.preparation, self._board, os.getpid()),
                )
            try:
                return Task(number, item, self._pool.submit(prepare_here, number, item))
            except BrokenProcessPool:
                self._after_death()
        raise IsthmusError("the decoding processes die as they start: pass --workers 0 to decode without them")

    def _stop(self) -> None:
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                with contextlib.suppress(OSError):
                    process.kill()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self._board.clear()


@dataclass(frozen=True)
class Task:
    """An item given to the workers, under a number."""

    number: int
    item: Item
    future: Future[DecodedItem]


def failed(task: Task, why: str) -> Task:
    """The task as done, with a reason in place of a result."""
    future: Future[DecodedItem] = Future()
    future.set_result(DecodedItem(task.item, None, problem=f"{task.item.name}: {why}"))
    return Task(task.number, task.item, future)


@dataclass(frozen=True)
class Board:
    """What each worker holds and since when, in memory that all of them share; and how many have ever started."""

    numbers: Any
    since: Any
    starts: Any

    @classmethod
    def of(cls, workers: int) -> Board:
        """An empty board."""
        # Without locks: a worker that is killed while it holds one would hold it for ever.
        return cls(CONTEXT.RawArray("q", [-1] * workers), CONTEXT.RawArray("d", workers), CONTEXT.Value("q", 0))

    @property
    def started(self) -> bool:
        """Whether any worker ever was ready."""
        return bool(self.starts.value)

    def take_place(self) -> int:
        """A worker's own place on the board."""
        with self.starts.get_lock():
            self.starts.value += 1
            return int((self.starts.value - 1) % len(self.numbers))

    def hold(self, place: int, number: int) -> None:
        """Say what a worker begins with; -1 for nothing."""
        self.since[place] = time.monotonic()
        self.numbers[place] = number

    def held(self) -> set[int]:
        """What is being read."""
        return {number for number in self.numbers if number >= 0}

    def longer_than(self, seconds: float) -> set[int]:
        """What has been read for longer."""
        now = time.monotonic()
        return {n for n, since in zip(self.numbers, self.since, strict=True) if n >= 0 and now - since > seconds}

    def clear(self) -> None:
        """Nobody holds anything."""
        for place in range(len(self.numbers)):
            self.numbers[place] = -1


def prepare(preparation: Preparation, asked: Item) -> DecodedItem:
    """An item prepared, or why it cannot be. What lies elsewhere is fetched once."""
    item = asked
    try:
        if isinstance(item.source, Remote):
            with item.source.open() as file:
                item = replace(item, source=InMemory(item.source.name, file.read()))
        content = item.stamp if item.source is None else sha256_of_source(item.source)
        return DecodedItem(asked, preparation(item), content)
    except UnreadableError as error:
        return DecodedItem(asked, None, problem=str(error))
    except IsthmusError:
        raise
    except Exception as error:
        # What a library raises for a hostile file has no bounds, and no one file may stop the job.
        why = f"cannot be prepared ({type(error).__name__}: {reason_of(error)})"
        return DecodedItem(asked, None, problem=f"{asked.name}: {why}")


_HERE: dict[str, Any] = {}
"""What a worker was given when it started: its preparation, the board, its place on it."""


def start_worker(preparation: Preparation, board: Board, parent: int) -> None:
    """In a worker: load what preparing needs, then bound its memory; end when the parent has."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _ = preparation.fingerprint
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    bound_memory(MEMORY_BYTES)
    _HERE.update(preparation=preparation, board=board, place=board.take_place())


def prepare_here(number: int, item: Item) -> DecodedItem:
    """In a worker: prepare an item, and say on the board that it is in hand."""
    _HERE["board"].hold(_HERE["place"], number)
    try:
        return prepare(_HERE["preparation"], item)
    finally:
        _HERE["board"].hold(_HERE["place"], -1)


def bound_memory(more: int) -> None:
    """Let this process take so many bytes more than it has; asking for more is then a `MemoryError`.

    Counted are bytes it may write to: files mapped for reading, as datasets are, are free.
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
