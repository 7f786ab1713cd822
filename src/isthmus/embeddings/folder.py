"""The folder of a set: what each modality has on disk, with a manifest or as clip-retrieval writes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.embeddings.clip_retrieval import clip_retrieval_rows
from isthmus.embeddings.layout import metadata_file, vectors_file
from isthmus.embeddings.manifest import MANIFEST, ModalityManifest, read_manifest
from isthmus.embeddings.shards import ShardFile, StoredRows, verify_file


def stored_modalities(folder: Path, space: str | None, id_column: str | None = None) -> dict[str, StoredRows]:
    """Every modality of a set by name.

    ``space`` names that of a folder without a manifest; ``id_column`` takes other ids from the metadata. Raises
    `IsthmusError` if the manifest names another space, or the metadata has no such column.
    """
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise IsthmusError(f"{folder}: {problem}: pass the folder of an embedding set (isthmus convert makes one)")
    manifest = read_manifest(folder)
    if manifest or (folder / MANIFEST).is_file():
        for entry in manifest.values():
            if space not in (None, entry.space):
                raise IsthmusError(
                    f"{folder}: its manifest says space {entry.space!r}, not {space!r}: leave the name of its space out"
                )
        found = {name: stored_rows(folder, entry) for name, entry in manifest.items()}
        return found if not id_column else {name: _with_ids(own, id_column) for name, own in found.items()}
    found = clip_retrieval_rows(folder, space, id_column)
    if not found:
        raise IsthmusError(
            f"{folder}: not an embedding set (no manifest.json and no <modality>_emb folder): isthmus convert makes one"
        )
    return found


def _with_ids(stored: StoredRows, column: str) -> StoredRows:
    """The same rows with ids from a column of their metadata: asked for by name, they count as given."""
    shards = [replace(shard, id_column=column) for shard in stored.shards]
    return replace(stored, shards=shards, numbered=False)


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
    return StoredRows(
        entry.modality,
        entry.space,
        entry.dim,
        shards,
        revision=entry.revision,
        numbered=entry.numbered,
        unfinished=entry.unfinished,
    )


def shards_beside_a_set(folder: Path, id_column: str | None = None) -> dict[str, StoredRows]:
    """Every modality that clip-retrieval has written to a folder, without the shards that are in its manifest."""
    ours = {
        vectors_file(folder, entry.modality, number)
        for entry in read_manifest(folder).values()
        for number in (*(shard.number for shard in entry.shards), *entry.loose)
    }
    return clip_retrieval_rows(folder, None, id_column, ours)


def verify_set(path: str | Path) -> None:
    """Compare every file of vectors and metadata with its hash.

    Args:
        path: Folder of the set.

    Raises:
        IsthmusError: There is no manifest, or a file is missing or altered; the first one is named.
    """
    folder = user_path(path)
    manifest = read_manifest(folder)
    if not manifest:
        raise IsthmusError(f"{folder}: no manifest.json, so there are no hashes to verify: convert it to a set first")
    for modality, entry in manifest.items():
        for shard in entry.shards:
            vectors = vectors_file(folder, modality, shard.number)
            if shard.rows:
                verify_file(vectors, shard.sha256)
                verify_file(metadata_file(folder, modality, shard.number), shard.metadata_sha256)
            elif vectors.exists():
                raise IsthmusError(f"{vectors}: exists, but has no rows by {MANIFEST}: restore {MANIFEST}")
