"""Texts from lists and tables: the lines of a ``.txt``, or a column of a jsonl, csv or Parquet file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of

SUFFIXES = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
TEXT_COLUMNS = ("text", "caption", "sentence", "prompt", "label")
ID_COLUMNS = ("id", "key", "uid")
LONGEST_FIELD = 2**24
Record = Mapping[str, Any]


def read_texts(path: Path, column: str | None = None, id_column: str | None = None) -> Iterator[tuple[str, str]]:
    """The id and text of every entry that is not blank. Without an id column each text is its own id.

    Raises `IsthmusError`, naming the row, if a column or an id is missing, an entry is not JSON, or the file is not
    UTF-8.
    """
    if path.suffix == ".txt":
        yield from ((line, line) for line in _lines(path) if line.strip())
        return
    for row, record in enumerate(_records(path), start=1):
        text = record.get(_named(path, row, record, column, TEXT_COLUMNS, "--column") or "")
        if not str(text or "").strip():
            continue
        own_id = _named(path, row, record, id_column, ID_COLUMNS, "--id-column", optional=True)
        if own_id is not None and record[own_id] is None:
            raise IsthmusError(
                f"{path}: entry {row} has no {own_id!r}: add it, or choose another column with --id-column"
            )
        yield (str(text) if own_id is None else str(record[own_id])), str(text)


def columns_of(path: Path) -> list[str]:
    """The columns of a table's first entry; a list has none."""
    if path.suffix == ".txt":
        return []
    return list(next(iter(_records(path)), {}))


def _records(path: Path) -> Iterator[Record]:
    return {".jsonl": _jsonl, ".parquet": _parquet}.get(path.suffix, _csv)(path)


def _named(
    path: Path,
    row: int,
    record: Record,
    given: str | None,
    usual: tuple[str, ...],
    option: str,
    optional: bool = False,
) -> str | None:
    if given is not None and given not in record:
        listed = ", ".join(map(str, record))
        raise IsthmusError(f"{path}: entry {row} has no {given!r} (it has {listed}): choose a column with {option}")
    found = given or next((name for name in usual if name in record), None)
    if found is None and not optional:
        raise IsthmusError(f"{path}: entry {row} has none of {', '.join(usual)}: choose a column with {option}")
    return found


def _lines(path: Path) -> Iterator[str]:
    with _utf8(path), path.open(encoding="utf-8-sig") as file:
        for line in file:
            yield line.rstrip("\n")


@contextmanager
def _utf8(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise IsthmusError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from error


def _jsonl(path: Path) -> Iterator[Record]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise IsthmusError(f"{path}: line {number} is not JSON ({error}): correct or delete it") from error
        yield record if isinstance(record, dict) else {"text": record}


def _csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_FIELD)
    with _utf8(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", restkey="")
        try:
            yield from reader
        except csv.Error as error:
            raise IsthmusError(f"{path}: line {reader.line_num} is not CSV ({error}): correct or delete it") from error


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise IsthmusError(f"{path}: cannot be read as Parquet ({reason_of(error)}): write it again") from error
