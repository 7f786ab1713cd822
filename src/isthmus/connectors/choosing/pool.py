"""Candidates: the closed forms among which `auto` chooses, over what they are fitted to and how they regularise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.closed_forms import (
    CanonicalAxes,
    Moments,
    canonical_axes,
    cca,
    moments,
    procrustes,
    ridge,
)
from isthmus.connectors.methods.config import Centring, Source
from isthmus.connectors.methods.projectors import linear_map
from isthmus.connectors.pseudo.view import View

CCA_PENALTIES = (0.0003, 0.001, 0.003, 0.01)
CCA_POWERS = (0.5, 1.0, 2.0)
CCA_UNEQUAL = ((0.001, 0.01), (0.01, 0.001))
"""Penalties for a left and a right space of unequal noise."""
RIDGE_PENALTIES = (0.003, 0.01, 0.03)
CENTRINGS: tuple[Centring, ...] = ("matched", "mean")


@dataclass(frozen=True)
class Candidate:
    """One closed form. ``penalty`` (left, right) and ``power`` mean what they mean in `closed_forms`."""

    method: Literal["procrustes", "ridge", "cca"]
    centring: Centring
    source: Source
    penalty: tuple[float, float] = (0.0, 0.0)
    power: float = 0.0

    def __str__(self) -> str:
        parameters = {
            "procrustes": "",
            "ridge": f" {self.penalty[1]:g}",
            "cca": f" {'|'.join(f'{own:g}' for own in dict.fromkeys(self.penalty))}^{self.power:g}",
        }
        return f"{self.method}{parameters[self.method]} on {self.source}, {self.centring} centring"


def candidates(sources: tuple[Source, ...]) -> list[Candidate]:
    """The pool: every method on every source under both centrings."""
    pool = []
    for centring, source in product(CENTRINGS, sources):
        pool.append(Candidate("procrustes", centring, source))
        pool += [Candidate("ridge", centring, source, (own, own)) for own in RIDGE_PENALTIES]
        pool += [Candidate("cca", centring, source, (own, own), p) for own, p in product(CCA_PENALTIES, CCA_POWERS)]
        pool += [Candidate("cca", centring, source, penalties, 1.0) for penalties in CCA_UNEQUAL]
    return pool


def fit_maps(candidate: Candidate, pairs: Moments) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """The candidate's two linear maps from the moments of its pairs."""
    match candidate.method:
        case "procrustes":
            return procrustes(pairs)
        case "ridge":
            return ridge(pairs, candidate.penalty[1])
        case "cca":
            return cca(pairs, candidate.penalty, candidate.power)


def fit_candidates(
    pool: list[Candidate], views: Mapping[Centring, View], rows: Int[Tensor, " rows"]
) -> list[tuple[Tensor, Tensor]]:
    """Fit every candidate to the given texts; what several need (moments, canonical axes) is computed once."""
    taken: dict[tuple[Centring, Source], Moments] = {}
    axes: dict[tuple[Centring, Source, tuple[float, float]], CanonicalAxes] = {}
    maps = []
    for candidate in pool:
        key = (candidate.centring, candidate.source)
        if key not in taken:
            taken[key] = moments(views[candidate.centring].pairs(candidate.source, rows))
        if candidate.method == "cca":
            with_penalty = (*key, candidate.penalty)
            if with_penalty not in axes:
                axes[with_penalty] = canonical_axes(taken[key], candidate.penalty)
            maps.append(axes[with_penalty].weighted(candidate.power))
        else:
            maps.append(fit_maps(candidate, taken[key]))
    return maps


def linear_member(
    candidate: Candidate, maps: tuple[Tensor, Tensor], own_centres: tuple[dict[str, Tensor], dict[str, Tensor]]
) -> Member:
    """The candidate's maps as a member of a connector."""
    left, right = (
        Head(projector=linear_map(weights), centres=own) for weights, own in zip(maps, own_centres, strict=True)
    )
    return Member(left=left, right=right, method=str(candidate), source=candidate.source)
