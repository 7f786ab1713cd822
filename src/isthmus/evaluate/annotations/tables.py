"""Rows of annotation tables, read as they are: separators, headers and lines without fields are the caller's matter."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from isthmus.base.errors import IsthmusError, reading
from isthmus.evaluate.annotations.account import Account

DOWNLOAD_AGAIN = "download it again"


def rows_of(path: Path, fields: int, account: Account, *, separator: str = ",") -> Iterator[tuple[str, list[str]]]:
    """The rows of a file that have this many fields, with where each is; others are counted as malformed.

    Args:
        path: A text file of one row per line; quotes only where the separator is a comma.
        fields: How many fields a row has.
        account: Counts rows.
        separator: What separates them.

    Yields:
        File and line, and the fields without outer spaces.

    Raises:
        IsthmusError: The file is missing or is not UTF-8 text.
    """
    with reading(path, DOWNLOAD_AGAIN), path.open(encoding="utf-8-sig", newline="") as file:
        quoted = separator == ","
        reader = csv.reader(
            file,
            delimiter=separator,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            skipinitialspace=quoted,
        )
        every = [(reader.line_num, row) for row in reader]
    for line, row in every:
        where = f"{path.name}: line {line}"
        if not any(field.strip() for field in row) or row[0].startswith("# "):
            continue
        account.rows += 1
        if len(row) != fields:
            account.leave_out(f"{len(row)} fields where {fields} belong", where)
            continue
        yield where, [field.strip() for field in row]


def named_rows(
    path: Path, columns: Sequence[str], account: Account, *, separator: str = ","
) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows below a header, by column.

    Raises `IsthmusError` if the header lacks one of ``columns``; other columns are read too.
    """
    with reading(path, DOWNLOAD_AGAIN), path.open(encoding="utf-8-sig") as file:
        header = next(csv.reader(file, delimiter=separator), [])
    header = [name.strip() for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        raise IsthmusError(f"{path}: has no column {missing[0]!r} (it has {', '.join(header)}): {DOWNLOAD_AGAIN}")
    found = rows_of(path, len(header), account, separator=separator)
    next(found)
    account.rows -= 1  # the header is not a row
    for where, row in found:
        yield where, dict(zip(header, row, strict=True))


def lines_of(path: Path) -> list[str]:
    """The lines of a list that are not empty, without outer spaces."""
    with reading(path, DOWNLOAD_AGAIN):
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
