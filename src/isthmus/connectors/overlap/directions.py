"""Directions: whether a memory varies along the directions of its own space's texts, as vectors of one model do.

A memory has no counterparts among the texts, but both are of one space: where texts vary much, items do. Vectors of
another model with the same number of dimensions are as if turned at random.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from isthmus.embeddings import Embeddings

SAMPLE_ROWS = 2000
DEVIATIONS = 4.0
"""Standard deviations of random rotations above which two modalities share directions."""
FEWEST_DIMENSIONS = 64
"""With fewer, a rotation at random leaves too much shared to tell."""
RELIABLE = 0.3
"""Shared by the two halves of each modality; with less, too few rows show its directions."""


@dataclass(frozen=True)
class SharedDirections:
    """How much of their directions two modalities of one space share.

    Attributes:
        shared: Correlation of the two covariances; 1 for equal ones.
        deviation: Standard deviation of that correlation over all rotations of one modality; their mean is 0.
        reliability: The lower of the two modalities' correlations between the covariances of their halves.
        dim: Number of dimensions.
    """

    shared: float
    deviation: float
    reliability: float
    dim: int

    @property
    def refuted(self) -> bool:
        """Whether they share no more than at random, although there are rows and dimensions enough to tell."""
        told = self.dim >= FEWEST_DIMENSIONS and self.reliability > RELIABLE
        return told and self.shared <= DEVIATIONS * self.deviation

    def __str__(self) -> str:
        return f"correlation of their covariances {self.shared:.3f}, turned at random 0 ± {self.deviation:.3f}"


def shared_directions(first: Embeddings, second: Embeddings) -> SharedDirections:
    """Compare two modalities of one space, on at most 2000 evenly spaced rows of each.

    With A and B the covariances of unit rows less their trace / dim on the diagonal, the correlation is
    tr(AB) / (‖A‖ ‖B‖). If B is turned by a rotation drawn at random, its mean is 0 and its variance
    2 / ((dim - 1)(dim + 2)), whatever A and B are.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> axes = draw.standard_normal((5, 64))
        >>> def rows(modality):
        ...     return Embeddings.from_array(draw.standard_normal((300, 5)) @ axes, modality=modality, space="clip")
        >>> found = shared_directions(rows("text"), rows("image"))
        >>> found.shared > 0.9, found.refuted
        (True, False)
    """
    sides = [_centred(own) for own in (first, second)]
    halves = [covariance_correlation(own[::2], own[1::2]) for own in sides]
    dim = first.dim
    deviation = math.sqrt(2 / ((dim - 1) * (dim + 2))) if dim > 1 else 1.0
    return SharedDirections(covariance_correlation(*sides), deviation, min(halves), dim)


def covariance_correlation(first: Float[np.ndarray, "n dim"], second: Float[np.ndarray, "m dim"]) -> float:
    """tr(AB) / (‖A‖ ‖B‖) of the covariances of centred rows, each less its mean variance; 0 if one has none."""

    def product(left: np.ndarray, right: np.ndarray) -> float:
        whole = float(((left @ right.T) ** 2).sum())
        return whole - float((left**2).sum()) * float((right**2).sum()) / left.shape[1]

    scale = product(first, first) * product(second, second)
    return product(first, second) / math.sqrt(scale) if scale > 0 else 0.0


def warn_of_other_model(texts: Embeddings, memory: Embeddings) -> None:
    """Warn if a memory shares no directions with the overlap of its own space."""
    found = shared_directions(texts, memory)
    if found.refuted:
        warnings.warn(
            f"the {memory.modality} memory of {memory.space!r} varies along other directions than its {texts.modality} "
            f"rows ({found}): it is of other content, or embedded with another model: check that both are of one",
            stacklevel=4,
        )


def _centred(own: Embeddings) -> Float[np.ndarray, "sample dim"]:
    spaced = np.linspace(0, len(own) - 1, min(len(own), SAMPLE_ROWS)).astype(np.int64)
    rows = own.take(spaced).vectors.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows - rows.mean(0)
