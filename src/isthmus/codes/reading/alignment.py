"""Alignment: how well two items read the same when their code distributions are laid along each other in order.

A bag of codes forgets order, and two things that share parts then look alike. Aligned from first token to last, each
step going on in one item or in both (dynamic time warping), codes say what comes after what at whatever pace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

CELLS = 2**24
"""Cells of cost tables, or of the distributions they are made of, held at once: 64 MB of each."""


@dataclass(frozen=True)
class Spelled:
    """CodeItems as rows of square roots of code distributions, 0 after an item's last token."""

    roots: Float[Tensor, "items longest codes"]
    lengths: Int[Tensor, " items"]

    @classmethod
    def of(cls, log_codes: Float[np.ndarray, "tokens codes"], offsets: Int[np.ndarray, " items_and_one"]) -> Spelled:
        """CodeItems from the code distributions of all their tokens, as `CodeModel.token_codes` gives them."""
        lengths = torch.from_numpy(np.diff(offsets))
        present = torch.arange(int(lengths.max())) < lengths[:, None]
        roots = torch.zeros(*present.shape, log_codes.shape[1])
        roots[present] = torch.from_numpy(np.exp(log_codes / 2)).float()
        return cls(roots, lengths)


def alignment_scores(
    left: Spelled, right: Spelled, candidates: Int[np.ndarray, "items few"]
) -> Float[np.ndarray, "items few"]:
    """Minus the cost of the cheapest alignment of each left item with each of its candidates, 0 at best.

    A step costs ``1 - Σ_v √(P(v) Q(v))`` of the tokens it meets; the cost is divided by the tokens of both items.
    """
    few = candidates.shape[1]
    lefts, rights = torch.arange(len(candidates)).repeat_interleave(few), torch.from_numpy(candidates.ravel())
    n, m, codes = left.roots.shape[1], right.roots.shape[1], left.roots.shape[2]
    block = max(1, CELLS // max(n * m, (n + m) * codes))
    scores = [
        _aligned(left.roots[one], right.roots[other], left.lengths[one], right.lengths[other])
        for one, other in zip(lefts.split(block), rights.split(block), strict=True)
    ]
    return torch.cat(scores).view(-1, few).numpy()


def _aligned(
    left: Float[Tensor, "pairs n codes"],
    right: Float[Tensor, "pairs m codes"],
    left_lengths: Int[Tensor, " pairs"],
    right_lengths: Int[Tensor, " pairs"],
) -> Float[Tensor, " pairs"]:
    """Cells that are equally far from the start do not depend on each other: one step for each such diagonal."""
    cost = 1 - left @ right.transpose(1, 2)
    pairs, n, m = cost.shape
    before, last = (torch.full((pairs, n + 1), torch.inf) for _ in range(2))
    before[:, 0] = 0
    whole = torch.empty(pairs)
    for diagonal in range(2, n + m + 1):
        rows = torch.arange(max(1, diagonal - m), min(n, diagonal - 1) + 1)
        cheapest = torch.minimum(torch.minimum(last[:, rows - 1], last[:, rows]), before[:, rows - 1])
        now = torch.full_like(last, torch.inf)
        now[:, rows] = cheapest + cost[:, rows - 1, diagonal - rows - 1]
        ended = left_lengths + right_lengths == diagonal
        whole[ended] = now[ended, left_lengths[ended]]
        before, last = last, now
    return -whole / (left_lengths + right_lengths)
