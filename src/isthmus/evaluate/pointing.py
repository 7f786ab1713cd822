"""Localisation against the truth: how often a query's peak is inside what it names, and how well its region fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.token_labels import NOTHING, LabelledTokens
from isthmus.localize import Spot, agreement, lifted, spot, touching
from isthmus.localize.regions import overlap
from isthmus.worlds.world import Regions


@dataclass(frozen=True)
class Pointing:
    """``hits``: share of queries with the peak inside what they name; ``iou``: mean IoU of their regions with it.

    A query that misses has an IoU of 0.
    """

    hits: float
    iou: float


def pointing(
    log_codes: Float[np.ndarray, "tokens codes"],
    tokens: Tokens,
    regions: Sequence[Regions],
    queries: Float[np.ndarray, "labels codes"],
) -> Pointing:
    """Query every item for each thing it shows, by the code distribution of the thing's label.

    ``log_codes`` are the log code distributions of ``tokens``.
    """
    judged = []
    for row, truth in enumerate(regions):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        places = tokens.places[own]
        touches = touching(places)
        for label in np.unique(truth.labels):
            answer = spot(agreement(log_codes[own], queries[label]), places, touches)
            judged.append(_hit_and_iou(answer, truth.places[truth.labels == label]))
    hits, ious = (np.mean(column) for column in zip(*judged, strict=True))
    return Pointing(float(hits), float(ious))


def label_queries(
    log_codes: Float[np.ndarray, "tokens codes"], labels: Int[np.ndarray, " tokens"], count: int
) -> Float[np.ndarray, "labels codes"]:
    """The mean code distribution of each label's tokens, `lifted` by how common each code is.

    A label without tokens gets the mean distribution of all tokens.
    """
    each = np.exp(log_codes)
    common = each.mean(0)
    means = np.stack([each[labels == label].mean(0) if (labels == label).any() else common for label in range(count)])
    return lifted(means, common)


def part_queries(
    log_codes: Float[np.ndarray, "tokens codes"], shown: LabelledTokens, count: int, seed: int = 0
) -> Float[np.ndarray, "labels codes"]:
    """As `label_queries`, from a single part of one item for each label: one drawing, or one word of a sentence."""
    labels, part = shown.labels(), shown.parts()
    order = np.random.default_rng(seed).permutation(len(part))
    chosen = np.full(count, NOTHING)
    named = order[labels[order] != NOTHING]
    chosen[labels[named]] = part[named]
    own = (labels != NOTHING) & (part == chosen[labels])
    return label_queries(log_codes, np.where(own, labels, NOTHING), count)


def _hit_and_iou(answer: Spot, named: Float[np.ndarray, "things sides"]) -> tuple[bool, float]:
    """Whether the peak is inside one of the things named, and the IoU of the region with that one."""
    axes = len(answer.peak)
    hit = (named[:, :axes] <= answer.peak).all(1) & (answer.peak < named[:, axes:]).all(1)
    return bool(hit.any()), overlap(answer.region, named[hit.argmax()]) if hit.any() else 0.0
