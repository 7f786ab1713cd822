"""Auto: a fixed blend of six closed forms, and a trained C-MCR beside it if there are many texts and it helps.

Averaging the cosines of several members is safer than picking one, because they make different mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
TRAINED_ROWS = 2000
"""Fitted overlap rows from which training pays: with fewer the projectors overfit and the closed forms are better."""
USELESS, EQUAL = 0.9, 1.0
"""Shares of the closed forms' MRR of simulated items: below 0.9 the trained member gets no weight, from 1.0 its whole
share (docs/benchmarks.md)."""
LEAST = 1e-6


@dataclass(frozen=True)
class Choice:
    """The blend.

    ``members`` are fitted to all rows, ``judged`` are the same candidates fitted without the held-out rows. ``trained``
    says how the trained member compared, if one was tried.
    """

    members: tuple[Member, ...]
    judged: tuple[Member, ...]
    weights: tuple[float, ...]
    trained: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``config.json``."""
        return {
            "members": [member.method for member in self.members],
            "trained": None if self.trained is None else dict(self.trained),
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


def add_trained(choice: Choice, member: Member, evidence: Evidence, share: float) -> Choice:
    """The blend with a trained member of at most ``share`` of the weight, or less if it finds simulated items worse.

    ``member`` must not have seen the held-out rows.
    """
    own = chain_of(evidence, blend_projection((member,), (1.0,))).items
    closed = chain_of(evidence, blend_projection(choice.judged, choice.weights)).items
    worth = own / max(closed, LEAST)
    share *= min(1.0, max(0.0, (worth - USELESS) / (EQUAL - USELESS)))
    note = {"method": member.method, "share_of_closed_forms_mrr": round(worth, 4), "weight": round(share, 4)}
    if share == 0:
        return replace(choice, trained=note)
    weight = share / (1 - share) * sum(choice.weights)
    return replace(
        choice,
        members=(*choice.members, member),
        judged=(*choice.judged, member),
        weights=(*choice.weights, weight),
        trained=note,
    )
