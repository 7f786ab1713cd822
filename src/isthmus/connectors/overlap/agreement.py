"""Agreement: whether rows that correspond by id show the same items, told before anything is fitted.

If they do, texts that are alike in one space tend to be alike in the other. The agreement is the correlation, over all
pairs of texts, of their cosine in one space with their cosine in the other. What shuffled ids would give has a closed
form (Mantel 1967): the mean is 0 and the variance depends on sums over the two matrices of cosines only.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.connectors.overlap.alignment import matching_rows
from isthmus.embeddings import Embeddings
from isthmus.training.repeats import equal_rows

SAMPLE_ROWS = 1000
FEWEST_ROWS = 10
"""With fewer different texts there is no agreement to measure."""
ENOUGH_ROWS = 300
"""Rows from which the weakest agreement of usable real spaces seen so far, .06, stands out (docs/connect.md)."""
DEVIATIONS = 5.0
"""Standard deviations of shuffled ids above which rows agree; shuffled ids exceed 4 once in 300 draws of low rank."""


@dataclass(frozen=True)
class Agreement:
    """How well corresponding rows of two spaces agree.

    Attributes:
        rows: Different rows that were compared; of repeated ones only one counts.
        correlation: Correlation of the cosines of all pairs of rows in one space with those in the other.
        deviation: Standard deviation of that correlation over all permutations of the ids; their mean is 0.
    """

    rows: int
    correlation: float
    deviation: float

    @property
    def score(self) -> float:
        """The correlation in standard deviations of shuffled ids."""
        return self.correlation / self.deviation if self.deviation > 0 else 0.0

    @property
    def found(self) -> bool:
        """Whether the rows agree better than shuffled ids."""
        return self.score > DEVIATIONS

    @property
    def refuted(self) -> bool:
        """Whether they do not, although there are enough rows to tell."""
        return not self.found and self.rows >= ENOUGH_ROWS

    def __str__(self) -> str:
        said = (
            f"correlation of the cosines of {self.rows} rows on both sides {self.correlation:.3f}, "
            f"with shuffled ids 0 ± {self.deviation:.3f}"
        )
        if self.found:
            return f"agree: {said}"
        return f"{'no better than shuffled ids' if self.refuted else 'too few rows to tell'}: {said}"


def agreement(left: Embeddings, right: Embeddings) -> Agreement:
    """Compare at most 1000 rows, evenly spaced, that have the same ids on both sides.

    Args:
        left: Rows of one space, ``(n, dim)``.
        right: Rows of the same items in another space.

    Returns:
        Their agreement; 0 if fewer than 10 different rows correspond.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> meaning = draw.standard_normal((300, 5))
        >>> def rows(space, dim):
        ...     vectors = meaning @ draw.standard_normal((5, dim))
        ...     return Embeddings.from_array(vectors, modality="text", space=space, ids=range(300))
        >>> found = agreement(rows("clip", 30), rows("clap", 20))
        >>> found.found, found.correlation > 0.5
        (True, True)
    """
    left_rows, right_rows = matching_rows(left.ids, right.ids)
    spaced = np.linspace(0, len(left_rows) - 1, min(len(left_rows), SAMPLE_ROWS)).astype(np.int64)
    sides = [own.take(rows[spaced]).vectors for own, rows in ((left, left_rows), (right, right_rows))]
    different = _different(*sides)
    if len(different) < FEWEST_ROWS:
        return Agreement(len(different), 0.0, 0.0)
    return row_agreement(*(rows[different] for rows in sides))


def row_agreement(left: Float[np.ndarray, "rows dl"], right: Float[np.ndarray, "rows dr"]) -> Agreement:
    """The agreement of corresponding rows, at least 4.

    With a, b the cosines of centred rows, less their mean over the pairs i ≠ j, and sums over those pairs, the
    correlation is r = Σ a b / √(Σ a² Σ b²). Over all permutations of one side's rows

        n (n-1) E[(Σ a b)²] = 2 a₂ b₂ + 4 a₃ b₃ / (n-2) + a₄ b₄ / ((n-2)(n-3))

    with a₂ = Σ a², a₃ = Σᵢ (Σⱼ aᵢⱼ)² - a₂ and a₄ = -2 a₂ - 4 a₃, the sums of products of two entries that share two
    rows, one and none.
    """
    rows = len(left)
    first, second = _pair_cosines(left), _pair_cosines(right)
    sums = []
    for own in (first, second):
        both = float((own**2).sum())
        one = float((own.sum(1) ** 2).sum()) - both
        sums.append((both, one, -2 * both - 4 * one))
    (a2, a3, a4), (b2, b3, b4) = sums
    scale = math.sqrt(a2 * b2)
    if scale == 0:
        return Agreement(rows, 0.0, 0.0)
    variance = (2 * a2 * b2 + 4 * a3 * b3 / (rows - 2) + a4 * b4 / ((rows - 2) * (rows - 3))) / (rows * (rows - 1))
    return Agreement(rows, float((first * second).sum()) / scale, math.sqrt(max(variance, 0.0)) / scale)


def require_agreement(left: Embeddings, right: Embeddings, *, force: bool = False) -> None:
    """Raise `IsthmusError` if corresponding rows agree no better than shuffled ids; with ``force`` warn instead.

    Warns if there are too few different rows to tell.
    """
    found = agreement(left, right)
    if found.found:
        return
    who = f"the {left.modality} rows of {left.space!r} and {right.space!r}"
    measured = f"correlation {found.correlation:.3f}, with shuffled ids 0 ± {found.deviation:.3f}"
    if not found.refuted:
        warnings.warn(
            f"{found.rows} different rows are too few to tell whether {who} with equal ids are of the same items "
            f"({measured}): check some by hand",
            stacklevel=4,
        )
        return
    problem = f"{who} agree no better than shuffled ids ({measured}): "
    if force:
        warnings.warn(f"{problem}connected all the same, as force asks", stacklevel=4)
        return
    raise IsthmusError(
        f"{problem}their ids do not name the same items, or one encoder is not what its name says; "
        "correct that, or connect with force (--force)"
    )


def _pair_cosines(rows: Float[np.ndarray, "rows dim"]) -> Float[np.ndarray, "rows rows"]:
    """Cosines of centred rows less their mean; 0 for a row with itself."""
    centred = rows.astype(np.float64)
    centred = centred - centred.mean(0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    cosines = centred @ centred.T
    apart = ~np.eye(len(rows), dtype=bool)
    return np.where(apart, cosines - cosines[apart].mean(), 0.0)


def _different(
    left: Float[np.ndarray, "rows dl"], right: Float[np.ndarray, "rows dr"]
) -> Int[np.ndarray, " different"]:
    """Numbers of rows of which no two are equal on either side: repeats agree whatever the encoders are."""
    kept = np.arange(len(left))
    for rows in (left, right):
        kept = kept[np.unique(equal_rows(rows[kept]), return_index=True)[1]]
    return kept
