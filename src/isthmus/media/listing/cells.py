"""Media inside a Parquet file: a column of bytes, or of structs of bytes and path, as on the Hugging Face hub."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, named_item, stamp_of
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.left_out import ID_COLUMNS
from isthmus.media.listing.request import Request
from isthmus.media.listing.tables import (
    DOWNLOAD_COLUMNS,
    DOWNLOADED,
    id_of,
    parquet_errors,
    parquet_schema,
    suffix_of,
)
from isthmus.media.own_folder import OwnFolder
from isthmus.media.source import UnreadableError, regular_file


@dataclass(frozen=True)
class ParquetCell:
    """The cell of a row, which is in a group of rows that is read at once; ``stamp`` changes when the file does."""

    table: Path
    column: str
    row: int
    group: int
    place: int
    stamp: str
    allow_outside: bool = False

    @property
    def name(self) -> str:
        """The file, the row and the column."""
        return f"{self.table}[{self.row}].{self.column}"

    def open(self) -> BufferedIOBase:
        """The bytes of the cell, or of the file whose path it has. Raises `UnreadableError` for an empty cell."""
        cell = _group(self.table, self.column, self.group, self.stamp)[self.place].as_py()
        content = cell["bytes"] if isinstance(cell, dict) else cell
        if content is not None:
            return io.BytesIO(content)
        if not isinstance(cell, dict) or not cell["path"]:
            raise UnreadableError(f"{self.name}: the cell is empty")
        own = OwnFolder(self.table.parent, allow_outside=self.allow_outside)
        return regular_file(own.file(cell["path"], self.name))


@lru_cache(maxsize=2)
def _group(table: Path, column: str, group: int, stamp: str) -> Any:
    import pyarrow.parquet

    with parquet_errors(table), pyarrow.parquet.ParquetFile(table) as file:
        return file.read_row_group(group, columns=[column]).column(column)


def media_column(table: Path, request: Request) -> str | None:
    """The column of a Parquet file that holds media themselves: the one asked for, or the first of a usual name.

    None if there is none, so that the table can only have texts or paths.
    """
    import pyarrow

    if suffix_of(table) != ".parquet":
        return None
    schema = parquet_schema(table)

    def holds_media(name: str) -> bool:
        kind = schema.field(name).type
        if pyarrow.types.is_struct(kind):
            return {"bytes", "path"} <= {kind.field(number).name for number in range(kind.num_fields)}
        return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    names = (request.column,) if request.column else request.media_columns
    return next((name for name in names if name in schema.names and holds_media(name)), None)


def list_cells(table: Path, column: str, request: Request, *, prefix: str, ids: Ids) -> Iterator[Item]:
    """The cells of a column, unread. Without a column of ids, an id is the file's name and the number of the row."""
    import pyarrow.parquet

    stamp = stamp_of(table)
    names = parquet_schema(table).names
    if request.id_column is not None and request.id_column not in names:
        raise IsthmusError(f"{table}: no column {request.id_column!r} (it has {', '.join(names)}): choose one of these")
    id_column = request.id_column or next((name for name in ID_COLUMNS if name in names), None)
    if not request.left_out.ids:
        request.left_out.note_ids(id_column, "file and row", names)
    status = "status" if all(name in names for name in DOWNLOAD_COLUMNS) else None
    light = [name for name in (id_column, status) if name is not None]
    with parquet_errors(table), pyarrow.parquet.ParquetFile(table) as file:
        row = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            facts = file.read_row_group(group, columns=light).to_pylist() if light else [{}] * rows
            for place, own in enumerate(facts):
                row += 1
                if status is not None and own["status"] != DOWNLOADED:
                    request.left_out.others["failed downloads"] += 1
                    continue
                name = f"{prefix}/{row - 1}"
                if id_column is not None:
                    name = id_of(own[id_column], id_column, f"{table}: entry {row}")
                ids.is_new(name, table, row)
                cell = ParquetCell(table, column, row - 1, group, place, stamp, request.allow_outside)
                yield named_item(name, cell, f"{stamp} row {row - 1}")
