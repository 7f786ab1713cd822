"""Heads: a view's tokens projected to where the codes are, and normalised per modality (papers B.2)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from isthmus.codes.config import Normalisation
from isthmus.connecting.distributed import SharedBatchNorm


class TokenHead(nn.Module):
    """One linear layer, then unit variance in every coordinate times a scale.

    Coordinates are scaled so that the expected squared length of a token is ``squared_norm``: squared distances to the
    codes then give a softmax that is neither uniform nor certain. Statistics are those of the batch in training and
    running ones at inference.
    """

    def __init__(self, dim: int, code_dim: int, normalisation: Normalisation, squared_norm: float) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, code_dim)
        batch = normalisation == "batch"
        self.normalise = SharedBatchNorm(code_dim, affine=False) if batch else nn.Identity()
        self.scale = math.sqrt(squared_norm / code_dim) if batch else 1.0

    def forward(
        self, tokens: Float[Tensor, "batch longest dim"], present: Bool[Tensor, "batch longest"]
    ) -> Float[Tensor, "batch longest code_dim"]:
        """Projected tokens, 0 where none is present."""
        found = self.normalise(self.linear(tokens[present])) * self.scale
        projected = torch.zeros(*present.shape, found.shape[1], device=found.device, dtype=found.dtype)
        projected[present] = found
        return projected
