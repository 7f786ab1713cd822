"""Where the bytes of an item come from: a file, a tar member, a dataset row, a URI or memory. Opened on demand."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from isthmus.base.errors import IsthmusError, reason_of

HASH_BLOCK = 2**20
NOISE = re.compile(r"(Error opening )?'?<_io\.\w+[^>]*>'?(: )?|\[Errno -?\d+\] |: '[^']*'$")
"""Parts of libraries' messages that say nothing new: the stream they read, numbers of errors, the file again."""


class UnreadableError(IsthmusError):
    """An item that cannot be read. The message names it and gives the reason, in one line."""


@contextmanager
def unreadable(name: str) -> Iterator[None]:
    """Turn any error of a library into an `UnreadableError`: parsers of broken files raise errors of every type."""
    try:
        yield
    except IsthmusError:
        raise
    except FileNotFoundError as error:
        raise UnreadableError(f"{name}: not found") from error
    except MemoryError as error:
        raise UnreadableError(f"{name}: reading it needs more memory than is allowed") from error
    except Exception as error:
        reason = NOISE.sub("", reason_of(error)).strip(" :")
        raise UnreadableError(f"{name}: cannot be read ({type(error).__name__}: {reason})") from error


@runtime_checkable
class ByteSource(Protocol):
    """Bytes with a name. The name's suffix gives the format of bytes that do not say it themselves."""

    @property
    def name(self) -> str:
        """How errors refer to it."""
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
        """The path of the file."""
        return str(self.path)

    def open(self) -> BufferedIOBase:
        """Open the file."""
        return self.path.open("rb")


@dataclass(frozen=True)
class InMemory:
    """The bytes of a file, in memory."""

    name: str
    content: bytes

    def open(self) -> BufferedIOBase:
        """The bytes."""
        return io.BytesIO(self.content)


@dataclass(frozen=True)
class TarMember:
    """A member of an uncompressed tar, such as a WebDataset shard."""

    archive: Path
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """The archive and the member's name in it."""
        return f"{self.archive}/{self.member}"

    def open(self) -> BufferedIOBase:
        """Read the member's bytes."""
        with self.archive.open("rb") as file:
            file.seek(self.offset)
            return io.BytesIO(file.read(self.size))


@dataclass(frozen=True)
class Remote:
    """A URI that fsspec can open: https, s3, gs, memory and others."""

    name: str

    def open(self) -> BufferedIOBase:
        """Fetch the bytes."""
        import fsspec

        with fsspec.open(self.name, "rb") as file:
            return io.BytesIO(file.read())


@dataclass(frozen=True)
class DatasetRow:
    """A cell of a Hugging Face dataset on disk that holds encoded bytes or a path."""

    folder: Path
    column: str
    row: int

    @property
    def name(self) -> str:
        """The dataset, the row and the column."""
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


@dataclass(frozen=True)
class Decoded:
    """An image, samples, frames, points or a vector that the caller has already; readers take ``value`` as it is."""

    name: str
    value: Any

    def open(self) -> BufferedIOBase:
        """Raise `UnreadableError`: there are no bytes."""
        raise UnreadableError(f"{self.name}: this space reads files only: pass a path")


@lru_cache(maxsize=4)
def opened_dataset(folder: Path, column: str) -> Any:
    """A dataset written by `datasets.save_to_disk`, with its media column left encoded."""
    from datasets import Audio, Image, Video, load_from_disk

    found = load_from_disk(str(folder))
    feature = found.features[column]
    for kind in (Image, Audio, Video):
        if isinstance(feature, kind):
            return found.cast_column(column, kind(decode=False))
    return found


def as_source(content: Any) -> ByteSource:
    """The source of a path, of the bytes of a file, or of a value in memory; sources are returned as they are."""
    if isinstance(content, bytes):
        return InMemory("bytes", content)
    if isinstance(content, str | Path):
        return LocalFile(Path(content))
    return content if isinstance(content, ByteSource) else Decoded(type(content).__name__, content)


def sha256_of_source(source: ByteSource) -> str:
    """SHA-256 of the bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with source.open() as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
