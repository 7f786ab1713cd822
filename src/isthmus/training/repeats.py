"""Repeats: rows of a batch that show the same item, and so must not be each other's negatives in a contrastive loss.

Captions repeat, and an item may be in several pairs. Pairs are compared by group numbers of one or more kinds: the
number of a text, of an item on the left, of an item on the right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from isthmus.training.processes import my_share


def equal_rows(rows: Iterable[Shaped[np.ndarray, " dim"]]) -> Int[np.ndarray, " rows"]:
    """A group number for each row of an array or a stream: that of the first row that equals it, byte for byte."""
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows)
    return np.fromiter((first.setdefault(digest, number) for number, digest in enumerate(digests)), np.int64)


def repeats(groups: Int[Tensor, "kinds batch"], own: Int[Tensor, " share"]) -> Bool[Tensor, "share batch"] | None:
    """The batch's other rows that show the same item as a row: True where a group number of any kind is equal.

    Every process holds the numbers of the whole batch, so nothing is gathered; ``own`` are the places of its share.

    Args:
        groups: Group numbers of every row of the batch, a line for each kind.
        own: The rows to compare with all others.

    Returns:
        The mask, False for a row and itself; ``None`` if no row repeats.

    Example:
        The first and the third pair have the same text, the first and the second the same item.

        >>> repeats(torch.tensor([[0, 1, 0], [5, 5, 6]]), torch.arange(3))
        tensor([[False,  True,  True],
                [ True, False, False],
                [ True, False, False]])
    """
    if all(len(kind.unique()) == len(kind) for kind in groups):
        return None
    same = (groups[:, own, None] == groups[:, None, :]).any(0)
    same[torch.arange(len(own), device=own.device), own] = False
    return same


def repeats_of(
    groups: Int[Tensor, "kinds all"] | None, rows: Int[Tensor, " batch"]
) -> Bool[Tensor, "share batch"] | None:
    """`repeats` of this process's share of a batch of rows; ``None`` if there are no groups."""
    if groups is None:
        return None
    own = my_share(torch.arange(len(rows)))
    mask = repeats(groups[:, rows.to(groups.device)], own)
    return None if mask is None else mask.to(rows.device)
