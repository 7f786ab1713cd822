"""Half of the texts: whether more overlap rows would help."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.connectors.choosing.auto import PENALTIES, SAMPLING_PENALTY
from isthmus.connectors.choosing.chain import reciprocal_ranks
from isthmus.connectors.methods.closed_forms import moments, spans_of
from isthmus.connectors.methods.linear import Candidate, fit_maps
from isthmus.connectors.trust.figures import Half

FEWEST = 20
"""Fewer rows are not halved."""
MOST_DIMENSIONS = 1024
"""Decompositions of larger matrices would take longer than the answer is worth."""
Texts = tuple[Float[Tensor, "texts dl"], Float[Tensor, "texts dr"]]
"""Centred overlap rows of both sides."""


def half_of(texts: Texts, fitted: Int[Tensor, " fitted"], held: Int[Tensor, " held"]) -> Half | None:
    """The MRR of held-out texts by canonical correlations on all fitted texts and on every second one.

    No pseudo pairs take part. Both figures are over the same held-out texts, so the error is that of a paired
    difference. None if there are too few rows, or more than 1024 rows of more than 1024 dimensions.
    """
    size = min(len(fitted), max(own.shape[1] for own in texts))
    if len(fitted) < FEWEST or len(held) < 2 or size > MOST_DIMENSIONS:
        return None
    every, second = (_reciprocal_ranks(texts, rows, held) for rows in (fitted, fitted[::2]))
    difference = every - second
    error = (difference.std() / len(held) ** 0.5).item()
    return Half(len(fitted), every.mean().item(), second.mean().item(), error)


def _reciprocal_ranks(
    texts: Texts, fitted: Int[Tensor, " fitted"], held: Int[Tensor, " held"]
) -> Float[Tensor, " held"]:
    """The reciprocal rank of each held-out text's counterpart, mean of both directions."""
    noise = PENALTIES[1] + SAMPLING_PENALTY / len(fitted)
    pairs = [tuple(own[fitted] for own in texts)]
    maps = fit_maps(Candidate("cca", "matched", "overlap", (noise, noise), 1.0), moments(pairs, spans_of(pairs)))
    left, right = (functional.normalize(rows[held] @ own, dim=-1) for rows, own in zip(texts, maps, strict=True))
    scores = left @ right.T
    return (reciprocal_ranks(scores) + reciprocal_ranks(scores.T)) / 2
