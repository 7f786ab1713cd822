"""Heads: the layers of each view, for its tokens (papers B.2) and for its summary (B.3)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from isthmus.codes.model.config import CodesConfig, Normalization
from isthmus.codes.model.view import View
from isthmus.training.processes import SharedBatchNorm


class TokenHead(nn.Module):
    """One linear layer, then every coordinate normalized to unit variance and scaled.

    The scale makes ``squared_norm`` the expected squared length of a token, so that the softmax over squared distances
    to the codes is neither uniform nor certain. Statistics are the batch's in training and running ones at inference.
    """

    def __init__(self, dim: int, code_dim: int, normalization: Normalization, squared_norm: float) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, code_dim)
        self.normalize: nn.Module = nn.Identity()
        if normalization == "batch":
            self.normalize = SharedBatchNorm(code_dim).requires_grad_(False)
            nn.init.constant_(self.normalize.weight, math.sqrt(squared_norm / code_dim))

    def forward(self, tokens: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens code_dim"]:
        """Project tokens."""
        projected: Tensor = self.normalize(self.linear(tokens))
        return projected


class ViewParts(nn.Module):
    """One view's token head and the two layers of its summary.

    The continuous layer starts as the identity: training starts from the pooled vector of a trained encoder (B.9).
    """

    def __init__(self, view: View, summary_dim: int, config: CodesConfig) -> None:
        super().__init__()
        self.head = TokenHead(view.dim, config.code_dim, config.normalization, config.squared_norm)
        self.continuous = nn.Linear(view.pooled_dim, summary_dim)
        self.discrete = nn.Linear(config.code_dim, summary_dim)
        with torch.no_grad():
            self.continuous.weight.copy_(torch.eye(summary_dim, view.pooled_dim))
            self.continuous.bias.zero_()
