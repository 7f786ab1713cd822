"""A world of vectors that real encoders made, and what is true in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from isthmus.embeddings import Embeddings

Sides = tuple[dict[str, Embeddings], dict[str, Embeddings]]
Metric = Literal["r1", "r10", "map"]
GALLERY = 200
"""Size of the gallery for which `RealWorld.mrr200` states the mean reciprocal rank, as the report's bands do."""


@dataclass(frozen=True)
class RealWorld:
    """Two sides to connect, a gallery with the true counterparts, and true pairs for an oracle.

    ``family`` is the source of the vectors; a rule is judged on families it was not fitted to. ``change`` says what was
    done to them, and is empty where nothing was. ``relevant`` says which left items are counterparts of which right
    items; it, ``pairs`` and ``classes`` never reach a connector.

    ``metric`` is "r1" or "r10", the share of queries with a counterpart among the first one or ten, mean of both
    directions, or "map", the mean average precision of right queries over left items, macro over ``classes``.
    Queries without a counterpart are left out.
    """

    name: str
    family: str
    sides: Sides
    left: Embeddings
    right: Embeddings
    relevant: Bool[np.ndarray, "left right"]
    metric: Metric
    pairs: tuple[Embeddings, Embeddings] | None = None
    classes: np.ndarray | None = None
    change: str = ""

    @property
    def overlap(self) -> str:
        """The modality that both sides share."""
        return next(own for own in self.sides[0] if own in self.sides[1])

    def scored(self, side: int) -> str:
        """The other modality of a side: of its memory and of its part of the gallery."""
        return next(own for own in self.sides[side] if own != self.overlap)

    def score(self, cosines: Float[np.ndarray, "left right"]) -> float:
        """The world's metric, in percent, of cosines between all items of the gallery."""
        if self.metric == "map":
            assert self.classes is not None
            asked = self.relevant.any(0)
            queries = zip(cosines.T[asked], self.relevant.T[asked], strict=True)
            precisions, classes = np.array([_average_precision(*query) for query in queries]), self.classes[asked]
            return 100 * float(np.mean([precisions[classes == name].mean() for name in np.unique(classes)]))
        first = int(self.metric[1:])
        directions = ((cosines, self.relevant), (cosines.T, self.relevant.T))
        return 100 * float(np.mean([_within(first, *each) for each in directions]))

    def mrr200(self, cosines: Float[np.ndarray, "left right"]) -> float:
        """The true MRR in a gallery of 200, mean of both directions: what a report estimates.

        A query of it looks for one item, drawn from its counterparts, among 199 drawn from the items that are not. Of
        ``irrelevant`` items of which ``above`` score at least as high, 199 * above / irrelevant stand before the
        item in such a gallery, so that 1 / (1 + 199 * above / irrelevant) is counted; the mean is over the counterparts
        of a query, then over queries that have any, then over directions. With 200 items and one counterpart each,
        it is the ordinary MRR. `worlds.synthetic` worlds are scored alike (`bank.one_way`).
        """
        directions = ((cosines, self.relevant), (cosines.T, self.relevant.T))
        return float(np.mean([_reciprocal_rank(*each) for each in directions]))


def _within(first: int, cosines: np.ndarray, relevant: np.ndarray) -> float:
    """The share of rows with a relevant item among the first; an irrelevant item of the same score comes before it."""
    best = np.where(relevant, cosines, -np.inf).max(1, keepdims=True)
    return float((((cosines >= best) & ~relevant).sum(1) < first)[relevant.any(1)].mean())


def _average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    hits = relevant[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def _reciprocal_rank(cosines: np.ndarray, relevant: np.ndarray) -> float:
    """`RealWorld.mrr200` of the rows as queries."""
    found = []
    for scores, wanted in zip(cosines, relevant, strict=True):
        if wanted.any():
            irrelevant = np.sort(scores[~wanted])
            above = len(irrelevant) - np.searchsorted(irrelevant, scores[wanted])
            found.append((1 / (1 + (GALLERY - 1) * above / len(irrelevant))).mean())
    return float(np.mean(found))
