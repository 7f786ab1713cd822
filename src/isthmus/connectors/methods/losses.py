"""The losses of C-MCR (inter-space, intra-space and their sum), which Ex-MCR shares, as pure functions of unit rows.

A ``gathered_`` loss is the same for a batch spread over processes. It takes one process's share of the batch; its mean
over the processes, value and gradient, is that of the plain loss on the whole batch.

``repeats`` masks pairs of rows that show the same item (`training.repeats`): they do not count as negatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.config import CmcrConfig
from isthmus.training.processes import gather, my_rows, processes
from isthmus.training.repeats import Repeats, without_repeats

SIGLIP_BIAS = -10.0
"""Initial value of SigLIP's learned bias: most pairs are negative."""

Contrastive = Callable[[Tensor, Tensor], Tensor]


class TwoWayInfoNce(torch.autograd.Function):
    """``-1/(2B) Σ_i [log softmax_j(S_ij)_i + log softmax_j(S_ji)_i]`` of a square matrix with one exp for both ways.

    With ``E = exp(S - rowmax)`` the columns' sums are ``wᵀE``, ``w = exp(rowmax - max)``. So forward and backward need
    only E, half the passes over the matrix that two log-softmaxes take.
    """

    @staticmethod
    def forward(ctx: Any, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        """The loss; keeps E, which overwrites the scores."""
        positives = scores.diagonal().mean()
        peaks = scores.amax(1, keepdim=True)
        peak = peaks.max()
        shares = scores.sub_(peaks).exp_()
        rows, weights = shares.sum(1, keepdim=True), (peaks - peak).exp()
        columns = (weights.T @ shares).clamp_(min=torch.finfo(scores.dtype).tiny)
        ctx.save_for_backward(shares, rows, columns, weights)
        both_ways = (rows.log() + peaks).mean() + columns.log().mean() + peak
        return 0.5 * both_ways - positives

    @staticmethod
    def backward(ctx: Any, *outer: Float[Tensor, ""]) -> Float[Tensor, "batch batch"]:
        """``(E/r + wE/c - 2I) / (2B)``."""
        shares, rows, columns, weights = ctx.saved_tensors
        gradient = torch.addcmul(rows.reciprocal(), weights, columns.reciprocal()).mul_(shares)
        gradient.diagonal().sub_(2)
        return gradient.mul_(outer[0] / (2 * len(shares)))


SMALLEST_FUSED_TEMPERATURE = 0.02
"""From here scores of unit rows differ by at most 100, and no column's sum underflows in `TwoWayInfoNce`."""


def info_nce(
    left: Float[Tensor, "batch dim"], right: Float[Tensor, "batch dim"], temperature: float, repeats: Repeats = None
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE: ``-1/(2B) Σ_i [log softmax_j(<l_i, r_j>/τ)_i + log softmax_j(<l_j, r_i>/τ)_i]``."""
    scores = without_repeats(_scores(left, right / temperature), repeats)
    if temperature >= SMALLEST_FUSED_TEMPERATURE:
        return TwoWayInfoNce.apply(scores)
    both_ways = scores.logsumexp(1) + scores.logsumexp(0)
    return 0.5 * (both_ways - 2 * scores.diagonal()).mean()


def gathered_info_nce(
    left: Float[Tensor, "share dim"], right: Float[Tensor, "share dim"], temperature: float, repeats: Repeats = None
) -> Float[Tensor, ""]:
    """This process's rows of `info_nce`, with the negatives of all processes."""
    to_right = without_repeats(_scores(left, gather(right)) / temperature, repeats)
    to_left = without_repeats(_scores(right, gather(left)) / temperature, repeats)
    positives = to_right.diagonal(my_rows(to_right.shape[1]).start)
    return 0.5 * (to_right.logsumexp(1) + to_left.logsumexp(1) - 2 * positives).mean()


def siglip(
    left: Float[Tensor, "batch dim"],
    right: Float[Tensor, "batch dim"],
    temperature: float,
    bias: Float[Tensor, ""],
    repeats: Repeats = None,
) -> Float[Tensor, ""]:
    """Sigmoid loss: ``-1/B Σ_ij log σ(±(<l_i, r_j>/τ + b))``, plus on the diagonal, minus elsewhere."""
    return _siglip(without_repeats(_scores(left, right) / temperature + bias, repeats), offset=0)


def gathered_siglip(
    left: Float[Tensor, "share dim"],
    right: Float[Tensor, "share dim"],
    temperature: float,
    bias: Float[Tensor, ""],
    repeats: Repeats = None,
) -> Float[Tensor, ""]:
    """This process's rows of `siglip`, with the negatives of all processes."""
    scores = without_repeats(_scores(left, gather(right)) / temperature + bias, repeats)
    return _siglip(scores, offset=my_rows(scores.shape[1]).start)


def _siglip(scores: Float[Tensor, "rows columns"], offset: int) -> Float[Tensor, ""]:
    """``softplus(s)`` for every pair; a positive pair's ``softplus(-s)`` is ``softplus(s) - s``."""
    return (functional.softplus(scores).sum() - scores.diagonal(offset).sum()) / len(scores)


def _scores(left: Tensor, right: Tensor) -> Float[Tensor, "left right"]:
    """Inner products; under autocast they are computed in half precision, everything after in float32."""
    scores = left @ right.T
    return scores if scores.dtype == torch.float64 else scores.float()


def inter(
    overlap: tuple[Tensor, Tensor],
    pseudo: tuple[Tensor, Tensor],
    contrastive: Contrastive,
    weights: tuple[float, float],
) -> Float[Tensor, ""]:
    """Inter-space alignment ``NCE(t_I, t_A) + NCE(v_I, a_A)``, each (left, right) and ``(batch, dim)``.

    ``weights`` are those of the two terms; a term of weight 0 is not computed.
    """
    terms = [weight * contrastive(*pair) for pair, weight in zip((overlap, pseudo), weights, strict=True) if weight > 0]
    return torch.stack(terms).sum()


def intra_squared(overlap: Float[Tensor, "batch dim"], pseudo: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """One space's half of intra-space alignment: ``1/(2B) Σ ‖t_i - v_i‖²``; attraction only."""
    return 0.5 * (overlap - pseudo).square().sum(-1).mean()


def intra_plain(overlap: Float[Tensor, "batch dim"], pseudo: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """One space's half of intra-space alignment with the norm not squared: ``1/(2B) Σ ‖t_i - v_i‖``."""
    return 0.5 * (overlap - pseudo).norm(dim=-1).mean()


INTRA = {"squared": intra_squared, "plain": intra_plain}


def cmcr_loss(
    overlap: tuple[Tensor, Tensor],
    pseudo: tuple[Tensor, Tensor] | None,
    config: CmcrConfig,
    bias: Tensor,
    repeats: Repeats = None,
) -> Float[Tensor, ""]:
    """C-MCR's loss ``L_inter + λ L_intra`` of projected rows, each pair (left, right) and ``(batch, joint)``.

    Without pseudo pairs it is the contrastive loss of the overlap.
    """
    contrastive = contrastive_loss(config.contrast, config.temperature, bias, repeats)
    if pseudo is None:
        return contrastive(*overlap)
    loss = inter(overlap, pseudo, contrastive, (config.overlap_weight, config.pseudo_weight))
    if config.intra_weight > 0:
        intra = INTRA[config.intra]
        loss = loss + config.intra_weight * (intra(overlap[0], pseudo[0]) + intra(overlap[1], pseudo[1]))
    return loss


def contrastive_loss(kind: str, temperature: float, bias: Tensor, repeats: Repeats = None) -> Contrastive:
    """The contrastive loss a config names, for one process or for several."""
    if kind == "infonce":
        info = gathered_info_nce if processes() > 1 else info_nce
        return lambda left, right: info(left, right, temperature, repeats)
    sigmoid = gathered_siglip if processes() > 1 else siglip
    return lambda left, right: sigmoid(left, right, temperature, bias, repeats)
