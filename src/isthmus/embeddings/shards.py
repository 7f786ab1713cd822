"""Shards: files of rows, opened memory-mapped and read only where asked."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError


@dataclass(frozen=True)
class ShardFile:
    """Rows of one ``.npy`` file and their ids in a Parquet file beside it (none where ``metadata`` is ``None``)."""

    path: Path
    metadata: Path | None
    rows: int
    dim: int
    dtype: str
    id_column: str = "id"

    @cached_property
    def vectors(self) -> np.ndarray:
        """The rows, memory-mapped. Raises `IsthmusError` where the file is absent, cut short or of another kind."""
        found = map_rows(self.path)
        if found.shape != (self.rows, self.dim):
            raise IsthmusError(
                f"{self.path}: shape {found.shape}, the manifest says {(self.rows, self.dim)}: write it again"
            )
        if found.dtype != np.dtype(self.dtype):
            raise IsthmusError(f"{self.path}: dtype {found.dtype}, the manifest says {self.dtype}: write it again")
        return found

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some rows as float32. The mapped pages are let go again, so that streaming a set holds none of it."""
        found = np.asarray(self.vectors[rows], dtype=np.float32)
        mapping = getattr(self.vectors, "_mmap", None)
        if mapping is not None and hasattr(mapping, "madvise"):
            mapping.madvise(mmap.MADV_DONTNEED)
        return found

    def ids(self) -> list[str]:
        """The rows' ids."""
        if self.metadata is None:
            raise IsthmusError(f"{self.path}: has no metadata file: ids are unknown")
        import pyarrow.parquet

        try:
            column = pyarrow.parquet.read_table(self.metadata, columns=[self.id_column]).column(0)
        except FileNotFoundError as error:
            raise IsthmusError(f"{self.metadata}: not found: the set is incomplete, copy or write it again") from error
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise IsthmusError(
                f"{self.metadata}: not readable ({error}): write the set again".replace("\n", " ")
            ) from error
        found = [str(value) for value in column.to_pylist()]
        if len(found) != self.rows:
            raise IsthmusError(
                f"{self.metadata}: {len(found)} ids for {self.rows} rows of {self.path.name}: write it again"
            )
        return found


def map_rows(path: Path) -> np.ndarray:
    """A ``.npy`` file memory-mapped. Raises `IsthmusError` where it is absent, cut short or no array of rows."""
    if not path.is_file():
        raise IsthmusError(f"{path}: not found: the set is incomplete, write or copy it again")
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise IsthmusError(f"{path}: cut short or not an .npy file ({error}): write or copy it again") from error
    if found.ndim != 2 or found.dtype not in (np.float16, np.float32):
        raise IsthmusError(f"{path}: holds {found.dtype} of shape {found.shape}: rows of float16 or float32 are needed")
    return found
