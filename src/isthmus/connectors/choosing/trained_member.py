"""The trained member of a blend: C-MCR beside the closed forms, where there are texts enough to train it.

Its mistakes differ from theirs, so a blend of both is better than either; see docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.auto import Choice
from isthmus.connectors.choosing.criteria import Kind, Projection, score
from isthmus.connectors.choosing.evidence import Evidence
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.member import Member

TRAINED = CmcrConfig(centring="matched", contrast="siglip")
"""What is trained. Its centring must be that of the view whose evidence judges it."""
TRAINED_ROWS = 2000
"""Overlap rows from which training pays: with fewer the projectors overfit and the closed forms are better."""
USELESS, EQUAL = 0.9, 1.0
"""Shares of the closed forms' criteria at which the trained member gets no weight, and the whole of its share: over
the bank of worlds it helps from about 1 and harms below 0.9 (docs/benchmarks.md)."""
LEAST = 1e-6
COMPARED = ("overlap_twins", "shown_twins", "text_to_pseudo", "transfer", "round_trip")


def join_trained(choice: Choice, member: Member, evidence: Evidence, share: float) -> Choice:
    """The blend with a trained member that holds at most ``share`` of the weight, less where criteria speak against it.

    ``member`` must not have seen the held-out rows; ``evidence`` is that of the matched view.
    """
    own = score(evidence, _projection(member))
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


def _projection(member: Member) -> Projection:
    heads = (member.left, member.right)

    def project(rows: Tensor, side: int, kind: Kind) -> Tensor:
        return functional.normalize(heads[side].projector(rows).detach(), dim=-1)

    return project
