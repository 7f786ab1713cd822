"""Code distributions (papers B.5) as pure functions: how probable each code is for a token, and for an item.

Distributions are logarithms throughout. A code far from every token has a probability too small for float32, and the
floor that public code adds to it removes the gradient that would bring the modalities together.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

FLOOR = 1e-7


def squared_distances(
    tokens: Float[Tensor, "tokens dim"], codes: Float[Tensor, "codes dim"]
) -> Float[Tensor, "tokens codes"]:
    """``‖h - e_v‖²`` of every token and code."""
    # The norm squared rather than a sum of squares: its gradient takes one product instead of three.
    squares = torch.linalg.vector_norm(tokens, dim=1, keepdim=True).square() + codes.square().sum(1)
    return torch.addmm(squares, tokens, -2 * codes.T).clamp(min=0)


def log_code_distribution(squared: Float[Tensor, "tokens codes"]) -> Float[Tensor, "tokens codes"]:
    """``log P(e_v | h)``, ``P = softmax_v(-‖h - e_v‖²)``: B.5 with squared distances."""
    return functional.log_softmax(-squared, dim=1)


def log_plain_code_distribution(squared: Float[Tensor, "tokens codes"]) -> Float[Tensor, "tokens codes"]:
    """``log P(e_v | h)``, ``P = softmax_v(-‖h - e_v‖)``, from squared distances: B.5 as printed."""
    return functional.log_softmax(-(squared + 1e-12).sqrt(), dim=1)


def log_mean_distribution(
    log_each: Float[Tensor, "tokens codes"], item: Int[Tensor, " tokens"], counts: Int[Tensor, " items"]
) -> Float[Tensor, "items codes"]:
    """``log P(e_v | H)``, ``P(e_v | H) = mean_l P(e_v | h_l)`` over each item's tokens, in log space.

    ``item`` and ``counts`` are those of a `TokenBatch`.
    """
    none = torch.full((len(counts), log_each.shape[1]), -torch.inf, dtype=log_each.dtype, device=log_each.device)
    place = item[:, None].expand_as(log_each)
    highest = none.scatter_reduce(0, place, log_each.detach(), "amax")
    total = torch.zeros_like(none).index_add(0, item, (log_each - highest[item]).exp())
    return highest + (total / counts[:, None]).log()


def floored(log_distribution: Float[Tensor, "*batch codes"], floor: float = FLOOR) -> Float[Tensor, "*batch codes"]:
    """``log(P + floor)``, as public code computes it."""
    return (log_distribution.exp() + floor).log()
