"""Connecting few rows of many dimensions: seconds on the clock of all of `connect`, with its report.

python benchmarks/few_rows.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np

import isthmus

CASES = ((49, 512), (300, 4096))
"""Overlap rows and dimensions."""
ITEMS, MEANINGS = 300, 64
METHODS = ("cca", "auto")


def sides(texts: int, dim: int) -> list[dict[str, isthmus.Embeddings]]:
    """Two spaces of noisy linear maps of the same meanings."""
    draw = np.random.default_rng(0)
    meaning = draw.standard_normal((texts, MEANINGS))
    found = []
    for space, modality in (("left", "image"), ("right", "audio")):
        shown = draw.standard_normal((MEANINGS, dim))
        own = {"text": meaning, modality: draw.standard_normal((ITEMS, MEANINGS))}
        found.append(
            {
                name: isthmus.Embeddings.from_array(
                    rows @ shown + draw.standard_normal((len(rows), dim)),
                    modality=name,
                    space=space,
                    ids=[f"{name} {row}" for row in range(len(rows))],
                )
                for name, rows in own.items()
            }
        )
    return found


def main() -> None:
    """Print one line for each case and method; the first fit of the process is not timed."""
    warnings.simplefilter("ignore")
    isthmus.connect(*sides(60, 32), method="auto")
    for texts, dim in CASES:
        for method in METHODS:
            given = sides(texts, dim)
            started = time.perf_counter()
            isthmus.connect(*given, method=method)
            print(f"{texts} texts, {dim} dimensions, {method}: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
