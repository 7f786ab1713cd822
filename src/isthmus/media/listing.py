"""What there is to embed: the items of a folder, a list, a table, WebDataset shards or a Hugging Face dataset."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import IsthmusError
from isthmus.media import audio, everyday, image, points, text, video
from isthmus.media.source import DatasetRow, LocalFile, Remote, Source, TarMember, opened_dataset

SUFFIXES = {
    "image": image.SUFFIXES,
    "audio": (*audio.SUFFIXES, *video.SUFFIXES),
    "video": video.SUFFIXES,
    "points": points.SUFFIXES,
    "text": text.SUFFIXES,
    "vector": (".npy",),
}
"""Of which suffixes a modality's files are. A video's sound track is a sound."""
URI_COLUMNS = ("uri", "url", "path", "file", "file_name", "image_path", "audio_path", "video_path")
HF_MARKS = ("dataset_info.json", "state.json", "dataset_dict.json")


@dataclass(frozen=True)
class Item:
    """One thing to embed: its id in the set, its bytes or its text, and a stamp that changes when it does."""

    id: str
    source: Source | None
    stamp: str
    text: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.id if self.source is None else self.source.name


def list_media(
    where: Path, modality: str, *, column: str | None = None, id_column: str | None = None, kind: str | None = None
) -> Iterator[Item]:
    """Every item of a modality at ``where``, in an order that depends on nothing but what is there.

    ``where`` is a folder (searched through; ids are paths within it), a ``.txt`` list of paths, a table (``.csv``,
    ``.jsonl``, ``.parquet``) with a column of paths or URIs, a ``.tar`` or a folder of them (WebDataset), a dataset
    that `datasets.save_to_disk` wrote, or one file. For text: any of these with texts in place of paths, or
    ``everyday``, the package's own list. ``kind``
    says what the files are where that is not the modality (sounds in a set named otherwise, say).
    Raises `IsthmusError` where there is nothing of that modality.
    """
    kind = kind or modality
    if kind not in SUFFIXES:
        raise IsthmusError(f"modality {modality!r}: files of {', '.join(SUFFIXES)} can be read")
    items = _listed(where, kind, column, id_column)
    first = next(items, None)
    if first is None:
        raise IsthmusError(f"{where}: holds no {kind} ({' '.join(SUFFIXES[kind][:6])} …): give another place")
    yield first
    yield from items


def suffixes_at(where: Path) -> dict[str, int]:
    """How many files of each suffix a folder holds, or a tar's members; of a file its own."""
    if where.is_dir():
        tars = sorted(where.glob("*.tar"))
        names = [member.name for member in _members(tars[0])] if tars else [path.name for path in _walked(where)]
    else:
        names = [member.name for member in _members(where)] if where.suffix == ".tar" else [where.name]
    return dict(Counter(Path(name).suffix.lower() for name in names))


def _listed(where: Path, kind: str, column: str | None, id_column: str | None) -> Iterator[Item]:
    if where.is_dir():
        if any((where / mark).is_file() for mark in HF_MARKS):
            return _dataset(where, kind, column, id_column)
        tars = sorted(where.glob("*.tar"))
        if tars:
            return _tars(tars, kind)
        return _texts_in(where, column, id_column) if kind == "text" else _files_in(where, SUFFIXES[kind])
    if where == everyday.NAME and not where.exists():
        return (text_item(name, content) for name, content in everyday.everyday_texts())
    if not where.is_file():
        raise IsthmusError(f"{where}: not found: give a folder, a list, a table, a .tar or a dataset")
    if where.suffix == ".tar":
        return _tars([where], kind)
    if kind == "text":
        return _texts(where, column, id_column, "")
    if where.suffix in text.SUFFIXES:
        return _uris(where, column, id_column)
    return iter([_file(where, where.name)])


def _files_in(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Item]:
    for path in _walked(folder):
        if path.suffix.lower() in suffixes:
            yield _file(path, path.relative_to(folder).as_posix())


def _walked(folder: Path) -> Iterator[Path]:
    """Files at any depth in the order of their names; hidden ones and linked folders are left out."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _file(path: Path, name: str) -> Item:
    try:
        facts = path.stat()
        stamp = f"{facts.st_size}:{facts.st_mtime_ns}"
    except OSError:
        stamp = "absent"
    return Item(name, LocalFile(path), stamp)


def _texts_in(folder: Path, column: str | None, id_column: str | None) -> Iterator[Item]:
    """Tables and lists entry by entry; where a folder has several, ids begin with the file's name."""
    files = [path for path in _walked(folder) if path.suffix in text.SUFFIXES]
    for path in files:
        prefix = "" if len(files) == 1 else f"{path.relative_to(folder).as_posix()}:"
        yield from _texts(path, column, id_column, prefix)


