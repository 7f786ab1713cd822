"""The items of a folder, a list, a table, WebDataset shards or a Hugging Face dataset, in a fixed order."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, named_item, text_item
from isthmus.media.listing import everyday, tables
from isthmus.media.listing.saved_dataset import MARKS, list_dataset
from isthmus.media.listing.webdataset import list_tars, tar_members
from isthmus.media.readers import audio, image, points, vector, video
from isthmus.media.remote import Remote
from isthmus.media.source import LocalFile

SUFFIXES = {
    "image": image.SUFFIXES,
    "audio": (*audio.SUFFIXES, *video.SUFFIXES),
    "video": video.SUFFIXES,
    "points": points.SUFFIXES,
    "text": tables.SUFFIXES,
    "vector": vector.SUFFIXES,
}
"""The suffixes of each modality's files. Videos are audio, too: their sound track."""
URI_COLUMNS = ("uri", "url", "path", "file", "file_name", "image_path", "audio_path", "video_path")
LOG = logging.getLogger(__name__)


def list_media(
    where: Path, modality: str, *, column: str | None = None, id_column: str | None = None, kind: str | None = None
) -> Iterator[Item]:
    """List every item of one modality, in an order that depends only on what is there.

    Args:
        where: A folder (searched at any depth; ids are paths within it), a ``.txt`` list of paths, a table (``.csv``,
            ``.tsv``, ``.jsonl``, ``.parquet``) with a column of paths or URIs, a ``.tar`` or a folder of them
            (WebDataset), a dataset written by `datasets.save_to_disk`, or one file. For text: the same with texts in
            place of paths, or ``everyday``, the package's own list.
        modality: What to list: text, image, audio, video or points.
        column: The column of a table or dataset that has the texts, paths or media.
        id_column: The column that has ids; by default texts and paths are their own ids.
        kind: What the files are, if not media of that modality: ``"vector"`` for vectors made elsewhere.

    Yields:
        Items, not yet read.

    Raises:
        IsthmusError: There is no such place, nothing of that modality in it, or a table is malformed.

    Example:
        >>> from itertools import islice
        >>> [item.text for item in islice(list_media(Path("everyday"), "text"), 2)]
        ['a dog barking', 'a cat meowing']
    """
    kind = kind or modality
    if kind not in SUFFIXES:
        raise IsthmusError(f"modality {modality!r} cannot be read from files: choose one of {', '.join(SUFFIXES)}")
    items = _listed(where, kind, column, id_column)
    first = next(items, None)
    if first is None:
        raise IsthmusError(f"{where}: has no {kind} ({' '.join(SUFFIXES[kind][:6])} …): give another place")
    yield first
    yield from items


def suffixes_at(where: Path) -> dict[str, int]:
    """Count the suffixes of a folder's files or a tar's members; a single file counts once."""
    if where.suffix == ".tar":
        names = [member.name for member in tar_members(where)]
    elif not where.is_dir():
        names = [where.name]
    else:
        names = [path.name for path in _walked(where)]
        tars = [where / name for name in names if name.endswith(".tar")]
        if tars and len(tars) == len(names):
            names = [member.name for member in tar_members(tars[0])]
    return dict(Counter(Path(name).suffix.lower() for name in names))


def _listed(where: Path, kind: str, column: str | None, id_column: str | None) -> Iterator[Item]:
    texts = kind == "text"
    if where.is_dir():
        if any((where / mark).is_file() for mark in MARKS):
            usual = tables.TEXT_COLUMNS if texts else (kind, *URI_COLUMNS)
            return list_dataset(where, usual, column, id_column, texts=texts)
        files = _texts(_walked(where), column, id_column) if texts else _files_in(where, SUFFIXES[kind])
        first = next(files, None)
        tars = sorted(where.glob("*.tar"))
        if first is None and tars:
            return list_tars(tars, (".txt",) if texts else SUFFIXES[kind], texts=texts)
        return files if first is None else chain([first], files)
    if where == everyday.NAME and not where.exists():
        if not texts:
            raise IsthmusError(f"{where}: is a list of texts, not {kind}: omit --modality, or give another place")
        return (text_item(name, content) for name, content in everyday.everyday_texts())
    if not where.is_file():
        raise IsthmusError(f"{where}: not found: give a folder, a list, a table, a .tar or a dataset")
    if where.suffix == ".tar":
        return list_tars([where], (".txt",) if texts else SUFFIXES[kind], texts=texts)
    if texts:
        return _texts([where], column, id_column)
    if where.suffix in tables.SUFFIXES:
        return _uris(where, column, id_column)
    return iter([_file(where, where.name)])


def _files_in(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Item]:
    for path in _walked(folder):
        if path.suffix.lower() in suffixes:
            yield _file(path, path.relative_to(folder).as_posix())


def _walked(folder: Path) -> Iterator[Path]:
    """Files at any depth in the order of their names, without hidden files and linked folders."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except PermissionError:
        LOG.warning("%s: permission denied, its files are skipped", folder)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(Path(entry.path))
        elif entry.is_symlink() or entry.is_file():
            yield Path(entry.path)


def _file(path: Path, name: str) -> Item:
    try:
        facts = path.stat()
        stamp = f"{facts.st_size}:{facts.st_mtime_ns}"
    except OSError:
        stamp = "absent"
    return named_item(name, LocalFile(path), stamp)


def _texts(files: Iterable[Path], column: str | None, id_column: str | None) -> Iterator[Item]:
    """The texts of tables and lists; a text that is its own id is listed once."""
    seen: set[str] = set()
    for path in files:
        if path.suffix not in tables.SUFFIXES:
            continue
        for name, content in tables.read_texts(path, column, id_column):
            if name != content or name not in seen:
                seen.add(name)
                yield text_item(name, content)


def _uris(table: Path, column: str | None, id_column: str | None) -> Iterator[Item]:
    """The paths or URIs in the lines of a ``.txt`` or a column of a table, relative to the folder of that file."""
    if table.suffix == ".txt":
        named = tables.read_texts(table)
    else:
        named = tables.read_texts(table, column or uri_column(table), id_column)
    for row, uri in named:
        name = uri if id_column is None else row
        if "://" in uri and not uri.startswith("file://"):
            yield named_item(name, Remote(uri), uri)
        else:
            yield _file(table.parent / uri.removeprefix("file://"), name)


def uri_column(table: Path) -> str | None:
    """The column of a table that has paths, if it has a usual name."""
    found = tables.columns_of(table)
    return next((name for name in URI_COLUMNS if name in found), None)
