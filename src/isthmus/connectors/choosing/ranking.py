"""Ranking: which candidates to trust, from criteria that need no pairs.

The score is linear in each criterion's rank in the pool, its difference from the pool's best and its ratio to the best,
and in a description of the candidate. Its coefficients were fitted over the bank of worlds to the true mean reciprocal
rank (benchmarks/bank.py, which also tests it on families of worlds that were left out).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from isthmus.connectors.methods.linear import Candidate

FLOOR = 0.002
"""Ratios of reciprocal ranks below this are noise."""


def rank(pool: Sequence[Candidate], scores: Sequence[dict[str, float]]) -> Float[np.ndarray, " pool"]:
    """The expected share of the pool's best true quality, for each candidate; larger is better."""
    weights = coefficients()
    names = weights["criteria"]
    standard = (features(pool, scores, names) - np.array(weights["mean"])) / np.array(weights["scale"])
    return standard @ np.array(weights["weight"])


def anchors(pool: Sequence[Candidate]) -> list[int]:
    """The numbers of the candidates that are best on average over the bank of worlds."""
    names = coefficients()["anchors"]
    return [number for number, candidate in enumerate(pool) if str(candidate) in names]


def features(
    pool: Sequence[Candidate], scores: Sequence[dict[str, float]], criteria: Sequence[str]
) -> Float[np.ndarray, "pool features"]:
    """The features of the score: three for each criterion, then the candidate's description."""
    columns = []
    for name in criteria:
        values = np.array([entry[name] for entry in scores])
        columns.append(rankdata(values) / len(values))
        columns.append(values - values.max())
        columns.append(np.log(np.maximum(values, FLOOR) / max(values.max(), FLOOR)))
    return np.concatenate([np.array(columns).T, np.array([describe(candidate) for candidate in pool])], axis=1)


def describe(candidate: Candidate) -> list[float]:
    """The candidate as numbers: method, centring, source and regularization."""
    is_cca, is_ridge = candidate.method == "cca", candidate.method == "ridge"
    penalties = np.array(candidate.penalty)
    depth = float(np.log10(penalties).mean()) + 2.5 if penalties.all() else 0.0
    return [
        float(is_cca),
        float(is_ridge),
        float(candidate.centring == "mean"),
        float(candidate.source == "overlap"),
        float(candidate.source == "pseudo"),
        is_cca * depth,
        is_cca * depth**2,
        is_cca * float(candidate.power == 0.5),
        is_cca * float(candidate.power == 2.0),
        is_ridge * depth,
    ]


@cache
def coefficients() -> dict[str, list]:
    """The fitted coefficients that ship with the package."""
    return json.loads((files("isthmus.connectors.choosing") / "ranking.json").read_text())
