"""Where the bytes of an item come from: a file, a tar member or memory. Opened on demand.

Only regular files are opened: a pipe, a socket or a device may never end. What is read into memory is bounded.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from isthmus.base.errors import IsthmusError, reason_of

HASH_BLOCK = 2**20
MOST_BYTES = 2**30
"""Larger members of archives, remote files, arrays and point clouds are refused: they are read into memory."""
NOT_FILES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
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
        """Open the file. Raises `UnreadableError` unless it is a regular one."""
        return regular_file(self.path)


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
        """Read the member's bytes. Raises `UnreadableError` if the archive is shorter than it was."""
        if self.size > MOST_BYTES:
            raise UnreadableError(f"{self.name}: {self.size} bytes, the limit in a tar is {MOST_BYTES}: unpack it")
        with regular_file(self.archive) as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            raise UnreadableError(f"{self.name}: is cut short: {len(content)} of {self.size} bytes are in the archive")
        return io.BytesIO(content)


@dataclass(frozen=True)
class Decoded:
    """An image, samples, frames, points or a vector that the caller has already; readers take ``value`` as it is."""

    name: str
    value: Any

    def open(self) -> BufferedIOBase:
        """Raise `UnreadableError`: there are no bytes."""
        raise UnreadableError(f"{self.name}: this space reads files only: pass a path")


def regular_file(path: Path) -> BufferedReader:
    """Open a file on disk without waiting. Raises `UnreadableError` for pipes, sockets, devices and folders."""
    _check_regular(path, path.stat())
    waiting = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | waiting))  # noqa: SIM115
    try:
        # The file may have been replaced since the first check.
        _check_regular(path, os.fstat(file.fileno()))
    except UnreadableError:
        file.close()
        raise
    return file


def _check_regular(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise UnreadableError(f"{path}: is {NOT_FILES.get(stat.S_IFMT(facts.st_mode), 'special')}, not a file")


def as_source(content: Any) -> ByteSource:
    """The source of a path, of the bytes of a file, or of a value in memory; sources are returned as they are."""
    if isinstance(content, bytes):
        return InMemory("bytes", content)
    if isinstance(content, str | Path):
        return LocalFile(Path(content))
    return content if isinstance(content, ByteSource) else Decoded(type(content).__name__, content)


def sha256_of_source(source: ByteSource, seconds: float = math.inf) -> str:
    """SHA-256 of the bytes, in hexadecimal. Raises `UnreadableError` if it takes longer than ``seconds``."""
    digest, deadline = hashlib.sha256(), time.monotonic() + seconds
    with source.open() as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            if time.monotonic() > deadline:
                raise UnreadableError(f"{source.name}: not read within {seconds:g} seconds")
    return digest.hexdigest()
