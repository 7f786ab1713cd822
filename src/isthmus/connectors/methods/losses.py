"""The losses of C-MCR (inter-space, intra-space and their sum), which Ex-MCR shares, as pure functions of unit rows.

A ``gathered_`` loss is the same for a batch spread over processes. It takes one process's share of the batch; its mean
over the processes, value and gradient, is that of the plain loss on the whole batch.

``repeats`` masks pairs of rows that show the same item (`training.repeats`): they do not count as negatives.
``weights``, ``(batch,)``, weigh each pair's terms (`pseudo.cycle`); without them each weighs 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.pseudo.cycle import pair_weights
from isthmus.training.processes import gather, my_rows, processes
from isthmus.training.repeats import Repeats, without_repeats

SIGLIP_BIAS = -10.0
"""Initial value of SigLIP's learned bias: most pairs are negative."""

Contrastive = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class TwoWayInfoNce(torch.autograd.Function):
    """``-1/(2B) Σ_i w_i [log softmax_j(S_ij)_i + log softmax_j(S_ji)_i]`` of a square matrix, one exp for both ways.

    With ``E = exp(S - rowmax)`` the columns' sums are ``vᵀE``, ``v = exp(rowmax - max)``. So forward and backward need
    only E, half the passes over the matrix that two log-softmaxes take.
    """

    @staticmethod
    def forward(
        ctx: Any, scores: Float[Tensor, "batch batch"], weights: Float[Tensor, " batch"] | None
    ) -> Float[Tensor, ""]:
        """The loss; keeps E, which overwrites the scores."""
        positives = scores.diagonal().clone()
        peaks = scores.amax(1, keepdim=True)
        peak = peaks.max()
        shares = scores.sub_(peaks).exp_()
        rows, scales = shares.sum(1, keepdim=True), (peaks - peak).exp()
        columns = (scales.T @ shares).clamp_(min=torch.finfo(scores.dtype).tiny)
        ctx.save_for_backward(shares, rows, columns, scales, weights)
        both_ways = (rows.log() + peaks)[:, 0] + columns.log()[0] + peak
        return weighted_mean(0.5 * both_ways - positives, weights)

    @staticmethod
    def backward(ctx: Any, *outer: Float[Tensor, ""]) -> tuple[Float[Tensor, "batch batch"], None]:
        """``(w_i E/r + w_j vE/c - 2 w_i I) / (2B)``."""
        shares, rows, columns, scales, weights = ctx.saved_tensors
        by_row, by_column, of_pair = rows.reciprocal(), columns.reciprocal(), 1.0
        if weights is not None:
            by_row, by_column, of_pair = by_row * weights[:, None], by_column * weights, weights
        gradient = torch.addcmul(by_row, scales, by_column).mul_(shares)
        gradient.diagonal().sub_(2 * of_pair)
        return gradient.mul_(outer[0] / (2 * len(shares))), None


def weighted_mean(terms: Float[Tensor, " batch"], weights: Float[Tensor, " batch"] | None) -> Float[Tensor, ""]:
    """``1/B Σ w_i x_i``: terms of small weight count less, and nothing else counts more for it."""
    return terms.mean() if weights is None else (terms * weights).mean()


SMALLEST_FUSED_TEMPERATURE = 0.02
"""From here scores of unit rows differ by at most 100, and no column's sum underflows in `TwoWayInfoNce`."""


