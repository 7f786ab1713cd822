"""A set's folder: open every modality, also of folders written by clip-retrieval; verify hashes."""

from __future__ import annotations

from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.embeddings.embeddings import Embeddings
from isthmus.embeddings.layout import metadata_file, modality_named, vectors_file
from isthmus.embeddings.manifest import MANIFEST, ModalityManifest, read_manifest
from isthmus.embeddings.shards import ShardFile, map_rows

ID_COLUMNS = ("id", "key", "image_path", "url", "caption")
"""Columns of clip-retrieval's metadata that can serve as ids; the first that is there is taken."""


def open_set(path: str | Path, space: str | None = None) -> dict[str, Embeddings]:
    """Every modality of a set by name, memory-mapped.

    A folder without a manifest is read as clip-retrieval's; its vectors' space is ``space``, or the folder's name.
    Raises `IsthmusError` where the folder or a shard is absent, cut short or of the wrong shape.
    """
    folder = Path(path)
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise IsthmusError(f"{folder}: {problem}: give one that holds an embedding set (isthmus convert makes one)")
    manifest = read_manifest(folder)
    if manifest or (folder / MANIFEST).is_file():
        return {name: _from_manifest(folder, entry) for name, entry in manifest.items()}
    found = _clip_retrieval(folder, space or folder.resolve().name)
    if not found:
        raise IsthmusError(f"{folder}: holds no manifest.json and no <modality>_emb folder: not an embedding set")
    return found


def verify_set(path: str | Path) -> None:
    """Read every file of a set and compare with its hash. Raises `IsthmusError` naming the first that differs."""
    folder = Path(path)
    manifest = read_manifest(folder)
    if not manifest:
        raise IsthmusError(f"{folder}: has no manifest.json, so there are no hashes to compare with")
    for modality, entry in manifest.items():
        for shard in entry.shards:
            if shard.rows == 0:
                continue
            pairs = (
                (vectors_file(folder, modality, shard.number), shard.sha256),
                (metadata_file(folder, modality, shard.number), shard.metadata_sha256),
            )
            for file, expected in pairs:
                if not file.is_file():
                    raise IsthmusError(f"{file}: not found: write or copy the set again")
                if sha256_of(file) != expected:
                    raise IsthmusError(
                        f"{file}: altered or cut short (its sha256 is not the manifest's): write it again"
                    )


def _from_manifest(folder: Path, entry: ModalityManifest) -> Embeddings:
    parts = []
    for shard in entry.shards:
        if shard.rows == 0:
            continue
        file = ShardFile(
            path=vectors_file(folder, entry.modality, shard.number),
            metadata=metadata_file(folder, entry.modality, shard.number),
            rows=shard.rows,
            dim=entry.dim,
            dtype=entry.dtype,
        )
        _ = file.vectors
        parts.append(file)
    facts = {"modality": entry.modality, "space": entry.space, "revision": entry.revision}
    return Embeddings(parts, dim=entry.dim, ids=None, normalise=True, **facts)


def _clip_retrieval(folder: Path, space: str) -> dict[str, Embeddings]:
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
            raise IsthmusError(f"{own}: shards have {sorted(dims)} dimensions: they are of different models")
        modality = modality_named(own.name)
        found[modality] = Embeddings(shards, modality=modality, space=space, dim=dims.pop(), ids=ids, normalise=True)
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
    if not metadata.is_file():
        return None
    import pyarrow.parquet

    try:
        names = pyarrow.parquet.read_schema(metadata).names
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise IsthmusError(f"{metadata}: not readable ({error}): copy it again".replace("\n", " ")) from error
    return next((name for name in ID_COLUMNS if name in names), None)
