"""Folders: their files at any depth, without what isthmus wrote; folders that they link to are followed once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.layout import metadata_file, tokens_folder, vectors_file
from isthmus.embeddings.manifest import read_manifest
from isthmus.media.listing.left_out import LeftOut

MARKS = {
    "manifest.json": ("errors.parquet",),
    "config.json": ("model.safetensors", "README.md"),
    "graph.json": ("README.md",),
    "assignment.json": ("codes.parquet",),
}
"""Each folder isthmus writes (a set, tokens, a model, a graph, codes) has one of these files, next to those named."""
OURS = re.compile(rb'\{\s*"format":\s*"isthmus-(?P<what>[a-z-]+)')
SET_FOLDERS = ("_emb", "_metadata", "_tokens")
WROTE = "folders isthmus wrote into"
ELSEWHERE = "links to folders already listed or above this one"
Identity = tuple[int, int] | Path


def walked(folder: Path, left_out: LeftOut) -> Iterator[Path]:
    """Files in the order of their names, then those of linked folders. Each folder is listed once.

    Hidden files, folders that isthmus wrote, and links to a folder above this one are counted as left out.
    """
    return _Walk(folder, left_out).files()


def written_by_isthmus(folder: Path, names: Collection[str]) -> set[str]:
    """Which of the entries of a folder isthmus wrote; the others are a user's own."""
    marks = {name: what for name in MARKS if name in names and (what := _what(folder / name))}
    if not marks:
        return set()
    own = {*marks, *(beside for name in marks for beside in MARKS[name])}
    own |= {name for name in names if name.startswith(".")}  # locks, and files that were being written
    if marks.get("manifest.json") == "tokens":
        return set(names)
    if "manifest.json" in marks:
        own |= _folders_of_set(folder, names)
    return own & set(names)


def _what(mark: Path) -> str:
    """The kind of folder that a mark identifies; "" if isthmus did not write it."""
    if not mark.is_file():
        return ""
    try:
        with mark.open("rb") as file:
            found = OURS.match(file.read(128))
    except OSError:
        return ""
    return found["what"].decode().rstrip("-") if found else ""


def _folders_of_set(folder: Path, names: Collection[str]) -> set[str]:
    try:
        modalities = read_manifest(folder)
    except IsthmusError:
        return {name for name in names if name.endswith(SET_FOLDERS)}
    places = (vectors_file, metadata_file, lambda folder, modality, number: tokens_folder(folder, modality))
    return {place(folder, modality, 0).relative_to(folder).parts[0] for modality in modalities for place in places}


class _Walk:
    def __init__(self, root: Path, left_out: LeftOut) -> None:
        self.root, self.left_out = root, left_out
        self.seen: set[Identity] = set()
        self.links: list[Path] = []

    def files(self) -> Iterator[Path]:
        around = {_identity(parent) for parent in self.root.resolve().parents}
        yield from self._in(self.root)
        for link in self.links:
            if _identity(link) in around:
                self.left_out.others[ELSEWHERE] += 1
            else:
                yield from self._in(link)

    def _in(self, folder: Path) -> Iterator[Path]:
        if _identity(folder) in self.seen:
            self.left_out.others[ELSEWHERE] += 1
            return
        self.seen.add(_identity(folder))
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if folder == self.root:
                raise IsthmusError(f"{folder}: cannot be read ({error.strerror}): give another place") from error
            self.left_out.others["folders that cannot be read"] += 1
            return
        own = written_by_isthmus(folder, [entry.name for entry in entries])
        if own:
            self.left_out.others[WROTE] += 1
        entries = [entry for entry in entries if entry.name not in own]
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith("."):
                self.left_out.others["hidden"] += 1
            elif entry.is_dir(follow_symlinks=False):
                yield from self._in(path)
            elif entry.is_symlink() and path.is_dir():
                self.links.append(path)
            elif entry.is_file() or (entry.is_symlink() and not path.exists()):
                yield path
            else:
                self.left_out.others["devices and pipes"] += 1


def _identity(folder: Path) -> Identity:
    try:
        facts = folder.stat()
    except OSError:
        return folder
    return (facts.st_dev, facts.st_ino)
