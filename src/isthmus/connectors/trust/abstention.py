"""Abstention: when a report gives no band, and why."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.connectors.trust.estimate import FEW_DIMENSIONS, WIDEST, calibration
from isthmus.connectors.trust.figures import FEW_HELD_OUT, Band, ReportFigures

FEW_ITEMS = 200
"""A band for a gallery of 200 needs as many items in each memory."""


def why_no_estimate(report: ReportFigures, dimensions: Mapping[str, int], band: Band | None) -> str:
    """Why a report has no band, or "" if it may have this one; ``dimensions``: in how many a space's rows vary.

    A figure outside the range of the worlds on which the band was calibrated is stated beside the end of that range.
    """
    if report.held_out < FEW_HELD_OUT:
        return f"only {report.held_out} {report.overlap} rows were held out, {FEW_HELD_OUT} are needed"
    if report.at_chance:
        return f"the held-out {report.overlap} rows do not find their counterparts"
    if len(report.coverage) < 2 or band is None:
        return "a space has no memory: add one"
    small = [f"the {own.name} memory has {own.rows} items" for own in report.coverage if own.rows < FEW_ITEMS]
    if small:
        return f"{' and '.join(small)}, {FEW_ITEMS} a side are needed: add more"
    narrow = next((space for space, own in dimensions.items() if own < FEW_DIMENSIONS), None)
    if narrow is not None:
        return f"the rows of {narrow!r} vary in {dimensions[narrow]} dimensions, {FEW_DIMENSIONS} are needed"
    least = calibration()["chain"]["covered"]
    worst = min(report.coverage, key=lambda own: own.covered)
    if worst.covered < least:
        return (
            f"the {worst.name} memory covers the {report.overlap} rows too little (mean cycle score "
            f"{worst.covered:.2f}; the estimate was calibrated on worlds from {least:.2f} on)"
        )
    return too_wide(band)


def too_wide(band: Band) -> str:
    """That a band says too little, or ""."""
    if band.high - band.low <= WIDEST:
        return ""
    return f"what was measured allows any MRR from {band.low:.2f} to {band.high:.2f}"
