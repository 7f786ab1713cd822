"""Labels of tokens: what is shown where a token lies, read off the true regions of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.world import Regions

NOTHING = -1


@dataclass(frozen=True)
class Labelled:
    """Tokens of a gallery, and the truth: what each of its items shows where."""

    tokens: Tokens
    regions: Sequence[Regions]

    def labels(self) -> Int[np.ndarray, " tokens"]:
        """The label of the region in which each token's middle lies, -1 where in none."""
        return token_labels(self.tokens, self.regions)


def token_labels(tokens: Tokens, regions: Sequence[Regions]) -> Int[np.ndarray, " tokens"]:
    """The label of the region in which each token's middle lies, -1 where in none."""
    axes = tokens.places.shape[1] // 2
    middles = (tokens.places[:, :axes] + tokens.places[:, axes:]) / 2
    found = np.full(len(middles), NOTHING, dtype=np.int64)
    for row, truth in enumerate(regions):
        own = slice(tokens.offsets[row], tokens.offsets[row + 1])
        middle = middles[own, None]
        inside = ((truth.places[:, :axes] <= middle) & (middle < truth.places[:, axes:])).all(2)
        found[own] = np.where(inside.any(1), truth.labels[inside.argmax(1)], NOTHING)
    return found
