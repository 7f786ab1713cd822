"""The losses of CMCM (papers B.4, B.6, B.7) as pure functions. Code distributions are logarithms."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.training.processes import gather, own_columns
from isthmus.training.repeats import Repeats, without_repeats


def masked_margin_softmax(
    left: Float[Tensor, "share dim"], right: Float[Tensor, "share dim"], margin: float, repeats: Repeats = None
) -> Float[Tensor, ""]:
    """``L_MMS`` (B.4): ``-1/B Σ_i log[e^(s_ii-δ) / (e^(s_ii-δ) + Σ_(j≠i) M_ij e^s_ij)]``, both directions added.

    Scores are dot products; ``M_ij`` is 0 for repeats and 1 otherwise.
    """
    return _margin_softmax(left, right, margin, repeats) + _margin_softmax(right, left, margin, repeats)


def _margin_softmax(
    queries: Float[Tensor, "share dim"], answers: Float[Tensor, "share dim"], margin: float, repeats: Repeats
) -> Float[Tensor, ""]:
    scores = queries @ gather(answers).T
    own = own_columns(scores)
    scores = scores - margin * functional.one_hot(own, scores.shape[1])
    return functional.cross_entropy(without_repeats(scores, repeats), own)


def code_similarity(
    left: Float[Tensor, "items codes"], right: Float[Tensor, "others codes"]
) -> Float[Tensor, "items others"]:
    """``S_ij = Σ_v P_i log Q_j + Σ_v Q_j log P_i`` (B.6) of log distributions; at most 0."""
    return left.exp() @ right.T + left @ right.exp().T


def code_matching(
    left: Float[Tensor, "share codes"], right: Float[Tensor, "share codes"], repeats: Repeats = None
) -> Float[Tensor, ""]:
    """``L_CMCM = -mean_i log softmax_j(S_ij)_i`` (B.7) of log distributions; row i of both is a pair.

    The softmax leaves repeats out.
    """
    scores = code_similarity(left, gather(right))
    return functional.cross_entropy(without_repeats(scores, repeats), own_columns(scores))


def commitment(squared: Float[Tensor, "tokens codes"], chosen: Int[Tensor, " tokens"]) -> Float[Tensor, ""]:
    """``mean ‖h - e‖²`` over tokens and their chosen codes, from the squared distances to all codes.

    Only tokens get a gradient: codes are moving averages.
    """
    return squared.gather(1, chosen[:, None]).mean()
