"""Refinement: neighbour pairs chosen again by the codes trained on them; `codes.py` measures whether it helps.

It does not (docs/benchmarks.md), so the package has no such option.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from isthmus import CodeItems, CodeModel, Connector, Index, PairSource

CANDIDATES = 10
"""Nearest neighbours among which the codes choose."""
ROWS = 1024
"""Pairs for which candidates are compared at once."""


def refined(
    model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource], connector: Connector
) -> list[PairSource]:
    """The sources, but each left item of a neighbour source is paired with the neighbour whose codes are most similar.

    Similarity is S (papers B.6) of the items' code distributions.
    """
    neighbours = [source for source in sources if source.kind == "neighbour"]
    reached = {name for source in neighbours for name in (source.left, source.right)}
    log_codes = {name: model.item_codes(items[name].tokens, name) for name in reached}
    joint = {name: connector.project(items[name].pooled) for name in reached}
    found = []
    for source in sources:
        if source.kind == "neighbour":
            near = Index(joint[source.right]).search(joint[source.left], k=CANDIDATES, csls=True).rows
            chosen = most_similar(log_codes[source.left], log_codes[source.right], near)
            found.append(replace(source, right_rows=chosen))
        else:
            found.append(source)
    return found


def most_similar(
    left: Float[np.ndarray, "items codes"],
    right: Float[np.ndarray, "others codes"],
    candidates: Int[np.ndarray, "items few"],
) -> Int[np.ndarray, " items"]:
    """For each left item, the one of its candidates whose log code distribution has the highest S with its own."""
    chosen = []
    for start in range(0, len(left), ROWS):
        own, others = left[start : start + ROWS, None], candidates[start : start + ROWS]
        theirs = right[others]
        similarity = (np.exp(own) * theirs + own * np.exp(theirs)).sum(2)
        chosen.append(np.take_along_axis(others, similarity.argmax(1)[:, None], axis=1)[:, 0])
    return np.concatenate(chosen)
