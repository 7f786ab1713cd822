"""Lists and tables: the lines of a ``.txt``, or the cells of a column of a jsonl, csv, tsv or Parquet file."""

from __future__ import annotations

import csv
import json
import math
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import parse_json
from isthmus.media.listing.left_out import ID_COLUMNS, LeftOut

SUFFIXES = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
TEXT_COLUMNS = ("text", "caption", "sentence", "prompt", "label")
LONGEST_FIELD = 2**24
WRITE_AGAIN = "write it again as Parquet"
DOWNLOADED = "success"
DOWNLOAD_COLUMNS = ("status", "url", "key")
"""A table that has these columns was written by img2dataset; its failed downloads have captions, but no media."""
FAILED_DOWNLOADS = "failed downloads"
Record = Mapping[str, Any]
_CSV_LIMIT = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """One entry of a list or table: its number from 1, its id if there is a column of ids, and its content."""

    row: int
    id: str | None
    content: str


def suffix_of(path: Path) -> str:
    """The suffix that says what kind of list or table a file is."""
    return path.suffix.lower()


def read_entries(
    path: Path,
    column: str | None = None,
    id_column: str | None = None,
    *,
    usual: Sequence[str] = TEXT_COLUMNS,
    left_out: LeftOut | None = None,
) -> Iterator[Entry]:
    """The entries of a list or table that are not empty; empty ones and failed downloads are counted.

    Args:
        path: A ``.txt``, ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file.
        column: The column of the content, by default the first of ``usual`` that an entry has.
        id_column: The column of ids, by default none: an entry is its own id.
        usual: See ``column``.
        left_out: Counts what is left out, and notes where the ids come from.

    Raises:
        IsthmusError: A column or an id is missing, a cell is not a text, an entry cannot be parsed, or the file is not
            UTF-8. The message names the row or line.
    """
    left_out = LeftOut() if left_out is None else left_out
    if suffix_of(path) == ".txt":
        lines = enumerate(_lines(path), start=1)
        yield from (Entry(row, None, line) for row, line in lines if line.strip())
        return
    wanted = {*((column,) if column else usual), *((id_column,) if id_column else ID_COLUMNS), *DOWNLOAD_COLUMNS}
    for row, record in _records(path, wanted):
        if is_failed_download(record, record):
            left_out.others[FAILED_DOWNLOADS] += 1
            continue
        chosen = column if column in record else next((name for name in usual if name in record), None)
        if chosen is None or (column is not None and chosen != column):
            raise _no_column(path, row, (column,) if column else usual, "--column", record)
        content = text_of(record[chosen], f"{path}: entry {row}: {chosen!r}")
        if not (content or "").strip():
            left_out.empty += 1
            continue
        if not left_out.ids:
            left_out.note_ids(id_column, "the texts" if usual is TEXT_COLUMNS else "the paths", record)
        yield Entry(row, _id_of(path, row, record, id_column), str(content))


def _id_of(path: Path, row: int, record: Record, column: str | None) -> str | None:
    if column is None:
        return None
    if column not in record:
        raise _no_column(path, row, (column,), "--id-column", record)
    return id_of(record[column], column, f"{path}: entry {row}")


def lists_downloads(columns: Container[str]) -> bool:
    """Whether a table with these columns was written by img2dataset."""
    return all(name in columns for name in DOWNLOAD_COLUMNS)


def is_failed_download(record: Record, columns: Container[str]) -> bool:
    """Whether a row of a table with these columns is a download that failed."""
    return lists_downloads(columns) and record["status"] != DOWNLOADED


def id_of(cell: Any, column: str, place: str) -> str:
    """The id in a cell of ``column``. Raises `IsthmusError`, beginning with ``place``, if it is empty or a float.

    Sets made from arrays refuse float ids, too: 3.0 here may be 3 in another table.
    """
    found = text_of(cell, f"{place}: {column!r}")
    if not found:
        raise IsthmusError(f"{place} has no {column!r}: add it, or choose another column with --id-column")
    if isinstance(cell, float | Decimal):
        raise IsthmusError(
            f"{place}: {column!r} is {found}, a {type(cell).__name__}: write integers or texts (pandas makes integers "
            "floats where one is missing; .astype('Int64') keeps them)"
        )
    return found


def _no_column(path: Path, row: int, asked: Sequence[str], option: str, record: Record) -> IsthmusError:
    has = columns_of(path) if suffix_of(path) == ".parquet" else list(record)
    named = f"no {asked[0]!r}" if len(asked) == 1 else f"none of {', '.join(asked)}"
    return IsthmusError(
        f"{path}: entry {row} has {named} (it has {', '.join(map(str, has))}): choose a column with {option}"
    )


