"""Datasets written by Hugging Face's `save_to_disk`, row by row, with media left encoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError, reason_of
from isthmus.media.item import Item, named_item, stamp_of, text_item
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.paths import PATH_COLUMNS
from isthmus.media.listing.request import Request
from isthmus.media.listing.tables import TEXT_COLUMNS, id_of, named_class, text_of
from isthmus.media.own_folder import OwnFolder

STATE = "state.json"
"""Written anew each time the dataset is saved."""
MARKS = ("dataset_info.json", STATE, "dataset_dict.json")
"""Files that mark a folder as a saved dataset."""


@dataclass(frozen=True)
class DatasetRow:
    """A cell of a saved dataset that holds encoded bytes or a path; ``stamp`` changes when it is saved again."""

    folder: Path
    column: str
    row: int
    stamp: str
    allow_outside: bool = False

    @property
    def name(self) -> str:
        """The dataset, the row and the column."""
        return f"{self.folder}[{self.row}].{self.column}"

    def open(self) -> BufferedIOBase:
        """The bytes of the cell, or of the file it names; see `OwnFolder.opened_cell`."""
        cell = _opened_column(self.folder, self.column, self.stamp)[self.row][self.column]
        return OwnFolder(self.folder, allow_outside=self.allow_outside).opened_cell(cell, self.name)


@lru_cache(maxsize=4)
def _opened_column(folder: Path, column: str, stamp: str) -> Any:
    return _encoded(_opened(folder), column).select_columns([column])


def _opened(folder: Path) -> Any:
    try:
        import datasets
    except ImportError as error:
        raise IsthmusError(f"{folder}: reading a Hugging Face dataset needs pip install 'isthmus[datasets]'") from error
    if (folder / "dataset_dict.json").is_file():
        raise IsthmusError(f"{folder}: has several splits: give the folder of one")
    try:
        return datasets.load_from_disk(str(folder))
    except Exception as error:
        # datasets and pyarrow raise errors of many types for a folder that is not whole.
        raise IsthmusError(f"{folder}: cannot be read ({reason_of(error)}): save the dataset again") from error


def _encoded(dataset: Any, column: str) -> Any:
    """The dataset with the media of a column left encoded."""
    from datasets import Audio, Image, Video

    for kind in (Image, Audio, Video):
        if isinstance(dataset.features[column], kind):
            return dataset.cast_column(column, kind(decode=False))
    return dataset


def list_dataset(folder: Path, request: Request) -> Iterator[Item]:
    """The cells of a column, by default the first one of a usual name, without empty texts.

    Raises `IsthmusError` if datasets is not installed, the folder has several splits, a column does not exist, a cell
    is not a text, or an id occurs twice.
    """
    stamp, whole = stamp_of(folder / STATE), _opened(folder)
    column = _column(folder, list(whole.column_names), request)
    request.left_out.note_ids(
        request.id_column, "the texts" if request.texts else "row numbers", list(whole.column_names)
    )
    ids, seen = _ids(folder, whole, request.id_column), Ids()
    found = _encoded(whole, column)
    if not request.texts:
        for row in range(len(found)):
            name = str(row) if ids is None else ids[row]
            seen.is_new(name, folder, row)
            source = DatasetRow(folder, column, row, stamp, request.allow_outside)
            yield named_item(name, source, found._fingerprint, numbered=ids is None)
        return
    classes = getattr(found.features[column], "names", None)
    for row, cell in enumerate(_cells(found, column)):
        content = text_of(named_class(cell, classes), f"{folder}: row {row}: {column!r}") or ""
        if not content.strip():
            request.left_out.empty += 1
            continue
        name = content if ids is None else ids[row]
        if seen.is_new(name, folder, row, own=ids is None):
            yield text_item(name, content, None if ids is None else folder)
        else:
            request.left_out.doubled += 1


def _cells(dataset: Any, column: str) -> Iterator[Any]:
    """The cells of a column; without the others, whose media would be decoded with it."""
    return (record[column] for record in dataset.select_columns([column]))


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


def _ids(folder: Path, dataset: Any, column: str | None) -> list[str] | None:
    if column is None:
        return None
    return [id_of(cell, column, f"{folder}: row {row}") for row, cell in enumerate(_cells(dataset, column))]
