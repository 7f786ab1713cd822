"""Media that a list or table names: paths relative to its folder, file URIs, and URIs that fsspec opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isthmus.media.item import Item, file_item, named_item
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.request import Request
from isthmus.media.listing.tables import columns_of, read_entries
from isthmus.media.own_folder import OwnFolder, is_remote
from isthmus.media.remote import Remote

PATH_COLUMNS = (
    *("uri", "url", "path", "file", "file_name", "filename", "file_path", "filepath"),
    *("image_path", "audio_path", "video_path"),
)


def list_paths(table: Path, request: Request) -> Iterator[Item]:
    """The media named by the lines of a ``.txt`` or a column of a table; a path is its own id without an id column.

    Raises `IsthmusError` for a column that does not exist, an id that occurs twice, and a local file outside the
    table's folder unless that is allowed.
    """
    ids, own = Ids(), OwnFolder(table.parent, allow_outside=request.allow_outside)
    usual = (request.kind, *PATH_COLUMNS)
    entries = read_entries(table, request.column, request.id_column, usual=usual, left_out=request.left_out)
    for entry in entries:
        name = entry.content if entry.id is None else entry.id
        ids.is_new(name, table, entry.row)
        if is_remote(entry.content):
            yield named_item(name, Remote(entry.content), entry.content)
        else:
            yield file_item(own.file(entry.content, f"{table}: entry {entry.row}"), name)


def path_column(table: Path) -> str | None:
    """The column of a table that has paths, if it has a usual name."""
    found = columns_of(table)
    return next((name for name in PATH_COLUMNS if name in found), None)
