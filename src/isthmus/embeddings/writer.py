"""The writer: appends rows to a set shard by shard; what was completed is never lost, and writing can go on later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from isthmus.atomic import written_whole
from isthmus.embeddings.checks import check_ids, check_modality, unit_rows
from isthmus.embeddings.layout import metadata_file, vectors_file
from isthmus.embeddings.manifest import ModalityManifest, Shard, read_manifest, write_manifest
from isthmus.embeddings.shards import sha256_of
from isthmus.errors import IsthmusError

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
        self._manifest = read_manifest(self.folder).get(modality, asked)
        differing = [
            f"{name} {there!r}, not {asked_for!r}"
            for name, there in asdict(replace(self._manifest, shards=())).items()
            if there != (asked_for := getattr(asked, name))
        ]
        if differing:
            raise IsthmusError(
                f"{self.folder}: its {modality} rows have {'; '.join(differing)}: "
                "write to another folder, or ask for the same"
            )
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
        import pyarrow
        import pyarrow.parquet

        whole = np.concatenate(self._vectors)
        number = len(self._manifest.shards)
        vectors = vectors_file(self.folder, self._manifest.modality, number)
        metadata = metadata_file(self.folder, self._manifest.modality, number)
        with written_whole(vectors) as part, part.open("wb") as file:
            np.save(file, whole[:rows])
        table = pyarrow.Table.from_pylist(
            [{"id": name, **own} for name, own in zip(self._ids[:rows], self._metadata[:rows], strict=True)]
        )
        with written_whole(metadata) as part:
            pyarrow.parquet.write_table(table, part)

        shard = Shard(number, rows, sha256_of(vectors), sha256_of(metadata))
        self._manifest = replace(self._manifest, shards=(*self._manifest.shards, shard))
        write_manifest(self.folder, {**read_manifest(self.folder), self._manifest.modality: self._manifest})
        self._vectors, self._ids, self._metadata = [whole[rows:]], self._ids[rows:], self._metadata[rows:]
