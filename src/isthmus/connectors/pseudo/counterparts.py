"""Counterparts: the training rows of C-MCR and Ex-MCR, native or by semantic consistency, and their completion.

Rows are ``(modalities, rows, dim)``: the overlap modality first, then the memory modality if the space has one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.config import ConsistencyConfig, PairWeights
from isthmus.connectors.overlap.centring import centred_memory
from isthmus.connectors.overlap.materials import Side
from isthmus.connectors.overlap.rows import Concatenated, Counted, Recentred, RowSource, TensorRows, named, read
from isthmus.connectors.pseudo.consistency import pseudo_rows
from isthmus.connectors.pseudo.cycle import Cycle
from isthmus.training.repeats import equal_rows, repeating

BLOCK_ROWS = 65_536
SideRows = Float[Tensor, "modalities rows dim"]
OtherRows = Float[Tensor, "other_modalities rows other_dim"]


@dataclass(frozen=True)
class TrainingSide:
    """The centred rows of one side, and how its pseudo counterparts are drawn."""

    overlap: RowSource
    memory: RowSource | None
    consistency: ConsistencyConfig
    device: torch.device
    cycles: tuple[Cycle, Cycle] | None = None
    """What weighs pseudo counterparts of texts, and of memory items; ``None`` if all weigh 1."""

    @classmethod
    def of(
        cls,
        side: Side,
        centres: dict[str, Tensor],
        consistency: ConsistencyConfig,
        device: torch.device,
        weights: PairWeights = "equal",
    ) -> TrainingSide:
        """A side after subtracting its centres, ``(dim,)`` by modality."""
        overlap = Recentred(side.overlap, centres.get(side.overlap.modality))
        if side.memory is None:
            return cls(overlap, None, consistency, device)
        memory = centred_memory(side, centres)
        cycles = None
        if weights == "cycle":
            cycles = Cycle.of(side, centres), Cycle.of(side, centres, backwards=True)
        return cls(overlap, memory, consistency, device, cycles)

    def rows_of(self, texts: RowSource) -> SideRows:
        """Rows of the overlap modality and, if the side has a memory, their pseudo counterparts in it."""
        native = read(texts, self.device)
        if self.memory is None:
            return native[None]
        found = pseudo_rows(texts, self.memory, self.consistency, device=self.device)
        stage = f"pseudo pairs in {named(self.memory)}"
        return torch.stack((native, read(Counted(found, stage), self.device)))

    def scores_of(self, rows: SideRows, *, from_memory: bool = False) -> Float[Tensor, " rows"]:
        """The cycle score of each row's pseudo counterpart: of texts, or of memory items; 1 where there is none."""
        if self.cycles is None or len(rows) < 2:
            return rows.new_ones(rows.shape[1])
        return self.cycles[1].scores(rows[1], rows[0]) if from_memory else self.cycles[0].scores(rows[0], rows[1])


@dataclass(frozen=True)
class Counterparts:
    """Training rows of both sides, and the cycle scores of each side's pseudo counterparts."""

    left: SideRows
    right: OtherRows
    scores: tuple[Float[Tensor, " rows"], Float[Tensor, " rows"]]


def overlap_counterparts(left: TrainingSide, right: TrainingSide) -> Counterparts:
    """C-MCR's training rows: the overlap, and pseudo pairs if both spaces have a memory."""
    if left.memory is None or right.memory is None:
        rows = read(left.overlap, left.device)[None], read(right.overlap, right.device)[None]
    else:
        rows = left.rows_of(left.overlap), right.rows_of(right.overlap)
    return Counterparts(*rows, (left.scores_of(rows[0]), right.scores_of(rows[1])))


def every_counterpart(left: TrainingSide, right: TrainingSide) -> Counterparts:
    """Ex-MCR's training rows: queried from the overlap and from each memory."""
    queried = [(left.rows_of(left.overlap), right.rows_of(right.overlap))]
    scores = [(left.scores_of(queried[0][0]), right.scores_of(queried[0][1]))]
    for own, other in ((left, right), (right, left)):
        if own.memory is not None:
            mine, theirs = _queried_from_memory(own.memory, own, other)
            weighed = own.scores_of(mine, from_memory=True), other.scores_of(theirs)
            queried.append((mine, theirs) if own is left else (theirs, mine))
            scores.append(weighed if own is left else weighed[::-1])
    (lefts, rights), (of_left, of_right) = zip(*queried, strict=True), zip(*scores, strict=True)
    return Counterparts(torch.cat(lefts, dim=1), torch.cat(rights, dim=1), (torch.cat(of_left), torch.cat(of_right)))


def _queried_from_memory(memory: RowSource, own: TrainingSide, other: TrainingSide) -> tuple[SideRows, OtherRows]:
    """A memory's rows as queries: softly matched to the overlap in their own space, and through it in the other.

    The same weights give a mean of overlap rows in both spaces; the other memory is queried with the mean there.
    """
    overlap = Concatenated(own.overlap, other.overlap)
    answers = pseudo_rows(memory, own.overlap, own.consistency, values=overlap, device=own.device)
    found = read(Counted(answers, f"texts like {named(memory)}"), own.device)
    own_text, other_text = (functional.normalize(part, dim=-1) for part in found.split(overlap.dims, dim=1))
    own_rows = torch.stack((own_text, read(memory, own.device)))
    return own_rows, other.rows_of(TensorRows(other_text))


def pair_groups(left: RowSource, right: RowSource) -> Int[Tensor, "kinds rows"] | None:
    """Group numbers of overlap pairs: equal vectors on a side are the same text. ``None`` if no text repeats."""
    return repeating(np.stack([_numbers(left), _numbers(right)]))


def every_group(left: TrainingSide, right: TrainingSide) -> Int[Tensor, "kinds rows"] | None:
    """Group numbers of the rows of `every_counterpart`: of the texts on each side, or of the items of a memory."""
    kinds = [np.stack([_numbers(left.overlap), _numbers(right.overlap)])]
    for memory in (left.memory, right.memory):
        if memory is not None:
            before = sum(numbers.shape[1] for numbers in kinds)
            kinds.append(np.tile(before + _numbers(memory), (2, 1)))
    return repeating(np.concatenate(kinds, axis=1))


def _numbers(rows: RowSource) -> Int[np.ndarray, " rows"]:
    return equal_rows(np.concatenate(list(rows.batches(BLOCK_ROWS))))


def complete(
    rows: Float[Tensor, "*batch dim"], variance: float, generator: torch.Generator
) -> Float[Tensor, "*batch dim"]:
    """Semantic completion (C-MCR, step 2): ``normalize(x + θ)`` with θ ~ N(0, variance · I) from the generator.

    In 512 dimensions and with the paper's variance of 0.004 the noise is longer than the unit row: the mean cosine
    between a row and its completion is 0.57.
    """
    noise = torch.empty_like(rows).normal_(0.0, math.sqrt(variance), generator=generator)
    return functional.normalize(noise.add_(rows), dim=-1)
