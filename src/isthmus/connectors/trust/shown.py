"""What the report shows of an item: its id, its text, and the place of its image or audio clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from isthmus.connectors.trust.figures import ReportFigures, ShownItem
from isthmus.embeddings import Embeddings

TEXT_COLUMNS = ("text", "caption")
"""Columns of metadata that have the text of an item: of sets that isthmus or clip-retrieval embedded."""
PLACE_COLUMNS = ("uri", "image_path")
"""Columns that have the place of its file."""
LONGEST = 300
"""Characters that the report keeps of a text or an id."""
Place = tuple[str, str, str]
"""Space, modality and id of an item."""


def shown_item(rows: Embeddings, row: int) -> ShownItem:
    """The item of a row. Rows without ids are named by their number."""
    name = f"row {rows.ids[row]}" if rows.numbered else rows.ids[row]
    text = rows.recorded([row], TEXT_COLUMNS)[0] if rows.modality == "text" else ""
    return ShownItem(name[:LONGEST], "" if text == name else text[:LONGEST])


def media_of(figures: ReportFigures, sets: Iterable[Embeddings]) -> dict[Place, str]:
    """The places of the shown items' media on this machine, as far as these embeddings know them.

    They are where the metadata says that an item came from, or ids that are paths. Only files that exist count.
    """
    found = {}
    for rows in sets:
        wanted = {item.id for item in shown_of(figures, rows.space, rows.modality)}
        if not wanted or rows.numbered:
            continue
        numbers = [number for number, name in enumerate(rows.ids) if name in wanted]
        for number, place in zip(numbers, rows.recorded(numbers, PLACE_COLUMNS), strict=True):
            named = place or rows.ids[number]
            if _is_file(named):
                found[rows.space, rows.modality, rows.ids[number]] = named
    return found


def shown_of(figures: ReportFigures, space: str, modality: str) -> Iterator[ShownItem]:
    """The items of a space and modality that the report shows."""
    for entry in figures.coverage:
        if entry.space != space:
            continue
        for own in entry.worst:
            if modality == figures.overlap:
                yield from (own.text, own.leads_to)
            if modality in entry.modalities:
                yield own.item
    if len(figures.coverage) == 2:
        left, right = figures.coverage
        for example in figures.examples:
            if left.space == space and modality in left.modalities:
                yield example.query
            if right.space == space and modality in right.modalities:
                yield from example.hits


def all_rows(sides: Iterable[Mapping[str, Embeddings]]) -> list[Embeddings]:
    """The embeddings of every side and modality."""
    return [rows for side in sides for rows in side.values()]


def _is_file(named: str) -> bool:
    try:
        return Path(named).is_file()
    except (OSError, ValueError):
        return False
