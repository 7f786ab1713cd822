"""Figures over seeds, as benchmarks print them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Figures = dict[str, float]


def rates(figures: Figures, galleries: Sequence[str]) -> Figures:
    """R@1 of each gallery."""
    return {gallery: round(figures[f"{gallery}.r1"], 2) for gallery in galleries}


def seed_table(found: list[dict[str, Figures]], galleries: Sequence[str], digits: int = 1) -> list[str]:
    """Mean ± standard deviation over seeds as Markdown rows."""
    lines = ["| | " + " | ".join(galleries) + " |", "|---|" + "---|" * len(galleries)]
    for name in found[0]:
        cells = []
        for gallery in galleries:
            values = [seed[name][gallery] for seed in found]
            spread = np.std(values, ddof=1) if len(values) > 1 else 0
            cells.append(f"{np.mean(values):.{digits}f} ± {spread:.{digits}f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines
