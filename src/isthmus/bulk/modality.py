"""The modality of an input if the user names none: the space's modality that most of its files have."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.listing import everyday, tables
from isthmus.media.listing.cells import media_column
from isthmus.media.listing.folder import walked
from isthmus.media.listing.left_out import LeftOut
from isthmus.media.listing.listing import suffixes_at
from isthmus.media.listing.paths import path_column
from isthmus.media.listing.request import SUFFIXES, Request
from isthmus.spaces import Family

LOOKED_AT = 5
"""How many lines of a list to look at to tell texts from paths."""


def modality_at(where: Path, family: Family) -> str:
    """Guess one of the family's modalities from the files at ``where``. Raises `IsthmusError` if they do not tell."""
    if where == everyday.NAME and not where.exists():
        return "text"
    if not where.exists():
        raise IsthmusError(f"{where}: not found: give a folder, a list, a table, a .tar or a dataset")
    if len(family.modalities) == 1:
        return family.modalities[0]
    if family.kind == "vector":
        raise IsthmusError(f"{where}: vectors do not tell their modality: name it with --modality")
    found = suffixes_at(where)
    counts = {
        modality: sum(count for suffix, count in found.items() if suffix in SUFFIXES[modality])
        for modality in family.modalities
    }
    most = max(counts.values())
    likely = [modality for modality, count in counts.items() if count == most]
    if most == 0 and where.is_dir() and not _is_dataset(where):
        raise IsthmusError(f"{where}: contains no {' or '.join(family.modalities)}: give another place")
    if len(likely) != 1 or (likely == ["text"] and _may_hold_media(where, family)):
        raise IsthmusError(f"{where}: could be any of {', '.join(family.modalities)}: name one with --modality")
    return likely[0]


def _may_hold_media(where: Path, family: Family) -> bool:
    """Whether a list or table, or the first Parquet file of a folder, seems to have media rather than texts."""
    kinds = [kind for kind in family.modalities if kind != "text"]
    if where.is_dir():
        table = next((path for path in walked(where, LeftOut()) if tables.suffix_of(path) == ".parquet"), None)
        return table is not None and any(media_column(table, Request(kind)) for kind in kinds)
    if tables.suffix_of(where) not in tables.SUFFIXES:
        return False
    if tables.suffix_of(where) == ".txt":
        lines = [entry.content for entry in islice(tables.read_entries(where), LOOKED_AT)]
        return bool(lines) and all("://" in line or _is_file(where.parent / line) for line in lines)
    if any(media_column(where, Request(kind)) for kind in kinds):
        return True
    return path_column(where) is not None and not set(tables.TEXT_COLUMNS) & set(tables.columns_of(where))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_dataset(where: Path) -> bool:
    return any(where.glob("*.arrow")) or any(where.glob("*.tar"))
