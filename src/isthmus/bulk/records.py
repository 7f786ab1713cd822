"""Records of items that were embedded (columns of a set's metadata) or could not be read (``errors.parquet``)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import reading
from isthmus.base.locks import PATIENCE, FileLock
from isthmus.embeddings.layout import lock_file, metadata_file
from isthmus.embeddings.manifest import ModalityManifest
from isthmus.media import Item
from isthmus.media.item import LOCAL_STAMP, as_unicode
from isthmus.media.listing.webdataset import is_tar
from isthmus.media.source import LocalFile, TarMember

ERRORS = "errors.parquet"
COLUMNS = ("id", "uri", "stamp", "content")
"""Columns of a set's metadata that identify the content of a row."""


@dataclass(frozen=True)
class KnownRow:
    """A row of the set: its item's location, stamp and content hash, and the shard it is in."""

    id: str
    uri: str
    stamp: str
    content: str
    shard: int


@dataclass(frozen=True)
class Failure:
    """An item that could not be read.

    Attributes:
        id: The item's id.
        modality: What it was read as.
        uri: Its location: an absolute path, a URI, or "" for a text.
        reason: Why it could not be read, in one line.
        stamp: Its stamp at that time; it is tried again when the stamp changes.
        shard: The number of the shard it was listed for.
        dim: If it failed because its vector has another dimension than the set, that of the set then; otherwise 0.
    """

    id: str
    modality: str
    uri: str
    reason: str
    stamp: str
    shard: int
    dim: int = 0


def uri_of(item: Item) -> str:
    """The location of an item: an absolute path for local files and members of tars.

    For a text the path of the table, tar or dataset that gave it its id; "" if it is its own id.
    """
    if item.source is None:
        return as_unicode(str(Path(item.origin).absolute())) if item.origin else ""
    local = isinstance(item.source, LocalFile | TarMember)
    return as_unicode(str(Path(item.source.name).absolute()) if local else item.source.name)


def is_gone(uri: str, stamp: str) -> bool:
    """Whether a local file, or the tar that a member was read from, no longer exists.

    Texts, URIs and dataset rows are never gone: another list merely does not name them. Nor is a file gone if its
    folder cannot be read, or if its name is not valid Unicode: ``uri`` then has an escaped form of it.
    """
    found = LOCAL_STAMP.fullmatch(stamp)
    if found is None or not Path(uri).is_absolute() or "\\" in uri:
        return False
    if not found["member"]:
        return is_absent(uri)
    # Folders around the archive, and inside it, may be named like an archive.
    archives = [path for path in Path(uri).parents if is_tar(path)]
    return bool(archives) and all(is_absent(str(path)) or path.is_dir() for path in archives)


def is_absent(path: str) -> bool:
    """Whether there is nothing at a path; False if its folder cannot be read."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def metadata_of(item: Item, content: str) -> dict[str, object]:
    """The metadata row of an embedded item."""
    return {"id": item.id, "uri": uri_of(item), "stamp": item.stamp, "content": content, "text": item.text}


def known_rows(folder: Path, entry: ModalityManifest) -> dict[str, KnownRow]:
    """The rows of a modality by id. Rows that `embed` did not write have no stamps."""
    import pyarrow.parquet

    found: dict[str, KnownRow] = {}
    for shard in entry.shards:
        if shard.rows == 0:
            continue
        file = metadata_file(folder, entry.modality, shard.number)
        with reading(file, "restore it, or embed into another folder"):
            table = pyarrow.parquet.read_table(file)
        for row in table.select([name for name in COLUMNS if name in table.column_names]).to_pylist():
            facts = {name: str(row.get(name) or "") for name in COLUMNS}
            found[facts["id"]] = KnownRow(shard=shard.number, **facts)
    return found


def read_failures(folder: Path) -> list[Failure]:
    """The failures of all modalities."""
    import pyarrow.parquet

    if not (folder / ERRORS).exists():
        return []
    with reading(folder / ERRORS, "delete it, and what it lists is tried again"):
        return [Failure(**row) for row in pyarrow.parquet.read_table(folder / ERRORS).to_pylist()]


def write_failures(folder: Path, modality: str, failures: list[Failure]) -> None:
    """Replace the failures of a modality in ``errors.parquet``, which is deleted if there are none of any modality."""
    import pyarrow
    import pyarrow.parquet

    busy = f"{folder / ERRORS}: another process has been writing it for {PATIENCE:g} seconds: stop it, try again"
    with FileLock(lock_file(folder, "errors"), busy=busy, patience=PATIENCE):
        others = [failure for failure in read_failures(folder) if failure.modality != modality]
        rows: list[dict[str, Any]] = [asdict(failure) for failure in [*others, *failures]]
        if not rows:
            (folder / ERRORS).unlink(missing_ok=True)
            return
        with atomic_path(folder / ERRORS) as part:
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), part)
