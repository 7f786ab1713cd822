"""Rows block by block: how methods read sets that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.progress import counted
from isthmus.connectors.member import recentred
from isthmus.embeddings import Embeddings


@runtime_checkable
class RowSource(Protocol):
    """Unit rows that can be read in order, block by block; `Embeddings` is one."""

    @property
    def dim(self) -> int:
        """Columns of every row."""

    def __len__(self) -> int:
        """How many rows there are."""

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""


@dataclass(frozen=True)
class Recentred:
    """A source after subtracting a centre ``(dim,)`` from its rows, unit again; ``None`` leaves them unchanged."""

    source: RowSource
    centre: Tensor | None

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return self.source.dim

    def __len__(self) -> int:
        return len(self.source)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""
        for block in self.source.batches(rows):
            yield block if self.centre is None else recentred(torch.from_numpy(block), self.centre).numpy()


def named(source: RowSource) -> str:
    """What the rows are, for messages."""
    match source:
        case Embeddings():
            return f"{source.space} {source.modality}"
        case Recentred():
            return named(source.source)
        case Stacked():
            return " and ".join(map(named, source.sources))
        case _:
            return "rows"


@dataclass(frozen=True)
class Stacked:
    """The rows of several sources of one dimension, one source after another."""

    sources: tuple[RowSource, ...]

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return self.sources[0].dim

    def __len__(self) -> int:
        return sum(map(len, self.sources))

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows; none has rows of two sources."""
        for source in self.sources:
            yield from source.batches(rows)


@dataclass(frozen=True)
class TensorRows:
    """A tensor as a source of rows."""

    rows: Float[Tensor, "rows dim"]

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return self.rows.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""
        for block in self.rows.split(rows):
            yield block.float().cpu().numpy()


@dataclass(frozen=True)
class Counted:
    """A source whose rows are counted, as a stage of the running job, while they are read."""

    source: RowSource
    stage: str

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return self.source.dim

    def __len__(self) -> int:
        return len(self.source)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""
        return counted(self.source.batches(rows), self.stage, len(self))


@dataclass(frozen=True)
class Concatenated:
    """Two sources with corresponding rows, concatenated row by row."""

    first: RowSource
    second: RowSource

    @property
    def dims(self) -> list[int]:
        """Columns of the two parts."""
        return [self.first.dim, self.second.dim]

    @property
    def dim(self) -> int:
        """Columns of every row."""
        return sum(self.dims)

    def __len__(self) -> int:
        return len(self.first)

    def batches(self, rows: int) -> Iterator[np.ndarray]:
        """Consecutive float32 blocks of at most ``rows`` rows."""
        for parts in zip(self.first.batches(rows), self.second.batches(rows), strict=True):
            yield np.concatenate(parts, axis=1)


def blocks(source: RowSource, rows: int, device: torch.device) -> Iterator[Float[Tensor, "block dim"]]:
    """A source's blocks as tensors on a device."""
    for block in source.batches(rows):
        yield torch.from_numpy(np.ascontiguousarray(block)).to(device)


def read(source: RowSource, device: torch.device) -> Float[Tensor, "rows dim"]:
    """All rows of a source as one tensor on a device."""
    rows = torch.empty(len(source), source.dim, device=device)
    start = 0
    for block in blocks(source, 65_536, device):
        rows[start : start + len(block)] = block
        start += len(block)
    return rows


def evenly_spaced(source: RowSource, count: int, device: torch.device) -> Float[Tensor, "sample dim"]:
    """At most ``count`` rows, evenly spaced over the source, in one pass."""
    if len(source) <= count:
        return read(source, device)
    wanted = np.linspace(0, len(source) - 1, count).astype(np.int64)
    found, start = [], 0
    for block in source.batches(65_536):
        inside = wanted[(wanted >= start) & (wanted < start + len(block))] - start
        found.append(block[inside])
        start += len(block)
    return torch.from_numpy(np.concatenate(found)).to(device)


def spaced_rows(count: int, rows: int) -> Int[np.ndarray, " sample"]:
    """The numbers of at most ``rows`` evenly spaced rows of ``count``."""
    return np.arange(count) if count <= rows else np.linspace(0, count - 1, rows).astype(np.int64)
