"""Auto: rank the closed forms by criteria that need no pairs, blend the best, and add a trained C-MCR if it helps.

Averaging the cosines of several members is safer than picking one, because they make different mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.criteria import Kind, Projection, counterpart_mrr, linear_projection, score
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence
from isthmus.connectors.choosing.pool import candidates, fit_candidates
from isthmus.connectors.choosing.ranking import anchors, rank
from isthmus.connectors.config import AutoConfig, Centring, CmcrConfig, FittedPairs
from isthmus.connectors.member import Member
from isthmus.connectors.methods.linear import Candidate, linear_member
from isthmus.connectors.pseudo.centred import CentredMaterials

SOURCES: tuple[FittedPairs, ...] = ("overlap", "pseudo", "both")
TRAINED = CmcrConfig(centring="matched", contrast="siglip")
"""The trained member. Its centring must be that of the evidence it is judged by."""
TRAINED_ROWS = 2000
"""Fitted overlap rows from which training pays: with fewer the projectors overfit and the closed forms are better."""
USELESS, EQUAL = 0.9, 1.0
"""Shares of the closed forms' criteria: below 0.9 the trained member gets no weight, from 1.0 its whole share. Over the
bank of worlds it helps from about 1 and harms below 0.9 (docs/benchmarks.md)."""
LEAST = 1e-6
COMPARED = ("overlap_twins", "shown_twins", "text_to_pseudo", "transfer", "round_trip")


@dataclass(frozen=True)
class Choice:
    """The blend and the reasons for it.

    ``members`` are fitted to all rows, ``judged`` are the same candidates fitted without the held-out rows. ``ranked``
    has every candidate with its expected quality (share of the pool's best) and its criteria, best first. ``trained``
    says how the trained member compared, if one was tried.
    """

    members: tuple[Member, ...]
    judged: tuple[Member, ...]
    weights: tuple[float, ...]
    ranked: tuple[tuple[Candidate, float, dict[str, float]], ...]
    trained: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``config.json``: the members, then the ten best candidates with their criteria."""
        return {
            "members": [member.method for member in self.members],
            "trained": None if self.trained is None else dict(self.trained),
            "considered": len(self.ranked),
            "best": [
                {"candidate": str(candidate), "expected_share_of_best": round(expected, 4)}
                | {name: round(value, 4) for name, value in criteria.items()}
                for candidate, expected, criteria in self.ranked[:10]
            ],
        }


def choose(
    centred: Mapping[Centring, CentredMaterials],
    config: AutoConfig,
    fitted: Int[Tensor, " fitted"],
    held: Int[Tensor, " held"],
    evidence: Evidence | None,
    *,
    seed: int,
) -> Choice:
    """Rank the pool on held-out overlap rows and the memories, then refit the best to all rows.

    ``evidence`` is that of the matched centring. It is ``None`` if a memory is missing. Then only the overlap can be
    fitted and judged: candidates on pseudo pairs drop out, and the only criterion is how well a held-out row retrieves
    its counterpart.
    """
    pool = candidates(("overlap",) if evidence is None else SOURCES)
    maps = fit_candidates(pool, centred, fitted)
    if evidence is not None:
        both = {"matched": evidence, "mean": gather_evidence(centred["mean"], fitted, held, seed=seed)}
        scores = [
            score(both[candidate.centring], linear_projection(own)) for candidate, own in zip(pool, maps, strict=True)
        ]
        expected = rank(pool, scores)
    else:
        scores = [_overlap_only(candidate, own, centred, held) for candidate, own in zip(pool, maps, strict=True)]
        expected = np.array([entry["overlap_twins"] for entry in scores])
    order = np.argsort(-expected, kind="stable")
    shares = blend_weights(order, anchors(pool), config)
    best = [int(i) for i in order if shares[i] > 0]
    everything = torch.arange(len(centred["matched"].texts[0]))
    refitted = fit_candidates([pool[i] for i in best], centred, everything)
    return Choice(
        members=tuple(
            linear_member(pool[i], own, centred[pool[i].centring].centres)
            for i, own in zip(best, refitted, strict=True)
        ),
        judged=tuple(linear_member(pool[i], maps[i], centred[pool[i].centring].centres) for i in best),
        weights=tuple(float(shares[i]) for i in best),
        ranked=tuple((pool[i], float(expected[i]), scores[i]) for i in order),
    )


def blend_weights(
    order: Int[np.ndarray, " pool"], anchored: Sequence[int], config: AutoConfig
) -> Float[np.ndarray, " pool"]:
    """Each candidate's weight: the best ranked share one part evenly, the anchors the other; the sum is 1.

    Anchors do well on average over many worlds. They keep the blend good if the criteria mislead.
    """
    weights = np.zeros(len(order))
    kept = config.anchor_share if anchored else 0.0
    best = order[: config.members]
    weights[best] += (1 - kept) / len(best)
    weights[list(anchored)] += kept / max(1, len(anchored))
    return weights


def _overlap_only(
    candidate: Candidate, maps: tuple[Tensor, Tensor], centred: Mapping[Centring, CentredMaterials], held: Tensor
) -> dict[str, float]:
    project = linear_projection(maps)
    left, right = centred[candidate.centring].texts
    return {"overlap_twins": counterpart_mrr(project(left[held], 0, "text"), project(right[held], 1, "text"))}


def add_trained(choice: Choice, member: Member, evidence: Evidence, share: float) -> Choice:
    """The blend with a trained member of at most ``share`` of the weight, or less if its criteria are worse.

    ``member`` must not have seen the held-out rows; ``evidence`` is that of the matched centring.
    """
    own = score(evidence, _member_projection(member))
    peers = [criteria for _, _, criteria in choice.ranked[: len(choice.members)]]
    worth = float(np.mean([own[name] / max(LEAST, _mean(name, peers)) for name in COMPARED]))
    share *= min(1.0, max(0.0, (worth - USELESS) / (EQUAL - USELESS)))
    note = {"method": member.method, "share_of_closed_forms_criteria": round(worth, 4), "weight": round(share, 4)}
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


def _mean(name: str, criteria: Sequence[Mapping[str, float]]) -> float:
    return float(np.mean([entry[name] for entry in criteria]))


def _member_projection(member: Member) -> Projection:
    heads = (member.left, member.right)

    def project(rows: Tensor, side: int, kind: Kind) -> Tensor:
        return functional.normalize(heads[side].projector(rows).detach(), dim=-1)

    return project
