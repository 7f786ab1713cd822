"""Counterparts: what each space knows of every training row, natively or by semantic consistency.

Views are ``(views, rows, dim)``: the overlap modality first, then the memory modality where the space has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.config import ConsistencyConfig
from isthmus.connectors.overlap.materials import Side
from isthmus.connectors.overlap.rows import Beside, Recentred, RowSource, TensorRows, read
from isthmus.connectors.pseudo.consistency import pseudo_rows

Views = Float[Tensor, "views rows dim"]
OtherViews = Float[Tensor, "other_views rows other_dim"]


@dataclass(frozen=True)
class TrainingSide:
    """One side's rows, centred, and how its pseudo counterparts are drawn."""

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

    def views_of(self, texts: RowSource) -> Views:
        """Rows of the overlap modality and, where there is a memory, their counterparts in it."""
        native = read(texts, self.device)
        if self.memory is None:
            return native[None]
        found = pseudo_rows(texts, self.memory, self.consistency, device=self.device)
        return torch.stack((native, read(found, self.device)))


def overlap_counterparts(left: TrainingSide, right: TrainingSide) -> tuple[Views, OtherViews]:
    """C-MCR's training rows: the overlap, with pseudo pairs where both spaces have a memory."""
    if left.memory is None or right.memory is None:
        return read(left.overlap, left.device)[None], read(right.overlap, right.device)[None]
    return left.views_of(left.overlap), right.views_of(right.overlap)


def every_counterpart(left: TrainingSide, right: TrainingSide) -> tuple[Views, OtherViews]:
    """Ex-MCR's training rows: queried from the overlap and from each memory there is."""
    queried = [(left.views_of(left.overlap), right.views_of(right.overlap))]
    if left.memory is not None:
        queried.append(_queried_from_memory(left.memory, left, right))
    if right.memory is not None:
        in_right, in_left = _queried_from_memory(right.memory, right, left)
        queried.append((in_left, in_right))
    lefts, rights = zip(*queried, strict=True)
    return torch.cat(lefts, dim=1), torch.cat(rights, dim=1)


def _queried_from_memory(memory: RowSource, own: TrainingSide, other: TrainingSide) -> tuple[Views, OtherViews]:
    """A memory's rows as queries: softly matched to the overlap in their own space, and through it in the other.

    The same weights give the overlap row's counterpart in both spaces; the other memory is queried from there.
    """
    twins = Beside(own.overlap, other.overlap)
    found = read(pseudo_rows(memory, own.overlap, own.consistency, values=twins, device=own.device), own.device)
    own_text, other_text = (functional.normalize(part, dim=-1) for part in found.split(twins.dims, dim=1))
    own_views = torch.stack((own_text, read(memory, own.device)))
    return own_views, other.views_of(TensorRows(other_text))
