"""`Embeddings`: unit rows with ids, one modality, one space; in memory or over shards on disk, read when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.checks import check_ids, check_modality, check_rows, unit_rows
from isthmus.embeddings.shards import ShardFile

SHARD_ROWS = 250_000


@dataclass(frozen=True)
class Taken:
    """Some rows of a set on disk, read when asked."""

    source: Embeddings
    index: Int[np.ndarray, " taken"]

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some of the taken rows."""
        return self.source.gathered(self.index[rows])


Part = np.ndarray | ShardFile | Taken


class Embeddings:
    """Pooled vectors of one modality in one space, with unique string ids.

    Made by `from_array` or `open`. Rows have unit length unless made with ``normalize=False``. Of a set on disk
    nothing is read before it is asked for; ``batches`` and ``take`` read only what they give.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        modality: str,
        space: str,
        dim: int,
        ids: list[str] | None,
        normalise: bool,
        revision: str = "",
    ) -> None:
        self.modality, self.space, self.dim, self.revision = modality, space, dim, revision
        self._parts, self._ids, self._normalise = tuple(parts), ids, normalise
        self._starts = np.concatenate([[0], np.cumsum([_rows_of(part) for part in self._parts])]).astype(np.int64)

    @classmethod
    def from_array(
        cls,
        vectors: np.ndarray,
        *,
        modality: str,
        space: str,
        ids: Sequence[str] | Sequence[int] | None = None,
        normalize: bool = True,
        revision: str = "",
    ) -> Embeddings:
        """Embeddings of a float array ``(n, dim)``; ids default to "0" … "n-1"; ``revision`` is that of the encoder.

        Raises `IsthmusError` for NaN, zero rows, a wrong shape or dtype, and duplicate ids, naming the row.
        """
        check_modality(modality)
        where = f"{modality} vectors"
        rows = _as_array(vectors, where)
        if not normalize:
            check_rows(rows, where)
        made = unit_rows(rows, where) if normalize else np.ascontiguousarray(rows, dtype=np.float32)
        names = [str(number) for number in range(len(rows))] if ids is None else [str(name) for name in ids]
        check_ids(names, len(rows), where)
        facts = {"modality": modality, "space": space, "revision": revision}
        return cls([made], dim=rows.shape[1], ids=names, normalise=False, **facts)

    @classmethod
    def open(cls, path: str | Path, modality: str | None = None) -> Embeddings:
        """One modality of a set on disk; it need not be named where the set has only one."""
        from isthmus.embeddings.folder import open_set

        found = open_set(path)
        if modality is None and len(found) == 1:
            return next(iter(found.values()))
        if modality not in found:
            asked = "several modalities" if modality is None else f"no {modality!r}"
            raise IsthmusError(f"{path}: holds {asked} ({', '.join(found)}): name one of them")
        return found[modality]

    def save(self, path: str | Path, *, dtype: str = "float32", shard_rows: int = SHARD_ROWS) -> Path:
        """Write the rows as one modality of the set at ``path``, shard by shard; returns the folder.

        Raises `IsthmusError` where the set has rows of this modality already, and for an empty set.
        """
        from isthmus.embeddings.writer import EmbeddingWriter

        if len(self) == 0:
            raise IsthmusError(f"there is no {self.modality} row to write to {path}: embed some")

        with EmbeddingWriter(
            path,
            modality=self.modality,
            space=self.space,
            dim=self.dim,
            dtype=dtype,
            shard_rows=shard_rows,
            revision=self.revision,
        ) as writer:
            if writer.rows_done:
                raise IsthmusError(
                    f"{path}: holds {writer.rows_done} {self.modality} rows already: save to another folder, or append "
                    "with isthmus.embeddings.EmbeddingWriter"
                )
            start = 0
            for block in self.batches(shard_rows):
                writer.append(block, self.ids[start : start + len(block)])
                start += len(block)
        return Path(path)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} {self.modality} rows, {self.dim}-d, space {self.space!r})"

    @cached_property
    def ids(self) -> list[str]:
        """Unique ids, one a row."""
        if self._ids is not None:
            return self._ids
        found: list[str] = []
        for part in self._parts:
            assert isinstance(part, ShardFile)
            found += part.ids()
        check_ids(found, len(self), f"{self.modality} set")
        return found

    @cached_property
    def vectors(self) -> Float[np.ndarray, "rows dim"]:
        """All rows as float32. A set on disk is read whole here, once."""
        if len(self._parts) == 1 and isinstance(self._parts[0], np.ndarray):
            return self._parts[0]
        blocks = list(self.batches(SHARD_ROWS))
        return np.concatenate(blocks) if blocks else np.empty((0, self.dim), np.float32)

    def batches(self, rows: int) -> Iterator[Float[np.ndarray, "block dim"]]:
        """Consecutive float32 blocks of ``rows`` rows, the last one shorter; blocks cross shard borders."""
        for start in range(0, len(self), rows):
            yield self._between(start, min(start + rows, len(self)))

    def take(self, index: np.ndarray) -> Embeddings:
        """Rows by number. Of a set in memory they are copied, of a set on disk read when asked."""
        index = self._row_numbers(index)
        ids = [self.ids[row] for row in index.tolist()]
        check_ids(ids, len(ids), "rows taken")
        in_memory = all(isinstance(part, np.ndarray) for part in self._parts)
        part = self.gathered(index) if in_memory else Taken(self, index)
        facts = {"modality": self.modality, "space": self.space, "revision": self.revision}
        return Embeddings([part], dim=self.dim, ids=ids, normalise=False, **facts)

    def select(self, ids: Sequence[str] | Sequence[int]) -> Embeddings:
        """Rows by id, in the order given. Raises `IsthmusError` naming an id that is not there."""
        if isinstance(ids, str):
            raise IsthmusError(f"ids are the text {ids!r}: give a list of ids, [{ids!r}]")
        names = [str(name) for name in ids]
        missing = next((name for name in names if name not in self._row_of), None)
        if missing is not None:
            example = f"ids look like {self.ids[0]!r}" if self.ids else "there is no row"
            raise IsthmusError(f"no {self.modality} has id {missing!r}: {example}")
        return self.take(np.array([self._row_of[name] for name in names], dtype=np.int64))

    def _row_numbers(self, index: np.ndarray) -> Int[np.ndarray, " taken"]:
        rows = np.asarray(index)
        if rows.dtype == bool and rows.shape == (len(self),):
            rows = np.flatnonzero(rows)
        if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
            raise IsthmusError(f"rows are asked for by {rows.dtype} {rows.shape}: give a list of row numbers")
        outside = rows[(rows < 0) | (rows >= len(self))]
        if len(outside):
            raise IsthmusError(f"row {outside[0]} asked for: {self!r} has rows 0 to {len(self) - 1}")
        return rows.astype(np.int64)

    def gathered(self, index: Int[np.ndarray, " taken"]) -> Float[np.ndarray, "taken dim"]:
        """Rows by number, as an array."""
        found = np.empty((len(index), self.dim), np.float32)
        part_of = np.searchsorted(self._starts, index, side="right") - 1
        for number in np.unique(part_of):
            here = part_of == number
            found[here] = self._read(self._parts[number], index[here] - self._starts[number])
        return found

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def _between(self, start: int, end: int) -> np.ndarray:
        block = np.empty((end - start, self.dim), np.float32)
        for number, part in enumerate(self._parts):
            first, last = max(start, self._starts[number]), min(end, self._starts[number + 1])
            if first < last:
                rows = slice(int(first - self._starts[number]), int(last - self._starts[number]))
                block[first - start : last - start] = self._read(part, rows)
        return block

    def _read(self, part: Part, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(part, np.ndarray):
            return part[rows]
        found = part.read(rows)
        if isinstance(part, Taken) or not self._normalise:
            return found
        return unit_rows(found, str(part.path))


def _rows_of(part: Part) -> int:
    if isinstance(part, ShardFile):
        return part.rows
    return len(part.index) if isinstance(part, Taken) else len(part)


def _as_array(vectors: np.ndarray, where: str) -> np.ndarray:
    try:
        return np.asarray(vectors)
    except (ValueError, TypeError, RuntimeError) as error:
        raise IsthmusError(
            f"{where}: not an array of numbers ({error}): convert with np.asarray, one vector a row"
        ) from error
