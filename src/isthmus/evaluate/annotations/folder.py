"""The folders of a data set: annotation files by name, media by the name that annotations give them.

People lay out the same data set in different ways, so files are looked for at any depth. A medium is known by its name
without suffix, or by the name of its folder if that holds the frames of one clip.
"""

from __future__ import annotations

import html
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import sha256_of
from isthmus.embeddings.manifest import MANIFEST
from isthmus.evaluate.annotations.data import DataItem
from isthmus.media.listing.request import SUFFIXES


class DataFolder:
    """The annotation files and media below one or several folders.

    Args:
        *roots: The folders, such as one of annotations and one of media.

    Raises:
        IsthmusError: One of them is not a folder.
    """

    def __init__(self, *roots: Path) -> None:
        for root in roots:
            if not root.is_dir():
                raise IsthmusError(f"{root}: is not a folder: give the folder of the data set")
        self.roots = roots
        self.opened: list[Path] = []
        self._media: dict[str, MediaNames] = {}

    def __str__(self) -> str:
        return " and ".join(str(root) for root in self.roots)

    @cached_property
    def files(self) -> list[Path]:
        """Every file below the folders, in order; hidden ones are left out."""
        return [path for root in self.roots for path in _walked(root)]

    def find(self, *names: str) -> Path | None:
        """The file with the first of these names, at any depth; equal copies count as one.

        Raises `IsthmusError` if files of that name differ.
        """
        for name in names:
            found = [path for path in self.files if path.name == name]
            if found:
                path = self._only(name, found)
                if path not in self.opened:
                    self.opened.append(path)
                return path
        return None

    def file(self, *names: str, source: str) -> Path:
        """The file with the first of these names; `IsthmusError` with where to get it if there is none."""
        found = self.find(*names)
        if found is None:
            raise IsthmusError(f"{self}: has no {' or '.join(names)}: get it from {source}")
        return found

    def media(self, modality: str) -> MediaNames:
        """The media of a modality by name."""
        if modality not in self._media:
            self._media[modality] = MediaNames(self.files, SUFFIXES[modality])
        return self._media[modality]

    def revision(self) -> str:
        """Which annotations were read: their names and the first digits of their hashes."""
        return ", ".join(f"{path.name}@{sha256_of(path)[:8]}" for path in sorted(self.opened, key=lambda own: own.name))

    def _only(self, name: str, found: Sequence[Path]) -> Path:
        if len(found) > 1 and len({sha256_of(path) for path in found}) > 1:
            raise IsthmusError(
                f"{self}: has {len(found)} different files named {name} ({found[0]}, {found[1]}): give the folder of "
                "one data set"
            )
        return found[0]


class MediaNames:
    """Files by name without suffix, and by the name of their folder."""

    def __init__(self, files: Iterable[Path], suffixes: Sequence[str]) -> None:
        preferred = {suffix: place for place, suffix in enumerate(suffixes)}
        self.by_stem: dict[str, Path] = {}
        self.by_folder: dict[str, list[Path]] = {}
        for path in files:
            place = preferred.get(path.suffix.lower())
            if place is None:
                continue
            key = plain_name(path.stem)
            known = self.by_stem.get(key)
            if known is None or place < preferred[known.suffix.lower()]:
                self.by_stem[key] = path
            self.by_folder.setdefault(plain_name(path.parent.name), []).append(path)

    def __len__(self) -> int:
        return len(self.by_stem)

    def of(self, entry: DataItem) -> Path | None:
        """The file of an item: by one of its names or, for the frames of a clip in a folder, the middle one."""
        for name in entry.names:
            found = self.by_stem.get(plain_name(name))
            if found is not None:
                return found
        for name in entry.names:
            frames = self.by_folder.get(plain_name(name))
            if frames:
                return sorted(frames)[len(frames) // 2]
        return None


def plain_name(name: str) -> str:
    """A name as both annotations and files may spell it: one form of accents, no HTML entities, no outer spaces.

    Example:
        >>> plain_name("rain&amp;storm")
        'rain&storm'
    """
    return unicodedata.normalize("NFC", html.unescape(name)).strip()


def _walked(root: Path) -> Iterator[Path]:
    """Files in order, through links to folders, each folder once; embedding sets, which hold no media, are left out."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(root, followlinks=True):
        facts = Path(place).stat()
        is_set = MANIFEST in names and any(name.endswith(("_emb", "_tokens")) for name in folders)
        if (facts.st_dev, facts.st_ino) in seen or is_set:
            folders.clear()
            continue
        seen.add((facts.st_dev, facts.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))
