"""A member: one way from two spaces into one joint space. A connector is one member or a blend of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Head:
    """One space's way into the joint space: subtract the modality's centre, project, normalise.

    ``centres`` maps modality to a ``(dim,)`` vector; an absent modality is not centred. ``adapters`` maps modality
    to a linear layer that comes before the projector (Ex-MCR has one for the leaf's memory).
    """

    projector: nn.Sequential
    centres: dict[str, Tensor]
    adapters: dict[str, nn.Linear] = field(default_factory=dict)

    @torch.no_grad()
    def project(self, rows: Float[Tensor, "rows dim"], modality: str) -> Float[Tensor, "rows joint"]:
        """Unit rows in the joint space."""
        centre = self.centres.get(modality)
        centred = rows if centre is None else functional.normalize(rows - centre, dim=-1)
        adapted = self.adapters[modality](centred) if modality in self.adapters else centred
        return unit(self.projector(adapted))


def unit(rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows dim"]:
    """Rows divided by their length; those that are unit already, to rounding, stay as they are, bit for bit."""
    lengths = rows.norm(dim=-1, keepdim=True)
    return torch.where((lengths - 1).abs() < 1e-6, rows, functional.normalize(rows, dim=-1))


@dataclass(frozen=True)
class Member:
    """A head for each of the two spaces, with one joint dimension. ``method`` and ``source`` say how it was made."""

    left: Head
    right: Head
    method: str
    source: str


def project_blend(
    heads: Sequence[Head], weights: Sequence[float], rows: Float[Tensor, "rows dim"], modality: str
) -> Float[Tensor, "rows joint"]:
    """Unit rows whose cosines are the members' cosines averaged with ``weights``.

    The members' unit vectors stand side by side, each scaled by the root of its share of the weights.
    """
    total = sum(weights)
    parts = [
        head.project(rows, modality) * math.sqrt(weight / total) for head, weight in zip(heads, weights, strict=True)
    ]
    return torch.cat(parts, dim=1)
