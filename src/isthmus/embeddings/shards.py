"""Shards: arrays in ``.npy`` files, written whole or not at all, memory-mapped, and read only when needed."""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.array_files import map_npy
from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError, reading, reason_of
from isthmus.base.hashing import sha256_of
from isthmus.embeddings.checks import as_ids
from isthmus.embeddings.layout import metadata_file, vectors_file
from isthmus.embeddings.manifest import Shard


@dataclass(frozen=True)
class ShardFile:
    """Rows of one ``.npy`` file, with their ids in a Parquet file (``metadata`` is ``None`` if there is none)."""

    path: Path
    metadata: Path | None
    rows: int
    dim: int
    dtype: str
    id_column: str = "id"

    @cached_property
    def vectors(self) -> np.ndarray:
        """The rows, memory-mapped. Raises `IsthmusError` if the file does not fit the manifest."""
        found = map_rows(self.path)
        if found.shape != (self.rows, self.dim):
            raise IsthmusError(
                f"{self.path}: shape {found.shape}, but the manifest says {(self.rows, self.dim)}: write it again"
            )
        if found.dtype != np.dtype(self.dtype):
            raise IsthmusError(f"{self.path}: dtype {found.dtype}, but the manifest says {self.dtype}: write it again")
        return found

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some rows as float32. Releases the mapped pages, so that streaming a set does not fill memory."""
        found = np.asarray(self.vectors[rows], dtype=np.float32)
        mapping = getattr(self.vectors, "_mmap", None)
        if mapping is not None and hasattr(mapping, "madvise"):
            mapping.madvise(mmap.MADV_DONTNEED)
        return found

    def ids(self) -> list[str]:
        """The rows' ids."""
        return as_ids(self.column(), f"{self.metadata}: column {self.id_column!r}")

    def recorded(self, rows: np.ndarray, columns: Sequence[str]) -> list[str]:
        """The first of these columns of the metadata that is not empty, for each of some rows; "" if none is."""
        if self.metadata is None:
            return [""] * len(rows)
        import pyarrow.parquet

        with reading(self.metadata, "the set is incomplete: copy or write it again"):
            known = pyarrow.parquet.read_schema(self.metadata).names
            asked = [name for name in columns if name in known]
            table = pyarrow.parquet.read_table(self.metadata, columns=asked).take(rows) if asked else None
        entries = table.to_pylist() if table is not None else [{}] * len(rows)
        return [next((str(own[name]) for name in asked if own.get(name)), "") for own in entries]

    def column(self) -> list[Any]:
        """What the rows have in the column of ids."""
        if self.metadata is None:
            raise IsthmusError(f"{self.path}: has no metadata file, so its ids are unknown: write the set again")
        import pyarrow.parquet

        with reading(self.metadata, "the set is incomplete: copy or write it again"):
            known = pyarrow.parquet.read_schema(self.metadata).names
            table = pyarrow.parquet.read_table(self.metadata, columns=[own for own in known if own == self.id_column])
        if self.id_column not in table.column_names:
            raise IsthmusError(f"{self.metadata}: no column {self.id_column!r}: choose another with --id-column")
        found: list[Any] = table.column(self.id_column).to_pylist()
        if len(found) != self.rows:
            raise IsthmusError(
                f"{self.metadata}: {len(found)} ids for the {self.rows} rows of {self.path.name}: write it again"
            )
        return found


@dataclass(frozen=True)
class StoredRows:
    """One modality of a set on disk; ``ids`` is ``None`` if they are in the metadata of the shards.

    If only some rows belong to the set, ``taken`` has their numbers.
    """

    modality: str
    space: str
    dim: int
    shards: Sequence[ShardFile]
    ids: list[str] | None = None
    revision: str = ""
    numbered: bool | None = None
    taken: np.ndarray | None = None
    unfinished: str = ""

    @property
    def files(self) -> list[Path]:
        """The files of vectors and metadata."""
        return [file for shard in self.shards for file in (shard.path, shard.metadata) if file is not None]


def write_shard(
    folder: Path, modality: str, number: int, vectors: np.ndarray, metadata: Sequence[Mapping[str, object]]
) -> Shard:
    """Write the two files of a shard; ``metadata`` is one mapping per row, with its ``id``.

    The shard becomes part of the set only when it is committed to the manifest.
    """
    import pyarrow
    import pyarrow.parquet

    file = metadata_file(folder, modality, number)
    vectors_hash = write_array(vectors_file(folder, modality, number), vectors)
    columns = dict.fromkeys(name for row in metadata for name in row)
    try:
        table = pyarrow.table({name: [row.get(name) for row in metadata] for name in columns})
    except pyarrow.ArrowException as error:
        raise IsthmusError(f"{file}: the metadata cannot be stored ({reason_of(error)}): change its types") from error
    with atomic_path(file) as part:
        pyarrow.parquet.write_table(table, part)
    return Shard(number, len(vectors), vectors_hash, sha256_of(file))


def write_array(path: Path, array: np.ndarray) -> str:
    """Write an ``.npy`` file and return its sha256."""
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, array)
    return sha256_of(path)


def map_array(path: Path) -> np.ndarray:
    """An ``.npy`` file, memory-mapped. Raises `IsthmusError` if it is missing or truncated."""
    return map_npy(path, "the set is incomplete: copy or write it again")


def map_rows(path: Path) -> np.ndarray:
    """An ``.npy`` file of float16 or float32 rows, memory-mapped. Raises `IsthmusError` if it is anything else."""
    found = map_array(path)
    if found.ndim != 2 or found.dtype not in (np.float16, np.float32):
        raise IsthmusError(
            f"{path}: {found.dtype} of shape {found.shape}, expected rows of float16 or float32: write it again"
        )
    return found


def verify_file(path: Path, sha256: str) -> None:
    """Raise `IsthmusError` if a file is missing or does not have the hash from the manifest."""
    if not path.is_file():
        raise IsthmusError(f"{path}: not found, so the set is incomplete: copy or write it again")
    if sha256_of(path) != sha256:
        raise IsthmusError(f"{path}: altered or truncated, its sha256 is not the manifest's: copy or write it again")
