"""Training of one space of the digits world: its batches are sequences and their near misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from isthmus.worlds.digits.concepts import digits_of, length_weights, near_misses
from isthmus.worlds.digits.spaces.feeds import TrainingFeed
from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.wording import WORDINGS
from isthmus.worlds.spaces.contrastive import MakePairs, contrast
from isthmus.worlds.spaces.space import ContrastiveSpace

Digits = Int[np.ndarray, "batch 5"]
DigitPairs = Callable[[Digits, np.random.Generator], tuple[Tensor, Tensor]]


def train_space(
    space: ContrastiveSpace,
    feed: TrainingFeed,
    recipe: SpaceRecipe,
    concepts: Int[np.ndarray, " concepts"],
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Train in place and return the loss of each step; ``on_step`` is called with each step and loss.

    The same recipe and data on the same machine give the same weights.
    """
    wording = WORDINGS[recipe.wording]

    def pairs(digits: Digits, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        items = space.item_tower(*feed.distorted(digits, rng))
        return items, space.encode_texts(wording.write(digits, rng))

    return contrast(space, recipe, digit_batches(recipe, concepts, pairs), on_step)


def digit_batches(recipe: SpaceRecipe, concepts: Int[np.ndarray, " concepts"], pairs: DigitPairs) -> MakePairs:
    """Batches for `contrast`: ``pairs`` of the digits of training sequences, half of them near misses."""
    likelihood = np.cumsum(length_weights(concepts))

    def batch(step: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return pairs(digits_of(draw_batch(concepts, likelihood, recipe.batch, rng)), rng)

    return batch


def draw_batch(
    concepts: Int[np.ndarray, " concepts"],
    likelihood: Float[np.ndarray, " concepts"],
    size: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " size"]:
    """Training sequences, drawn by cumulative ``likelihood``; the second half are near misses of the first.

    A near miss that is not among ``concepts`` (because it belongs to dev or test) is replaced by a random sequence.
    """
    drawn = concepts[np.searchsorted(likelihood, rng.random(size) * likelihood[-1])]
    half = size // 2
    misses = near_misses(drawn[:half], rng)
    drawn[size - half :] = np.where(np.isin(misses, concepts), misses, drawn[size - half :])
    return drawn
