"""Closed forms: maps from the second moments of pairs, one pass over the pairs and one decomposition.

Pairs are centred unit rows (l_i, r_i), each with a weight: overlap pairs, pseudo pairs, or both. Fewer rows than
dimensions are expressed in their own span first: the maps are the same, and a few hundred rows take no longer in
thousands of dimensions than in a few hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.errors import IsthmusError

RESOLUTION = 1e-15
"""Smallest penalty, as a share of the variance: below it, only rounding errors are magnified."""
LEAST_WEIGHT, LEAST_SCALE = 1e-30, 1e-10
"""Weights and scales of maps below which float32 loses digits."""
Spans = tuple[Tensor | None, Tensor | None]
"""Orthonormal directions of each side's rows, (dim, rows) in float64; None for a side without fewer rows than
dimensions."""
Pairs = Sequence[Tensor]
"""A batch of pairs: left rows, right rows and, unless each pair counts once, the weight of each pair."""


def spans_of(pairs: Sequence[Pairs]) -> Spans:
    """The span of each side's rows in all pairs together, if they are fewer than the dimensions."""
    left, right = (span_of(torch.cat([pair[side] for pair in pairs])) for side in (0, 1))
    return left, right


def span_of(rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "dim rows"] | None:
    """Orthonormal directions of the rows, in float64; ``None`` unless there are fewer rows than dimensions."""
    return torch.linalg.qr(rows.T.double()).Q if len(rows) < rows.shape[1] else None


@dataclass(frozen=True)
class Moments:
    """Weighted second moments of paired rows: ``left`` (dl, dl), ``right`` (dr, dr), ``cross`` (dl, dr), float64.

    ``rows`` is the sum of the pairs' weights.

    With ``spans``, the moments are those of the rows' coordinates in the span of their side, where it is not ``None``.
    """

    rows: float
    left: Float[Tensor, "dl dl"]
    right: Float[Tensor, "dr dr"]
    cross: Float[Tensor, "dl dr"]
    spans: Spans = (None, None)

    def lifted(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of coordinates as maps of rows."""
        found = [own if span is None else span @ own for own, span in zip((left, right), self.spans, strict=True)]
        return found[0], found[1]

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
            self.spans,
        )


def moments(pairs: Iterable[Pairs], spans: Spans = (None, None)) -> Moments:
    """Second moments over a stream of batches of pairs, of their coordinates in the spans if there are any.

    Memory is bounded by one batch. Products are summed in float64; those of rows are computed in float32.
    """
    total: list[Tensor] = []
    rows = 0.0
    for first, second, *weights in pairs:
        both = zip((first, second), spans, strict=True)
        left, right = (own if span is None else own.double() @ span for own, span in both)
        left, right = (own.double() if left.dtype != right.dtype else own for own in (left, right))
        rows += float(weights[0].double().sum()) if weights else len(left)
        if weights:
            left, right = (own * weights[0].to(own.dtype).sqrt()[:, None] for own in (left, right))
        products = [(left.T @ left).double(), (right.T @ right).double(), (left.T @ right).double()]
        total = [a + b for a, b in zip(total, products, strict=True)] if total else products
    left, right, cross = (product / rows for product in total)
    return Moments(rows, left, right, cross, spans)


def procrustes(pairs: Moments) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """The rotations that bring the two sides closest to each other: singular vectors of the cross moment.

    Joint dimension min(dl, dr), or that of the smaller span. For equal dimensions the cosines are those of the
    orthogonal Procrustes map; what is outside the span of few rows is left out, because no pair says how to turn it.
    """
    u, _, vt = torch.linalg.svd(pairs.cross, full_matrices=False)
    left, right = pairs.lifted(u, vt.T)
    return left.float(), right.float()


def ridge(pairs: Moments, penalty: float) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """Least squares from right to left with a penalty on the squared map; the joint space is the left one."""
    dim = len(pairs.right)
    eye = torch.eye(dim, dtype=pairs.right.dtype)
    least = RESOLUTION * float(pairs.right.diagonal().sum())
    right = torch.linalg.solve(pairs.right + max(penalty, least) * eye, pairs.cross.T)
    left_span, right_span = pairs.spans
    right = right if right_span is None else right_span @ right
    right = right if left_span is None else right @ left_span.T
    return torch.eye(len(pairs.left) if left_span is None else len(left_span)), in_range(right)


@dataclass(frozen=True)
class CanonicalAxes:
    """Each side's canonical axes, ``(dim, joint)``, strongest first, and their correlations."""

    left: Float[Tensor, "dl joint"]
    right: Float[Tensor, "dr joint"]
    correlations: Float[Tensor, " joint"]

    def weighted(self, power: float) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
        """The two maps, axes weighted by correlation to ``power``."""
        weights = self.correlations.clamp(0, 1) ** power
        if not weights.max() > LEAST_WEIGHT:
            weights = (self.correlations / self.correlations.max().clamp(min=LEAST_WEIGHT)).clamp(0, 1) ** power
        return in_range(self.left * weights), in_range(self.right * weights)


def canonical_axes(pairs: Moments, penalty: tuple[float, float]) -> CanonicalAxes:
    """Canonical correlations with a ridge for each side.

    The ridge is added to each side's variances: the size of the noise that the projection tolerates (C-MCR's completion
    with variance σ² acts as a ridge of σ²). Joint dimension min(dl, dr), or that of the smaller span.
    """
    left, right = inverse_root(*pairs.left_spectrum, penalty[0]), inverse_root(*pairs.right_spectrum, penalty[1])
    u, correlations, vt = torch.linalg.svd(left @ pairs.cross @ right, full_matrices=False)
    return CanonicalAxes(*pairs.lifted(left @ u, right @ vt.T), correlations)


def cca(
    pairs: Moments, penalty: tuple[float, float], power: float
) -> tuple[Float[Tensor, "dl joint"], Float[Tensor, "dr joint"]]:
    """Canonical correlations with a ridge for each side, axes weighted by correlation to ``power``."""
    return canonical_axes(pairs, penalty).weighted(power)


def inverse_root(
    values: Float[Tensor, " dim"], vectors: Float[Tensor, "dim dim"], penalty: float
) -> Float[Tensor, "dim dim"]:
    """``(moment + penalty I)^(-1/2)`` of a moment with these eigenvalues and eigenvectors."""
    least = RESOLUTION * float(values.clamp(min=0).sum())
    return vectors * (values.clamp(min=0) + max(penalty, least)).rsqrt() @ vectors.T


def in_range(weights: Float[Tensor, "dim joint"]) -> Float[Tensor, "dim joint"]:
    """A map in float32. Its scale does not matter: one that float32 cannot hold is set to 1."""
    largest = float(weights.abs().max())
    if not 0 < largest < torch.inf:
        raise IsthmusError("the two sides of the pairs do not vary together: check that equal ids mean equal items")
    return (weights if LEAST_SCALE < largest < 1 / LEAST_SCALE else weights / max(largest, LEAST_WEIGHT)).float()
