"""Refining: believed pairs chosen again, among what search had found, by the codes that were learned from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from isthmus.codes.learning.objective import CodeItems
from isthmus.codes.learning.pairs import PairSource
from isthmus.codes.model.model import CodeModel

ROWS = 1024
"""Pairs whose candidates are compared at once."""


def refined(model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> list[PairSource]:
    """The sources; in those with candidates every left item is now paired with the one whose codes are most like its.

    Likeness is the code similarity S (papers B.6) of the items' code distributions.
    """
    reached = {name for source in sources if source.candidates is not None for name in (source.left, source.right)}
    log_codes = {name: model.item_codes(items[name].tokens, name) for name in reached}
    return [source if source.candidates is None else _chosen_again(source, log_codes) for source in sources]


def _chosen_again(source: PairSource, log_codes: Mapping[str, np.ndarray]) -> PairSource:
    assert source.candidates is not None
    left, right = log_codes[source.left], log_codes[source.right]
    rows = []
    for start in range(0, len(source), ROWS):
        own = left[source.left_rows[start : start + ROWS]][:, None]
        others = source.candidates[start : start + ROWS]
        theirs = right[others]
        likeness = (np.exp(own) * theirs + own * np.exp(theirs)).sum(2)
        rows.append(np.take_along_axis(others, likeness.argmax(1)[:, None], axis=1)[:, 0])
    return replace(source, right_rows=np.concatenate(rows))
