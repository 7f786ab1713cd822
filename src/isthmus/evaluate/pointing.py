"""Localisation against the truth: does a query point at what it names, and how well does its region fit?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings.tokens import Tokens
from isthmus.localize import Placed, agreement, lifted, placed, touching
from isthmus.localize.regions import overlap
from isthmus.worlds.world import Regions


@dataclass(frozen=True)
class Pointing:
    """``hits``: share of queries whose peak lies in what they name; ``iou``: mean overlap of their regions with it.

    A query that misses has overlap 0.
    """

    hits: float
    iou: float


def pointing(
    log_codes: Float[np.ndarray, "tokens codes"],
    tokens: Tokens,
    regions: Sequence[Regions],
    queries: Float[np.ndarray, "labels codes"],
) -> Pointing:
    """Ask every item for each thing it shows, by that thing's distribution over codes; ``log_codes`` are of tokens."""
    found = []
    for row, truth in enumerate(regions):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        places = tokens.places[own]
        touches = touching(places)
        for label in np.unique(truth.labels):
            answer = placed(agreement(log_codes[own], queries[label]), places, touches)
            found.append(_judged(answer, truth.places[truth.labels == label]))
    hits, ious = (np.mean(column) for column in zip(*found, strict=True))
    return Pointing(float(hits), float(ious))


def label_queries(
    log_codes: Float[np.ndarray, "tokens codes"], labels: Int[np.ndarray, " tokens"], count: int
) -> Float[np.ndarray, "labels codes"]:
    """What a word, or a sound, stands for in codes: the mean distribution of the tokens of each label.

    Labels that no token shows stand for nothing in particular. All are `lifted` by how common each code is.
    """
    each = np.exp(log_codes)
    common = each.mean(0)
    means = np.stack([each[labels == label].mean(0) if (labels == label).any() else common for label in range(count)])
    return lifted(means, common)


def _judged(answer: Placed, named: Float[np.ndarray, "things sides"]) -> tuple[bool, float]:
    """Whether a peak lies in one of the things named, and how well the region fits that one."""
    axes = len(answer.peak)
    hit = (named[:, :axes] <= answer.peak).all(1) & (answer.peak < named[:, axes:]).all(1)
    return bool(hit.any()), overlap(answer.region, named[hit.argmax()]) if hit.any() else 0.0
