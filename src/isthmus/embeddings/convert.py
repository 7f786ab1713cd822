"""Convert vectors from elsewhere to an embedding set: NumPy, Parquet, or a folder that clip-retrieval wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isthmus.embeddings.embeddings import SHARD_ROWS
from isthmus.embeddings.folder import ID_COLUMNS, open_set
from isthmus.embeddings.shards import map_rows
from isthmus.embeddings.writer import EmbeddingWriter
from isthmus.errors import IsthmusError

BLOCK_ROWS = 50_000
Block = tuple[np.ndarray, list[str]]


@dataclass(frozen=True)
class Found:
    """Vectors found in a source: their dimension, and blocks of rows with ids."""

    dim: int
    blocks: Iterator[Block]


def convert(
    source: str | Path,
    out: str | Path,
    *,
    modality: str,
    space: str,
    vectors_column: str = "embedding",
    id_column: str = "id",
    ids: str | Path | None = None,
    dtype: str = "float16",
    revision: str = "",
    shard_rows: int = SHARD_ROWS,
) -> Path:
    """Write the rows of ``source`` as one modality of the set at ``out``; returns ``out``.

    ``source`` is an ``.npy`` file of rows (``ids`` is then a text file with one id a line; without it rows are
    numbered), a Parquet file or a folder of them, or a clip-retrieval folder. Rows are streamed; a conversion that was
    killed goes on after its last whole shard. Raises `IsthmusError` for sources it cannot read.
    """
    path = Path(source)
    found = _from(path, modality, vectors_column, id_column, None if ids is None else Path(ids))
    writer = EmbeddingWriter(
        out, modality=modality, space=space, dim=found.dim, dtype=dtype, shard_rows=shard_rows, revision=revision
    )
    done = writer.rows_done
    with writer:
        for vectors, names in found.blocks:
            skipped = min(done, len(names))
            done -= skipped
            if skipped < len(names):
                writer.append(vectors[skipped:], names[skipped:])
    return Path(out)


def _from(path: Path, modality: str, vectors_column: str, id_column: str, ids: Path | None) -> Found:
    if path.suffix == ".npy":
        return _from_numpy(path, ids)
    files = [path] if path.suffix == ".parquet" else sorted(path.glob("*.parquet")) if path.is_dir() else []
    if files:
        return _from_parquet(files, vectors_column, id_column)
    if path.is_dir():
        return _from_clip_retrieval(path, modality)
    raise IsthmusError(f"{path}: neither an .npy file, nor Parquet, nor a folder that clip-retrieval wrote")


def _from_numpy(path: Path, ids: Path | None) -> Found:
    rows = map_rows(path)
    names = [str(row) for row in range(len(rows))] if ids is None else ids.read_text().splitlines()
    if len(names) != len(rows):
        raise IsthmusError(f"{ids}: {len(names)} ids for {len(rows)} rows of {path}: give one id a line, one a row")
    starts = range(0, len(rows), BLOCK_ROWS)
    blocks = ((np.asarray(rows[i : i + BLOCK_ROWS]), names[i : i + BLOCK_ROWS]) for i in starts)
    return Found(rows.shape[1], blocks)


def _from_parquet(files: list[Path], vectors_column: str, id_column: str) -> Found:
    import pyarrow.parquet

    try:
        names = pyarrow.parquet.read_schema(files[0]).names
    except pyarrow.ArrowInvalid as error:
        raise IsthmusError(f"{files[0]}: not readable as Parquet ({error})".replace("\n", " ")) from error
    if vectors_column not in names:
        listed = ", ".join(names)
        raise IsthmusError(f"{files[0]}: no column {vectors_column!r} (it has {listed}): name it with --vectors-column")
    if id_column not in names:
        known = [name for name in ID_COLUMNS if name in names]
        hint = f"try --id-column {known[0]}" if known else "name it with --id-column"
        raise IsthmusError(f"{files[0]}: no column {id_column!r} (it has {', '.join(names)}): {hint}")
    blocks = _parquet_blocks(files, vectors_column, id_column)
    first = next(blocks, None)
    if first is None:
        raise IsthmusError(f"{files[0]}: has no rows")
    return Found(first[0].shape[1], _chained(first, blocks))


def _parquet_blocks(files: list[Path], vectors_column: str, id_column: str) -> Iterator[Block]:
    import pyarrow.parquet

    start = 0
    for file in files:
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(BLOCK_ROWS, columns=[vectors_column, id_column]):
            column = batch.column(vectors_column)
            lists = getattr(column, "value_lengths", None)
            if lists is None and not hasattr(column.type, "list_size"):
                raise IsthmusError(f"{file}: column {vectors_column!r} holds {column.type}, not lists of numbers")
            lengths = (
                np.full(len(column), getattr(column.type, "list_size", -1)) if lists is None else lists().to_numpy()
            )
            if column.null_count or len(np.unique(lengths)) > 1:
                bad = int(np.flatnonzero((lengths != lengths[0]) | np.array(column.is_null()))[0])
                raise IsthmusError(
                    f"{file}: row {start + bad} has no vector or one of another length: drop it or embed it again"
                )
            flat = np.asarray(column.flatten())
            rows = flat.reshape(len(column), -1)
            start += len(column)
            yield (
                rows.astype(np.float32) if rows.dtype == np.float64 else rows,
                [str(v) for v in batch.column(id_column).to_pylist()],
            )


def _from_clip_retrieval(folder: Path, modality: str) -> Found:
    found = open_set(folder)
    if modality not in found:
        raise IsthmusError(f"{folder}: holds no {modality!r} ({', '.join(found)}): name one of them")
    own = found[modality]
    ids = own.ids
    starts = range(0, len(own), BLOCK_ROWS)
    blocks = ((rows, ids[i : i + BLOCK_ROWS]) for i, rows in zip(starts, own.batches(BLOCK_ROWS), strict=True))
    return Found(own.dim, blocks)


def _chained(first: Block, rest: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from rest
