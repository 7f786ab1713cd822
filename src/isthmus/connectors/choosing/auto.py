"""Auto: choose among the closed forms by criteria that need no pairs, and blend the best.

Averaging the cosines of the best few is safer than picking one: the members' mistakes differ, their finds agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.choosing.criteria import linear_projection, score, twins_mrr
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence
from isthmus.connectors.choosing.pool import candidates, fit_candidates
from isthmus.connectors.choosing.ranking import anchors, rank
from isthmus.connectors.config import AutoConfig, Centring, FittedPairs
from isthmus.connectors.member import Member
from isthmus.connectors.methods.linear import Candidate, linear_member
from isthmus.connectors.pseudo.centred import CentredMaterials

SOURCES: tuple[FittedPairs, ...] = ("overlap", "pseudo", "both")


@dataclass(frozen=True)
class Choice:
    """The blend, and why.

    ``members`` are fitted to all rows, ``judged`` are the same candidates without the held-out rows. ``ranked`` has
    every candidate with its expected quality (share of the pool's best) and its criteria, best first. ``trained`` says
    how the trained member fared, if one was tried.
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
    views: Mapping[Centring, CentredMaterials],
    config: AutoConfig,
    fitted: Int[Tensor, " fitted"],
    held: Int[Tensor, " held"],
    evidence: Evidence | None,
    *,
    seed: int,
) -> Choice:
    """Rank the pool on held-out overlap rows and the memories, then refit the best to all rows.

    ``views`` are the materials' by centring, ``evidence`` is that of the matched one. Where a memory is missing
    there is none, and only the overlap can be fitted and judged: candidates on pseudo pairs drop out, and the one
    criterion left is how well a held-out row finds its twin.
    """
    pool = candidates(("overlap",) if evidence is None else SOURCES)
    maps = fit_candidates(pool, views, fitted)
    if evidence is not None:
        both = {"matched": evidence, "mean": gather_evidence(views["mean"], fitted, held, seed=seed)}
        scores = [
            score(both[candidate.centring], linear_projection(own)) for candidate, own in zip(pool, maps, strict=True)
        ]
        expected = rank(pool, scores)
    else:
        scores = [_overlap_only(candidate, own, views, held) for candidate, own in zip(pool, maps, strict=True)]
        expected = np.array([entry["overlap_twins"] for entry in scores])
    order = np.argsort(-expected, kind="stable")
    shares = blend_weights(order, anchors(pool), config)
    best = [int(i) for i in order if shares[i] > 0]
    everything = torch.arange(len(views["matched"].texts[0]))
    refitted = fit_candidates([pool[i] for i in best], views, everything)
    return Choice(
        members=tuple(
            linear_member(pool[i], own, views[pool[i].centring].centres) for i, own in zip(best, refitted, strict=True)
        ),
        judged=tuple(linear_member(pool[i], maps[i], views[pool[i].centring].centres) for i in best),
        weights=tuple(float(shares[i]) for i in best),
        ranked=tuple((pool[i], float(expected[i]), scores[i]) for i in order),
    )


def blend_weights(
    order: Int[np.ndarray, " pool"], anchored: Sequence[int], config: AutoConfig
) -> Float[np.ndarray, " pool"]:
    """Each candidate's weight: the best ranked share one part evenly, the anchors the other; sums to 1.

    Anchors are good on average over many worlds. They hold the blend where the criteria mislead.
    """
    weights = np.zeros(len(order))
    kept = config.anchor_share if anchored else 0.0
    best = order[: config.members]
    weights[best] += (1 - kept) / len(best)
    weights[list(anchored)] += kept / max(1, len(anchored))
    return weights


def _overlap_only(
    candidate: Candidate, maps: tuple[Tensor, Tensor], views: Mapping[Centring, CentredMaterials], held: Tensor
) -> dict[str, float]:
    project = linear_projection(maps)
    left, right = views[candidate.centring].texts
    return {"overlap_twins": twins_mrr(project(left[held], 0, "text"), project(right[held], 1, "text"))}
