"""A softmax-weighted mean of rows that arrive in any order."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LEAST_EXPONENT = -60.0
"""Weights below e^-60 of the largest are raised to it: invisible in a float32 sum, but exp of what underflows to a
denormal takes fifteen times as long on x86."""


@dataclass
class OnlineSoftmax:
    """A softmax-weighted mean in the making: its running peak, mass and weighted sum.

    ``peak`` and ``mass`` are ``(queries, 1)``, ``total`` is ``(queries, dim)``; scores may be shifted by the peak
    at any time without changing the result.
    """

    peak: Float[Tensor, "queries 1"]
    mass: Float[Tensor, "queries 1"]
    total: Float[Tensor, "queries dim"]

    @classmethod
    def empty(cls, queries: int, dim: int, device: torch.device) -> OnlineSoftmax:
        """Nothing seen yet."""
        zero = torch.zeros(queries, 1, device=device)
        total = torch.zeros(queries, dim, device=device)
        return cls(torch.full_like(zero, -torch.inf), zero, total)

    def add(self, rows: slice, scores: Float[Tensor, "tile block"], values: Float[Tensor, "block dim"]) -> None:
        """Take a memory block into account for some of the queries. Overwrites ``scores``."""
        peak = torch.maximum(self.peak[rows], scores.amax(1, keepdim=True))
        shrink = (self.peak[rows] - peak).exp()
        weights = scores.sub_(peak).clamp_(min=LEAST_EXPONENT).exp_()
        self.peak[rows] = peak
        self.mass[rows] = self.mass[rows] * shrink + weights.sum(1, keepdim=True)
        self.total[rows] = (self.total[rows] * shrink).addmm_(weights, values)

    def mean(self) -> Float[Tensor, "queries dim"]:
        """The weighted mean, renormalised."""
        return functional.normalize(self.total, dim=-1)
