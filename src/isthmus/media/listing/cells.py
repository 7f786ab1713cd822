"""Media inside a Parquet file: a column of bytes, or of structs of bytes and path, as on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reading
from isthmus.media.item import Item, named_item, stamp_of
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.left_out import ID_COLUMNS
from isthmus.media.listing.request import Request
from isthmus.media.listing.tables import (
    FAILED_DOWNLOADS,
    WRITE_AGAIN,
    id_of,
    is_failed_download,
    parquet_schema,
    suffix_of,
)
from isthmus.media.own_folder import OwnFolder


@dataclass(frozen=True)
class ParquetCell:
    """A cell: row ``place`` of the row group ``group``, which is read as a whole; ``stamp`` changes with the file."""

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
        """The bytes of the cell, or of the file it names; see `OwnFolder.opened_cell`."""
        cell = _group(self.table, self.column, self.group, self.stamp)[self.place].as_py()
        return OwnFolder(self.table.parent, allow_outside=self.allow_outside).opened_cell(cell, self.name)


@lru_cache(maxsize=2)
def _group(table: Path, column: str, group: int, stamp: str) -> Any:
    import pyarrow.parquet

    with reading(table, WRITE_AGAIN), pyarrow.parquet.ParquetFile(table) as file:
        return file.read_row_group(group, columns=[column]).column(column)


def media_column(table: Path, request: Request) -> str | None:
    """The column of a Parquet file that holds media themselves: the one asked for, or the first of a usual name.

    None if there is none: then the table can only have texts or paths.
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
    light = [name for name in (id_column, "status") if name in names]
    with reading(table, WRITE_AGAIN), pyarrow.parquet.ParquetFile(table) as file:
        row = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            facts = file.read_row_group(group, columns=light).to_pylist() if light else [{}] * rows
            for place, own in enumerate(facts):
                row += 1
                if is_failed_download(own, names):
                    request.left_out.others[FAILED_DOWNLOADS] += 1
                    continue
                name = f"{prefix}/{row - 1}"
                if id_column is not None:
                    name = id_of(own[id_column], id_column, f"{table}: entry {row}")
                ids.is_new(name, table, row)
                cell = ParquetCell(table, column, row - 1, group, place, stamp, request.allow_outside)
                yield named_item(name, cell, f"{stamp} row {row - 1}", numbered=id_column is None)
