"""Training data of codes: the items of each view, and pairs of items of two views that show the same thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.view import TokenBatch, require_finite_tokens
from isthmus.connectors.overlap.alignment import matching_items
from isthmus.embeddings import Embeddings
from isthmus.embeddings.pairing import require_same_items
from isthmus.embeddings.tokens import Tokens
from isthmus.search import Index

NEIGHBOUR = "neighbour"
"""The kind of pairs that a search found; pairs of other kinds are known to show the same thing."""
CHECKED_ITEMS = 4096
"""Items whose tokens are read at once to check them."""


@dataclass(frozen=True)
class CodeItems:
    """Items of one view, as `fit_codes` takes them: their tokens and their pooled vectors, row by row.

    Args:
        tokens: Tokens of the items.
        pooled: One vector per item, in the order of ``tokens``.

    Raises:
        IsthmusError: The modality, space or ids of tokens and pooled vectors differ. If neither has ids, they belong
            together row by row.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings, Tokens
        >>> rows, places = np.ones((3, 4), np.float32), np.zeros((3, 2), np.float32)
        >>> kind = {"modality": "audio", "space": "clap"}
        >>> tokens = Tokens.from_arrays(rows, np.array([0, 1, 3]), places, unit="seconds", **kind)
        >>> pooled = Embeddings.from_array(rows[:2], **kind)
        >>> len(CodeItems(tokens, pooled))
        2
    """

    tokens: Tokens
    pooled: Embeddings

    def __post_init__(self) -> None:
        require_same_items(self.tokens, self.pooled)

    def __len__(self) -> int:
        return len(self.tokens)

    def require_finite(self, name: str) -> None:
        """Raise `IsthmusError` that names the item of the first token or pooled vector that is not finite."""
        for start in range(0, len(self), CHECKED_ITEMS):
            rows = np.arange(start, min(start + CHECKED_ITEMS, len(self)))
            require_finite_tokens(self.tokens, rows, self.tokens.rows(rows), name)
            bad = ~np.isfinite(self.pooled.vectors[rows]).all(1)
            if bad.any():
                row = int(rows[bad.argmax()])
                raise IsthmusError(
                    f"{name}: the pooled vector of item {self.pooled.ids[row]!r} (row {row}) contains NaN or infinity: "
                    "embed the item again, or leave it out"
                )

    def batch(
        self,
        rows: Int[np.ndarray, " items"],
        device: torch.device,
        chances: Float[np.ndarray, "items most"] | None = None,
    ) -> tuple[TokenBatch, Tensor]:
        """Tokens and pooled vectors of some items; with ``chances``, some of their tokens (`TokenBatch.of`)."""
        pooled = torch.from_numpy(self.pooled.vectors[rows]).to(device)
        return TokenBatch.of(self.tokens, rows, device, chances), pooled


@dataclass(frozen=True)
class PairSource:
    """Pairs of items of two views that show, or are believed to show, the same thing.

    Args:
        left: Name of one view.
        right: Name of the other view.
        left_rows: Row number of each pair's left item.
        right_rows: Row number of each pair's right item.
        kind: Where the pairs come from, for the model card: true, own (a space's own training pairs), overlap, or
            neighbour (`neighbour_pairs`).
        weight: Weight of the source in the loss.

    Example:
        >>> import numpy as np
        >>> print(PairSource("image", "audio", np.array([0, 1]), np.array([5, 3])))
        2 true pairs of image and audio
    """

    left: str
    right: str
    left_rows: Int[np.ndarray, " pairs"]
    right_rows: Int[np.ndarray, " pairs"]
    kind: str = "true"
    weight: float = 1.0

    def __post_init__(self) -> None:
        if len(self.left_rows) != len(self.right_rows):
            raise IsthmusError(
                f"a pair source of {self.left} and {self.right} has {len(self.left_rows)} left and "
                f"{len(self.right_rows)} right rows: give one of each per pair"
            )

    def __len__(self) -> int:
        return len(self.left_rows)

    def __str__(self) -> str:
        return f"{len(self)} {self.kind} pairs of {self.left} and {self.right}"


def pairs_by_row(left: str, right: str, count: int) -> PairSource:
    """True pairs of row i of one view with row i of the other; the items need no ids."""
    rows = np.arange(count)
    return PairSource(left, right, rows, rows)


def pairs_by_id(
    left: tuple[str, Tokens], right: tuple[str, Tokens], kind: str = "true", weight: float = 1.0
) -> PairSource:
    """Pairs of the items that have the same id in two views.

    Args:
        left: Name and tokens of one view.
        right: Name and tokens of the other view.
        kind: Where the pairs come from; see `PairSource`.
        weight: Weight of the source in the loss.

    Raises:
        IsthmusError: No id is in both views, or the items of one have no ids, only row numbers.

    Example:
        >>> import numpy as np
        >>> from isthmus import Tokens
        >>> def tokens(*ids):
        ...     rows, places = np.ones((len(ids), 2), np.float32), np.zeros((len(ids), 2), np.float32)
        ...     ends = np.arange(len(ids) + 1)
        ...     return Tokens.from_arrays(rows, ends, places, modality="text", space="s", unit="characters", ids=ids)
        >>> source = pairs_by_id(("words", tokens("a", "b", "c")), ("speech", tokens("c", "a")))
        >>> source.left_rows.tolist(), source.right_rows.tolist()
        ([0, 2], [1, 0])
    """
    left_rows, right_rows = matching_items(left[1], right[1])
    if not len(left_rows):
        raise IsthmusError(
            f"{left[0]} and {right[0]} share no id: their ids look like {left[1].ids[0]!r} and {right[1].ids[0]!r}"
        )
    return PairSource(left[0], right[0], left_rows, right_rows, kind, weight)


def neighbour_pairs(left: tuple[str, Embeddings], right: tuple[str, Embeddings]) -> PairSource:
    """Pairs of every left item with its nearest right item by CSLS, in a space that holds both."""
    nearest = Index(right[1]).search(left[1], k=1, csls=True).rows[:, 0]
    return PairSource(left[0], right[0], np.arange(len(left[1])), nearest, NEIGHBOUR)
