"""The writer: appends rows to a set shard by shard, and continues where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.embeddings.checks import as_ids, check_columns, check_ids, check_modality, unit_rows
from isthmus.embeddings.folder import stored_rows
from isthmus.embeddings.ledger import RowLedger
from isthmus.embeddings.manifest import DTYPES, ModalityManifest, agreed, recorded_numbering
from isthmus.embeddings.shards import write_shard

SHARD_ROWS = 250_000


class EmbeddingWriter:
    """Appends rows to one modality of a set on disk; a context manager that closes itself.

    Each shard is written under a temporary name, renamed, and then committed to the manifest. If a run is killed, the
    set keeps every complete shard, and a new writer on the same folder continues after them. Until `close`, the rows
    are unfinished: they are opened only if asked for. No other writer can write the modality at the same time.

    Args:
        path: Folder of the set; created if it does not exist.
        modality: What the rows represent.
        space: Space of the vectors.
        dim: Number of dimensions.
        dtype: Precision on disk, float16 or float32.
        shard_rows: Rows per shard.
        revision: Revision of the encoder.
        preprocessing: Fingerprint of the preprocessing.
        numbered: The ids are only row numbers, which nothing pairs.
        job: What must be run again if it is stopped; errors name it.
        restart: Drop the rows of an unfinished job of this name, instead of going on after them.
        beside: Write next to shards that are not part of the set; they stay as they are.

    Raises:
        IsthmusError: The set has rows of this modality with another space, dimension, dtype, revision or
            preprocessing, or another writer is writing them.

    Example:
        >>> import tempfile
        >>> from isthmus import Embeddings
        >>> folder = tempfile.mkdtemp()
        >>> with EmbeddingWriter(folder, modality="image", space="clip", dim=2) as writer:
        ...     writer.append(np.array([[3.0, 4.0]]), ["dog.jpg"])
        ...     writer.append(np.array([[1.0, 0.0]]), ["cat.jpg"])
        >>> writer.rows_done, Embeddings.open(folder).ids
        (2, ['dog.jpg', 'cat.jpg'])
    """

    def __init__(
        self,
        path: str | Path,
        *,
        modality: str,
        space: str,
        dim: int,
        dtype: str = "float16",
        shard_rows: int = SHARD_ROWS,
        revision: str = "",
        preprocessing: str = "",
        numbered: bool = False,
        job: str = "EmbeddingWriter",
        restart: bool = False,
        beside: bool = False,
    ) -> None:
        check_modality(modality)
        if dtype not in DTYPES:
            raise IsthmusError(f"dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        if shard_rows < 1:
            raise IsthmusError(f"shard_rows must be at least 1, got {shard_rows}")
        self.folder, self.shard_rows = user_path(path), shard_rows
        asked = ModalityManifest(modality, space, dim, dtype, True, (), revision, preprocessing, numbered)
        self._ledger = RowLedger(self.folder, asked, job, restart=restart, beside=beside)
        try:
            known = [name for shard in stored_rows(self.folder, self._manifest).shards for name in shard.ids()]
            agreed(self.folder, self._manifest, asked, *known[:1])
        except BaseException:
            self._ledger.close()
            raise
        self._known, self._numbered = set(known), numbered
        self._vectors: list[np.ndarray] = []
        self._ids: list[str] = []
        self._columns: Mapping[str, str] = {}
        self._metadata: list[Mapping[str, object]] = []

    @property
    def _manifest(self) -> ModalityManifest:
        return self._ledger.entry

    @property
    def rows_done(self) -> int:
        """Rows in complete shards, including those of earlier runs."""
        return self._manifest.rows

    def append(
        self,
        vectors: np.ndarray,
        ids: Iterable[Any],
        metadata: Sequence[Mapping[str, object]] | None = None,
    ) -> None:
        """Add rows, and write a shard as soon as it is full.

        Args:
            vectors: Float rows (n, dim), not necessarily of unit length; they are normalized.
            ids: One new id per row, text or integers.
            metadata: Further columns of the metadata, one mapping per row; a row may lack some of them.

        Raises:
            IsthmusError: A row is not finite or zero, dimensions differ, an id is in the set already, or a column of
                the metadata has values of different types.
        """
        where, first = f"{self._manifest.modality} rows", self.rows_done + len(self._ids)
        numbers = range(first, first + len(vectors))
        unit = unit_rows(vectors, where, numbers)
        if vectors.shape[1] != self._manifest.dim:
            raise IsthmusError(
                f"{where}: {vectors.shape[1]} dimensions, but the set has {self._manifest.dim}: use another folder"
            )
        names = as_ids(ids, where, first)
        check_ids(names, len(vectors), where, numbers)
        twice = next((name for name in names if name in self._known), None)
        if twice is not None:
            raise IsthmusError(f"{where}: id {twice!r} is already in {self.folder}: ids must be unique")
        rows = [{} for _ in names] if metadata is None else list(metadata)
        self._columns = check_columns(rows, names, where, first, self._columns)
        self._known.update(names)
        self._vectors.append(unit.astype(self._manifest.dtype))
        self._ids += names
        self._metadata += rows
        while len(self._ids) >= self.shard_rows:
            self._write(self.shard_rows)

    def close(self) -> None:
        """Write the remaining rows as a last, shorter shard, finish the set, and let others write."""
        if self._ids:
            self._write(len(self._ids))
        if self._ledger.held:
            self._ledger.finish()
        self._ledger.close()

    def __enter__(self) -> EmbeddingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._ledger.close()

    def _write(self, rows: int) -> None:
        whole = self._vectors[0] if len(self._vectors) == 1 else np.concatenate(self._vectors)
        rows_of_shard = [{"id": name, **own} for name, own in zip(self._ids[:rows], self._metadata[:rows], strict=True)]
        number = self._ledger.claim()[0]
        shard = write_shard(self.folder, self._manifest.modality, number, whole[:rows], rows_of_shard)
        first = not self._manifest.shards
        numbered = recorded_numbering(self._numbered, self._ids[0]) if first else self._manifest.numbered
        self._ledger.commit(shard, numbered=numbered)
        self._vectors, self._ids, self._metadata = [whole[rows:]], self._ids[rows:], self._metadata[rows:]
