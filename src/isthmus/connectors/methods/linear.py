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
    PairWeights,
    ProcrustesConfig,
    RidgeConfig,
)
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.closed_forms import Moments, Pairs, cca, moments, procrustes, ridge, spans_of
from isthmus.connectors.methods.projectors import linear_map
from isthmus.connectors.overlap.centring import centred_memory, centres
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Counted, Recentred, RowSource, blocks, named
from isthmus.connectors.pseudo.consistency import PseudoRows, pseudo_rows
from isthmus.connectors.pseudo.cycle import Cycle, pair_weights

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
    pair_weights: PairWeights = "cycle"

    def __str__(self) -> str:
        parameters = {
            "procrustes": "",
            "ridge": f" {self.penalty[1]:g}",
            "cca": f" {'|'.join(f'{own:g}' for own in dict.fromkeys(self.penalty))}^{self.power:g}",
        }
        equal = ", equal weights" if self.pair_weights == "equal" and self.source != "overlap" else ""
        return f"{self.method}{parameters[self.method]} on {self.source}, {self.centring} centring{equal}"


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
    (pairs,) = _moments([_streams(materials, own, candidate, _cycles(materials, own, candidate))])
    return linear_member(candidate, fit_maps(candidate, pairs), own)


def fit_linear_twice(
    materials: Materials, config: LinearConfig, fitted: Int[np.ndarray, " fitted"], held: Int[np.ndarray, " held"]
) -> tuple[Member, Member]:
    """Fit a closed form as `fit_linear`, once without the held-out rows and once with them.

    Moments add up, so each row's pairs are drawn once. Both fits use the centres of the fitted rows, and weigh pseudo
    pairs by whether they lead back among the fitted rows.
    """
    candidate = _possible(as_candidate(config), materials)
    parts = [materials.taken(rows) for rows in (fitted, held)]
    own = centres(parts[0], candidate.centring)
    cycles = _cycles(parts[0], own, candidate)
    without, rest = _moments([_streams(part, own, candidate, cycles) for part in parts])
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
            return Candidate("procrustes", config.centring, config.source, pair_weights=config.pair_weights)
        case RidgeConfig():
            penalties = (config.penalty, config.penalty)
            return Candidate("ridge", config.centring, config.source, penalties, pair_weights=config.pair_weights)
        case CcaConfig():
            penalties = (config.penalty, config.right_penalty or config.penalty)
            return Candidate("cca", config.centring, config.source, penalties, config.power, config.pair_weights)


@dataclass(frozen=True)
class PairStream:
    """Pairs to fit to: rows of both sides, and for pseudo pairs the texts they belong to and what weighs them."""

    left: RowSource
    right: RowSource
    texts: tuple[RowSource, RowSource] | None = None
    cycles: tuple[Cycle, Cycle] | None = None

    def __len__(self) -> int:
        return len(self.left)

    def batches(self) -> Iterator[Pairs]:
        """Batches of pairs with their weights."""
        pairs = zip(blocks(self.left, BLOCK_ROWS, CPU), blocks(self.right, BLOCK_ROWS, CPU), strict=True)
        if self.texts is None or self.cycles is None:
            yield from pairs
            return
        texts = zip(*(blocks(own, BLOCK_ROWS, CPU) for own in self.texts), strict=True)
        for pair, own in zip(pairs, texts, strict=True):
            scores = [cycle.scores(*rows) for cycle, *rows in zip(self.cycles, own, pair, strict=True)]
            yield *pair, pair_weights(*scores)


def _cycles(
    materials: Materials, own: tuple[dict[str, Tensor], dict[str, Tensor]], candidate: Candidate
) -> tuple[Cycle, Cycle] | None:
    """What weighs the pseudo pairs; ``None`` if there are none or all weigh 1."""
    if candidate.source == "overlap" or candidate.pair_weights == "equal":
        return None
    return Cycle.of(materials.left, own[0]), Cycle.of(materials.right, own[1])


def _streams(
    materials: Materials,
    own: tuple[dict[str, Tensor], dict[str, Tensor]],
    candidate: Candidate,
    cycles: tuple[Cycle, Cycle] | None,
) -> list[PairStream]:
    """The overlap, the pseudo pairs or both."""
    sides = (materials.left, materials.right)
    texts = [
        Recentred(side.overlap, centre.get(side.overlap.modality)) for side, centre in zip(sides, own, strict=True)
    ]
    found = [PairStream(texts[0], texts[1])] if candidate.source != "pseudo" else []
    if candidate.source != "overlap":
        left, right = (_pseudo(side, text, centre) for side, text, centre in zip(sides, texts, own, strict=True))
        memories = " and ".join(named(memory) for side in sides for memory in side.memories)
        found.append(PairStream(Counted(left, f"pseudo pairs in {memories}"), right, (texts[0], texts[1]), cycles))
    return found


def _moments(parts: Sequence[Sequence[PairStream]]) -> list[Moments]:
    """The moments of each part, all in the span of the rows of all parts if they are few."""
    streams = [stream for part in parts for stream in part]
    if sum(map(len, streams)) >= max(streams[0].left.dim, streams[0].right.dim):
        return [reduce(add, [moments(stream.batches()) for stream in part]) for part in parts]
    held = [[batch for stream in part for batch in stream.batches()] for part in parts]
    spans = spans_of([batch for part in held for batch in part])
    return [moments(part, spans) for part in held]


def _pseudo(side: Side, texts: Recentred, own: dict[str, Tensor]) -> PseudoRows:
    return pseudo_rows(texts, centred_memory(side, own), ConsistencyConfig(), device=CPU)
