"""The pool: 108 closed forms whose best one, known by the truth, is what `auto` is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from jaxtyping import Int
from torch import Tensor

from isthmus.connectors.config import Centring, FittedPairs, PairWeights
from isthmus.connectors.methods.closed_forms import (
    CanonicalAxes,
    Moments,
    canonical_axes,
    moments,
    spans_of,
)
from isthmus.connectors.methods.linear import Candidate, fit_maps
from isthmus.connectors.pseudo.centred import CentredMaterials

CCA_PENALTIES = (0.0003, 0.001, 0.003, 0.01)
CCA_POWERS = (0.5, 1.0, 2.0)
CCA_UNEQUAL = ((0.001, 0.01), (0.01, 0.001))
"""Penalties for spaces with unequal noise."""
RIDGE_PENALTIES = (0.003, 0.01, 0.03)
Pairing = tuple[Centring, FittedPairs, PairWeights]
CENTRINGS: tuple[Centring, ...] = ("matched", "mean")


SOURCES: tuple[FittedPairs, ...] = ("overlap", "pseudo", "both")


def candidates(sources: tuple[FittedPairs, ...] = SOURCES) -> list[Candidate]:
    """Every method for every kind of pairs under both centrings; pseudo pairs weigh as much as overlap pairs."""
    pool = []
    for centring, source in product(CENTRINGS, sources):
        pool.append(Candidate("procrustes", centring, source))
        pool += [Candidate("ridge", centring, source, (own, own)) for own in RIDGE_PENALTIES]
        pool += [Candidate("cca", centring, source, (own, own), p) for own, p in product(CCA_PENALTIES, CCA_POWERS)]
        pool += [Candidate("cca", centring, source, penalties, 1.0) for penalties in CCA_UNEQUAL]
    return [replace(own, pair_weights="equal") for own in pool]


def fit_candidates(
    pool: Sequence[Candidate], centred: Mapping[Centring, CentredMaterials], rows: Int[Tensor, " rows"]
) -> list[tuple[Tensor, Tensor]]:
    """Fit every candidate to the given texts; moments and canonical axes that several need are computed once."""
    taken: dict[Pairing, Moments] = {}
    axes: dict[tuple[Pairing, tuple[float, float]], CanonicalAxes] = {}
    maps = []
    for candidate in pool:
        key = (candidate.centring, candidate.source, candidate.pair_weights)
        if key not in taken:
            weights = centred["matched"].pair_weights if candidate.pair_weights == "cycle" else None
            pairs = list(centred[candidate.centring].pairs(candidate.source, rows, weights))
            taken[key] = moments(pairs, spans_of(pairs))
        if candidate.method == "cca":
            with_penalty = (key, candidate.penalty)
            if with_penalty not in axes:
                axes[with_penalty] = canonical_axes(taken[key], candidate.penalty)
            maps.append(axes[with_penalty].weighted(candidate.power))
        else:
            maps.append(fit_maps(candidate, taken[key]))
    return maps
