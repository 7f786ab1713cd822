"""Use of codes as pure functions: which modality uses which code, and whether the same things get the same codes.

Uses are shares of a modality's tokens, so that each modality counts the same, however many tokens it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

LEAST_USE = 1e-3
"""A modality uses a code of up to 100 if more than this share of its tokens have it; of more, see `least_use`."""
OWNED = 0.9
"""A modality owns a code if it has more than this share of the code's uses (papers B, code analysis)."""


def least_use(size: int) -> float:
    """The least share of a modality's tokens with which it uses a code of a codebook of this size."""
    return min(LEAST_USE, 0.1 / size)


def use_shares(codes: Mapping[str, Int[np.ndarray, " _"]], size: int) -> Float[np.ndarray, "modalities codes"]:
    """The share of each modality's tokens that each code has; rows sum to 1."""
    counts = np.stack([np.bincount(own, minlength=size) for own in codes.values()]).astype(float)
    return counts / counts.sum(1, keepdims=True)


def active(shares: Float[np.ndarray, "modalities codes"]) -> Bool[np.ndarray, " codes"]:
    """The codes that at least one modality uses."""
    return shares.max(0) > least_use(shares.shape[1])


def largest_shares(shares: Float[np.ndarray, "modalities codes"]) -> Float[np.ndarray, " codes"]:
    """The largest share that one modality has of each code's uses: 1/M if M modalities share it evenly, 1 if owned."""
    total = shares.sum(0)
    return np.divide(shares.max(0), total, out=np.ones_like(total), where=total > 0)


def joint_use(shares: Float[np.ndarray, "modalities codes"]) -> float:
    """The share of the active codes that no modality owns."""
    used = active(shares)
    return float((largest_shares(shares)[used] <= OWNED).mean()) if used.any() else 0.0


def joint_use_by_all(shares: Float[np.ndarray, "modalities codes"]) -> float:
    """The share of the active codes that every two modalities use jointly: the 90 % rule for each two of them."""
    used = active(shares)
    least, most = shares.min(0)[used], shares.max(0)[used]
    return float((most / (most + least) <= OWNED).mean()) if used.any() else 0.0


def perplexity(shares: Float[np.ndarray, "modalities codes"]) -> Float[np.ndarray, " modalities"]:
    """``exp`` of the entropy of each modality's uses: the number of codes it effectively uses."""
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.exp(-(shares * logs).sum(1))


def purity(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> float:
    """The share of tokens that have the most frequent label of their code; labels below 0 are left out."""
    table = contingency(codes, labels)
    return float(table.max(1).sum() / max(table.sum(), 1))


def nmi(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> float:
    """Normalized mutual information, ``I / mean(H, H)``; labels below 0 are left out."""
    from sklearn.metrics import normalized_mutual_info_score

    known = labels >= 0
    return float(normalized_mutual_info_score(labels[known], codes[known]))


def contingency(
    codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]
) -> Int[np.ndarray, "codes labels"]:
    """How many tokens have each code and label; labels below 0 are left out."""
    known = labels >= 0
    size = int(codes.max(initial=0)) + 1, int(labels.max(initial=0)) + 1
    return np.bincount(codes[known] * size[1] + labels[known], minlength=size[0] * size[1]).reshape(size)


def best_f1(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> Float[np.ndarray, " labels"]:
    """For each label the highest F1 with which one code finds its tokens among all; NaN for a label without tokens.

    Precision counts tokens without a label too: a code that is also used for the background names nothing.
    """
    table = contingency(codes, labels + 1)
    used, shown = table.sum(1, keepdims=True), table.sum(0)
    best = (2 * table / np.maximum(used + shown, 1)).max(0)
    return np.where(shown > 0, best, np.nan)[1:]


def top_codes(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> Int[np.ndarray, " labels"]:
    """The most frequent code of each label."""
    return contingency(codes, labels).argmax(0)


def use_of_items(
    codes: Int[np.ndarray, " tokens"], offsets: Int[np.ndarray, " items_and_one"], size: int
) -> Float[np.ndarray, "items codes"]:
    """The share of each item's tokens that each code has; rows sum to 1."""
    counts = np.diff(offsets)
    row = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(row * size + codes, minlength=len(counts) * size).reshape(-1, size) / counts[:, None]


@dataclass(frozen=True)
class Contrast:
    """Overlap of code use for the same concept and for different concepts, each from 0 to 1."""

    equal: float
    different: float


def concept_overlap(left: Float[np.ndarray, "pairs codes"], right: Float[np.ndarray, "pairs codes"]) -> Contrast:
    """Overlap ``Σ_v min(p_v, q_v)`` of two items' uses, averaged over pairs and over items of different pairs.

    Row i of both shows the same concept; items of different pairs are one row apart.
    """
    equal = np.minimum(left, right).sum(1).mean()
    different = np.minimum(left, np.roll(right, 1, axis=0)).sum(1).mean()
    return Contrast(float(equal), float(different))
