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

    def parts(self) -> Int[np.ndarray, " tokens"]:
        """The number of the part of an item that each token belongs to; tokens of one part have one label.

        Along one axis a part is a run of tokens with the same label. In a plane it is all tokens of an item with the
        same label, because a thing's tokens lie in several rows.
        """
        labels, places = self.labels(), self.tokens.places
        item = np.repeat(np.arange(len(self.tokens)), self.tokens.counts)
        if places.shape[1] == 4 and (places[:, 1] != places[:1, 1]).any():
            return item * (labels.max(initial=0) + 2) + labels + 1
        new = np.ones(len(labels), dtype=bool)
        new[1:] = (labels[1:] != labels[:-1]) | (item[1:] != item[:-1])
        return np.cumsum(new) - 1

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
