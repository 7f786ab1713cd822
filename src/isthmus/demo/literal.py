"""CMCM exactly as the paper prints it and public code runs it: the recipe the demo and the benchmarks compare with."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from isthmus.codes.learning.losses import code_matching
from isthmus.codes.learning.objective import Terms
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.distribution import floored

LITERAL = CodesConfig(
    codes=128, normalization="none", distance="plain", start="normal", matching_weight=0.1, restarts=1
)


def floored_matching(
    left: Float[Tensor, "share codes"],
    right: Float[Tensor, "share codes"],
    repeats: Bool[Tensor, "share batch"] | None = None,
) -> Float[Tensor, ""]:
    """``L_CMCM`` with ``log(P + 1e-7)`` in place of the exact logarithm."""
    return code_matching(floored(left), floored(right), repeats)


def pooled(of_modalities: Float[Tensor, "modalities codes dim_and_one"]) -> Float[Tensor, "codes dim_and_one"]:
    """Sum what the modalities' tokens give to the codes, every token weighted the same."""
    return of_modalities.sum(0)


LITERAL_TERMS = Terms(matching=floored_matching, commitment=0.0, pool=pooled)
