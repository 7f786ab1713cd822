"""Training of one contrastive space on its own pairs of items and texts, as in CLIP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.worlds.digits.concepts import digits_of, length_weights, near_misses
from isthmus.worlds.digits.spaces.feeds import TrainingFeed
from isthmus.worlds.digits.spaces.recipe import SpaceRecipe
from isthmus.worlds.digits.spaces.space import ContrastiveSpace, contrastive_loss

FIRST_SCALE, LARGEST_SCALE = 1 / 0.07, 100.0
"""Inverse temperature at the start, and its limit, as in CLIP."""
LARGEST_GRADIENT = 1.0
Digits = Int[np.ndarray, "batch 5"]


def train_space(
    space: ContrastiveSpace,
    feed: TrainingFeed,
    concepts: Int[np.ndarray, " concepts"],
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Train in place and return the loss of each step; ``on_step`` is called with each step and loss.

    The same recipe and data on the same machine give the same weights.
    """

    def pairs(digits: Digits, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        items = space.item_tower(*feed.distorted(digits, rng))
        return items, space.encode_texts(space.wording.write(digits, rng))

    return contrast(space, space.recipe, concepts, pairs, on_step)


def contrast(
    learner: nn.Module,
    recipe: SpaceRecipe,
    concepts: Int[np.ndarray, " concepts"],
    pairs: Callable[[Digits, np.random.Generator], tuple[Tensor, Tensor]],
    on_step: Callable[[int, float], None],
) -> list[float]:
    """Train ``learner`` with the contrastive loss between the two unit rows that ``pairs`` makes of each sequence."""
    rng = np.random.default_rng([recipe.seed, 3])
    log_scale = nn.Parameter(torch.tensor(FIRST_SCALE).log())
    groups: list[dict[str, Any]] = [{"params": learner.parameters()}, {"params": [log_scale], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, recipe.steps, pct_start=recipe.warm_up, cycle_momentum=False
    )
    likelihood = np.cumsum(length_weights(concepts))
    losses = []
    learner.train()
    for step in range(recipe.steps):
        digits = digits_of(draw_batch(concepts, likelihood, recipe.batch, rng))
        loss = contrastive_loss(*pairs(digits, rng), log_scale.exp().clamp(max=LARGEST_SCALE))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        on_step(step, losses[-1])
    learner.eval()
    return losses


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
