"""Options of code training; nothing here imports torch, so that ``--help`` stays light.

The defaults are those under which modalities shared codes in docs/benchmarks.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require
from isthmus.training.config import OptimisationConfig

Normalization = Literal["batch", "none"]
Distance = Literal["squared", "plain"]
Start = Literal["k-means", "translation", "normal"]
BRIEF = OptimisationConfig(epochs=1, min_steps=300, batch_size=128, learning_rate=3e-3)
"""Enough for linear heads over frozen encoders."""


@dataclass(frozen=True)
class CodesConfig:
    """Options of `fit_codes`: one codebook for all modalities, trained by cross-modal code matching.

    Raises:
        IsthmusError: An option has the wrong type or is out of range.

    Example:
        >>> CodesConfig(codes=32).normalization
        'batch'
    """

    codes: int = 16
    """Number of codes V; 0 tries 8, 16, 32 ... and keeps the last size at which modalities share half of the codes.
    With translation as the start, 0 takes as many as the texts have meanings in the other views."""
    code_dim: int = 64
    """Dimension of codes and of projected tokens."""
    normalization: Normalization = "batch"
    """Normalize projected tokens per modality (batch: by running statistics at inference), or not at all."""
    squared_norm: float = 4.0
    """Expected squared length of a normalized token; larger values make code distributions sharper."""
    distance: Distance = "squared"
    """Distance in the softmax of the code distribution; plain is the paper's."""
    start: Start = "k-means"
    """Initial codes: k-means over tokens of all modalities, or standard normal as in the paper. With translation, codes
    and heads are a closed form and no step follows: each code is an axis, tokens are not normalized, and code-dim,
    normalization and restarts have no say."""
    matching_weight: float = 1.0
    """Weight α of the code matching loss; the paper uses 0.1."""
    margin: float = 0.001
    """Margin δ of the masked margin softmax."""
    decay: float = 0.99
    """Decay γ of the codebook's moving averages."""
    revive_after: int = 100
    """Steps without use after which a code restarts next to an active one."""
    restarts: int = 3
    """Number of training runs from different starts; the one with the lowest code matching loss is kept."""
    tokens_per_item: int = 64
    """Most tokens of an item in a training step; of items with more, evenly spread ones are drawn anew each time."""
    optimisation: OptimisationConfig = BRIEF
    """Options of the optimiser."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.codes == 0 or self.codes >= 2, "codes", "at least 2, or 0 to choose the size", self.codes)
        require(self.code_dim >= 1, "code-dim", "at least 1", self.code_dim)
        require(self.squared_norm > 0, "squared-norm", "above 0", self.squared_norm)
        require(self.matching_weight >= 0, "matching-weight", "at least 0", self.matching_weight)
        require(self.margin >= 0, "margin", "at least 0", self.margin)
        require(0 < self.decay < 1, "decay", "between 0 and 1", self.decay)
        require(self.revive_after >= 1, "revive-after", "at least 1", self.revive_after)
        require(self.tokens_per_item >= 1, "tokens-per-item", "at least 1", self.tokens_per_item)
        require(self.restarts >= 1, "restarts", "at least 1", self.restarts)
