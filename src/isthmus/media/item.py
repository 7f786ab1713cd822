"""Items: the things to embed, one by one, before they are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from isthmus.media.source import ByteSource


@dataclass(frozen=True)
class Item:
    """One thing to embed: its id in the set, its bytes or its text, and a stamp that changes when its content does."""

    id: str
    source: ByteSource | None
    stamp: str
    text: str = ""

    @property
    def name(self) -> str:
        """How messages refer to it."""
        return self.id if self.source is None else self.source.name


def named_item(name: str, source: ByteSource, stamp: str) -> Item:
    """An item with bytes. Characters of the name that are not valid Unicode are escaped, so that it can be an id."""
    return Item(as_unicode(name), source, stamp)


def text_item(name: str, content: str) -> Item:
    """An item that is a text."""
    plain = as_unicode(content)
    return Item(as_unicode(name), None, hashlib.sha256(plain.encode()).hexdigest()[:16], text=plain)


def as_unicode(name: str) -> str:
    """The text with everything that is not valid Unicode (raw bytes of a file name, lone surrogates) escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
