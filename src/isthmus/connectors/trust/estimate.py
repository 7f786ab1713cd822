"""Estimate: a band for the quality of cross-modal retrieval, without pairs.

There are two bands, with different assumptions. One comes from the connector's criteria alone, before any query. The
other needs the user's own unlabelled queries and gallery, assumes that each query has a counterpart there, and comes
from the share of queries that are the nearest neighbour of their own nearest neighbour, and from both sizes. Both are
linear in log-odds and were calibrated over the bank of worlds by leaving families out (benchmarks/bank.py): they
contained the true figure in nine of ten left-out cases (docs/benchmarks.md says on which worlds and sizes).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np

from isthmus.connectors.trust.figures import Band

GALLERY = 200
"""Size of the gallery for which the band from criteria is stated."""
FEW_DIMENSIONS = 8
"""In fewer dimensions both bands are too high: neighbours are mutual by chance (docs/benchmarks.md)."""
LEAST = 0.005
"""Rates are kept this far from 0 and 1 before taking log-odds."""


def log_odds(rate: float) -> float:
    """``log(p / (1 - p))`` of a rate, kept finite."""
    kept = min(max(rate, LEAST), 1 - LEAST)
    return float(np.log(kept / (1 - kept)))


def criteria_evidence(criteria: Mapping[str, float]) -> dict[str, float]:
    """The two quantities from which the band before any query is computed; both are log-odds.

    ``relative_item_mrr``: log-odds of MRR(simulated items) / MRR(texts). MRR(texts) is that of held-out text pairs in
    the joint space, and MRR(simulated items) that of the same pairs after each text t became a simulated item,
    √a t + noise, with the covariance of its space's memory. The ratio is 1 if the connector keeps what items express
    of a text; the division discounts pairs that even the texts do not match.

    ``mutual_neighbours``: log-odds of the share of memory items that are the nearest neighbour of their own nearest
    neighbour in the other memory. It falls if the memories show different things.
    """
    ratio = criteria["shown_twins"] / max(criteria["overlap_twins"], LEAST)
    return {
        "relative_item_mrr": log_odds(ratio),
        "mutual_neighbours": log_odds(criteria["mutual_neighbours"]),
    }


def neighbour_evidence(mutual_neighbours: float, queries: int, gallery: int) -> dict[str, float]:
    """The quantities from which the band for given queries and gallery is computed.

    ``mutual_neighbours``: log-odds of the share of queries that are the nearest neighbour of their own nearest
    neighbour. That happens more easily among few queries, and with a wrong neighbour in a large gallery, so
    ``gallery`` and ``queries`` are the logarithms of the two sizes, relative to `GALLERY`.
    """
    return {
        "mutual_neighbours": log_odds(mutual_neighbours),
        "gallery": math.log(gallery / GALLERY),
        "queries": math.log(queries / GALLERY),
    }


def band_from_criteria(criteria: Mapping[str, float]) -> Band:
    """The band before any query is seen."""
    assumes = "if queries and gallery resemble the memories and each query has one counterpart"
    return _band(criteria_evidence(criteria), "criteria", assumes)


def band_from_neighbours(mutual_neighbours: float, queries: int, gallery: int) -> Band:
    """The band for given queries and a given gallery, stated for a gallery of that size."""
    assumes = "if every query has one counterpart in the gallery"
    return _band(neighbour_evidence(mutual_neighbours, queries, gallery), "counterparts", assumes, gallery)


def _band(evidence: Mapping[str, float], name: str, assumes: str, gallery: int = GALLERY) -> Band:
    fit = calibration()[name]
    centre = fit["intercept"] + sum(weight * evidence[key] for key, weight in fit["weights"].items())
    low, middle, high = (rate_of(centre + shift) for shift in (fit["low"], 0.0, fit["high"]))
    return Band(assumes=assumes, low=low, middle=middle, high=high, gallery=gallery)


def rate_of(odds: float) -> float:
    """The rate with these log-odds; 0 or 1 beyond the range of `log_odds`."""
    rate = float(1 / (1 + np.exp(-odds)))
    return 0.0 if rate < LEAST else 1.0 if rate > 1 - LEAST else rate


@cache
def calibration() -> dict[str, dict]:
    """The calibration that ships with the package."""
    return json.loads((files("isthmus.connectors.trust") / "estimate.json").read_text())
