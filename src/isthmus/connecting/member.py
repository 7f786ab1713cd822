"""A member: one way from two spaces into one joint space. A connector is one member or a blend of several."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Head:
    """One space's way into the joint space: subtract the modality's centre, project, normalise.

    ``centres`` maps modality to a ``(dim,)`` vector; an absent modality is not centred.
    """

    projector: nn.Module
    centres: dict[str, Tensor]

    @torch.no_grad()
    def project(self, rows: Float[Tensor, "rows dim"], modality: str) -> Float[Tensor, "rows joint"]:
        """Unit rows in the joint space."""
        centre = self.centres.get(modality)
        centred = rows if centre is None else functional.normalize(rows - centre, dim=-1)
        return functional.normalize(self.projector(centred), dim=-1)


@dataclass(frozen=True)
class Member:
    """A head for each of the two spaces, with one joint dimension. ``method`` and ``source`` say how it was made."""

    left: Head
    right: Head
    method: str
    source: str
