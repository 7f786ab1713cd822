"""The losses of CMCM (papers B.4 to B.7) as pure functions.

Distributions are kept as logarithms throughout: a code that is far from every token has a probability that float32
cannot hold, and the floor that public code puts under it removes the gradient that would bring modalities together.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.training.processes import gather, this_process

FLOOR = 1e-7


def masked_margin_softmax(
    left: Float[Tensor, "share dim"],
    right: Float[Tensor, "share dim"],
    margin: float,
    also_right: Bool[Tensor, "share batch"] | None = None,
) -> Float[Tensor, ""]:
    """``L_MMS`` (B.4): ``-1/B Σ_i log[e^(s_ii-δ) / (e^(s_ii-δ) + Σ_(j≠i) e^s_ij)]``, both directions added.

    Scores are dot products. ``also_right[i, j]`` marks a pair, other than a row's own, that is no negative.
    """
    return _margin_softmax(left, right, margin, also_right) + _margin_softmax(right, left, margin, also_right)


def _margin_softmax(
    asking: Float[Tensor, "share dim"],
    answering: Float[Tensor, "share dim"],
    margin: float,
    also_right: Bool[Tensor, "share batch"] | None,
) -> Float[Tensor, ""]:
    scores = asking @ gather(answering).T
    own = this_process() * len(asking) + torch.arange(len(asking), device=scores.device)
    scores = scores - margin * functional.one_hot(own, scores.shape[1])
    if also_right is not None:
        scores = scores.masked_fill(also_right, -torch.inf)
    return functional.cross_entropy(scores, own)


def squared_distances(
    tokens: Float[Tensor, "tokens dim"], codes: Float[Tensor, "codes dim"]
) -> Float[Tensor, "tokens codes"]:
    """``‖h - e_v‖²`` of every token and code."""
    # The square of the norm, because its gradient is one product where that of a sum of squares is three.
    squares = torch.linalg.vector_norm(tokens, dim=1, keepdim=True).square() + codes.square().sum(1)
    return torch.addmm(squares, tokens, -2 * codes.T).clamp(min=0)


def log_code_distribution(squared: Float[Tensor, "tokens codes"]) -> Float[Tensor, "tokens codes"]:
    """``log P(e_v | h)``, ``P = softmax_v(-‖h - e_v‖²)``: B.5 with the distance squared."""
    return functional.log_softmax(-squared, dim=1)


def log_plain_code_distribution(squared: Float[Tensor, "tokens codes"]) -> Float[Tensor, "tokens codes"]:
    """``log P(e_v | h)``, ``P = softmax_v(-‖h - e_v‖)``, of squared distances: B.5 as the paper prints it."""
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


def floored(log_distribution: Float[Tensor, "*batch codes"]) -> Float[Tensor, "*batch codes"]:
    """``log(P + 1e-7)``, as public code has it."""
    return (log_distribution.exp() + FLOOR).log()


def code_similarity(
    left: Float[Tensor, "items codes"], right: Float[Tensor, "others codes"]
) -> Float[Tensor, "items others"]:
    """``S_ij = Σ_v P_i log Q_j + Σ_v Q_j log P_i`` (B.6) of log distributions; at most 0."""
    return left.exp() @ right.T + left @ right.exp().T


def code_matching(left: Float[Tensor, "share codes"], right: Float[Tensor, "share codes"]) -> Float[Tensor, ""]:
    """``L_CMCM = -mean_i log softmax_j(S_ij)_i`` (B.7) of log distributions; row i of both belongs together."""
    scores = code_similarity(left, gather(right))
    own = this_process() * len(left) + torch.arange(len(left), device=scores.device)
    return functional.cross_entropy(scores, own)


def commitment(squared: Float[Tensor, "tokens codes"], chosen: Int[Tensor, " tokens"]) -> Float[Tensor, ""]:
    """``mean ‖h - e‖²`` of tokens and the codes chosen for them, of all squared distances.

    Codes have no gradient: moving averages move them.
    """
    return squared.gather(1, chosen[:, None]).mean()
