"""Rows: arrays in memory, shards on disk and selections of other rows, read as one matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings.checks import unit_rows
from isthmus.embeddings.shards import ShardFile

BLOCK_ROWS = 250_000
"""Rows that are read at once when all are wanted."""


@dataclass(frozen=True)
class Selection:
    """Some rows of others, read when needed."""

    source: Rows
    index: Int[np.ndarray, " rows"]

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some of the selected rows."""
        return self.source.at(self.index[rows])


Part = np.ndarray | ShardFile | Selection


class Rows:
    """Parts one after the other; with ``normalize``, rows of shards are divided by their length."""

    def __init__(self, parts: Sequence[Part], dim: int, normalize: bool) -> None:
        self.parts, self.dim, self._normalize = tuple(parts), dim, normalize
        self._starts = np.concatenate([[0], np.cumsum([_rows_of(part) for part in self.parts])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def ids(self) -> list[str]:
        """The ids in the metadata of the shards; all parts must be shards."""
        found: list[str] = []
        for part in self.parts:
            assert isinstance(part, ShardFile)
            found += part.ids()
        return found

    def whole(self) -> Float[np.ndarray, "rows dim"]:
        """All rows; not copied if they are one array."""
        if len(self.parts) == 1 and isinstance(self.parts[0], np.ndarray):
            return self.parts[0]
        blocks = list(self.batches(BLOCK_ROWS))
        return np.concatenate(blocks) if blocks else np.empty((0, self.dim), np.float32)

    def batches(self, rows: int) -> Iterator[Float[np.ndarray, "block dim"]]:
        """Consecutive blocks of rows; blocks cross the borders of parts."""
        for start in range(0, len(self), rows):
            yield self._between(start, min(start + rows, len(self)))

    def taken(self, index: Int[np.ndarray, " rows"]) -> Part:
        """Rows by number: a copy of rows in memory, a selection of rows on disk."""
        in_memory = all(isinstance(part, np.ndarray) for part in self.parts)
        return self.at(index) if in_memory else Selection(self, index)

    def at(self, index: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows dim"]:
        """Rows by number, as an array."""
        found = np.empty((len(index), self.dim), np.float32)
        part_of = np.searchsorted(self._starts, index, side="right") - 1
        for number in np.unique(part_of):
            here = part_of == number
            found[here] = self._read(self.parts[number], index[here] - self._starts[number])
        return found

    def recorded(self, index: Int[np.ndarray, " rows"], columns: Sequence[str]) -> list[str]:
        """The first of these columns of the metadata that is not empty, for each row; "" without metadata."""
        found = [""] * len(index)
        part_of = np.searchsorted(self._starts, index, side="right") - 1
        for number in np.unique(part_of):
            here, part = np.flatnonzero(part_of == number), self.parts[number]
            rows = index[here] - self._starts[number]
            if isinstance(part, Selection):
                values = part.source.recorded(part.index[rows], columns)
            else:
                values = part.recorded(rows, columns) if isinstance(part, ShardFile) else [""] * len(here)
            for place, value in zip(here.tolist(), values, strict=True):
                found[place] = value
        return found

    def _between(self, start: int, end: int) -> np.ndarray:
        block = np.empty((end - start, self.dim), np.float32)
        for number, part in enumerate(self.parts):
            first, last = max(start, self._starts[number]), min(end, self._starts[number + 1])
            if first < last:
                rows = slice(int(first - self._starts[number]), int(last - self._starts[number]))
                block[first - start : last - start] = self._read(part, rows)
        return block

    def _read(self, part: Part, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(part, np.ndarray):
            return part[rows]
        found = part.read(rows)
        if isinstance(part, Selection) or not self._normalize:
            return found
        numbers = range(part.rows)[rows] if isinstance(rows, slice) else rows
        return unit_rows(found, str(part.path), numbers)


def _rows_of(part: Part) -> int:
    if isinstance(part, ShardFile):
        return part.rows
    return len(part.index) if isinstance(part, Selection) else len(part)
