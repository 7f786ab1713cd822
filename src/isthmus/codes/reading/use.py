"""Use of codes as pure functions: who uses which, and whether equal things are written alike.

Uses are weighed so that each modality counts the same, however many tokens it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

LEAST_USE = 1e-3
"""Share of a modality's tokens from which it uses a code."""
OWNED = 0.9
"""A code of whose uses one modality has more than this is its own, not shared (papers B, code analysis)."""


def use_shares(codes: Mapping[str, Int[np.ndarray, " _"]], size: int) -> Float[np.ndarray, "modalities codes"]:
    """How each modality spreads its tokens over the codes; rows add to 1."""
    counts = np.stack([np.bincount(own, minlength=size) for own in codes.values()]).astype(float)
    return counts / counts.sum(1, keepdims=True)


def active(shares: Float[np.ndarray, "modalities codes"]) -> Bool[np.ndarray, " codes"]:
    """Codes that some modality uses for more than one in a thousand of its tokens."""
    return shares.max(0) > LEAST_USE


def largest_shares(shares: Float[np.ndarray, "modalities codes"]) -> Float[np.ndarray, " codes"]:
    """Of each code's uses, the share of the modality that uses it most: 1/M is perfectly shared, 1 owned."""
    total = shares.sum(0)
    return np.divide(shares.max(0), total, out=np.ones_like(total), where=total > 0)


def joint_use(shares: Float[np.ndarray, "modalities codes"]) -> float:
    """Share of the active codes that no modality owns."""
    used = active(shares)
    return float((largest_shares(shares)[used] <= OWNED).mean()) if used.any() else 0.0


def joint_use_by_all(shares: Float[np.ndarray, "modalities codes"]) -> float:
    """Share of the active codes that every two modalities use jointly: the 90 % rule for each pair of them."""
    used = active(shares)
    least, most = shares.min(0)[used], shares.max(0)[used]
    return float((most / (most + least) <= OWNED).mean()) if used.any() else 0.0


def perplexity(shares: Float[np.ndarray, "modalities codes"]) -> Float[np.ndarray, " modalities"]:
    """``exp`` of the entropy of each modality's uses: how many codes it spreads over."""
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.exp(-(shares * logs).sum(1))


def purity(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> float:
    """Share of tokens whose label is the most frequent one of their code; labels below 0 are left out."""
    table = contingency(codes, labels)
    return float(table.max(1).sum() / max(table.sum(), 1))


def nmi(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> float:
    """Normalised mutual information, ``I / mean(H, H)``; labels below 0 are left out."""
    from sklearn.metrics import normalized_mutual_info_score

    known = labels >= 0
    return float(normalized_mutual_info_score(labels[known], codes[known]))


def contingency(
    codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]
) -> Int[np.ndarray, "codes labels"]:
    """How often each code falls on each label; labels below 0 are left out."""
    known = labels >= 0
    size = int(codes.max(initial=0)) + 1, int(labels.max(initial=0)) + 1
    return np.bincount(codes[known] * size[1] + labels[known], minlength=size[0] * size[1]).reshape(size)


def top_codes(codes: Int[np.ndarray, " tokens"], labels: Int[np.ndarray, " tokens"]) -> Int[np.ndarray, " labels"]:
    """The code each label falls on most often."""
    return contingency(codes, labels).argmax(0)


def use_of_items(
    codes: Int[np.ndarray, " tokens"], offsets: Int[np.ndarray, " items_and_one"], size: int
) -> Float[np.ndarray, "items codes"]:
    """How each item spreads its tokens over the codes; rows add to 1."""
    counts = np.diff(offsets)
    row = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(row * size + codes, minlength=len(counts) * size).reshape(-1, size) / counts[:, None]


@dataclass(frozen=True)
class Contrast:
    """Overlap of code use for equal and for different concepts, each 0 to 1."""

    equal: float
    different: float


def concept_overlap(left: Float[np.ndarray, "pairs codes"], right: Float[np.ndarray, "pairs codes"]) -> Contrast:
    """Common part ``Σ_v min(p_v, q_v)`` of two items' uses: of a pair's, and of items of different pairs.

    Row i of both shows the same concept; "different" is taken over pairs one row apart.
    """
    equal = np.minimum(left, right).sum(1).mean()
    different = np.minimum(left, np.roll(right, 1, axis=0)).sum(1).mean()
    return Contrast(float(equal), float(different))
