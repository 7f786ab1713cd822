"""The linear methods `procrustes`, `ridge` and `cca`: fit one closed form to all materials, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import (
    CcaConfig,
    Centring,
    ConsistencyConfig,
    FittedPairs,
    ProcrustesConfig,
    RidgeConfig,
)
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.closed_forms import Moments, Spans, cca, moments, procrustes, ridge, spans_of
from isthmus.connectors.methods.projectors import linear_map
from isthmus.connectors.overlap.centring import centres
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Recentred, RowSource, TensorRows, blocks, read
from isthmus.connectors.pseudo.consistency import PseudoRows, pseudo_rows

LinearConfig = ProcrustesConfig | RidgeConfig | CcaConfig
BLOCK_ROWS = 8192
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Candidate:
    """One closed form; ``penalty`` (left, right) and ``power`` are those of `closed_forms`."""

    method: Literal["procrustes", "ridge", "cca"]
    centring: Centring
    source: FittedPairs
    penalty: tuple[float, float] = (0.0, 0.0)
    power: float = 0.0

    def __str__(self) -> str:
        parameters = {
            "procrustes": "",
            "ridge": f" {self.penalty[1]:g}",
            "cca": f" {'|'.join(f'{own:g}' for own in dict.fromkeys(self.penalty))}^{self.power:g}",
        }
        return f"{self.method}{parameters[self.method]} on {self.source}, {self.centring} centring"


def fit_maps(candidate: Candidate, pairs: Moments) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """The candidate's two linear maps from the moments of its pairs."""
    match candidate.method:
        case "procrustes":
            return procrustes(pairs)
        case "ridge":
            return ridge(pairs, candidate.penalty[1])
        case "cca":
            return cca(pairs, candidate.penalty, candidate.power)


def linear_member(
    candidate: Candidate, maps: tuple[Tensor, Tensor], own_centres: tuple[dict[str, Tensor], dict[str, Tensor]]
) -> Member:
    """The candidate's maps as a member of a connector."""
    left, right = (
        Head(projector=linear_map(weights), centres=own) for weights, own in zip(maps, own_centres, strict=True)
    )
    return Member(left=left, right=right, method=str(candidate), source=candidate.source)


def fit_linear(materials: Materials, config: LinearConfig) -> Member:
    """Fit a closed form to every row of the overlap; if a side has no memory, to overlap pairs only."""
    candidate = _possible(as_candidate(config), materials)
    own = centres(materials, candidate.centring)
    (pairs,) = _moments([_sources(materials, own, candidate)])
    return linear_member(candidate, fit_maps(candidate, pairs), own)


def fit_linear_twice(
    materials: Materials, config: LinearConfig, fitted: Int[np.ndarray, " fitted"], held: Int[np.ndarray, " held"]
) -> tuple[Member, Member]:
    """Fit a closed form as `fit_linear`, once without the held-out rows and once with them.

    Moments add up, so each row's pairs are drawn once. Both fits use the centres of the fitted rows.
    """
    candidate = _possible(as_candidate(config), materials)
    own = centres(materials.taken(fitted), candidate.centring)
    without, rest = _moments([_sources(materials.taken(rows), own, candidate) for rows in (fitted, held)])
    first, second = (linear_member(candidate, fit_maps(candidate, pairs), own) for pairs in (without, without + rest))
    return first, second


def _possible(candidate: Candidate, materials: Materials) -> Candidate:
    if materials.left.memory is not None and materials.right.memory is not None:
        return candidate
    if candidate.source == "pseudo":
        raise IsthmusError(
            "--source pseudo: pseudo pairs need a memory on both sides: add one, or use --source overlap"
        )
    return replace(candidate, source="overlap")


def as_candidate(config: LinearConfig) -> Candidate:
    """The candidate a config describes."""
    match config:
        case ProcrustesConfig():
            return Candidate("procrustes", config.centring, config.source)
        case RidgeConfig():
            return Candidate("ridge", config.centring, config.source, (config.penalty, config.penalty))
        case CcaConfig():
            penalties = (config.penalty, config.right_penalty or config.penalty)
            return Candidate("cca", config.centring, config.source, penalties, config.power)


Sources = list[tuple[RowSource, RowSource]]
"""The pairs to fit to: left and right rows of the overlap, of the pseudo pairs, or of both."""


def _sources(materials: Materials, own: tuple[dict[str, Tensor], dict[str, Tensor]], candidate: Candidate) -> Sources:
    sides = (materials.left, materials.right)
    texts = [
        Recentred(side.overlap, centre.get(side.overlap.modality)) for side, centre in zip(sides, own, strict=True)
    ]
    found: Sources = [(texts[0], texts[1])] if candidate.source != "pseudo" else []
    if candidate.source != "overlap":
        drawn = [_pseudo(side, text, centre) for side, text, centre in zip(sides, texts, own, strict=True)]
        found.append((drawn[0], drawn[1]))
    return found


def _moments(parts: Sequence[Sources]) -> list[Moments]:
    """The moments of each part, all in the span of the rows of all parts if they are few."""
    spans: Spans = (None, None)
    everything = [pair for part in parts for pair in part]
    if sum(len(left) for left, _ in everything) < max(source.dim for source in everything[0]):
        held = [[(read(left, CPU), read(right, CPU)) for left, right in part] for part in parts]
        spans = spans_of([pair for part in held for pair in part])
        parts = [[(TensorRows(left), TensorRows(right)) for left, right in part] for part in held]
    return [reduce(add, [moments(_paired(*pair), spans) for pair in part]) for part in parts]


def _pseudo(side: Side, texts: Recentred, own: dict[str, Tensor]) -> PseudoRows:
    assert side.memory is not None
    memory = Recentred(side.memory, own.get(side.memory.modality))
    return pseudo_rows(texts, memory, ConsistencyConfig(), device=CPU)


def _paired(left: RowSource, right: RowSource) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(blocks(left, BLOCK_ROWS, CPU), blocks(right, BLOCK_ROWS, CPU), strict=True)
