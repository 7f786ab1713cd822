"""Labels of tokens: what is shown where a token is, according to the true regions of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.base.errors import IsthmusError
from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.world import Regions

NOTHING = -1


@dataclass(frozen=True)
class LabelledTokens:
    """Tokens of some items, and the truth: what each item shows where."""

    tokens: Tokens
    regions: Sequence[Regions]

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.regions):
            raise IsthmusError(
                f"got {self.tokens!r} but regions of {len(self.regions)} items: give both of the same items"
            )

    def labels(self) -> Int[np.ndarray, " tokens"]:
        """The label of the region that contains each token's middle, -1 if there is none."""
        axes = self.tokens.places.shape[1] // 2
        middles = (self.tokens.places[:, :axes] + self.tokens.places[:, axes:]) / 2
        labels = np.full(len(middles), NOTHING, dtype=np.int64)
        for row, truth in enumerate(self.regions):
            own = slice(self.tokens.offsets[row], self.tokens.offsets[row + 1])
            middle = middles[own, None]
            inside = ((truth.places[:, :axes] <= middle) & (middle < truth.places[:, axes:])).all(2)
            labels[own] = np.where(inside.any(1), truth.labels[inside.argmax(1)], NOTHING)
        return labels
