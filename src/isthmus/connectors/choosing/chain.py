"""The chain: how well counterparts find each other, in steps of which each can only be worse than the one before.

Texts find the counterparts of texts; texts find simulated items; simulated items find simulated items. The last step is
cross-modal retrieval with simulated items in the place of real ones.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from jaxtyping import Float
from torch import Tensor

from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.member import RowProjection
from isthmus.metrics import target_ranks

GALLERY = 200
"""Every figure is stated for a gallery of this size, to compare few held-out rows with many."""


@dataclass(frozen=True)
class Chain:
    """Mean reciprocal ranks of counterparts in a gallery of 200, mean of both directions.

    Args:
        texts: Held-out texts among held-out texts.
        one_item: Held-out texts among simulated items, and the reverse.
        items: Simulated items among simulated items.
        unmatched: Share of overlap pairs whose two texts are ranked at random: twice the share of held-out texts that
            rank their counterpart in the worse half.
    """

    texts: float
    one_item: float
    items: float
    unmatched: float

    def as_dict(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self)


def chain_of(evidence: Evidence, project: RowProjection) -> Chain:
    """The chain of a connector that was not fitted to the held-out texts."""
    left, right = (project(rows, side, evidence.overlap) for side, rows in enumerate(evidence.texts))
    left_items, right_items = (
        project(rows, side, evidence.modalities[side]) for side, rows in enumerate(evidence.simulated)
    )
    return Chain(
        texts=counterpart_mrr(left, right, GALLERY),
        one_item=(counterpart_mrr(left, right_items, GALLERY) + counterpart_mrr(left_items, right, GALLERY)) / 2,
        items=counterpart_mrr(left_items, right_items, GALLERY),
        unmatched=unmatched_share(left @ right.T),
    )


def counterpart_mrr(
    left: Float[Tensor, "rows dim"], right: Float[Tensor, "rows dim"], gallery: int | None = None
) -> float:
    """Mean reciprocal rank of each row's counterpart, the row with the same number, over both directions."""
    scores = left @ right.T
    return (reciprocal_ranks(scores, gallery).mean() + reciprocal_ranks(scores.T, gallery).mean()).item() / 2


def reciprocal_ranks(scores: Float[Tensor, "rows rows"], gallery: int | None = None) -> Float[Tensor, " rows"]:
    """1 / rank of each row's counterpart, on the diagonal; with ``gallery``, the rank expected in one of that size.

    Among equal scores the counterpart comes last.
    """
    above = target_ranks(scores, scores.diagonal()[:, None]).to(scores.dtype) - 1
    others = len(scores) - 1
    return 1 / (1 + (above if gallery is None or not others else above * (gallery - 1) / others))


def unmatched_share(scores: Float[Tensor, "rows rows"]) -> float:
    """Twice the share of rows that rank their counterpart in the worse half, mean of both directions; at most 1.

    A pair ranked at random falls into that half every other time, a matched pair hardly ever. Equal scores share their
    ranks.
    """
    return min(1.0, sum(_in_worse_half(each) for each in (scores, scores.T)))


def _in_worse_half(scores: Float[Tensor, "rows rows"]) -> float:
    own = scores.diagonal()[:, None]
    place = (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2
    middle = (len(scores) - 1) / 2
    return ((place > middle).float() + (place == middle).float() / 2).mean().item()
