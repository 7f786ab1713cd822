"""Datasets written by Hugging Face's `save_to_disk`, row by row, with media left encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.media.item import Item, named_item, text_item
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.paths import PATH_COLUMNS
from isthmus.media.listing.request import Request
from isthmus.media.listing.tables import TEXT_COLUMNS, id_of, text_of
from isthmus.media.source import DatasetRow, opened_dataset

MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")
"""Files that mark a folder as one."""


def list_dataset(folder: Path, request: Request) -> Iterator[Item]:
    """The cells of a column, by default the first one of a usual name, without empty texts.

    Raises `IsthmusError` if datasets is not installed, the folder has several splits, a column does not exist, a cell
    is no text, or an id occurs twice.
    """
    try:
        import datasets
    except ImportError as error:
        raise IsthmusError(f"{folder}: reading a Hugging Face dataset needs pip install 'isthmus[datasets]'") from error
    if (folder / "dataset_dict.json").is_file():
        raise IsthmusError(f"{folder}: has several splits: give the folder of one")
    try:
        names = list(datasets.load_from_disk(str(folder)).column_names)
    except Exception as error:
        # datasets and pyarrow raise errors of many types for a folder that is not whole.
        raise IsthmusError(f"{folder}: cannot be read ({reason_of(error)}): save the dataset again") from error
    chosen = _column(folder, names, request)
    found = opened_dataset(folder, chosen)
    ids, seen = _ids(folder, found, request.id_column), Ids()
    request.left_out.note_ids(request.id_column, "the texts" if request.texts else "row numbers", names)
    spoken = getattr(found.features[chosen], "int2str", None)
    for row in range(len(found)):
        name = str(row) if ids is None else ids[row]
        if not request.texts:
            seen.is_new(name, folder, row)
            yield named_item(name, DatasetRow(folder, chosen, row, request.allow_outside), found._fingerprint)
            continue
        cell = found[row][chosen]
        content = text_of(_named_class(cell, spoken), f"{folder}: row {row}: {chosen!r}")
        if not (content or "").strip():
            request.left_out.empty += 1
            continue
        assert content is not None
        name = content if ids is None else name
        if seen.is_new(name, folder, row, own=ids is None):
            yield text_item(name, content, None if ids is None else folder)
        else:
            request.left_out.doubled += 1


def _column(folder: Path, names: list[str], request: Request) -> str:
    usual = TEXT_COLUMNS if request.texts else (request.kind, *PATH_COLUMNS)
    chosen = request.column or next((name for name in usual if name in names), None)
    for name in (chosen, request.id_column):
        if name is not None and name not in names:
            raise IsthmusError(f"{folder}: no column {name!r} (it has {', '.join(names)}): choose one of these")
    if chosen is None:
        raise IsthmusError(
            f"{folder}: no column is named {', '.join(usual)} (it has {', '.join(names)}): choose one with --column"
        )
    return chosen


def _ids(folder: Path, found: Any, column: str | None) -> list[str] | None:
    if column is None:
        return None
    return [id_of(cell, column, f"{folder}: row {row}") for row, cell in enumerate(found[column])]


def _named_class(cell: Any, spoken: Any) -> Any:
    """The name of a class that is stored as a number; other cells as they are."""
    if spoken is None or not isinstance(cell, int):
        return cell
    return spoken(cell) if cell >= 0 else None
