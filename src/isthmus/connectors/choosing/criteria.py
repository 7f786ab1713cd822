"""Criteria: figures in [0, 1] that say how good a connector is, from `Evidence` alone. Larger is better.

No single one is reliable: over synthetic and real worlds they change their signs (docs/decisions.md). Each is a mean
reciprocal rank, over both directions, of something that should come first, except for the share of mutual neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.member import is_identity
from isthmus.metrics import target_ranks

GALLERY = 200
"""Ranks among sampled items are scaled to a gallery of this size, to compare small memories with large ones."""

Pair = tuple[Tensor, Tensor]
Kind = Literal["text", "item"]
Projection = Callable[[Tensor, int, Kind], Tensor]
"""Maps centred rows of side 0 or 1, texts or items, to unit joint rows."""


def score(evidence: Evidence, project: Projection) -> dict[str, float]:
    """Every criterion by name."""

    def both(rows: Pair, kind: Kind) -> Pair:
        return project(rows[0], 0, kind), project(rows[1], 1, kind)

    texts, items = both(evidence.texts, "text"), both(evidence.items, "item")
    pseudo, noisy, shown = both(evidence.pseudo, "item"), both(evidence.noisy, "item"), both(evidence.shown, "item")
    counterparts = project(evidence.simulated[0], 1, "item"), project(evidence.simulated[1], 0, "item")
    few = len(counterparts[0])
    direct = items[0] @ items[1].T
    return {
        "overlap_twins": counterpart_mrr(*texts),
        "pseudo_twins": counterpart_mrr(*pseudo),
        "noisy_twins": counterpart_mrr(*noisy),
        "shown_twins": counterpart_mrr(*shown),
        "text_to_pseudo": (counterpart_mrr(texts[0], pseudo[1]) + counterpart_mrr(pseudo[0], texts[1])) / 2,
        "simulated_pairs": sum(counterpart_mrr(items[s][:few], counterparts[s]) for s in (0, 1)) / 2,
        "transfer": transfer(evidence, texts, items),
        "round_trip": round_trip(evidence, texts, items),
        "chain": (found_first(direct, evidence.chained[0]) + found_first(direct.T, evidence.chained[1])) / 2,
        "mutual_neighbours": mutual_neighbours(direct),
    }


def counterpart_mrr(left: Float[Tensor, "rows dim"], right: Float[Tensor, "rows dim"]) -> float:
    """Mean reciprocal rank of each row's counterpart, the row with the same number, over both directions."""
    scores = left @ right.T
    own = torch.arange(len(left))
    return (reciprocal_ranks(scores, own).mean() + reciprocal_ranks(scores.T, own).mean()).item() / 2


def transfer(evidence: Evidence, texts: Pair, items: Pair) -> float:
    """For a text of the other space: the reciprocal rank of the item to which its counterpart is nearest natively."""
    found = [found_first(texts[1 - side] @ items[side].T, evidence.native[side]) for side in (0, 1)]
    return sum(found) / 2


def round_trip(evidence: Evidence, texts: Pair, items: Pair) -> float:
    """Item → nearest text of the other space, in the joint space → its counterpart → natively back to the item."""
    found = []
    for side in (0, 1):
        nearest = (items[side] @ texts[1 - side].T).argmax(1)
        own = torch.arange(len(items[side]))
        found.append(reciprocal_ranks(evidence.native[side][nearest], own, GALLERY).mean().item())
    return sum(found) / 2


def found_first(scores: Float[Tensor, "queries items"], reference: Float[Tensor, "queries items"]) -> float:
    """Mean reciprocal rank, in ``scores``, of the item that comes first in ``reference``."""
    return reciprocal_ranks(scores, reference.argmax(1), GALLERY).mean().item()


def mutual_neighbours(scores: Float[Tensor, "left right"]) -> float:
    """Share of items that are the nearest neighbour of their own nearest neighbour, over both directions."""
    forward, backward = scores.argmax(1), scores.argmax(0)
    there = (backward[forward] == torch.arange(len(forward))).float().mean()
    back = (forward[backward] == torch.arange(len(backward))).float().mean()
    return (there + back).item() / 2


def reciprocal_ranks(
    scores: Float[Tensor, "queries items"], target: Int[Tensor, " queries"], gallery: int | None = None
) -> Float[Tensor, " queries"]:
    """1 / rank of the target item for each query; with ``gallery``, the rank expected in a gallery of that size.

    Among equal scores the target comes last.
    """
    own = scores.gather(1, target[:, None])
    above = target_ranks(scores, own).to(scores.dtype) - 1
    items = scores.shape[1]
    if gallery is not None and items > 1:
        above = above * (min(gallery, items) - 1) / (items - 1)
    return 1 / (1 + above)


def linear_projection(maps: Pair) -> Projection:
    """The projection by two linear maps that were fitted to rows centred as the evidence is."""
    unchanged = [is_identity(own) for own in maps]

    def project(rows: Tensor, side: int, kind: Kind) -> Tensor:
        return functional.normalize(rows if unchanged[side] else rows @ maps[side], dim=-1)

    return project
