"""Heads: a view's tokens projected to where the codes are, and normalised per modality (papers B.2)."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor, nn

from isthmus.codes.model.config import Normalisation
from isthmus.training.processes import SharedBatchNorm


class TokenHead(nn.Module):
    """One linear layer, then unit variance in every coordinate times a scale.

    Coordinates are scaled so that the expected squared length of a token is ``squared_norm``: squared distances to the
    codes then give a softmax that is neither uniform nor certain. Statistics are those of the batch in training and
    running ones at inference.
    """

    def __init__(self, dim: int, code_dim: int, normalisation: Normalisation, squared_norm: float) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, code_dim)
        self.normalise: nn.Module = nn.Identity()
        if normalisation == "batch":
            self.normalise = SharedBatchNorm(code_dim).requires_grad_(False)
            nn.init.constant_(self.normalise.weight, math.sqrt(squared_norm / code_dim))

    def forward(self, tokens: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens code_dim"]:
        """Projected tokens."""
        projected: Tensor = self.normalise(self.linear(tokens))
        return projected
