"""Conversion of vectors you already have to an embedding set: NumPy, Parquet, or a folder by clip-retrieval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.hashing import fingerprint_of, sha256_of
from isthmus.base.paths import user_path
from isthmus.embeddings.checks import as_ids, check_rows, row_numbers
from isthmus.embeddings.clip_retrieval import ID_COLUMNS
from isthmus.embeddings.embeddings import embeddings_on_disk
from isthmus.embeddings.folder import shards_beside_a_set, stored_modalities
from isthmus.embeddings.shards import map_array
from isthmus.embeddings.writer import SHARD_ROWS, EmbeddingWriter

BLOCK_ROWS = 50_000
Block = tuple[np.ndarray, list[str]]


@dataclass(frozen=True)
class RowBlocks:
    """The rows of a source: their dimension, blocks of rows with ids, the files they are read from.

    ``numbered`` says that the ids are only row numbers.
    """

    dim: int
    blocks: Iterator[Block]
    files: Sequence[Path]
    numbered: bool = False


def convert(
    source: str | Path,
    out: str | Path,
    *,
    modality: str,
    space: str,
    vectors_column: str = "embedding",
    id_column: str | None = None,
    ids: str | Path | None = None,
    row_ids: bool = False,
    dtype: str = "float16",
    revision: str = "",
    shard_rows: int = SHARD_ROWS,
) -> Path:
    """Convert vectors you already have to one modality of an embedding set.

    Rows are streamed. If a conversion is killed, run it again: it continues after the last complete shard. A source
    that has changed since is refused: every byte of it is hashed first. ``out`` may be the source itself, a folder by
    clip-retrieval: the set is written next to its files, which stay.

    Args:
        source: An .npy file (n, dim), a Parquet file, a folder of Parquet files, or a folder by clip-retrieval.
        out: Folder of the set.
        modality: What the vectors represent: text, image, audio, video, points or a name of your own.
        space: Name of the model that produced the vectors.
        vectors_column: Parquet column that holds the vectors.
        id_column: Parquet or metadata column that holds the ids; by default ``id``, or as `open_set` says for a folder
            by clip-retrieval.
        ids: Text file with one id per line, for .npy input. Without it rows have no ids and are `numbered`.
        row_ids: Take row numbers for ids, because row i of this source is the same item as row i of others.
        dtype: Precision on disk, float16 or float32.
        revision: Revision of the model.
        shard_rows: Rows per shard.

    Returns:
        The folder ``out``.

    Raises:
        IsthmusError: The source cannot be read, or ``out`` has rows of this modality from another source.

    Example:
        >>> import tempfile
        >>> from isthmus import Embeddings, convert
        >>> folder = Path(tempfile.mkdtemp())
        >>> np.save(folder / "images.npy", np.eye(3, dtype=np.float32))
        >>> Embeddings.open(convert(folder / "images.npy", folder / "set", modality="image", space="clip"))
        Embeddings(3 image rows, 3-d, space 'clip')
    """
    path, out, lines = user_path(source), user_path(out), None if ids is None else user_path(ids)
    for file in (path, lines):
        if file is not None and not file.exists():
            raise IsthmusError(f"{file}: not found: check the path")
    if row_ids and (ids is not None or id_column is not None):
        raise IsthmusError("--row-ids takes row numbers for ids: leave --ids and --id-column out")
    if ids is not None and path.suffix != ".npy":
        raise IsthmusError(f"--ids only works with .npy input: {path} has its own ids")
    in_place = path.is_dir() and out.resolve() == path.resolve()
    rows = _rows_of(path, modality, vectors_column, "" if row_ids else id_column, lines, in_place)
    origin = "" if id_column is None else f", ids of {id_column!r}"
    files = [*rows.files, *([] if lines is None else [lines])]
    before = [_stamp(file) for file in files]
    with EmbeddingWriter(
        out,
        modality=modality,
        space=space,
        dim=rows.dim,
        dtype=dtype,
        shard_rows=shard_rows,
        revision=revision,
        preprocessing=f"converted from {fingerprint(files, vectors_column)}{', row ids' if row_ids else origin}",
        numbered=rows.numbered and not row_ids,
        job="isthmus convert",
        beside=in_place,
    ) as writer:
        done = writer.rows_done
        for vectors, names in rows.blocks:
            skipped = min(done, len(names))
            done -= skipped
            if skipped < len(names):
                writer.append(vectors[skipped:], names[skipped:])
        changed = next((file for file, stamp in zip(files, before, strict=True) if _stamp(file) != stamp), None)
        if changed is not None:
            raise IsthmusError(f"{changed}: has changed while it was being converted: convert it to another folder")
    return out


def fingerprint(files: Sequence[Path], *options: str) -> str:
    """Sixteen hexadecimal digits of a hash over names and contents of a source's files, and how they are read."""
    return fingerprint_of(*options, *(text for file in files for text in (file.name, sha256_of(file))))


