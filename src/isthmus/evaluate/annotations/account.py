"""Account: what became of every row of the annotation files of a data set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_EXAMPLES = 5


@dataclass
class Account:
    """Filled while annotations are read.

    Attributes:
        rows: How many rows were read.
        left_out: Rows, or parts of rows such as boxes, that are not used, by reason.
        examples: The first few of each reason: file and row.
        noted: What is unusual about rows that are used, such as several of the same clip.

    Example:
        >>> account = Account()
        >>> account.leave_out("degenerate box", "vggss.json: 'a_000001'")
        >>> dict(account.left_out), account.examples
        ({'degenerate box': 1}, {'degenerate box': ["vggss.json: 'a_000001'"]})
    """

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    noted: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, where: str) -> None:
        """Count a row or part of a row that is not used."""
        self.left_out[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(where)
