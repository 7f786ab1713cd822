"""Figures of real worlds as Markdown: one row for each world, and what they come to by family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

Row = dict[str, Any]
WIDE = 0.5
"""A band wider than this counts as no estimate."""
POOR = 0.3
"""A true MRR below this must not be called likely good."""


def table(rows: Sequence[Row], methods: Sequence[str]) -> list[str]:
    """One line for each world: means over draws, ratios to the best closed form in brackets, estimate beside truth."""
    worlds = defaultdict(list)
    for row in rows:
        worlds[row["world"]].append(row)
    head = ["world", *(["best"] if _mean(rows, "best") is not None else []), *methods]
    head += ["oracle"] if _mean(rows, "oracle") is not None else []
    trusted = ["true MRR in 200", "estimate", "inside"] if "auto" in methods else []
    lines = ["| " + " | ".join([*head, *trusted]) + " |", "|---" * len([*head, *trusted]) + "|"]
    for name, draws in worlds.items():
        cells = [name, *(_cell(draws, column) for column in head[1:])]
        lines.append("| " + " | ".join(cells + (_trust(draws) if trusted else [])) + " |")
    return lines


def summary(rows: Sequence[Row], methods: Sequence[str]) -> list[str]:
    """Ratios to the best closed form, and how the estimate did, for each family and for all."""
    lines = []
    families = {row["family"]: [own for own in rows if own["family"] == row["family"]] for row in rows}
    for family, own in {**families, "all": list(rows)}.items():
        for name in methods:
            ratios = _ratios(own, name)
            if ratios:
                lines.append(f"{family}: {name} / best closed form {fmean(ratios):.3f}, worst {min(ratios):.3f}")
            ratios = [row[name] / row["oracle"] for row in own if row.get("oracle") and name in row]
            if ratios:
                lines.append(f"{family}: {name} / paired oracle {fmean(ratios):.3f}, worst {min(ratios):.3f}")
        if "auto" in methods:
            lines.append(f"{family}: {_trust_in_words(own)}")
    return lines


def _trust_in_words(rows: Sequence[Row]) -> str:
    told = [row for row in rows if _told(row)]
    inside = sum(_inside(row) for row in told)
    error = fmean(abs(row["middle"] - row["true"]) for row in told) if told else float("nan")
    misled = sum("likely good" in row["verdict"].lower() and row["true"] < POOR for row in rows)
    return (
        f"the truth was inside {inside} of {len(told)} bands, mean error {error:.3f}; no estimate, or a band wider "
        f"than {WIDE}, in {len(rows) - len(told)} of {len(rows)} draws; called likely good below {POOR} in {misled}"
    )


def _told(row: Row) -> bool:
    return row["low"] is not None and row["high"] - row["low"] <= WIDE


def _inside(row: Row) -> bool:
    return row["low"] <= row["true"] <= row["high"]


def _trust(draws: Sequence[Row]) -> list[str]:
    banded = [row for row in draws if row["low"] is not None]
    truth = f"{fmean(row['true'] for row in draws):.2f}"
    if not banded:
        return [truth, "none", f"0 of 0, {len(draws)} without"]
    low, middle, high = (fmean(row[end] for row in banded) for end in ("low", "middle", "high"))
    without = len(draws) - sum(_told(row) for row in draws)
    inside = f"{sum(_told(row) and _inside(row) for row in draws)} of {len(draws) - without}"
    return [truth, f"{middle:.2f} ({low:.2f} to {high:.2f})", inside + (f", {without} without" if without else "")]


def _cell(draws: Sequence[Row], column: str) -> str:
    value = _mean(draws, column)
    if value is None:
        return ""
    ratios = _ratios(draws, column) if column not in ("best", "oracle") else []
    return f"{value:.1f}" + (f" ({fmean(ratios):.2f})" if ratios else "")


def _ratios(rows: Sequence[Row], column: str) -> list[float]:
    return [row[column] / row["best"] for row in rows if row.get("best") and column in row]


def _mean(rows: Sequence[Row], column: str) -> float | None:
    found = [row[column] for row in rows if row.get(column) is not None]
    return fmean(found) if found else None
