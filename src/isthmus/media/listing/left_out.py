"""What a listing found and did not take, by kind, so that nothing is left out in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

NO_SUFFIX = "no suffix"


@dataclass
class LeftOut:
    """Filled while a listing is read.

    Attributes:
        kinds: Files that are of another kind than what was asked for, by suffix.
        doubled: Texts that are their own ids and occurred before.
        empty: Entries of tables without a text or medium.
        others: Everything else, by what it is.

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

    def skip(self, name: str) -> None:
        """Count a file of another kind."""
        self.kinds[Path(name).suffix.lower() or NO_SUFFIX] += 1

    @property
    def kinds_in_words(self) -> str:
        """The suffixes and how often each occurred, the most frequent first."""
        return ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items(), key=lambda one: -one[1]))

    @property
    def others_in_words(self) -> str:
        """What else was left out, and how often."""
        return ", ".join(f"{what} {count}" for what, count in self.others.items())