def _texts(path: Path, column: str | None, id_column: str | None, prefix: str) -> Iterator[Item]:
    if path.suffix not in text.SUFFIXES:
        raise IsthmusError(f"{path}: texts are read from {', '.join(text.SUFFIXES)}")
    for name, content in text.read_texts(path, column, id_column):
        yield text_item(prefix + name, content)


def text_item(name: str, content: str) -> Item:
    """A text as an item."""
    return Item(name, None, hashlib.sha256(content.encode()).hexdigest()[:16], text=content)


def _uris(table: Path, column: str | None, id_column: str | None) -> Iterator[Item]:
    """Paths or URIs: the lines of a ``.txt``, or a column of a table. Relative paths begin at the table's folder."""
    if table.suffix == ".txt":
        named = text.read_texts(table)
    else:
        named = text.read_texts(table, column or uri_column(table), id_column)
    for row, uri in named:
        name = uri if id_column is None else row
        if "://" in uri and not uri.startswith("file://"):
            yield Item(name, Remote(uri), uri)
        else:
            yield _file(table.parent / uri.removeprefix("file://"), name)


def uri_column(table: Path) -> str | None:
    """The usual name of a column of paths that a table has."""
    found = text.columns_of(table)
    return next((name for name in URI_COLUMNS if name in found), None)


def _tars(archives: list[Path], kind: str) -> Iterator[Item]:
    """WebDataset: members with one stem are one sample; of each the first member of the kind is taken."""
    wanted = (".txt",) if kind == "text" else SUFFIXES[kind]
    for archive in archives:
        stamp = f"{archive.stat().st_size}:{archive.stat().st_mtime_ns}"
        seen: set[str] = set()
        for member in _members(archive):
            key, _, extension = member.name.rpartition("/")[2].partition(".")
            if not member.isfile() or f".{extension.rpartition('.')[2].lower()}" not in wanted or key in seen:
                continue
            seen.add(key)
            source = TarMember(archive, member.name, member.offset_data, member.size)
            name = f"{archive.stem}/{key}"
            if kind == "text":
                yield text_item(name, source.open().read().decode("utf-8", "replace").strip())
            else:
                yield Item(name, source, f"{stamp}:{member.offset_data}")


def _members(archive: Path) -> Iterator[tarfile.TarInfo]:
    try:
        with tarfile.open(archive, "r:") as opened:
            yield from opened
    except tarfile.TarError as error:
        raise IsthmusError(f"{archive}: not an uncompressed tar, or cut short ({error}): unpack or copy it") from error


def _dataset(folder: Path, kind: str, column: str | None, id_column: str | None) -> Iterator[Item]:
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise IsthmusError(f"{folder}: reading a Hugging Face dataset needs pip install 'isthmus[datasets]'") from error
    if (folder / "dataset_dict.json").is_file():
        raise IsthmusError(f"{folder}: holds several splits: give one of its folders")
    names = opened_columns(folder)
    usual = text.TEXT_COLUMNS if kind == "text" else (kind, *URI_COLUMNS)
    chosen = column or next((name for name in usual if name in names), None)
    for name in (chosen, id_column):
        if name is not None and name not in names:
            raise IsthmusError(f"{folder}: no column {name!r} (it has {', '.join(names)}): name one of these")
    if chosen is None:
        raise IsthmusError(f"{folder}: none of {', '.join(usual)} is a column ({', '.join(names)}): use --column")
    found = opened_dataset(folder, chosen)
    ids = [str(row) for row in range(len(found))] if id_column is None else [str(name) for name in found[id_column]]
    made: Callable[[int], Item] = (
        (lambda row: text_item(ids[row], str(found[row][chosen])))
        if kind == "text"
        else (lambda row: Item(ids[row], DatasetRow(folder, chosen, row), found._fingerprint))
    )
    yield from map(made, range(len(found)))


def opened_columns(folder: Path) -> list[str]:
    """A saved dataset's columns."""
    from datasets import load_from_disk

    return list(load_from_disk(str(folder)).column_names)
