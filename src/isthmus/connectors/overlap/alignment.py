"""Alignment: rows of two sets that show the same item, matched by id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from isthmus.embeddings.pairing import Identified, require_ids


def matching_items(
    left: Identified, right: Identified
) -> tuple[Int[np.ndarray, " matched"], Int[np.ndarray, " matched"]]:
    """`matching_rows` of two sets. Raises `IsthmusError` if one of them has no ids, only row numbers."""
    require_ids(left, right)
    return matching_rows(left.ids, right.ids)


def matching_rows(
    left_ids: Sequence[str], right_ids: Sequence[str]
) -> tuple[Int[np.ndarray, " matched"], Int[np.ndarray, " matched"]]:
    """The row numbers of every id that is on both sides, in the order of the left side; empty if there is none."""
    if left_ids == right_ids:
        return np.arange(len(left_ids)), np.arange(len(right_ids))
    row_of = {name: row for row, name in enumerate(right_ids)}
    pairs = [(row, row_of[name]) for row, name in enumerate(left_ids) if name in row_of]
    left_rows, right_rows = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return left_rows, right_rows
