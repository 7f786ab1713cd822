"""Folders written by clip-retrieval: numbered shards of each modality, one metadata folder for all, no manifest."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError, reading
from isthmus.embeddings.checks import as_ids, row_numbers
from isthmus.embeddings.layout import modality_named
from isthmus.embeddings.shards import ShardFile, StoredRows, map_rows

LOG = logging.getLogger(__name__)
KEYS = ("id", "key", "image_path", "url")
CAPTION = "caption"
ID_COLUMNS = (*KEYS, CAPTION)
"""Columns that can serve as ids; the first one present is used, but a text is its own id."""


def clip_retrieval_rows(
    folder: Path, space: str | None, id_column: str | None = None, ours: Collection[Path] = ()
) -> dict[str, StoredRows]:
    """Every modality by name; empty if the folder has none. ``ours`` are files of a set in the same folder, left out.

    Warns if the numbers of the shards have a gap. Raises `IsthmusError` if the metadata of a shard is missing, a column
    is not in all of it, or shards differ in their dimension.
    """
    shards = {own.name: found for own in sorted(folder.glob("*_emb")) if (found := _numbered(own, "*.npy", ours))}
    metadata = _numbered(folder / "metadata", "*.parquet")
    for name, files in shards.items():
        written = folder / f"{name.removesuffix('_emb')}_metadata"
        if written.is_dir() and not ours:
            raise IsthmusError(
                f"{folder}: its manifest.json is missing ({written.name} shows that it had one): copy it"
            )
        _require_metadata(folder, files, metadata)
    last = max([-1, *metadata, *(number for files in shards.values() for number in files)])
    columns = {number: _columns(file) for number, file in metadata.items()}
    opened = {}
    for name, files in shards.items():
        _warn_of_gaps(folder / name, files, last)
        modality = modality_named(name)
        column = _id_column(metadata, columns, list(files), modality, id_column)
        bare = [_shard(files[number], metadata.get(number), column) for number in sorted(files)]
        dim = _one_dimension(folder / name, bare)
        ids = row_numbers(sum(shard.rows for shard in bare)) if column is None else None
        stored = StoredRows(modality, space or folder.resolve().name, dim, bare, ids, numbered=column is None)
        opened[modality] = _without_repeats(stored, folder) if (modality, column) == ("text", CAPTION) else stored
    if opened:
        LOG.info("%s: %s", folder, _described(opened, named=space is not None))
    return opened


def _described(opened: Mapping[str, StoredRows], named: bool) -> str:
    space = next(iter(opened.values())).space
    columns = {
        name: "none, rows are only numbered" if rows.numbered else rows.shards[0].id_column
        for name, rows in opened.items()
    }
    ids = ", ".join(f"{name} {column}" for name, column in columns.items())
    return f"space {space!r}{'' if named else ' (the name of the folder; --space names another)'}; ids: {ids}"


def _numbered(folder: Path, pattern: str, ours: Collection[Path] = ()) -> dict[int, Path]:
    """The shards of a folder by their numbers; other files are left out with a warning."""
    found: dict[int, Path] = {}
    for file in sorted(set(folder.glob(pattern)).difference(ours)):
        number = file.stem.rpartition("_")[2]
        if not (number.isascii() and number.isdigit()):
            warnings.warn(f"{file}: left out, its name does not end in the number of a shard", stacklevel=5)
        elif int(number) in found:
            raise IsthmusError(f"{file}: has the same number as {found[int(number)].name}: keep one of them")
        else:
            found[int(number)] = file
    return found


def _require_metadata(folder: Path, files: Mapping[int, Path], metadata: Mapping[int, Path]) -> None:
    """Metadata of every shard, or of none."""
    missing = next((number for number in sorted(files) if number not in metadata), None)
    if metadata and missing is not None:
        digits = files[missing].stem.rpartition("_")[2]
        raise IsthmusError(
            f"{folder / 'metadata' / f'metadata_{digits}.parquet'}: not found, so the ids of {files[missing].name} are "
            "unknown: copy it again"
        )


def _warn_of_gaps(folder: Path, files: Mapping[int, Path], last: int) -> None:
    missing = [number for number in range(last + 1) if number not in files]
    if missing:
        some = ", ".join(map(str, missing[:5])) + (" …" if len(missing) > 5 else "")
        warnings.warn(
            f"{folder}: has no shard {some} of 0 to {last}: its rows are missing: copy it again, unless intended",
            stacklevel=5,
        )


def _columns(metadata: Path) -> list[str]:
    import pyarrow.parquet

    with reading(metadata, "copy it again"):
        return list(pyarrow.parquet.read_schema(metadata).names)


def _id_column(
    metadata: Mapping[int, Path],
    columns: Mapping[int, Sequence[str]],
    numbers: Sequence[int],
    modality: str,
    asked: str | None,
) -> str | None:
    """The column of ids: the one asked for, the caption of a text, or the first of `KEYS`; all metadata must have it.

    None if there is none, or the one asked for is "".
    """
    own = [number for number in sorted(numbers) if number in columns]
    first = columns[own[0]] if own else []
    if asked and not own:
        raise IsthmusError(f"there is no metadata with a column {asked!r} of ids: leave --id-column out")
    if asked == "":
        return None
    usual = (CAPTION, *KEYS) if modality == "text" else ID_COLUMNS
    chosen = asked or next((name for name in usual if name in first), None)
    lacking = next((number for number in own if chosen is not None and chosen not in columns[number]), None)
    if lacking is not None:
        listed = ", ".join(columns[lacking])
        raise IsthmusError(
            f"{metadata[lacking]}: no column {chosen!r} (it has {listed}): choose one that all have with --id-column"
        )
    return chosen


def _shard(file: Path, metadata: Path | None, column: str | None) -> ShardFile:
    rows = map_rows(file)
    about = {"rows": len(rows), "dim": rows.shape[1]}
    return ShardFile(file, metadata if column else None, **about, dtype=str(rows.dtype), id_column=column or "id")


def _one_dimension(folder: Path, shards: Sequence[ShardFile]) -> int:
    dims = {shard.dim for shard in shards}
    if len(dims) > 1:
        raise IsthmusError(
            f"{folder}: shards have {' and '.join(map(str, sorted(dims)))} dimensions, so they come from different "
            "models: keep those of one"
        )
    return dims.pop()


def _without_repeats(stored: StoredRows, folder: Path) -> StoredRows:
    """Texts with their captions as ids, without repeated and blank ones; a warning says how many those are."""
    captions: list[str] = []
    for shard in stored.shards:
        texts = ["" if text is None else text for text in shard.column()]
        captions += as_ids(texts, str(shard.metadata), blanks=True)
    first: dict[str, int] = {}
    for row, text in enumerate(captions):
        if text.strip():
            first.setdefault(text, row)
    left_out = len(captions) - len(first)
    if left_out:
        warnings.warn(
            f"{folder}: {left_out} of {len(captions)} texts repeat an earlier caption or are blank, and are left out "
            "(isthmus convert --id-column or --row-ids keeps them)",
            stacklevel=5,
        )
    taken = np.fromiter(first.values(), np.int64, len(first))
    return replace(stored, ids=captions, taken=taken)