def _stamp(file: Path) -> tuple[int, int, int]:
    facts = file.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _rows_of(
    path: Path, modality: str, vectors_column: str, id_column: str | None, ids: Path | None, in_place: bool
) -> RowBlocks:
    """The rows of a source; ``id_column`` is None for the usual ones and "" for row numbers."""
    if path.suffix == ".npy":
        return _from_numpy(path, ids)
    files = [path] if path.suffix == ".parquet" else sorted(path.glob("*.parquet")) if path.is_dir() else []
    if files:
        return _from_parquet(files, vectors_column, "id" if id_column is None else id_column)
    if path.is_dir():
        return _from_folder(path, modality, id_column, in_place)
    raise IsthmusError(f"{path}: cannot convert it: pass an .npy file, Parquet, or a folder by clip-retrieval")


def _from_numpy(path: Path, ids: Path | None) -> RowBlocks:
    rows = map_array(path)
    if rows.ndim != 2 or rows.dtype.kind != "f" or len(rows) == 0:
        raise IsthmusError(f"{path}: {rows.dtype} of shape {rows.shape}, expected float rows, one vector each")
    names = row_numbers(len(rows)) if ids is None else _lines(ids)
    if len(names) != len(rows):
        raise IsthmusError(f"{ids}: {len(names)} ids for the {len(rows)} rows of {path}: write one id per line")
    starts = range(0, len(rows), BLOCK_ROWS)
    blocks = ((np.asarray(rows[i : i + BLOCK_ROWS]), names[i : i + BLOCK_ROWS]) for i in starts)
    return RowBlocks(rows.shape[1], blocks, [path], numbered=ids is None)


def _lines(path: Path) -> list[str]:
    with reading(path, "give a text file in UTF-8 with one id per line"):
        return path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")


def _from_parquet(files: list[Path], vectors_column: str, id_column: str) -> RowBlocks:
    import pyarrow.parquet

    with reading(files[0], "give another file"):
        names = pyarrow.parquet.read_schema(files[0]).names
    if vectors_column not in names:
        listed = ", ".join(names)
        raise IsthmusError(
            f"{files[0]}: no column {vectors_column!r} (it has {listed}): choose one with --vectors-column"
        )
    if id_column and id_column not in names:
        known = [name for name in ID_COLUMNS if name in names]
        hint = f"try --id-column {known[0]}" if known else "choose one with --id-column, or number them with --row-ids"
        raise IsthmusError(f"{files[0]}: no column {id_column!r} (it has {', '.join(names)}): {hint}")
    blocks = _parquet_blocks(files, vectors_column, id_column)
    first = next(blocks, None)
    if first is None:
        raise IsthmusError(f"{files[0]}: has no rows: pass a file with vectors")
    return RowBlocks(first[0].shape[1], chain([first], blocks), files, numbered=not id_column)


def _parquet_blocks(files: list[Path], vectors_column: str, id_column: str) -> Iterator[Block]:
    import pyarrow.parquet

    before = 0
    for file in files:
        with reading(file, "give another file"):
            start = 0
            where = f"{file}: column {vectors_column!r}"
            columns = [vectors_column, id_column] if id_column else [vectors_column]
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(BLOCK_ROWS, columns=columns):
                rows = _rows_of_lists(batch.column(vectors_column), where, start)
                numbers = range(start, start + len(rows))
                check_rows(rows, where, numbers)
                if id_column:
                    yield rows, as_ids(batch.column(id_column).to_pylist(), f"{file}: column {id_column!r}", start)
                else:
                    yield rows, [str(before + row) for row in numbers]
                start += len(rows)
        before += start


def _rows_of_lists(column: Any, where: str, start: int) -> np.ndarray:
    """A column of lists of numbers as rows; ``start`` is the number of its first row in the file."""
    import pyarrow
    import pyarrow.compute

    kinds = (pyarrow.types.is_list, pyarrow.types.is_large_list, pyarrow.types.is_fixed_size_list)
    if not any(kind(column.type) for kind in kinds) or not pyarrow.types.is_floating(column.type.value_type):
        raise IsthmusError(f"{where} has type {column.type}: choose one with lists of floats, with --vectors-column")
    lengths = pyarrow.compute.fill_null(pyarrow.compute.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    expected = np.bincount(np.maximum(lengths, 0)).argmax()
    bad = np.flatnonzero(lengths != expected)
    if len(bad) or expected == 0:
        row = start + (int(bad[0]) if len(bad) else 0)
        raise IsthmusError(f"{where}: row {row} has no vector or one of another length: remove it or embed it again")
    return np.asarray(column.flatten()).reshape(len(column), -1)


def _from_folder(folder: Path, modality: str, id_column: str | None, in_place: bool) -> RowBlocks:
    """Rows of a folder by clip-retrieval, where there may also be a set, or of a set."""
    found = {} if in_place else stored_modalities(folder, None, id_column)
    if modality not in found:
        found = {**found, **shards_beside_a_set(folder, id_column)}
    if modality not in found:
        raise IsthmusError(f"{folder}: no {modality!r} vectors to convert: choose one of {', '.join(found)}")
    own = embeddings_on_disk(folder, found[modality])
    ids = row_numbers(len(own)) if id_column == "" else own.ids
    starts = range(0, len(own), BLOCK_ROWS)
    blocks = ((rows, ids[i : i + BLOCK_ROWS]) for i, rows in zip(starts, own.batches(BLOCK_ROWS), strict=True))
    return RowBlocks(own.dim, blocks, found[modality].files, numbered=own.numbered)
