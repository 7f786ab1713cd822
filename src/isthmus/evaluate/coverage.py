"""Coverage: how much of a data set a score was measured on, and what became of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isthmus.evaluate.annotations.account import MOST_EXAMPLES, Account


@dataclass(frozen=True)
class MediaCount:
    """What was found of the items of one modality.

    Attributes:
        expected: Items in the annotations.
        found: Items that have a vector (or, in a check, a file).
        missing: Ids of items without a file, or without a row in the sets.
        unreadable: Reason by id of items whose file could not be read.
        cut: Texts that are longer than the encoder reads.
        from_videos: Images that are frames taken from videos.
    """

    expected: int
    found: int
    missing: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    from_videos: int = 0

    def line(self, modality: str) -> str:
        """One line, such as "image: 3 of 5 found, 1 missing (the first: a), 1 unreadable (b: empty file)"."""
        parts = [f"{modality}: {self.found} of {self.expected} found"]
        if self.from_videos:
            parts.append(f"{self.from_videos} from the middle of videos")
        if self.missing:
            parts.append(f"{len(self.missing)} missing (the first: {self.missing[0]})")
        if self.unreadable:
            name, reason = next(iter(self.unreadable.items()))
            parts.append(f"{len(self.unreadable)} unreadable ({name}: {reason})")
        if self.cut:
            parts.append(f"{self.cut} cut (longer than the encoder reads)")
        return ", ".join(parts)

    def facts(self) -> dict[str, Any]:
        """Counts and a few examples, for a result file."""
        facts: dict[str, Any] = {
            "expected": self.expected,
            "found": self.found,
            "missing": len(self.missing),
            "unreadable": len(self.unreadable),
            "cut": self.cut,
            "from_videos": self.from_videos,
        }
        examples = {
            "missing": list(self.missing[:MOST_EXAMPLES]),
            "unreadable": [f"{name}: {why}" for name, why in list(self.unreadable.items())[:MOST_EXAMPLES]],
        }
        return facts | {"examples": {name: own for name, own in examples.items() if own}}


@dataclass(frozen=True)
class DataCoverage:
    """What became of the annotations of a data set and of its media.

    Attributes:
        account: What became of every row of the annotation files.
        sides: What was found of each modality.
        expected: Items of the data set, such as pairs or samples.
        scored: Items that the figures were measured on.

    Example:
        >>> side = MediaCount(3, 1, missing=("b", "c"))
        >>> print(DataCoverage(Account(rows=3), {"image": side}, expected=3, scored=1))
        scored 1 of 3 (33.3 %)
        image: 1 of 3 found, 2 missing (the first: b)
    """

    account: Account
    sides: Mapping[str, MediaCount]
    expected: int
    scored: int

    @property
    def share(self) -> float:
        """The share of items that were scored, in [0, 1]."""
        return self.scored / self.expected if self.expected else 0.0

    def __str__(self) -> str:
        lines = [f"scored {self.scored} of {self.expected} ({100 * self.share:.1f} %)"]
        lines += [side.line(name) for name, side in self.sides.items()]
        return "\n".join([*lines, *account_lines(self.account)])

    def facts(self) -> dict[str, Any]:
        """What a result file records."""
        return {
            "expected": self.expected,
            "scored": self.scored,
            "rows": self.account.rows,
            "left_out": dict(self.account.left_out),
            "noted": dict(self.account.noted),
            "examples": {reason: list(own) for reason, own in self.account.examples.items()},
            "sides": {name: side.facts() for name, side in self.sides.items()},
        }


def account_lines(account: Account) -> list[str]:
    """What was left out of annotations and what is unusual in them, one line each, with the first example."""
    lines = []
    for reason, count in account.left_out.items():
        lines.append(f"left out of the annotations: {count} × {reason} (the first: {account.examples[reason][0]})")
    return [*lines, *(f"in the annotations: {count} × {what}" for what, count in account.noted.items())]
