"""Items: the things to embed, one by one, before they are read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from isthmus.media.source import ByteSource, LocalFile

LOCAL_STAMP = re.compile(r"absent|(?P<content>\d+:\d+(?P<member>:\d+)?)(?P<inode>:c\d+)?")
"""The stamp of a local file, or of a member of a local tar; texts, URIs and rows have other stamps."""


@dataclass(frozen=True)
class Item:
    """One thing to embed: its id in the set, its bytes or its text, and a stamp that changes when its content does.

    ``origin`` is the table, tar or dataset that gave a text its id; "" if the text is its own id. ``numbered`` says
    that the id is only the number of a row, which pairs nothing.
    """

    id: str
    source: ByteSource | None
    stamp: str
    text: str = ""
    origin: str = ""
    numbered: bool = False

    @property
    def name(self) -> str:
        """How messages refer to it."""
        return self.id if self.source is None else self.source.name


def named_item(name: str, source: ByteSource, stamp: str, *, numbered: bool = False) -> Item:
    """An item with bytes. Characters of the name that are not valid Unicode are escaped, so that it can be an id."""
    return Item(as_unicode(name), source, stamp, numbered=numbered)


def file_item(path: Path, name: str) -> Item:
    """An item that is a file on disk, or was."""
    return named_item(name, LocalFile(path), stamp_of(path))


def stamp_of(path: Path) -> str:
    """Size, time of the content and time of the inode of a file: one of them changes if the file is replaced."""
    try:
        facts = path.stat()
    except OSError:
        return "absent"
    return f"{facts.st_size}:{facts.st_mtime_ns}:c{facts.st_ctime_ns}"


def member_stamp(archive: str, offset: int) -> str:
    """The stamp of the member at ``offset`` of a tar with the stamp ``archive``."""
    found = LOCAL_STAMP.fullmatch(archive)
    return f"{found['content']}:{offset}{found['inode']}" if found and found["content"] else archive


def is_same_stamp(stamp: str, known: str) -> bool:
    """Whether a stamp shows no change; those of isthmus 0.1 have no time of the inode."""
    if stamp == known:
        return True
    found = LOCAL_STAMP.fullmatch(stamp)
    return found is not None and found["content"] == known


def text_item(name: str, content: str, origin: Path | None = None) -> Item:
    """An item that is a text, with the table, tar or dataset that gave it its id."""
    plain = as_unicode(content)
    stamp = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return Item(as_unicode(name), None, stamp, plain, "" if origin is None else str(origin))


def as_unicode(name: str) -> str:
    """The text with everything that is not valid Unicode (raw bytes of a file name, lone surrogates) escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
