"""Options of the training loop. Nothing here imports torch, so that ``--help`` stays light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class OptimisationConfig:
    """Options of training: AdamW with a cosine schedule over a number of epochs.

    Example:
        >>> OptimisationConfig(epochs=10, batch_size=256).learning_rate
        0.001
    """

    epochs: int = 36
    """Passes over the training rows."""
    min_steps: int = 600
    """Least number of steps; small data sets get more epochs."""
    batch_size: int | None = None
    """Rows per step; by default at most 4096, and less for small data sets, to make 16 steps an epoch."""
    learning_rate: float = 1e-3
    """Peak learning rate."""
    weight_decay: float = 0.01
    """Weight decay."""
    precision: Precision = "auto"
    """Arithmetic of the projectors: bfloat16 is faster on GPUs that have it, and auto takes it there; codes are trained
    in float32 unless it is asked for."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.epochs >= 1, "epochs", "at least 1", self.epochs)
        require(self.min_steps >= 0, "min-steps", "at least 0", self.min_steps)
        require(self.batch_size is None or self.batch_size >= 2, "batch-size", "at least 2", self.batch_size)
        require(self.learning_rate > 0, "learning-rate", "above 0", self.learning_rate)
        require(self.weight_decay >= 0, "weight-decay", "at least 0", self.weight_decay)


DEFAULT_OPTIMISATION = OptimisationConfig()
"""C-MCR's published schedule."""
