"""The items of a folder, a list, a table, WebDataset shards or a Hugging Face dataset, in a fixed order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.media.item import Item, file_item, text_item
from isthmus.media.listing import everyday, tables
from isthmus.media.listing.cells import list_cells, media_column
from isthmus.media.listing.folder import walked
from isthmus.media.listing.ids import Ids
from isthmus.media.listing.left_out import LeftOut
from isthmus.media.listing.paths import list_paths
from isthmus.media.listing.request import SUFFIXES, Request
from isthmus.media.listing.saved_dataset import MARKS, list_dataset
from isthmus.media.listing.webdataset import is_tar, list_tar, tar_members

Lister = Callable[[Path, Sequence[Path], Request], Iterator[Item]]
"""Lists the items in some files of a folder."""


def list_media(
    where: Path,
    modality: str,
    *,
    column: str | None = None,
    id_column: str | None = None,
    kind: str | None = None,
    allow_outside: bool = False,
    left_out: LeftOut | None = None,
) -> Iterator[Item]:
    """List every item of one modality, in an order that depends only on what is there.

    Args:
        where: A folder (searched at any depth; ids are paths within it), a ``.txt`` list of paths, a table (``.csv``,
            ``.tsv``, ``.jsonl``, ``.parquet``) with a column of paths or URIs, a Parquet file with a column of media,
            a ``.tar`` or a folder of them (WebDataset), a dataset written by `datasets.save_to_disk`, or one file. For
            text: the same with texts in place of paths, or ``everyday``, the package's own list.
        modality: What to list: text, image, audio, video or points.
        column: The column of a table or dataset that has the texts, paths or media; of a tar, the extension.
        id_column: The column that has ids; by default texts and paths are their own ids.
        kind: What the files are, if not media of that modality: ``"vector"`` for vectors made elsewhere.
        allow_outside: Read local files that a list, table or dataset names outside its own folder.
        left_out: Counts what was found and not taken.

    Yields:
        Items, not yet read.

    Raises:
        IsthmusError: There is no such place, nothing of that modality in it, a table is malformed, or an id occurs
            twice.

    Example:
        >>> from itertools import islice
        >>> [item.text for item in islice(list_media(Path("everyday"), "text"), 2)]
        ['a dog barking', 'a cat meowing']
    """
    kind = kind or modality
    if kind not in SUFFIXES:
        raise IsthmusError(f"modality {modality!r} cannot be read from files: choose one of {', '.join(SUFFIXES)}")
    request = Request(kind, column, id_column, allow_outside, LeftOut() if left_out is None else left_out)
    items = _listed(where, request)
    first = next(items, None)
    if first is None:
        _check_rows(where, request)
        found = request.left_out.kinds_in_words or request.left_out.others_in_words
        holds = f", only {found}" if found else ""
        raise IsthmusError(f"{where}: has no {kind} ({' '.join(SUFFIXES[kind][:6])} …){holds}: give another place")
    yield first
    yield from items


def _check_rows(where: Path, request: Request) -> None:
    """Raise `IsthmusError` for a list or table that has no entries, or only empty ones."""
    if not where.is_file() or tables.suffix_of(where) not in tables.SUFFIXES or request.left_out.others:
        return
    if request.left_out.empty:
        raise IsthmusError(f"{where}: all {request.left_out.empty} entries are empty: give another column or place")
    what = "lines" if tables.suffix_of(where) == ".txt" else "rows"
    raise IsthmusError(f"{where}: has no {what}: write it again, or give another place")


def suffixes_at(where: Path) -> dict[str, int]:
    """Count the suffixes of a folder's files or a tar's members; a single file counts once."""
    if not where.is_dir():
        found = [Path(member.name) for member in tar_members(where)] if is_tar(where) else [where]
    else:
        found = list(walked(where, LeftOut()))
        tars = [path for path in found if is_tar(path)]
        known = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
        if tars and len(tars) >= sum(path.suffix.lower() in known for path in found):
            found = [Path(member.name) for member in tar_members(tars[0])]
    return dict(Counter(path.suffix.lower() for path in found))


def _listed(where: Path, request: Request) -> Iterator[Item]:
    if where.is_dir():
        return (
            list_dataset(where, request) if any((where / mark).is_file() for mark in MARKS) else _folder(where, request)
        )
    if where == everyday.NAME and not where.exists():
        if not request.texts:
            raise IsthmusError(
                f"{where}: is a list of texts, not {request.kind}: omit --modality, or give another place"
            )
        return (text_item(name, content) for name, content in everyday.everyday_texts())
    if not where.is_file():
        raise IsthmusError(f"{where}: not found: give a folder, a list, a table, a .tar or a dataset")
    if is_tar(where):
        return list_tar(where, request, prefix=where.stem, ids=Ids())
    if request.texts:
        return _texts([where], request)
    if tables.suffix_of(where) not in tables.SUFFIXES:
        return iter([file_item(where, where.name)])
    column = media_column(where, request)
    return (
        list_paths(where, request)
        if column is None
        else list_cells(where, column, request, prefix=where.stem, ids=Ids())
    )


def _folder(folder: Path, request: Request) -> Iterator[Item]:
    """The files of the kind, the tars if they are at least as many, or else the tables that hold the media themselves.

    For texts, whose files are tables, there must be more tars than tables. What is not taken is counted.
    """
    found = list(walked(folder, request.left_out))
    if request.texts:
        found = _without_downloads(found, request.left_out)
    files = [path for path in found if path.suffix.lower() in request.suffixes]
    tars = [path for path in found if is_tar(path)]
    tables_of_media = [] if request.texts else [path for path in found if tables.suffix_of(path) == ".parquet"]
    listers: list[tuple[list[Path], Lister]] = [(files, _files), (tars, _tars), (tables_of_media, _cells)]
    if tars and (len(tars) > len(files) or (len(tars) == len(files) and not request.texts)):
        listers[:2] = listers[1], listers[0]
    uncounted = replace(request, left_out=LeftOut())
    for paths, lister in listers:
        if next(lister(folder, paths, uncounted), None) is not None:
            break
    else:
        paths, lister = [], _files
    taken = set(paths)
    for path in found:
        if path not in taken:
            request.left_out.skip(path.name)
    return lister(folder, paths, request)


def _files(folder: Path, paths: Sequence[Path], request: Request) -> Iterator[Item]:
    if request.texts:
        return _texts(paths, request)
    return (file_item(path, path.relative_to(folder).as_posix()) for path in paths)


def _tars(folder: Path, archives: Sequence[Path], request: Request) -> Iterator[Item]:
    ids = Ids()
    for archive in archives:
        yield from list_tar(archive, request, prefix=archive.relative_to(folder).with_suffix("").as_posix(), ids=ids)


def _cells(folder: Path, paths: Sequence[Path], request: Request) -> Iterator[Item]:
    ids = Ids()
    for path in paths:
        column = media_column(path, request)
        if column is not None:
            prefix = path.relative_to(folder).with_suffix("").as_posix()
            yield from list_cells(path, column, request, prefix=prefix, ids=ids)


def _without_downloads(found: Sequence[Path], left_out: LeftOut) -> list[Path]:
    """The files without tables of img2dataset whose captions are also in a folder of ``.txt`` or a tar of that name."""
    beside = {path.parent for path in found if path.suffix.lower() == ".txt"}
    beside |= {path.with_suffix("") for path in found if is_tar(path)}
    kept = []
    for path in found:
        downloads = tables.suffix_of(path) == ".parquet" and path.with_suffix("") in beside
        if downloads and tables.lists_downloads(tables.columns_of(path)):
            left_out.others["tables of downloads whose captions are files next to them"] += 1
        else:
            kept.append(path)
    return kept


def _texts(files: Iterable[Path], request: Request) -> Iterator[Item]:
    """The texts of tables and lists; a text that is its own id is listed once."""
    ids = Ids()
    for path in files:
        for entry in tables.read_entries(path, request.column, request.id_column, left_out=request.left_out):
            name = entry.content if entry.id is None else entry.id
            if ids.is_new(name, path, entry.row, own=name == entry.content):
                yield text_item(name, entry.content, None if name == entry.content else path)
            else:
                request.left_out.doubled += 1
