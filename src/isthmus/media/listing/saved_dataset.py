"""Datasets written by Hugging Face's `save_to_disk`, row by row, with media left encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, named_item, text_item
from isthmus.media.source import DatasetRow, opened_dataset

MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")
"""Files that mark a folder as one."""


def list_dataset(
    folder: Path, usual: tuple[str, ...], column: str | None, id_column: str | None, *, texts: bool
) -> Iterator[Item]:
    """The cells of a column, by default the first ``usual`` column that exists, without empty texts.

    Raises `IsthmusError` if datasets is not installed, the folder has several splits, or a column does not exist.
    """
    try:
        import datasets
    except ImportError as error:
        raise IsthmusError(f"{folder}: reading a Hugging Face dataset needs pip install 'isthmus[datasets]'") from error
    if (folder / "dataset_dict.json").is_file():
        raise IsthmusError(f"{folder}: has several splits: give the folder of one")
    names = list(datasets.load_from_disk(str(folder)).column_names)
    chosen = column or next((name for name in usual if name in names), None)
    for name in (chosen, id_column):
        if name is not None and name not in names:
            raise IsthmusError(f"{folder}: no column {name!r} (it has {', '.join(names)}): choose one of these")
    if chosen is None:
        raise IsthmusError(
            f"{folder}: no column is named {', '.join(usual)} (it has {', '.join(names)}): choose one with --column"
        )
    found = opened_dataset(folder, chosen)
    ids = None if id_column is None else [str(name) for name in found[id_column]]
    seen: set[str] = set()
    for row in range(len(found)):
        if not texts:
            yield named_item(str(row) if ids is None else ids[row], DatasetRow(folder, chosen, row), found._fingerprint)
            continue
        content = found[row][chosen]
        name = str(content) if ids is None else ids[row]
        if content is not None and str(content).strip() and name not in seen:
            seen.add(name)
            yield text_item(name, str(content))
