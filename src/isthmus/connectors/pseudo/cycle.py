"""Cycle weights: how far a pseudo pair can be trusted, by whether its items lead back to their own text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.centring import memory_sample, sample, side_centres
from isthmus.connectors.overlap.materials import Side

CYCLE_TEMPERATURE = 0.05
KEY_TEXTS = 5000
"""Texts that compete with a pseudo counterpart's own text; more are sampled."""
BLOCK_ROWS = 1024
LEAST_WEIGHT = 1e-6
"""Pseudo pairs keep this much, so that some weight is left if no pair leads back."""


def cycle_scores(
    texts: Float[Tensor, "rows dim"], pseudo: Float[Tensor, "rows dim"], keys: Float[Tensor, "keys dim"]
) -> Float[Tensor, " rows"]:
    """``c = max(0, <b, t>)``: how well the pseudo counterpart p of a text t leads back to it.

    ``b = normalize(Σ_k softmax_k(<p, t_k>/0.05) t_k)`` over the competing texts ``keys`` and t itself. All rows are
    centred unit rows of one space. Where a memory does not cover the texts, p is about something else and c is small.

    Args:
        texts: Overlap rows.
        pseudo: Their pseudo counterparts in the memory.
        keys: A sample of the overlap rows of the same space.

    Returns:
        Scores in [0, 1].

    Example:
        The first text's counterpart leads back to it, the second's leads to the first.

        >>> import torch
        >>> texts = torch.eye(2)
        >>> cycle_scores(texts, texts[[0, 0]], texts).round(decimals=2)
        tensor([1., 0.])
    """
    found = []
    for own, counterparts in zip(texts.split(BLOCK_ROWS), pseudo.split(BLOCK_ROWS), strict=True):
        scores = counterparts @ keys.T / CYCLE_TEMPERATURE
        itself = (counterparts * own).sum(1, keepdim=True) / CYCLE_TEMPERATURE
        # A text among the keys takes part once, through its key.
        among = (own @ keys.T).amax(1, keepdim=True) > 1 - 1e-5
        weights = torch.softmax(torch.cat((scores, itself.masked_fill(among, -torch.inf)), dim=1), dim=1)
        back = functional.normalize(weights[:, :-1] @ keys + weights[:, -1:] * own, dim=-1)
        found.append((back * own).sum(1).clamp(0, 1))
    return torch.cat(found)


def pair_weights(*scores: Float[Tensor, " rows"]) -> Float[Tensor, " rows"]:
    """The weight of each pseudo pair, the product of its spaces' scores; a text pair weighs 1."""
    return torch.stack(scores).prod(0).clamp(min=LEAST_WEIGHT)


@dataclass(frozen=True)
class Cycle:
    """The cycle scores of one side's pseudo pairs.

    Scores are taken in centred coordinates. ``query_centre`` and ``pseudo_centre`` are subtracted first from rows that
    a method does not centre itself; they are ``None`` for rows that it does.
    """

    keys: Float[Tensor, "keys dim"]
    query_centre: Float[Tensor, " dim"] | None
    pseudo_centre: Float[Tensor, " dim"] | None

    @classmethod
    def of(cls, side: Side, own: Mapping[str, Tensor], *, backwards: bool = False) -> Cycle:
        """The scores of a side with a memory whose method subtracts the centres ``own``, by modality.

        ``backwards`` for the memory's items as queries, whose pseudo counterparts are means of texts.
        """
        centre = own if own else side_centres(side, "matched")
        texts = centre[side.overlap.modality]
        # A pseudo counterpart is a mean over all memories: its centre is theirs, in proportion to their sizes.
        items = torch.stack([centre[memory.modality] * (len(memory) / side.items) for memory in side.memories]).sum(0)
        if backwards:
            keys, first, second = memory_sample(side, centre, KEY_TEXTS), items, texts
        else:
            keys, first, second = recentred(sample(side.overlap, KEY_TEXTS), texts), texts, items
        return cls(keys, None, None) if own else cls(keys, first, second)

    def scores(self, queries: Float[Tensor, "rows dim"], pseudo: Float[Tensor, "rows dim"]) -> Float[Tensor, " rows"]:
        """The score of each query's pseudo counterpart."""
        place = queries.device
        first, second = (None if own is None else own.to(place) for own in (self.query_centre, self.pseudo_centre))
        return cycle_scores(recentred(queries, first), recentred(pseudo, second), self.keys.to(place))
