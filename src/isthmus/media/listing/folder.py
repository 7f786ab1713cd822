"""Folders: their files at any depth, without what isthmus wrote; folders that they link to are followed once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.layout import metadata_file, tokens_folder, vectors_file
from isthmus.embeddings.manifest import read_manifest
from isthmus.media.listing.left_out import LeftOut

MARKS = ("manifest.json", "config.json", "graph.json")
"""Files of which each folder of isthmus (a set, its tokens, a connector, a graph, codes) has one."""
OURS = re.compile(rb'\{\s*"format":\s*"isthmus-')
SET_FILES = ("manifest.json", "errors.parquet")
Identity = tuple[int, int] | Path


def walked(folder: Path, left_out: LeftOut) -> Iterator[Path]:
    """Files in the order of their names, then those of linked folders. Each folder is listed once.

    Hidden files, folders that isthmus wrote, and links to a folder around this one are counted as left out.
    """
    return _Walk(folder, left_out).files()


def is_ours(folder: Path) -> bool:
    """Whether isthmus wrote the folder: a set, tokens, or a model."""
    for mark in MARKS:
        try:
            with (folder / mark).open("rb") as file:
                if OURS.match(file.read(64)):
                    return True
        except OSError:
            continue
    return False


class _Walk:
    def __init__(self, root: Path, left_out: LeftOut) -> None:
        self.root, self.left_out = root, left_out
        self.seen: set[Identity] = set()
        self.links: list[Path] = []

    def files(self) -> Iterator[Path]:
        around = {_identity(parent) for parent in self.root.resolve().parents}
        own = _files_of_set(self.root)
        yield from (path for path in self._in(self.root) if not own or path.relative_to(self.root).parts[0] not in own)
        if own:
            self.left_out.others["files of this embedding set"] += 1
        for link in self.links:
            found = _identity(link)
            if found in self.seen or found in around:
                self.left_out.others["links to folders that are around it or listed already"] += 1
            elif is_ours(link):
                self.left_out.others["folders that isthmus wrote"] += 1
            else:
                yield from self._in(link)

    def _in(self, folder: Path) -> Iterator[Path]:
        try:
            self.seen.add(_identity(folder))
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if folder == self.root:
                raise IsthmusError(f"{folder}: cannot be read ({error.strerror}): give another place") from error
            self.left_out.others["folders that cannot be read"] += 1
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith("."):
                self.left_out.others["hidden"] += 1
            elif entry.is_dir(follow_symlinks=False):
                yield from self._below(path)
            elif entry.is_symlink() and path.is_dir():
                self.links.append(path)
            elif entry.is_file() or (entry.is_symlink() and not path.exists()):
                yield path
            else:
                self.left_out.others["devices and pipes"] += 1

    def _below(self, folder: Path) -> Iterator[Path]:
        if is_ours(folder):
            self.left_out.others["folders that isthmus wrote"] += 1
        elif _identity(folder) in self.seen:
            self.left_out.others["links to folders that are around it or listed already"] += 1
        else:
            yield from self._in(folder)


def _identity(folder: Path) -> Identity:
    try:
        facts = folder.stat()
    except OSError:
        return folder
    return (facts.st_dev, facts.st_ino)


def _files_of_set(folder: Path) -> set[str]:
    """What a set at ``folder`` itself wrote into it; empty if there is none."""
    if not (is_ours(folder) and (folder / "manifest.json").is_file()):
        return set()
    try:
        modalities = read_manifest(folder)
    except IsthmusError:
        return set(SET_FILES)
    own = {
        path.relative_to(folder).parts[0]
        for modality in modalities
        for path in (
            vectors_file(folder, modality, 0),
            metadata_file(folder, modality, 0),
            tokens_folder(folder, modality),
        )
    }
    return own | set(SET_FILES)
