"""Auto: a fixed blend of six closed forms; beside them, if there are many texts and it helps, a bridge and C-MCR.

Averaging the cosines of several members is safer than picking one, because they make different mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.connectors.choosing.chain import chain_of
from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.config import Centring, CmcrConfig, FittedPairs
from isthmus.connectors.member import Member, blend_projection
from isthmus.connectors.methods.closed_forms import moments, spans_of
from isthmus.connectors.methods.linear import Candidate, fit_maps, linear_member
from isthmus.connectors.pseudo.centred import CentredMaterials

PENALTIES = (0.001, 0.003, 0.01)
SAMPLING_PENALTY = 0.3
"""Added to each penalty, divided by the number of texts: moments of few rows are noisy (docs/benchmarks.md)."""
TRAINED = CmcrConfig(centring="matched", contrast="siglip")
"""The trained member."""
MANY_ROWS = 2000
"""Fitted overlap rows from which more than closed forms pays: with fewer, projectors overfit and a bridge has gaps."""
USELESS, EQUAL = 0.9, 1.0
"""Shares of the blend's MRR of simulated items: up to 0.9 another member gets no weight, at 1.0 its share of it, and so
on, until it replaces the others (docs/benchmarks.md)."""
LEAST = 1e-6


@dataclass(frozen=True)
class Choice:
    """The blend.

    ``members`` are fitted to all rows, ``judged`` are the same candidates fitted without the held-out rows. ``tried``
    says by name how each other member compared.
    """

    members: tuple[Member, ...]
    judged: tuple[Member, ...]
    weights: tuple[float, ...]
    tried: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``config.json``."""
        return {
            "members": [member.method for member in self.members],
            "tried": {name: dict(note) for name, note in self.tried.items()},
        }


def six(texts: int, source: FittedPairs = "both") -> list[Candidate]:
    """The members for a number of overlap rows: canonical correlations of two centrings with three penalties.

    Without pseudo pairs both centrings centre alike, so only the matched ones are left.
    """
    centrings: tuple[Centring, ...] = ("matched", "mean") if source == "both" else ("matched",)
    noises = [penalty + SAMPLING_PENALTY / texts for penalty in PENALTIES]
    return [Candidate("cca", own, source, (noise, noise), 1.0) for own in centrings for noise in noises]


def blend(views: Mapping[Centring, CentredMaterials], fitted: Int[Tensor, " fitted"]) -> Choice:
    """The members with equal weights, fitted to the given texts and to all of them.

    Pseudo pairs of both centrings have the cycle weights of the matched one. Under mean centring the weights are fooled
    if texts are few: a counterpart was picked for being near, so it leads back to its own by selection alone.
    """
    source: FittedPairs = "overlap" if views["matched"].pair_weights is None else "both"
    everything = torch.arange(len(views["matched"].texts[0]))
    judged, members = (_fitted(views, six(len(rows), source), rows) for rows in (fitted, everything))
    return Choice(members, judged, (1 / len(members),) * len(members))


def _fitted(
    views: Mapping[Centring, CentredMaterials], members: Sequence[Candidate], rows: Int[Tensor, " rows"]
) -> tuple[Member, ...]:
    weights = views["matched"].pair_weights
    drawn = {own.centring: list(views[own.centring].pairs(own.source, rows, weights)) for own in members}
    found = {centring: moments(pairs, spans_of(pairs)) for centring, pairs in drawn.items()}
    return tuple(linear_member(own, fit_maps(own, found[own.centring]), views[own.centring].centres) for own in members)


def add_member(
    choice: Choice, name: str, judged: Sequence[Member], member: Member, evidence: Evidence, share: float
) -> Choice:
    """The blend with another member of ``share`` of the weight, or more or less as it finds simulated items.

    ``judged`` must not have seen the held-out rows; of several the worst counts, and the first is that of the blend
    without those rows. ``member``, which the blend gets, may be fitted to all.
    """
    own = min(chain_of(evidence, blend_projection((each,), (1.0,))).items for each in judged)
    before = chain_of(evidence, blend_projection(choice.judged, choice.weights)).items
    worth = own / max(before, LEAST)
    share = min(1.0, max(0.0, share * (worth - USELESS) / (EQUAL - USELESS)))
    note = {"method": member.method, "share_of_the_others_mrr": round(worth, 4), "share": round(share, 4)}
    choice = replace(choice, tried={**choice.tried, name: note})
    if share == 0:
        return choice
    if share == 1:
        return replace(choice, members=(member,), judged=(judged[0],), weights=(1.0,))
    return replace(
        choice,
        members=(*choice.members, member),
        judged=(*choice.judged, judged[0]),
        weights=(*choice.weights, share / (1 - share) * sum(choice.weights)),
    )
