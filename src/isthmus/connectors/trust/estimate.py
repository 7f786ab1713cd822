"""Estimate: the quality of cross-modal retrieval, as a band, without a single pair.

Two bands, by what they assume. From the connector's criteria alone, before any query is seen. And, where the user's
own unlabelled queries and gallery are at hand and each query has a counterpart, from how often two items are each
other's nearest. Both are linear in log-odds, calibrated over the bank of worlds by leaving families out
(benchmarks/bank.py): the bands held the truth in nine of ten left-out worlds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from isthmus.connectors.trust.report import Band

GALLERY = 200
"""The band before any query is stated for a gallery of this size."""
LEAST = 0.005
"""Rates are kept this far from 0 and 1 before taking log-odds."""


def log_odds(rate: float) -> float:
    """``log(p / (1 - p))`` of a rate, kept finite."""
    kept = min(max(rate, LEAST), 1 - LEAST)
    return float(np.log(kept / (1 - kept)))


def criteria_evidence(criteria: Mapping[str, float]) -> dict[str, float]:
    """What the band before any query is linear in.

    ``shown``: how often texts shown as the memories would show them find each other, relative to how often the bare
    texts do, so that wrong captions do not count against the items. ``memory``: how often items of the two memories
    are each other's nearest; it falls where the memories hold different things.
    """
    shown = criteria["shown_twins"] / max(criteria["overlap_twins"], LEAST)
    return {
        "shown": log_odds(shown),
        "memory": log_odds(criteria["mutual_neighbours"]),
    }


def neighbour_evidence(mutual_neighbours: float) -> dict[str, float]:
    """What the band for given queries and gallery is linear in."""
    return {"mutual": log_odds(mutual_neighbours)}


def band_from_criteria(criteria: Mapping[str, float]) -> Band:
    """The band before any query is seen."""
    return _band(criteria_evidence(criteria), "criteria", "for items like the memories', one counterpart each")


def band_from_neighbours(mutual_neighbours: float, gallery: int) -> Band:
    """The band for queries and a gallery at hand, stated for a gallery of that size."""
    assumes = "if every query has one counterpart in the gallery"
    return _band(neighbour_evidence(mutual_neighbours), "counterparts", assumes, gallery)


def _band(evidence: Mapping[str, float], name: str, assumes: str, gallery: int = GALLERY) -> Band:
    fit = calibration()[name]
    centre = fit["intercept"] + sum(weight * evidence[key] for key, weight in fit["weights"].items())
    low, middle, high = (rate_of(centre + shift) for shift in (fit["low"], 0.0, fit["high"]))
    return Band(assumes=assumes, low=low, middle=middle, high=high, gallery=gallery)


def rate_of(odds: float) -> float:
    """The rate of log-odds; beyond what `log_odds` tells apart it is 0 or 1."""
    rate = float(1 / (1 + np.exp(-odds)))
    return 0.0 if rate < LEAST else 1.0 if rate > 1 - LEAST else rate


@cache
def calibration() -> dict[str, dict]:
    """The calibration that ships with the package."""
    return json.loads((files("isthmus.connectors.trust") / "estimate.json").read_text())
