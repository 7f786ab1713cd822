"""What is known of an item once it was embedded or failed: columns of the set's metadata and of ``errors.parquet``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isthmus.base.atomic import atomic_path
from isthmus.embeddings.layout import metadata_file
from isthmus.embeddings.manifest import ModalityManifest
from isthmus.media import Item
from isthmus.media.item import as_unicode
from isthmus.media.source import LocalFile

ERRORS = "errors.parquet"
COLUMNS = ("id", "uri", "stamp", "content")
"""Columns of a set's metadata that say what a row was made of."""


@dataclass(frozen=True)
class Known:
    """A row of the set: where it came from, its stamp, the hash of its content, the shard it is in."""

    id: str
    uri: str
    stamp: str
    content: str
    shard: int


@dataclass(frozen=True)
class Failure:
    """An item that could not be read: why, where it came from, its stamp then, and the shard it was to be in."""

    id: str
    modality: str
    uri: str
    reason: str
    stamp: str
    shard: int


def uri_of(item: Item) -> str:
    """Where an item came from: an absolute path where it is a file; nothing for texts."""
    if item.source is None:
        return ""
    found = str(item.source.path.absolute()) if isinstance(item.source, LocalFile) else item.source.name
    return as_unicode(found)


def is_gone(uri: str) -> bool:
    """Whether a file is not where it was: of a tar's member, the tar. Of what is no file nothing is known: gone."""
    archive, tar, _ = uri.partition(".tar/")
    place = archive + ".tar" if tar else uri
    return not place.startswith("/") or not Path(place).exists()


def metadata_of(item: Item, content: str) -> dict[str, object]:
    """An embedded item's row of metadata."""
    return {"id": item.id, "uri": uri_of(item), "stamp": item.stamp, "content": content, "text": item.text}


def known_rows(folder: Path, entry: ModalityManifest) -> dict[str, Known]:
    """Every row of a modality by id. Sets that were not made by `embed` say no stamps."""
    import pyarrow.parquet

    found: dict[str, Known] = {}
    for shard in entry.shards:
        if shard.rows == 0:
            continue
        table = pyarrow.parquet.read_table(metadata_file(folder, entry.modality, shard.number))
        for row in table.select([name for name in COLUMNS if name in table.column_names]).to_pylist():
            facts = {name: str(row.get(name) or "") for name in COLUMNS}
            found[facts["id"]] = Known(shard=shard.number, **facts)
    return found


def read_failures(folder: Path) -> list[Failure]:
    """Every item that could not be read, of all modalities."""
    import pyarrow.parquet

    if not (folder / ERRORS).is_file():
        return []
    return [Failure(**row) for row in pyarrow.parquet.read_table(folder / ERRORS).to_pylist()]


def write_failures(folder: Path, failures: list[Failure]) -> None:
    """Replace ``errors.parquet`` in one step; without failures it goes."""
    import pyarrow
    import pyarrow.parquet

    if not failures:
        (folder / ERRORS).unlink(missing_ok=True)
        return
    rows: list[dict[str, Any]] = [asdict(failure) for failure in failures]
    with atomic_path(folder / ERRORS) as part:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), part)
