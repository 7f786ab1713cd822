"""Items: what there is to embed, one by one, before anything is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from isthmus.media.source import ByteSource


@dataclass(frozen=True)
class Item:
    """One thing to embed: its id in the set, its bytes or its text, and a stamp that changes when it does."""

    id: str
    source: ByteSource | None
    stamp: str
    text: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.id if self.source is None else self.source.name


def named_item(name: str, source: ByteSource, stamp: str) -> Item:
    """An item with bytes. A name that is not Unicode is written with escapes, so that it can be an id."""
    return Item(as_unicode(name), source, stamp)


def text_item(name: str, content: str) -> Item:
    """A text as an item."""
    plain = as_unicode(content)
    return Item(as_unicode(name), None, hashlib.sha256(plain.encode()).hexdigest()[:16], text=plain)


def as_unicode(name: str) -> str:
    """A text in which what is no Unicode (bytes of a file's name, lone surrogates) is written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
