"""What a listing found and did not take, by kind, and where its ids come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

NO_SUFFIX = "no suffix"
ID_COLUMNS = ("id", "key", "uid")
"""Usual names of columns of ids."""


@dataclass
class LeftOut:
    """Filled while a listing is read.

    Attributes:
        kinds: Files of other kinds than the one asked for, by suffix.
        doubled: Texts that are their own ids and occurred before.
        empty: Entries of tables without a text or medium.
        others: Everything else, by what it is.
        ids: Where the ids come from, if a column has them or might; else "".

    Example:
        >>> left_out = LeftOut()
        >>> left_out.skip("a.HEIC")
        >>> left_out.skip("README")
        >>> left_out.kinds_in_words
        '.heic 1, no suffix 1'
    """

    kinds: Counter[str] = field(default_factory=Counter)
    doubled: int = 0
    empty: int = 0
    others: Counter[str] = field(default_factory=Counter)
    ids: str = ""

    def skip(self, name: str) -> None:
        """Count a file of another kind."""
        self.kinds[Path(name).suffix.lower() or NO_SUFFIX] += 1

    def note_ids(self, taken: str | None, usual: str, columns: Iterable[str]) -> None:
        """Note that ids come from the column ``taken``, or are the ``usual`` ones though a column looks like ids."""
        unused = next((name for name in ID_COLUMNS if name in columns), None)
        if taken is not None:
            self.ids = f"column {taken!r}"
        elif unused is not None:
            self.ids = f"{usual}; --id-column {unused} takes that column"

    @property
    def kinds_in_words(self) -> str:
        """The suffixes and how often each occurred, the most frequent first."""
        return ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items(), key=lambda one: -one[1]))

    @property
    def others_in_words(self) -> str:
        """What else was left out, and how often."""
        return ", ".join(f"{what} {count}" for what, count in self.others.items())
