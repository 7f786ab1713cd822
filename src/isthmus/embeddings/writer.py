"""The writer: appends rows to a set shard by shard; what was completed is never lost, and writing can go on later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.embeddings.checks import check_ids, check_modality, unit_rows
from isthmus.embeddings.layout import metadata_file, vectors_file
from isthmus.embeddings.manifest import ModalityManifest, Shard, agreed, commit

DTYPES = ("float16", "float32")


class EmbeddingWriter:
    """Writes one modality of a set. ``rows_done`` says how many rows earlier runs completed.

    Each shard is written under a temporary name, renamed, then named in the manifest: a run that is killed leaves a
    set with all completed shards. Raises `IsthmusError` where an existing set differs in space, dimension or dtype.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        modality: str,
        space: str,
        dim: int,
        dtype: str = "float16",
        shard_rows: int = 250_000,
        revision: str = "",
        preprocessing: str = "",
    ) -> None:
        check_modality(modality)
        if dtype not in DTYPES:
            raise IsthmusError(f"dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        if shard_rows < 1:
            raise IsthmusError(f"shard_rows {shard_rows}: give at least 1")
        self.folder, self.shard_rows = Path(path), shard_rows
        asked = ModalityManifest(modality, space, dim, dtype, True, (), revision, preprocessing)
        self._manifest = agreed(self.folder, asked)
        self._known = set(self._written_ids())
        self._vectors: list[np.ndarray] = []
        self._ids: list[str] = []
        self._metadata: list[Mapping[str, object]] = []

    @property
    def rows_done(self) -> int:
        """Rows in completed shards."""
        return self._manifest.rows

    def append(
        self, vectors: np.ndarray, ids: Sequence[str], metadata: Sequence[Mapping[str, object]] | None = None
    ) -> None:
        """Add rows; a shard is written as soon as it is full. Ids must be new; ``metadata`` is one mapping a row."""
        where = f"{self._manifest.modality} rows after {self.rows_done + len(self._ids)}"
        unit = unit_rows(vectors, where)
        if vectors.shape[1] != self._manifest.dim:
            raise IsthmusError(f"{where}: {vectors.shape[1]} dimensions, the set has {self._manifest.dim}")
        check_ids(ids, len(vectors), where)
        twice = next((name for name in ids if name in self._known), None)
        if twice is not None:
            raise IsthmusError(f"{where}: id {twice!r} is in {self.folder} already: ids must be unique")
        self._known.update(ids)
        self._vectors.append(unit.astype(self._manifest.dtype))
        self._ids += ids
        self._metadata += metadata if metadata is not None else [{} for _ in ids]
        while len(self._ids) >= self.shard_rows:
            self._write(self.shard_rows)

    def _written_ids(self) -> list[str]:
        """Ids of the shards that earlier runs completed."""
        if self._manifest.rows == 0:
            return []
        from isthmus.embeddings.embeddings import Embeddings

        return Embeddings.open(self.folder, self._manifest.modality).ids

    def close(self) -> None:
        """Write what is left as a last, shorter shard."""
        if self._ids:
            self._write(len(self._ids))

    def __enter__(self) -> EmbeddingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _write(self, rows: int) -> None:
        whole = np.concatenate(self._vectors)
        rows_of_shard = [{"id": name, **own} for name, own in zip(self._ids[:rows], self._metadata[:rows], strict=True)]
        number = len(self._manifest.shards)
        shard = write_shard(self.folder, self._manifest.modality, number, whole[:rows], rows_of_shard)
        self._manifest = replace(self._manifest, shards=(*self._manifest.shards, shard))
        commit(self.folder, self._manifest)
        self._vectors, self._ids, self._metadata = [whole[rows:]], self._ids[rows:], self._metadata[rows:]


def write_shard(
    folder: Path, modality: str, number: int, vectors: np.ndarray, metadata: Sequence[Mapping[str, object]]
) -> Shard:
    """Write the two files of a shard, each whole or not at all; ``metadata`` is one mapping a row, with its ``id``.

    The manifest does not know of the shard before it is committed.
    """
    import pyarrow
    import pyarrow.parquet

    files = vectors_file(folder, modality, number), metadata_file(folder, modality, number)
    with atomic_path(files[0]) as part, part.open("wb") as file:
        np.save(file, vectors)
    with atomic_path(files[1]) as part:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(metadata)), part)
    return Shard(number, len(vectors), sha256_of(files[0]), sha256_of(files[1]))
