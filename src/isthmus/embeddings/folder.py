"""The folder of a set: what each modality has on disk, with a manifest or as clip-retrieval writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus.base.errors import IsthmusError, reading
from isthmus.embeddings.layout import metadata_file, modality_named, vectors_file
from isthmus.embeddings.manifest import MANIFEST, ModalityManifest, read_manifest
from isthmus.embeddings.shards import ShardFile, map_rows, verify_file

ID_COLUMNS = ("id", "key", "image_path", "url", "caption")
"""Columns of clip-retrieval's metadata that can serve as ids; the first one present is used."""


@dataclass(frozen=True)
class StoredRows:
    """One modality of a set on disk; ``ids`` is ``None`` if they are in the metadata of the shards."""

    modality: str
    space: str
    dim: int
    shards: Sequence[ShardFile]
    ids: list[str] | None = None
    revision: str = ""
    numbered: bool | None = None


def stored_modalities(folder: Path, space: str | None) -> dict[str, StoredRows]:
    """Every modality of a set by name; ``space`` names that of a folder without a manifest."""
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise IsthmusError(f"{folder}: {problem}: pass the folder of an embedding set (isthmus convert makes one)")
    manifest = read_manifest(folder)
    if manifest or (folder / MANIFEST).is_file():
        return {name: stored_rows(folder, entry) for name, entry in manifest.items()}
    found = _clip_retrieval(folder, space or folder.resolve().name)
    if not found:
        raise IsthmusError(
            f"{folder}: not an embedding set (no manifest.json and no <modality>_emb folder): isthmus convert makes one"
        )
    return found


def stored_rows(folder: Path, entry: ModalityManifest) -> StoredRows:
    """One modality from its entry in the manifest. Raises `IsthmusError` if a shard does not fit the entry."""
    shards = [
        ShardFile(
            path=vectors_file(folder, entry.modality, shard.number),
            metadata=metadata_file(folder, entry.modality, shard.number),
            rows=shard.rows,
            dim=entry.dim,
            dtype=entry.dtype,
        )
        for shard in entry.shards
        if shard.rows
    ]
    for shard in shards:
        _ = shard.vectors
    return StoredRows(entry.modality, entry.space, entry.dim, shards, None, entry.revision, entry.numbered)


def verify_set(path: str | Path) -> None:
    """Compare every file of vectors and metadata with its hash.

    Args:
        path: Folder of the set.

    Raises:
        IsthmusError: There is no manifest, or a file is missing or altered; the first one is named.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    if not manifest:
        raise IsthmusError(f"{folder}: no manifest.json, so there are no hashes to verify: convert it to a set first")
    for modality, entry in manifest.items():
        for shard in entry.shards:
            if shard.rows:
                verify_file(vectors_file(folder, modality, shard.number), shard.sha256)
                verify_file(metadata_file(folder, modality, shard.number), shard.metadata_sha256)


def _clip_retrieval(folder: Path, space: str) -> dict[str, StoredRows]:
    found = {}
    for own in sorted(folder.glob("*_emb")):
        files = sorted(own.glob("*.npy"), key=lambda file: (len(_number(file)), _number(file)))
        if not files:
            continue
        shards = [_bare_shard(file, folder / "metadata" / f"metadata_{_number(file)}.parquet") for file in files]
        ids = None
        if any(shard.metadata is None for shard in shards):
            ids = [str(row) for row in range(sum(shard.rows for shard in shards))]
        dims = {shard.dim for shard in shards}
        if len(dims) > 1:
            raise IsthmusError(
                f"{own}: shards have {' and '.join(map(str, sorted(dims)))} dimensions, so they come from different "
                "models: keep those of one"
            )
        modality = modality_named(own.name)
        found[modality] = StoredRows(modality, space, dims.pop(), shards, ids)
    return found


def _number(file: Path) -> str:
    return file.stem.rsplit("_", 1)[-1]


def _bare_shard(file: Path, metadata: Path) -> ShardFile:
    rows = map_rows(file)
    column = _id_column(metadata)
    return ShardFile(
        path=file,
        metadata=metadata if column else None,
        rows=len(rows),
        dim=rows.shape[1],
        dtype=str(rows.dtype),
        id_column=column or "id",
    )


def _id_column(metadata: Path) -> str | None:
    if not metadata.exists():
        return None
    import pyarrow.parquet

    with reading(metadata, "copy it again"):
        names = pyarrow.parquet.read_schema(metadata).names
    return next((name for name in ID_COLUMNS if name in names), None)
