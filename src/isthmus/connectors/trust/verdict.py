"""The verdict: what the figures of a report mean and what to do about them, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.connectors.trust.estimate import FEW_DIMENSIONS
from isthmus.connectors.trust.report import FEW_HELD_OUT, ConnectorReport

UNCOVERED = 0.3
"""Median centred top cosine below which most texts retrieve nothing similar (bank of worlds: docs/benchmarks.md)."""
FEW_ITEMS = 200
"""A band for a gallery of 200 needs as many items in each memory."""
GOOD, FAIR = 0.5, 0.2
"""Middle of the estimated MRR; 0.5 is a counterpart in the first two places on average."""


def verdict(report: ConnectorReport) -> tuple[str, ...]:
    """One sentence for each finding, the most serious first."""
    uncovered = [entry for entry in report.coverage if entry.top_cosine < UNCOVERED]
    found = []
    if report.too_few_to_tell:
        found.append(
            f"The {report.held_out} held-out {report.overlap} rows are too few to tell whether rows find their "
            f"counterparts. Add rows that both sides share: {5 * FEW_HELD_OUT} or more are needed to hold out "
            f"{FEW_HELD_OUT}."
        )
    elif not report.beats_chance:
        found.append(
            f"Held-out {report.overlap} rows are matched no better than by chance: do not use this connector. Check "
            "that equal ids mean equal items on both sides, that the rows differ from each other, and that training "
            "ran long enough."
        )
    found += [
        f"The {entry.modality} memory does not cover the overlap (median top cosine {entry.top_cosine:.2f}): results "
        f"will be poor for content it lacks. Add {entry.modality} items that resemble the {report.overlap} rows."
        for entry in uncovered
    ]
    if not uncovered:
        between = "-".join(entry.modality for entry in report.coverage)
        found += [f"{between.capitalize()} retrieval is {_expected(band.middle)}" for band in report.bands]
    if report.held_out < FEW_HELD_OUT and not report.too_few_to_tell:
        found.append(
            f"Only {report.held_out} {report.overlap} rows were held out: all figures above are rough. Add rows that "
            "both sides share."
        )
    return tuple(found)


def why_no_estimate(report: ConnectorReport, dimensions: Mapping[str, int]) -> str:
    """Why a report has no band, or "" if it may have one; ``dimensions``: in how many a space's rows vary."""
    small = [f"the {own.modality} memory has {own.rows} items" for own in report.coverage if own.rows < FEW_ITEMS]
    narrow = next((space for space, own in dimensions.items() if own < FEW_DIMENSIONS), None)
    if not report.beats_chance:
        return f"the held-out {report.overlap} rows do not clearly find their counterparts"
    if len(report.coverage) < 2:
        return "a space has no memory: add one"
    if small:
        return f"{' and '.join(small)}, {FEW_ITEMS} a side are needed: add more"
    if narrow is not None:
        return f"the rows of {narrow!r} vary in {dimensions[narrow]} dimensions, {FEW_DIMENSIONS} are needed"
    return ""


def _expected(mrr: float) -> str:
    if mrr >= GOOD:
        return "likely good: check a few hits by eye, then use it."
    if mrr >= FAIR:
        return "likely fair: look at the first ten hits of a query, not just the first."
    return "likely poor: add overlap rows and memory items that resemble your data, or measure it on some pairs first."
