"""Pair sources: what is known, or believed, to show the same thing in two views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Index

CANDIDATES = 10
"""Answers of a search among which codes may later choose."""


@dataclass(frozen=True)
class PairSource:
    """Rows of one view beside rows of another that are taken to show the same; ``weight`` is the source's in the loss.

    ``kind`` says where the pairs come from: true, own (a space's own training pairs), overlap, retrieved, pseudo.
    ``candidates`` are, best first, the right rows that each pair's right row was chosen from; codes may choose again.
    """

    left: str
    right: str
    left_rows: Int[np.ndarray, " pairs"]
    right_rows: Int[np.ndarray, " pairs"]
    kind: str = "true"
    weight: float = 1.0
    candidates: Int[np.ndarray, "pairs few"] | None = None

    def __len__(self) -> int:
        return len(self.left_rows)

    def __str__(self) -> str:
        return f"{len(self)} {self.kind} pairs of {self.left} and {self.right}"


def pairs_by_row(left: str, right: str, count: int, kind: str = "true", weight: float = 1.0) -> PairSource:
    """Row i of one view belongs to row i of the other."""
    rows = np.arange(count)
    return PairSource(left, right, rows, rows, kind, weight)


def pairs_by_id(
    left: tuple[str, Tokens], right: tuple[str, Tokens], kind: str = "true", weight: float = 1.0
) -> PairSource:
    """CodeItems of two views with the same id; each is (name of the view, tokens). Raises `IsthmusError` for none."""
    row_of = {item: row for row, item in enumerate(right[1].ids)}
    pairs = [(row, row_of[item]) for row, item in enumerate(left[1].ids) if item in row_of]
    if not pairs:
        raise IsthmusError(
            f"no id is in both {left[0]} and {right[0]}: ids look like {left[1].ids[0]!r} and {right[1].ids[0]!r}"
        )
    rows = np.array(pairs, dtype=np.int64)
    return PairSource(left[0], right[0], rows[:, 0], rows[:, 1], kind, weight)


def nearest_pairs(
    left: tuple[str, Embeddings],
    right: tuple[str, Embeddings],
    *,
    kind: str = "pseudo",
    weight: float = 1.0,
    csls: bool = True,
) -> PairSource:
    """Every left item with the right one that search puts first, in a space both lie in.

    Captions retrieved within a space, and the connector's pseudo pairs, are made so.
    """
    best = Index(right[1]).search(left[1], k=min(CANDIDATES, len(right[1])), csls=csls).rows
    return PairSource(left[0], right[0], np.arange(len(left[1])), best[:, 0], kind, weight, best)
