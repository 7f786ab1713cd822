"""The text bridge: a layer that puts a row into both spaces at once, its own and the other, by way of texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

ROWS = 1024
"""Rows at once, each of which needs a weight for every text."""


class TextBridge(nn.Module):
    """``x`` beside ``Σ_t w_t y_t + x A`` with ``w = softmax(s x·u_t + b_t)``, each scaled to length 1.

    ``u_t`` are unit texts of the row's own space, ``y_t`` their counterparts in the other one, without what the linear
    map A makes of ``u_t``. On one side the own vector comes first and on the other last, so that the cosine of two rows
    is the mean of two: one in the left space and one in the right.

    Texts are kept in half precision and compared in single: nothing here magnifies rounding errors.

    Args:
        texts: Number of texts.
        dim: Dimension of the row's own space.
        other: Dimension of the other space.
        own_first: Whether the own vector comes first, as on the left side.
    """

    own: Tensor
    counterparts: Tensor
    bias: Tensor
    sharpness: Tensor

    def __init__(self, texts: int, dim: int, other: int, *, own_first: bool) -> None:
        super().__init__()
        self.own_first = own_first
        self.register_buffer("own", torch.empty(texts, dim, dtype=torch.float16))
        self.register_buffer("counterparts", torch.empty(texts, other, dtype=torch.float16))
        self.register_buffer("bias", torch.empty(texts))
        self.register_buffer("sharpness", torch.empty(1))
        self.linear = nn.Linear(dim, other, bias=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TextBridge:
        """Keep every tensor's precision: in double, texts would need four times the memory and time for nothing."""
        return super()._apply(lambda tensor: fn(tensor).to(tensor.dtype), recurse)

    @cached_property
    def texts(self) -> tuple[Float[Tensor, "texts dim"], Float[Tensor, "texts other"]]:
        """The texts and their counterparts in single precision, in which the processor can multiply them."""
        return self.own.float(), self.counterparts.float()

    def forward(self, rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows both"]:
        """Rows of squared length 2: their own vectors and those of the other space."""
        own = functional.normalize(rows, dim=1)
        keys, values = self.texts
        single = own.float()
        found = [
            torch.softmax(torch.addmm(self.bias, self.sharpness * part, keys.T), 1) @ values
            for part in single.split(ROWS)
        ]
        other = functional.normalize(torch.cat(found) + self.linear(single), dim=1).to(own.dtype)
        return torch.cat((own, other) if self.own_first else (other, own), 1)
