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

from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.connectors.overlap.rows import Concatenated, Recentred, RowSource, TensorRows, read
from isthmus.connectors.pseudo.consistency import pseudo_rows
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

    @classmethod
    def of(
        cls, side: Side, centres: dict[str, Tensor], consistency: ConsistencyConfig, device: torch.device
    ) -> TrainingSide:
        """A side after subtracting its centres, ``(dim,)`` by modality."""
        overlap = Recentred(side.overlap, centres.get(side.overlap.modality))
        if side.memory is None:
            return cls(overlap, None, consistency, device)
        memory = Recentred(side.memory, centres.get(side.memory.modality))
        return cls(overlap, memory, consistency, device)

    def rows_of(self, texts: RowSource) -> SideRows:
        """Rows of the overlap modality and, if the side has a memory, their pseudo counterparts in it."""
        native = read(texts, self.device)
        if self.memory is None:
            return native[None]
        found = pseudo_rows(texts, self.memory, self.consistency, device=self.device)
        return torch.stack((native, read(found, self.device)))


def overlap_counterparts(
    materials: Materials,
    centres: tuple[dict[str, Tensor], dict[str, Tensor]],
    consistency: ConsistencyConfig,
    device: torch.device,
) -> tuple[SideRows, OtherRows]:
    """C-MCR's training rows: the overlap, and pseudo pairs if both spaces have a memory."""
    left = TrainingSide.of(materials.left, centres[0], consistency, device)
    right = TrainingSide.of(materials.right, centres[1], consistency, device)
    if left.memory is None or right.memory is None:
        return read(left.overlap, left.device)[None], read(right.overlap, right.device)[None]
    return left.rows_of(left.overlap), right.rows_of(right.overlap)


def every_counterpart(left: TrainingSide, right: TrainingSide) -> tuple[SideRows, OtherRows]:
    """Ex-MCR's training rows: queried from the overlap and from each memory."""
    queried = [(left.rows_of(left.overlap), right.rows_of(right.overlap))]
    if left.memory is not None:
        queried.append(_queried_from_memory(left.memory, left, right))
    if right.memory is not None:
        in_right, in_left = _queried_from_memory(right.memory, right, left)
        queried.append((in_left, in_right))
    lefts, rights = zip(*queried, strict=True)
    return torch.cat(lefts, dim=1), torch.cat(rights, dim=1)


def _queried_from_memory(memory: RowSource, own: TrainingSide, other: TrainingSide) -> tuple[SideRows, OtherRows]:
    """A memory's rows as queries: softly matched to the overlap in their own space, and through it in the other.

    The same weights give a mean of overlap rows in both spaces; the other memory is queried with the mean there.
    """
    overlap = Concatenated(own.overlap, other.overlap)
    found = read(pseudo_rows(memory, own.overlap, own.consistency, values=overlap, device=own.device), own.device)
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
