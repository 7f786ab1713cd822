"""What a job wrote: the hashes of its shards, and why items failed."""

from pathlib import Path

import pyarrow.parquet

from isthmus.embeddings.manifest import read_manifest


def hashes(out: Path, modality: str = "image") -> dict[int, tuple[str, int]]:
    return {shard.number: (shard.sha256, shard.rows) for shard in read_manifest(out)[modality].shards}


def errors(out: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in pyarrow.parquet.read_table(out / "errors.parquet").to_pylist()}
