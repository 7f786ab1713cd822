"""Where the bytes of an item lie: a file, a member of a tar, a row of a dataset, a URI, memory. Opened when asked."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

HASH_BLOCK = 2**20


@runtime_checkable
class ByteSource(Protocol):
    """Bytes with a name; the name's suffix tells the format where the bytes do not."""

    @property
    def name(self) -> str:
        """What errors call it."""
        ...

    def open(self) -> BufferedIOBase:
        """A seekable stream of its bytes."""
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def open(self) -> BufferedIOBase:
        """The file, opened."""
        return self.path.open("rb")


@dataclass(frozen=True)
class InMemory:
    """Bytes at hand."""

    name: str
    content: bytes

    def open(self) -> BufferedIOBase:
        """The bytes."""
        return io.BytesIO(self.content)


@dataclass(frozen=True)
class TarMember:
    """A member of an uncompressed tar, as WebDataset shards have them."""

    archive: Path
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """The archive and the member in it."""
        return f"{self.archive}/{self.member}"

    def open(self) -> BufferedIOBase:
        """The member's bytes, read."""
        with self.archive.open("rb") as file:
            file.seek(self.offset)
            return io.BytesIO(file.read(self.size))


@dataclass(frozen=True)
class Remote:
    """A URI that fsspec opens: https, s3, gs, memory …"""

    name: str

    def open(self) -> BufferedIOBase:
        """The bytes, fetched."""
        import fsspec

        with fsspec.open(self.name, "rb") as file:
            return io.BytesIO(file.read())


@dataclass(frozen=True)
class DatasetRow:
    """A row of a Hugging Face dataset on disk, whose column holds encoded bytes or a path."""

    folder: Path
    column: str
    row: int

    @property
    def name(self) -> str:
        """The dataset, column and row."""
        return f"{self.folder}[{self.row}].{self.column}"

    def open(self) -> BufferedIOBase:
        """The bytes of the cell."""
        cell = opened_dataset(self.folder, self.column)[self.row][self.column]
        if isinstance(cell, bytes):
            return io.BytesIO(cell)
        if isinstance(cell, str):
            return Path(cell).open("rb")
        if cell["bytes"] is not None:
            return io.BytesIO(cell["bytes"])
        return Path(cell["path"]).open("rb")


@lru_cache(maxsize=4)
def opened_dataset(folder: Path, column: str) -> Any:
    """A dataset that `datasets.save_to_disk` wrote, its media column left encoded."""
    from datasets import Audio, Image, Video, load_from_disk

    found = load_from_disk(str(folder))
    feature = found.features[column]
    for kind in (Image, Audio, Video):
        if isinstance(feature, kind):
            return found.cast_column(column, kind(decode=False))
    return found


def as_source(content: ByteSource | Path | str | bytes) -> ByteSource:
    """A path or bytes as a source; sources stay as they are."""
    if isinstance(content, bytes):
        return InMemory("bytes", content)
    return LocalFile(Path(content)) if isinstance(content, str | Path) else content


def sha256_of_source(source: ByteSource) -> str:
    """Hash of the bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with source.open() as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
