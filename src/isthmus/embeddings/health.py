"""Health of one modality: figures of a sample of its rows that give a broken encoder away before it is connected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.embeddings.embeddings import Embeddings

SAMPLE_ROWS = 2000
DIRECTION_ROWS = 500
"""Rows among which `varying_directions` counts."""
SAME = 5e-4
"""Distance of unit rows up to which they count as equal: what batches and half precision change in a vector."""
COLLAPSED = 0.99
"""Mean cosine of two rows above which an encoder has collapsed; those of real encoders reach 0.9 (docs/connect.md)."""
FEWEST_DIRECTIONS = 3.0
"""Lowest effective rank of a usable encoder; that of real ones falls to 4.4."""
SMALL_SHARE = 20
"""An effective rank below a twentieth of the dimensions is worth a note."""
FEWEST_ROWS, FEWEST_DIMENSIONS = 50, 16
"""With fewer rows or dimensions, nothing is concluded from the effective rank."""
STILL = 1e-3
"""A coordinate whose spread is at most this share of the widest one's does not vary."""
DOMINANT = 0.1
"""A vector that is the one of more than this share of the rows, and of over ten times as many as any other vector."""


@dataclass(frozen=True)
class Health:
    """Figures of a sample of unit rows.

    Attributes:
        rows: Rows of the modality.
        looked_at: Rows of the sample.
        dim: Number of dimensions.
        mean_cosine: Mean cosine of two different rows.
        effective_rank: Participation ratio of the variances λ along the principal directions, (Σλ)² / Σλ².
        directions: Directions with over a thousandth of the largest variance, among 500 rows.
        repeated: Rows that equal an earlier row of the sample.
        most_alike: The numbers of rows that show the commonest vector and the second commonest.
        still: Coordinates that do not vary.
        constant: Rows with the same number in every coordinate.
    """

    rows: int
    looked_at: int
    dim: int
    mean_cosine: float
    effective_rank: float
    directions: int
    repeated: int
    most_alike: tuple[int, int]
    still: int
    constant: int

    @property
    def faults(self) -> list[str]:
        """What is broken, a sentence with the remedy for each fault."""
        again = "check the encoder's weights and what it was given, and embed again"
        found = []
        if self.mean_cosine > COLLAPSED:
            found.append(f"collapsed: two rows have a mean cosine of {self.mean_cosine:.4f}: {again}")
        elif self._judged and self.effective_rank < FEWEST_DIRECTIONS:
            found.append(
                f"rows vary in effectively {self.effective_rank:.1f} of {self.dim} directions: unless all items are "
                f"alike, {again}"
            )
        first, second = self.most_alike
        if first > max(DOMINANT * self.looked_at, 10 * second) and self.looked_at >= FEWEST_ROWS:
            found.append(
                f"{first} of {self.looked_at} rows are the same vector, as of items that could not be read: "
                "remove them, or embed them again"
            )
        if self.constant and self.dim >= FEWEST_DIMENSIONS:
            found.append(
                f"{self.constant} of {self.looked_at} rows have the same number in every coordinate, as placeholders "
                "do: remove them"
            )
        return found

    @property
    def notes(self) -> list[str]:
        """What is unusual, but need not be wrong."""
        found = []
        if self._judged and FEWEST_DIRECTIONS <= self.effective_rank < self.dim / SMALL_SHARE:
            found.append("the effective rank is far below the dimension: retrieval will be coarse")
        if self.still:
            found.append(f"{self.still} of {self.dim} coordinates do not vary: the vectors may be padded")
        if self.repeated:
            found.append(f"{self.repeated} of {self.looked_at} rows equal another row: normal for captions that repeat")
        return found

    @property
    def _judged(self) -> bool:
        return self.looked_at >= FEWEST_ROWS and self.dim >= FEWEST_DIMENSIONS

    def lines(self) -> list[str]:
        """The figures, then what follows from them."""
        of = f", of {self.looked_at} rows" if self.looked_at < self.rows else ""
        return [
            f"mean cosine of two rows {self.mean_cosine:.2f} (1: all alike){of}",
            f"effective rank {self.effective_rank:.1f} of {self.dim}, {self.directions} directions vary",
            *(f"broken: {fault}" for fault in self.faults),
            *(f"note: {note}" for note in self.notes),
        ]


def health_of(embeddings: Embeddings) -> Health:
    """Measure at most 2000 rows: pairs of consecutive rows, evenly spaced over the set.

    Args:
        embeddings: Unit rows of one modality, at least one; of a set on disk only the sample is read.

    Returns:
        The figures.

    Example:
        >>> rows = Embeddings.from_array(np.eye(4)[[0, 1, 2, 3, 3]], modality="image", space="clip")
        >>> found = health_of(rows)
        >>> found.mean_cosine, found.repeated
        (0.1, 1)
    """
    return health_of_rows(embeddings.take(_sampled(len(embeddings))).vectors, len(embeddings))


def health_of_rows(sample: Float[np.ndarray, "sample dim"], rows: int) -> Health:
    """The figures of a sample of rows, scaled to unit length; ``rows`` is how many there are in all."""
    count, dim = sample.shape
    own = sample.astype(np.float64)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    cosines = own @ own.T
    pairs = count * (count - 1)
    sizes = _equal_rows(cosines)
    spread = own.std(0)
    return Health(
        rows=rows,
        looked_at=count,
        dim=dim,
        mean_cosine=round(float((cosines.sum() - np.trace(cosines)) / pairs), 6) if pairs else 1.0,
        effective_rank=effective_rank(own),
        directions=varying_directions(own),
        repeated=count - len(sizes),
        most_alike=(int(sizes[0]), int(sizes[1]) if len(sizes) > 1 else 0),
        still=int((spread <= STILL * spread.max()).sum()) if count > 1 else 0,
        constant=int((np.ptp(own, axis=1) < SAME / np.sqrt(dim)).sum()),
    )


def effective_rank(rows: Float[np.ndarray, "rows dim"]) -> float:
    """The participation ratio of the variances λ along the principal directions, (Σλ)² / Σλ²; 0 if nothing varies."""
    centred = rows - rows.mean(0)
    small = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    squares = float((small * small).sum())
    return float(np.trace(small) ** 2 / squares) if squares > 0 else 0.0


def varying_directions(rows: Float[np.ndarray, "rows dim"]) -> int:
    """Number of directions with over a thousandth of the largest variance, among at most 500 of the rows."""
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), DIRECTION_ROWS)).astype(np.int64)].astype(np.float64)
    centred = some - some.mean(0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    return int((variances > 1e-3 * variances[0]).sum()) if variances[0] > 0 else 0


def _sampled(rows: int) -> Int[np.ndarray, " sample"]:
    """Numbers of the rows to look at. Consecutive ones, as a batch that went wrong would make them equal."""
    if rows <= SAMPLE_ROWS:
        return np.arange(rows)
    first = np.linspace(0, rows - 2, SAMPLE_ROWS // 2).astype(np.int64)
    return np.unique(np.stack((first, first + 1)))


def _equal_rows(cosines: Float[np.ndarray, "rows rows"]) -> Int[np.ndarray, " groups"]:
    """Sizes of the groups of equal rows, largest first; a row belongs to the first one that it equals."""
    lengths = np.diagonal(cosines)
    squares = lengths[:, None] + lengths[None] - 2 * cosines
    return np.sort(np.unique((squares <= SAME**2).argmax(1), return_counts=True)[1])[::-1]
