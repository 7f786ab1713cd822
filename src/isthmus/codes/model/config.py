"""What code learning can be asked; nothing here imports torch, so that ``--help`` stays light.

Defaults are those measured to share codes (docs/benchmarks.md); `LITERAL` is the paper's recipe as printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require
from isthmus.training.config import OptimisationConfig

Normalisation = Literal["batch", "none"]
Distance = Literal["squared", "plain"]
Logarithm = Literal["exact", "floored"]
Start = Literal["k-means", "normal"]
Balance = Literal["equal", "pooled"]
BRIEF = OptimisationConfig(epochs=1, min_steps=300, batch_size=128, learning_rate=3e-3)
"""Linear heads over frozen encoders need no more."""


@dataclass(frozen=True)
class CodesConfig:
    """Cross-modal code matching over one codebook."""

    codes: int = 16
    """Size V of the codebook; 0: the last of 8, 16, 32 … before every two modalities share fewer than half of it."""
    code_dim: int = 64
    """Dimension of codes and projected tokens."""
    normalisation: Normalisation = "batch"
    """Projected tokens are normalised per modality (batch: running statistics at inference), or left as they are."""
    squared_norm: float = 4.0
    """Expected squared length of normalised tokens: sets how sharp code distributions are."""
    distance: Distance = "squared"
    """Distance whose softmax is the code distribution; the paper prints the plain one."""
    logarithm: Logarithm = "exact"
    """How log P is computed: exactly in log space, or as log(P + 1e-7)."""
    start: Start = "k-means"
    """Where codes start: k-means on a mix of all modalities, or standard normal as in the paper."""
    balance: Balance = "equal"
    """Tokens the codebook learns from: equally many of each modality, or all that come."""
    commitment: float = 0.25
    """Weight of the term that draws tokens to their codes; the paper has none."""
    matching_weight: float = 1.0
    """Weight α of the code matching loss; the paper takes 0.1."""
    margin: float = 0.001
    """Margin of the masked margin softmax."""
    decay: float = 0.99
    """Decay γ of the codebook's moving averages."""
    revive_after: int = 100
    """Steps without use after which a code starts again from an active one."""
    restarts: int = 3
    """Runs from different starts, of which the one whose codes match best over its pairs is kept."""
    refinements: int = 0
    """Times that believed pairs (retrieved, pseudo) are chosen again by the codes and all is learned anew."""
    optimisation: OptimisationConfig = BRIEF
    """The optimiser."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.codes == 0 or self.codes >= 2, "codes", "at least 2, or 0 to have it chosen", self.codes)
        require(self.code_dim >= 1, "code-dim", "at least 1", self.code_dim)
        require(self.squared_norm > 0, "squared-norm", "above 0", self.squared_norm)
        for option in ("commitment", "matching_weight", "margin"):
            require(getattr(self, option) >= 0, option.replace("_", "-"), "at least 0", getattr(self, option))
        require(0 < self.decay < 1, "decay", "between 0 and 1", self.decay)
        require(self.revive_after >= 1, "revive-after", "at least 1", self.revive_after)
        require(self.restarts >= 1, "restarts", "at least 1", self.restarts)
        require(self.refinements >= 0, "refinements", "at least 0", self.refinements)


LITERAL = CodesConfig(
    codes=128,
    normalisation="none",
    distance="plain",
    logarithm="floored",
    start="normal",
    balance="pooled",
    commitment=0.0,
    matching_weight=0.1,
    restarts=1,
)
"""The paper's recipe as it is printed and as public code runs it; it shares no code between modalities."""
