"""Texts: the lines of a file, or a column of a jsonl, csv or Parquet file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isthmus.errors import IsthmusError

SUFFIXES = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
TEXT_COLUMNS = ("text", "caption", "sentence", "prompt", "label")
ID_COLUMNS = ("id", "key", "uid")
Record = Mapping[str, Any]


def read_texts(path: Path, column: str | None = None, id_column: str | None = None) -> Iterator[tuple[str, str]]:
    """Id and text of every entry, blank ones left out; where there is no id column, ids are row numbers from 0.

    Raises `IsthmusError` where a column is missing, an entry is not JSON, or the file is not UTF-8, naming the row.
    """
    if path.suffix == ".txt":
        yield from ((str(row), line) for row, line in enumerate(_lines(path)) if line.strip())
        return
    for row, record in enumerate(_records(path)):
        text = record.get(_named(path, record, column, TEXT_COLUMNS, "--column") or "")
        if text is None or not str(text).strip():
            continue
        own_id = _named(path, record, id_column, ID_COLUMNS, "--id-column", optional=True)
        yield (str(row) if own_id is None else str(record[own_id])), str(text)


def columns_of(path: Path) -> list[str]:
    """The columns of a table's first entry; none of a file of lines."""
    if path.suffix == ".txt":
        return []
    return list(next(iter(_records(path)), {}))


def _records(path: Path) -> Iterator[Record]:
    return {".jsonl": _jsonl, ".parquet": _parquet}.get(path.suffix, _csv)(path)


def _named(
    path: Path, record: Record, given: str | None, usual: tuple[str, ...], option: str, optional: bool = False
) -> str | None:
    if given is not None and given not in record:
        raise IsthmusError(f"{path}: no column {given!r} (it has {', '.join(record)}): name one with {option}")
    found = given or next((name for name in usual if name in record), None)
    if found is None and not optional:
        raise IsthmusError(f"{path}: none of {', '.join(usual)} is a column of it: name one with {option}")
    return found


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield line.rstrip("\n")
    except UnicodeDecodeError as error:
        raise IsthmusError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}): save it so") from error


def _jsonl(path: Path) -> Iterator[Record]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise IsthmusError(f"{path}: line {number} is not JSON ({error}): mend or drop it") from error
        yield record if isinstance(record, dict) else {"text": record}


def _csv(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise IsthmusError(f"{path}: not readable as Parquet ({error})".replace("\n", " ")) from error
    for batch in file.iter_batches():
        yield from batch.to_pylist()