def info_nce(
    left: Float[Tensor, "batch dim"],
    right: Float[Tensor, "batch dim"],
    temperature: float,
    repeats: Repeats = None,
    weights: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE: ``-1/(2B) Σ_i w_i [log softmax_j(<l_i, r_j>/τ)_i + log softmax_j(<l_j, r_i>/τ)_i]``."""
    scores = without_repeats(_scores(left, right / temperature), repeats)
    if temperature >= SMALLEST_FUSED_TEMPERATURE:
        return TwoWayInfoNce.apply(scores, weights)
    both_ways = scores.logsumexp(1) + scores.logsumexp(0)
    return weighted_mean(0.5 * both_ways - scores.diagonal(), weights)


def gathered_info_nce(
    left: Float[Tensor, "share dim"],
    right: Float[Tensor, "share dim"],
    temperature: float,
    repeats: Repeats = None,
    weights: Float[Tensor, " share"] | None = None,
) -> Float[Tensor, ""]:
    """This process's rows of `info_nce`, with the negatives of all processes."""
    to_right = without_repeats(_scores(left, gather(right)) / temperature, repeats)
    to_left = without_repeats(_scores(right, gather(left)) / temperature, repeats)
    positives = to_right.diagonal(my_rows(to_right.shape[1]).start)
    return weighted_mean(0.5 * (to_right.logsumexp(1) + to_left.logsumexp(1)) - positives, weights)


def siglip(
    left: Float[Tensor, "batch dim"],
    right: Float[Tensor, "batch dim"],
    temperature: float,
    bias: Float[Tensor, ""],
    repeats: Repeats = None,
    weights: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, ""]:
    """Sigmoid loss: ``-1/B Σ_ij ½(w_i + w_j) log σ(±(<l_i, r_j>/τ + b))``, plus on the diagonal, minus elsewhere."""
    scores = without_repeats(_scores(left, right) / temperature + bias, repeats)
    return _siglip(scores, 0, weights, weights)


def gathered_siglip(
    left: Float[Tensor, "share dim"],
    right: Float[Tensor, "share dim"],
    temperature: float,
    bias: Float[Tensor, ""],
    repeats: Repeats = None,
    weights: Float[Tensor, " share"] | None = None,
) -> Float[Tensor, ""]:
    """This process's rows of `siglip`, with the negatives of all processes."""
    scores = without_repeats(_scores(left, gather(right)) / temperature + bias, repeats)
    everyone = None if weights is None else gather(weights[:, None])[:, 0]
    return _siglip(scores, my_rows(scores.shape[1]).start, weights, everyone)


def _siglip(
    scores: Float[Tensor, "rows columns"],
    offset: int,
    own: Float[Tensor, " rows"] | None,
    everyone: Float[Tensor, " columns"] | None,
) -> Float[Tensor, ""]:
    """``softplus(s)`` for every pair; a positive pair's ``softplus(-s)`` is ``softplus(s) - s``."""
    pairs, positives = functional.softplus(scores), scores.diagonal(offset)
    if own is not None and everyone is not None:
        pairs, positives = pairs * ((own[:, None] + everyone) / 2), positives * own
    return (pairs.sum() - positives.sum()) / len(scores)


def _scores(left: Tensor, right: Tensor) -> Float[Tensor, "left right"]:
    """Inner products; under autocast they are computed in half precision, everything after in float32."""
    scores = left @ right.T
    return scores if scores.dtype == torch.float64 else scores.float()


def inter(
    overlap: tuple[Tensor, Tensor],
    pseudo: tuple[Tensor, Tensor],
    contrastive: Contrastive,
    shares: tuple[float, float],
    weights: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, ""]:
    """Inter-space alignment ``NCE(t_I, t_A) + NCE(v_I, a_A)``, each (left, right) and ``(batch, dim)``.

    ``shares`` are the factors of the two terms; a term of factor 0 is not computed. ``weights`` are those of the pseudo
    pairs.
    """
    pairs = zip((overlap, pseudo), shares, (None, weights), strict=True)
    return torch.stack([share * contrastive(*pair, own) for pair, share, own in pairs if share > 0]).sum()


def intra_squared(
    overlap: Float[Tensor, "batch dim"], pseudo: Float[Tensor, "batch dim"], weights: Tensor | None = None
) -> Float[Tensor, ""]:
    """One space's half of intra-space alignment: ``1/(2B) Σ w_i ‖t_i - v_i‖²``; attraction only."""
    return 0.5 * weighted_mean((overlap - pseudo).square().sum(-1), weights)


def intra_plain(
    overlap: Float[Tensor, "batch dim"], pseudo: Float[Tensor, "batch dim"], weights: Tensor | None = None
) -> Float[Tensor, ""]:
    """One space's half of intra-space alignment with the norm not squared: ``1/(2B) Σ w_i ‖t_i - v_i‖``."""
    return 0.5 * weighted_mean((overlap - pseudo).norm(dim=-1), weights)


INTRA = {"squared": intra_squared, "plain": intra_plain}


def cmcr_loss(
    overlap: tuple[Tensor, Tensor],
    pseudo: tuple[Tensor, Tensor] | None,
    config: CmcrConfig,
    bias: Tensor,
    repeats: Repeats = None,
    cycles: tuple[Tensor, Tensor] | None = None,
) -> Float[Tensor, ""]:
    """C-MCR's loss ``L_inter + λ L_intra`` of projected rows, each pair (left, right) and ``(batch, joint)``.

    Without pseudo pairs it is the contrastive loss of the overlap. ``cycles``, ``(batch,)`` each, are the cycle scores
    of both sides' pseudo counterparts: the inter-space term of a pseudo pair is weighted by their product, the
    intra-space term of a side by its own.
    """
    contrastive = contrastive_loss(config.contrast, config.temperature, bias, repeats)
    if pseudo is None:
        return contrastive(*overlap, None)
    both = None if cycles is None else pair_weights(*cycles)
    loss = inter(overlap, pseudo, contrastive, (config.overlap_weight, config.pseudo_weight), both)
    if config.intra_weight > 0:
        sides = zip(overlap, pseudo, cycles or (None, None), strict=True)
        loss = loss + config.intra_weight * torch.stack([INTRA[config.intra](*side) for side in sides]).sum()
    return loss


def contrastive_loss(kind: str, temperature: float, bias: Tensor, repeats: Repeats = None) -> Contrastive:
    """The contrastive loss a config names, for one process or for several."""
    if kind == "infonce":
        info = gathered_info_nce if processes() > 1 else info_nce
        return lambda left, right, weights: info(left, right, temperature, repeats, weights)
    sigmoid = gathered_siglip if processes() > 1 else siglip
    return lambda left, right, weights: sigmoid(left, right, temperature, bias, repeats, weights)
