"""Listings: tables of a data set's media with the ids of its annotations, for `isthmus embed`.

File names of the same clip differ between frames and audio, so sets of folders do not meet. Sets of listings do: an
item has the same id in each, and `connect`, `codes train` and `search` pair them.
"""

from __future__ import annotations

import json
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.coverage import MediaCount
from isthmus.evaluate.running.checking import Read, entries_of
from isthmus.evaluate.running.frames import taking_frames
from isthmus.evaluate.running.sources import named_sources

FIELDS = {"text": "text"}
"""The column of what is embedded, by modality; ``path`` for all others."""


def write_listings(read: Read, data: DataFolder, folder: Path) -> dict[str, tuple[Path, MediaCount]]:
    """Write ``<modality>.jsonl`` for each modality, with the columns ``id`` and ``path`` (or ``text``).

    Args:
        read: The annotations, as a task reads them.
        data: Where the media are.
        folder: Where to write.

    Returns:
        The table of each modality, and how many of its items were found.

    Raises:
        IsthmusError: No item of a modality was found, or a file cannot be written.
    """
    written = {}
    for modality, entries in entries_of(read).items():
        found = named_sources(modality, entries, data, taking_frames(folder / "frames"))
        if not found:
            raise IsthmusError(f"{data}: has no {modality} of the {len(entries)} that are annotated: see --check")
        field = FIELDS.get(modality, "path")
        lines = [json.dumps({"id": name, field: own}) for name, own in found.items()]
        path = folder / f"{modality}.jsonl"
        write_text_atomically(path, "\n".join(lines) + "\n")
        missing = tuple(own.id for own in entries if own.id not in found)
        written[modality] = path, MediaCount(len(entries), len(found), missing)
    return written


def embed_command(modality: str, table: Path) -> str:
    """The command that embeds a listing."""
    column = FIELDS.get(modality, "path")
    outside = "" if modality == "text" else " --allow-outside"
    how = f"--modality {modality} --column {column} --id-column id{outside}"
    return f"isthmus embed {table} {how} --space ENCODER --out SET"
