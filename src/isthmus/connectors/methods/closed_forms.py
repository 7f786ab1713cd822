"""Closed forms: maps from the second moments of pairs, one pass over the pairs and one decomposition.

Pairs are centred unit rows (l_i, r_i): overlap pairs, pseudo pairs, or both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Second moments of paired rows: ``left`` (dl, dl), ``right`` (dr, dr), ``cross`` (dl, dr), float64."""

    rows: int
    left: Float[Tensor, "dl dl"]
    right: Float[Tensor, "dr dr"]
    cross: Float[Tensor, "dl dr"]

    @cached_property
    def left_spectrum(self) -> tuple[Float[Tensor, " dl"], Float[Tensor, "dl dl"]]:
        """Eigenvalues and eigenvectors of ``left``."""
        values, vectors = torch.linalg.eigh(self.left)
        return values, vectors

    @cached_property
    def right_spectrum(self) -> tuple[Float[Tensor, " dr"], Float[Tensor, "dr dr"]]:
        """Eigenvalues and eigenvectors of ``right``."""
        values, vectors = torch.linalg.eigh(self.right)
        return values, vectors

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of pairs together, each weighted by its rows."""
        rows = self.rows + other.rows
        mine, theirs = self.rows / rows, other.rows / rows
        return Moments(
            rows,
            mine * self.left + theirs * other.left,
            mine * self.right + theirs * other.right,
            mine * self.cross + theirs * other.cross,
        )


def moments(pairs: Iterable[tuple[Float[Tensor, "rows dl"], Float[Tensor, "rows dr"]]]) -> Moments:
    """Second moments over a stream of batches of pairs; memory is bounded by one batch.

    Products are computed in float32 and summed in float64.
    """
    total: list[Tensor] = []
    rows = 0
    for left, right in pairs:
        products = [(left.T @ left).double(), (right.T @ right).double(), (left.T @ right).double()]
        total = [a + b for a, b in zip(total, products, strict=True)] if total else products
        rows += len(left)
    return Moments(rows, *(product / rows for product in total))


def procrustes(pairs: Moments) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """The rotations that bring the two sides closest to each other: singular vectors of the cross moment.

    Joint dimension min(dl, dr). For equal dimensions the cosines are those of the orthogonal Procrustes map.
    """
    u, _, vt = torch.linalg.svd(pairs.cross, full_matrices=False)
    return u.float(), vt.T.float()


def ridge(pairs: Moments, penalty: float) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """Least squares from right to left with a penalty on the squared map; the joint space is the left one."""
    dim = len(pairs.right)
    eye = torch.eye(dim, dtype=pairs.right.dtype)
    right = torch.linalg.solve(pairs.right + penalty * eye, pairs.cross.T)
    return torch.eye(len(pairs.left)), right.float()


@dataclass(frozen=True)
class CanonicalAxes:
    """Each side's canonical axes, ``(dim, joint)``, strongest first, and their correlations."""

    left: Float[Tensor, "dl joint"]
    right: Float[Tensor, "dr joint"]
    correlations: Float[Tensor, " joint"]

    def weighted(self, power: float) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
        """The two maps, axes weighted by correlation to ``power``."""
        weights = self.correlations.clamp(0, 1) ** power
        return (self.left * weights).float(), (self.right * weights).float()


def canonical_axes(pairs: Moments, penalty: tuple[float, float]) -> CanonicalAxes:
    """Canonical correlations with a ridge for each side.

    The ridge is added to each side's variances: the size of the noise that the projection tolerates (C-MCR's completion
    with variance σ² acts as a ridge of σ²). Joint dimension min(dl, dr).
    """
    left, right = inverse_root(*pairs.left_spectrum, penalty[0]), inverse_root(*pairs.right_spectrum, penalty[1])
    u, correlations, vt = torch.linalg.svd(left @ pairs.cross @ right, full_matrices=False)
    return CanonicalAxes(left @ u, right @ vt.T, correlations)


def cca(
    pairs: Moments, penalty: tuple[float, float], power: float
) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """Canonical correlations with a ridge for each side, axes weighted by correlation to ``power``."""
    return canonical_axes(pairs, penalty).weighted(power)


def inverse_root(
    values: Float[Tensor, " dim"], vectors: Float[Tensor, "dim dim"], penalty: float
) -> Float[Tensor, "dim dim"]:
    """``(moment + penalty I)^(-1/2)`` of a moment with these eigenvalues and eigenvectors."""
    return vectors * (values.clamp(min=0) + penalty).rsqrt() @ vectors.T
