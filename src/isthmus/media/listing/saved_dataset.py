"""Datasets that Hugging Face's `save_to_disk` wrote, row by row, media left encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, named_item, text_item
from isthmus.media.source import DatasetRow, opened_dataset

MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")
"""Files by which such a folder is known."""


def list_dataset(
    folder: Path, usual: tuple[str, ...], column: str | None, id_column: str | None, *, texts: bool
) -> Iterator[Item]:
    """Every row's cell of a column, by default the first of the ``usual`` ones that there is; empty ones are left out.

    Raises `IsthmusError` where the library is missing, the folder holds several splits, or a column is not there.
    """
    try:
        import datasets
    except ImportError as error:
        raise IsthmusError(f"{folder}: reading a Hugging Face dataset needs pip install 'isthmus[datasets]'") from error
    if (folder / "dataset_dict.json").is_file():
        raise IsthmusError(f"{folder}: holds several splits: give one of its folders")
    names = list(datasets.load_from_disk(str(folder)).column_names)
    chosen = column or next((name for name in usual if name in names), None)
    for name in (chosen, id_column):
        if name is not None and name not in names:
            raise IsthmusError(f"{folder}: no column {name!r} (it has {', '.join(names)}): name one of these")
    if chosen is None:
        raise IsthmusError(f"{folder}: none of {', '.join(usual)} is a column ({', '.join(names)}): use --column")
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
