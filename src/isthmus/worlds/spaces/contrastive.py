"""Training of one contrastive space on its own pairs of items and texts, as in CLIP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

FIRST_SCALE, LARGEST_SCALE = 1 / 0.07, 100.0
"""Inverse temperature at the start, and its limit, as in CLIP."""
LARGEST_GRADIENT = 1.0
MakePairs = Callable[[int, np.random.Generator], tuple[Tensor, Tensor]]
"""Makes the unit rows of a batch of items and of their texts for one step."""


@runtime_checkable
class TrainingRecipe(Protocol):
    """What `contrast` needs to know of a recipe."""

    @property
    def seed(self) -> int:
        """Seed of the draws of batches."""
        ...

    @property
    def steps(self) -> int:
        """Number of batches."""
        ...

    @property
    def learning_rate(self) -> float:
        """Highest learning rate of the one-cycle schedule."""
        ...

    @property
    def weight_decay(self) -> float:
        """Weight decay of everything but the temperature."""
        ...

    @property
    def warm_up(self) -> float:
        """Share of the steps in which the learning rate rises."""
        ...


def contrast(
    learner: nn.Module, recipe: TrainingRecipe, pairs: MakePairs, on_step: Callable[[int, float], None]
) -> list[float]:
    """Train ``learner`` with the contrastive loss between the two sides of each batch that ``pairs`` makes.

    Returns the loss of each step; ``on_step`` is called with each step and loss. The same recipe and data on the
    same machine give the same weights.
    """
    rng = np.random.default_rng([recipe.seed, 3])
    log_scale = nn.Parameter(torch.tensor(FIRST_SCALE).log())
    groups: list[dict[str, Any]] = [{"params": learner.parameters()}, {"params": [log_scale], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, recipe.steps, pct_start=recipe.warm_up, cycle_momentum=False
    )
    losses = []
    learner.train()
    for step in range(recipe.steps):
        loss = contrastive_loss(*pairs(step, rng), log_scale.exp().clamp(max=LARGEST_SCALE))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learner.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        on_step(step, losses[-1])
    learner.eval()
    return losses


def contrastive_loss(
    items: Float[Tensor, "batch dim"], texts: Float[Tensor, "batch dim"], scale: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE as in CLIP: the mean cross-entropy of items over texts and of texts over items."""
    logits = scale * items @ texts.T
    target: Int[Tensor, " batch"] = torch.arange(len(logits))
    cross_entropy = nn.functional.cross_entropy
    return (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
