"""Convert vectors from elsewhere to an embedding set: NumPy, Parquet, or a folder that clip-retrieval wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.embeddings import SHARD_ROWS
from isthmus.embeddings.folder import ID_COLUMNS, open_set
from isthmus.embeddings.writer import EmbeddingWriter

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
    for file in [path, *([] if ids is None else [Path(ids)])]:
        if not file.exists():
            raise IsthmusError(f"{file}: not found: give a path that is there")
    if ids is not None and path.suffix != ".npy":
        raise IsthmusError(f"{ids}: a file of ids stands beside an .npy only; {path} brings its own")
    found = _from(path, modality, vectors_column, id_column, None if ids is None else Path(ids))
    writer = EmbeddingWriter(
        out,
        modality=modality,
        space=space,
        dim=found.dim,
        dtype=dtype,
        shard_rows=shard_rows,
        revision=revision,
        preprocessing=f"converted from {fingerprint(path, ids)}",
    )
    done = writer.rows_done
    with writer:
        for vectors, names in found.blocks:
            skipped = min(done, len(names))
            done -= skipped
            if skipped < len(names):
                writer.append(vectors[skipped:], names[skipped:])
    return Path(out)


def fingerprint(source: Path, ids: str | Path | None) -> str:
    """Sixteen hexadecimal digits that follow from the source's files: their names, sizes and first megabytes."""
    digest = hashlib.sha256()
    files = [source] if source.is_file() else sorted(file for file in source.rglob("*") if file.is_file())
    for file in [*files, *([] if ids is None else [Path(ids)])]:
        digest.update(f"{file.name} {file.stat().st_size}".encode())
        with file.open("rb") as content:
            digest.update(content.read(2**20))
    return digest.hexdigest()[:16]


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
    rows = _mapped(path)
    names = [str(row) for row in range(len(rows))] if ids is None else _lines(ids)
    if len(names) != len(rows):
        raise IsthmusError(f"{ids}: {len(names)} ids for {len(rows)} rows of {path}: give one id a line, one a row")
    starts = range(0, len(rows), BLOCK_ROWS)
    blocks = ((np.asarray(rows[i : i + BLOCK_ROWS]), names[i : i + BLOCK_ROWS]) for i in starts)
    return Found(rows.shape[1], blocks)


def _mapped(path: Path) -> np.ndarray:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise IsthmusError(f"{path}: cut short or not an .npy file ({error}): write or copy it again") from error
    if rows.ndim != 2 or rows.dtype.kind != "f" or len(rows) == 0:
        raise IsthmusError(f"{path}: holds {rows.dtype} of shape {rows.shape}: save float rows, one vector each")
    return rows


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise IsthmusError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}): save it so") from error


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
        raise IsthmusError(f"{files[0]}: has no rows: embed some")
    return Found(first[0].shape[1], _chained(first, blocks))


def _parquet_blocks(files: list[Path], vectors_column: str, id_column: str) -> Iterator[Block]:
    import pyarrow.parquet

    for file in files:
        start = 0
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(BLOCK_ROWS, columns=[vectors_column, id_column]):
            rows = _rows_of_lists(batch.column(vectors_column), f"{file}: column {vectors_column!r}", start)
            ids = batch.column(id_column)
            if ids.null_count:
                raise IsthmusError(f"{file}: column {id_column!r} has rows without an id: fill them")
            yield rows, [str(value) for value in ids.to_pylist()]
            start += len(rows)


def _rows_of_lists(column: Any, where: str, start: int) -> np.ndarray:
    """A column of lists of numbers as rows; ``start`` is its first row's number in the file."""
    import pyarrow
    import pyarrow.compute

    kinds = (pyarrow.types.is_list, pyarrow.types.is_large_list, pyarrow.types.is_fixed_size_list)
    if not any(kind(column.type) for kind in kinds) or not pyarrow.types.is_floating(column.type.value_type):
        raise IsthmusError(f"{where} holds {column.type}: name one that holds lists of floats, with --vectors-column")
    lengths = np.array(
        [-1 if entry is None else entry for entry in pyarrow.compute.list_value_length(column).to_pylist()]
    )
    expected = np.bincount(np.maximum(lengths, 0)).argmax()
    bad = np.flatnonzero(lengths != expected)
    if len(bad) or expected == 0:
        row = start + (int(bad[0]) if len(bad) else 0)
        raise IsthmusError(f"{where}: row {row} has no vector or one of another length: drop it or embed it again")
    return np.asarray(column.flatten()).reshape(len(column), -1)


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