def text_of(cell: Any, place: str) -> str | None:
    """A cell as text; None if it is empty or NaN. Bytes are UTF-8, numbers are written out.

    Raises `IsthmusError`, beginning with ``place``, for anything else: a list of texts is not one text.
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError as error:
            raise IsthmusError(f"{place} is bytes that are not UTF-8 text: choose another column") from error
    if isinstance(cell, int | float | Decimal | UUID) and not isinstance(cell, bool):
        return str(cell)
    raise IsthmusError(
        f"{place} is a {type(cell).__name__}, not one text: write one entry per text, or choose another column"
    )


def columns_of(path: Path) -> list[str]:
    """The columns of a table, or of its first entry if it is jsonl; a list has none."""
    kind = suffix_of(path)
    if kind == ".txt":
        return []
    if kind == ".parquet":
        return list(parquet_schema(path).names)
    return list(next(_records(path, None), (0, {}))[1])


def parquet_schema(path: Path) -> Any:
    """The schema of a Parquet file. Raises `IsthmusError` if it cannot be read."""
    import pyarrow.parquet

    with reading(path, WRITE_AGAIN):
        return pyarrow.parquet.read_schema(path)


def _records(path: Path, wanted: set[str] | None) -> Iterator[tuple[int, Record]]:
    """Each entry with its number from 1; of a Parquet file only the wanted columns."""
    kind = suffix_of(path)
    found = _jsonl(path) if kind == ".jsonl" else _parquet(path, wanted) if kind == ".parquet" else _csv(path)
    return enumerate(found, start=1)


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
    except OSError as error:
        raise IsthmusError(f"{path}: cannot be read ({error.strerror}): give another place") from error


def _jsonl(path: Path) -> Iterator[Record]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = parse_json(line, finite=False)
        except (ValueError, RecursionError) as error:
            raise IsthmusError(f"{path}: line {number} is not JSON ({error}): correct or delete it") from error
        yield record if isinstance(record, dict) else {"text": record}


def _csv(path: Path) -> Iterator[Record]:
    """The rows below the header. A csv may quote its fields; a tsv has no quotes."""
    tabs = suffix_of(path) == ".tsv"
    with _utf8(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(file, strict=True)
        header: list[str] | None = None
        while True:
            begins = reader.line_num + 1
            try:
                fields = _fields(reader)
            except csv.Error as error:
                raise IsthmusError(
                    f"{path}: the entry that begins on line {begins} is not CSV ({error}): close its quotes"
                ) from error
            if fields is None:
                return
            if not fields:
                continue
            if header is None:
                header = _header(path, fields, tabs=tabs)
                continue
            if any(fields[len(header) :]):
                rule = "a text cannot contain a tab" if tabs else "quote a text that contains a comma"
                raise IsthmusError(
                    f"{path}: line {begins} has {len(fields)} fields, the header has {len(header)}: {rule}"
                )
            yield dict(zip(header, fields + [""] * (len(header) - len(fields)), strict=False))


def _fields(reader: Iterator[list[str]]) -> list[str] | None:
    """The next row. The limit on fields belongs to the csv module, so it is put back."""
    with _CSV_LIMIT:
        before = csv.field_size_limit(LONGEST_FIELD)
        try:
            return next(reader, None)
        finally:
            csv.field_size_limit(before)


def _header(path: Path, names: list[str], *, tabs: bool) -> list[str]:
    other = next((sign for sign in ";\t" if sign in names[0]), None)
    if len(names) == 1 and other is not None and not tabs:
        remedy = "convert it to commas" if other == ";" else "name it .tsv, or convert it to commas"
        raise IsthmusError(f"{path}: the separator is {other!r}, not a comma (the header is {names[0]!r}): {remedy}")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise IsthmusError(f"{path}: the header has {twice!r} twice: rename or delete one of these columns")
    return names


def _parquet(path: Path, wanted: set[str] | None) -> Iterator[Record]:
    import pyarrow.parquet

    with reading(path, WRITE_AGAIN), pyarrow.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if wanted is None or name in wanted]
        classes = _classes(file.schema_arrow.metadata)
        if not names and file.metadata.num_rows:
            yield {}
        for batch in file.iter_batches(columns=names):
            for record in batch.to_pylist():
                yield {name: named_class(cell, classes.get(name)) for name, cell in record.items()}


def _classes(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names of the classes that tables of the Hugging Face hub store as numbers, by column."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: own["names"] for name, own in features.items() if own.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}


def named_class(cell: Any, names: Sequence[str] | None) -> Any:
    """The name of a class that is stored as a number, None if there is no such class; other cells as they are."""
    if names is None or not isinstance(cell, int):
        return cell
    return names[cell] if 0 <= cell < len(names) else None
