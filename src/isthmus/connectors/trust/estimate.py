"""Estimate: a band for the quality of cross-modal retrieval, without pairs, or the reason why there is none.

There are two bands, with different assumptions. One follows from the chain of measured steps (`choosing.chain`) before
any query is seen. The other needs the user's own unlabelled queries and gallery, assumes that each query has a
counterpart there, and comes from the share of queries that are the nearest neighbour of their own nearest neighbour,
beyond what happens by chance, and from both sizes. docs/benchmarks.md lists the worlds on which both were measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from isthmus.connectors.choosing.chain import GALLERY, Chain
from isthmus.connectors.trust.figures import Band

FEW_DIMENSIONS = 8
"""In fewer dimensions both bands are too high: neighbours are mutual by chance (docs/benchmarks.md)."""
LEAST = 0.02
"""Rates are kept this far from 0 and 1 before taking log-odds: a few hundred rows cannot tell .98 from 1."""
ROUNDING = 1e-9
CHANCE = sum(1 / rank for rank in range(1, GALLERY + 1)) / GALLERY
"""MRR of a random order."""
MOST_UNMATCHED = 0.9
"""With a larger share of unmatched pairs, the rest would be magnified more than ten times."""
ERRORS = 1.5
"""Standard errors of the share of mutual neighbours on each side of the band."""
WIDEST = 0.5
"""A wider band says too little."""


def band_from_chain(chain: Chain, margins: tuple[float, float] | None = None) -> Band:
    """The band before any query is seen: from the chain's last step to its last but one, with a margin.

    Simulated items carry what their memory as a whole shows of texts. Real items may show their own text better, but
    hardly better than a text itself; so the truth lies between simulated items on both sides, and on one side. The
    upper end also allows for overlap pairs that are matched wrongly: if a share e of pairs is ranked at random, the
    others have the MRR ``(m - e chance) / (1 - e)``. The margins below and above (by default the calibrated ones) are
    the same for all inputs, in log-odds; the middle is halfway. An encoder that takes its items for others is beyond
    any estimate from unpaired data, since its memory looks just the same.
    """
    lower, upper = log_odds(chain.items), log_odds(max(chain.items, if_matched(chain.one_item, chain.unmatched)))
    known = calibration()["chain"]
    below, above = (known["below"], known["above"]) if margins is None else margins
    return Band(
        assumes="for items like the memories', each with one counterpart, if each encoder knows its own items",
        low=rate_of(lower - below),
        middle=rate_of((lower + upper) / 2),
        high=rate_of(upper + above),
        gallery=GALLERY,
    )


def if_matched(mrr: float, unmatched: float) -> float:
    """The MRR of the matched pairs, if a share of all pairs is ranked at random."""
    share = min(unmatched, MOST_UNMATCHED)
    return min(1.0, max(mrr, (mrr - share * CHANCE) / (1 - share)))


def band_from_neighbours(
    mutual_neighbours: float,
    by_chance: float,
    queries: int,
    gallery: int,
    fitted: Mapping[str, float] | None = None,
) -> Band:
    """The band for given queries and a given gallery, stated for a gallery of that size.

    The share m of queries that are the nearest neighbour of their own nearest neighbour exceeds the share c of
    unrelated items of which that holds (``by_chance``) by x = (m - c) / (1 - c). Over all worlds tried the MRR follows
    from x: its odds are those of x times a constant, and a power of items per query. The lower end is that of m minus
    1.5 standard errors, the upper one that of m, or of c if it is larger, plus as much; both with a margin in log-odds.
    ``fitted`` is what `calibration` has, by default that.
    """
    known = calibration()["counterparts"] if fitted is None else fitted
    shift = known["shift"] - known["crowding"] * math.log(gallery / queries)
    error = ERRORS * math.sqrt(max(mutual_neighbours * (1 - mutual_neighbours), LEAST) / queries)

    def mrr(rate: float, padding: float) -> float:
        return rate_of(log_odds(beyond_chance(rate, by_chance)) + shift + padding)

    nothing = beyond_chance(mutual_neighbours - error, by_chance) <= LEAST
    return Band(
        assumes="if every query has one counterpart in the gallery",
        low=0.0 if nothing else mrr(mutual_neighbours - error, -known["margin"]),
        middle=mrr(mutual_neighbours, 0.0),
        high=mrr(max(mutual_neighbours, by_chance) + error, known["margin"]),
        gallery=gallery,
    )


def beyond_chance(mutual_neighbours: float, by_chance: float) -> float:
    """``(m - c) / (1 - c)``: 0 if queries find their counterparts no more often than by chance, 1 if always."""
    return (mutual_neighbours - by_chance) / max(1 - by_chance, LEAST)


def log_odds(rate: float) -> float:
    """``log(p / (1 - p))`` of a rate, kept finite."""
    kept = min(max(rate, LEAST), 1 - LEAST)
    return math.log(kept / (1 - kept))


def rate_of(odds: float) -> float:
    """The rate with these log-odds; 0 or 1 at and beyond the ends of `log_odds`."""
    rate = 1 / (1 + math.exp(-odds))
    return 0.0 if rate < LEAST + ROUNDING else 1.0 if rate > 1 - LEAST - ROUNDING else rate


@cache
def calibration() -> Mapping[str, dict]:
    """The calibration that ships with the package."""
    return json.loads((files("isthmus.connectors.trust") / "estimate.json").read_text())
