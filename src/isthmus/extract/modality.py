"""Which modality is meant, where none is named: the one of the space that most files at the place are of."""

from __future__ import annotations

from pathlib import Path

from isthmus.errors import IsthmusError
from isthmus.media import everyday
from isthmus.media.listing import SUFFIXES, suffixes_at
from isthmus.spaces import Family


def modality_at(where: Path, family: Family) -> str:
    """A modality of the family. Raises `IsthmusError` where the files at ``where`` do not say which."""
    if where == everyday.NAME and not where.exists():
        return "text"
    if not where.exists():
        raise IsthmusError(f"{where}: not found: give a folder, a list, a table, a .tar or a dataset")
    found = suffixes_at(where)
    counts = {
        modality: sum(count for suffix, count in found.items() if suffix in SUFFIXES[modality])
        for modality in family.modalities
    }
    most = max(counts.values(), default=0)
    likely = [modality for modality, count in counts.items() if count == most and most]
    if len(likely) != 1:
        raise IsthmusError(
            f"{where}: which of {', '.join(family.modalities)} it holds is not clear: name it with --modality"
        )
    return likely[0]
