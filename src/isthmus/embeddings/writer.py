"""The writer: appends rows to a set shard by shard, and continues where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.checks import check_ids, check_modality, unit_rows
from isthmus.embeddings.folder import stored_rows
from isthmus.embeddings.manifest import DTYPES, ModalityManifest, agreed, commit, read_manifest
from isthmus.embeddings.shards import write_shard

SHARD_ROWS = 250_000


class EmbeddingWriter:
    """Appends rows to one modality of a set on disk; a context manager that closes itself.

    Each shard is written under a temporary name, renamed, and then committed to the manifest. If a run is killed, the
    set keeps every complete shard, and a new writer on the same folder continues after them.

    Args:
        path: Folder of the set; created if it does not exist.
        modality: What the rows represent.
        space: Space of the vectors.
        dim: Number of dimensions.
        dtype: Precision on disk, float16 or float32.
        shard_rows: Rows per shard.
        revision: Revision of the encoder.
        preprocessing: Fingerprint of the preprocessing.

    Raises:
        IsthmusError: The set has rows of this modality with another space, dimension, dtype, revision or
            preprocessing.

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
    ) -> None:
        check_modality(modality)
        if dtype not in DTYPES:
            raise IsthmusError(f"dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        if shard_rows < 1:
            raise IsthmusError(f"shard_rows must be at least 1, got {shard_rows}")
        self.folder, self.shard_rows = Path(path), shard_rows
        asked = ModalityManifest(modality, space, dim, dtype, True, (), revision, preprocessing)
        self._manifest = agreed(self.folder, read_manifest(self.folder).get(modality), asked)
        committed = stored_rows(self.folder, self._manifest).shards
        self._known = {name for shard in committed for name in shard.ids()}
        self._vectors: list[np.ndarray] = []
        self._ids: list[str] = []
        self._metadata: list[Mapping[str, object]] = []

    @property
    def rows_done(self) -> int:
        """Rows in complete shards, including those of earlier runs."""
        return self._manifest.rows

    def append(
        self, vectors: np.ndarray, ids: Sequence[str], metadata: Sequence[Mapping[str, object]] | None = None
    ) -> None:
        """Add rows, and write a shard as soon as it is full.

        Args:
            vectors: Float rows (n, dim), not necessarily of unit length; they are normalized.
            ids: One new id per row.
            metadata: Further columns of the metadata, one mapping per row.

        Raises:
            IsthmusError: A row is not finite or zero, dimensions differ, or an id is in the set already.
        """
        where = f"{self._manifest.modality} rows after {self.rows_done + len(self._ids)}"
        unit = unit_rows(vectors, where)
        if vectors.shape[1] != self._manifest.dim:
            raise IsthmusError(
                f"{where}: {vectors.shape[1]} dimensions, but the set has {self._manifest.dim}: use another folder"
            )
        check_ids(ids, len(vectors), where)
        twice = next((name for name in ids if name in self._known), None)
        if twice is not None:
            raise IsthmusError(f"{where}: id {twice!r} is already in {self.folder}: ids must be unique")
        self._known.update(ids)
        self._vectors.append(unit.astype(self._manifest.dtype))
        self._ids += ids
        self._metadata += metadata if metadata is not None else [{} for _ in ids]
        while len(self._ids) >= self.shard_rows:
            self._write(self.shard_rows)

    def close(self) -> None:
        """Write the remaining rows as a last, shorter shard."""
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
