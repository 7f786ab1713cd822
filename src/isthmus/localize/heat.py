"""Heat: how much each token of an item answers a query, by the codes both stand for or by their projected vectors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

NEIGHBOUR = 0.5
"""Weight of a touching token beside a token's own in `smoothed`."""


def agreement(
    log_codes: Float[np.ndarray, "tokens codes"], query: Float[np.ndarray, " codes"]
) -> Float[np.ndarray, " tokens"]:
    """``Σ_v √(P(v | h) Q(v))``: how alike a token's code distribution and the query's are, 0 to 1.

    ``log_codes`` are logarithms, ``query`` the distribution itself.
    """
    return np.exp(log_codes / 2) @ np.sqrt(query)


def lifted(
    meaning: Float[np.ndarray, "*n codes"], common: Float[np.ndarray, " codes"]
) -> Float[np.ndarray, "*n codes"]:
    """A distribution over codes weighed by how much more common each code is in it than everywhere.

    Codes of silence and empty paper, which go with everything, then point at nothing.
    """
    weighed = meaning * meaning / np.maximum(common, 1e-6)
    return weighed / weighed.sum(-1, keepdims=True)


def similarity(
    tokens: Float[np.ndarray, "tokens dim"], query: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " tokens"]:
    """Cosine of each projected token to the query's."""
    lengths = np.linalg.norm(tokens, axis=1) * np.linalg.norm(query)
    return tokens @ query / np.maximum(lengths, 1e-12)


def smoothed(
    heat: Float[np.ndarray, " tokens"], touches: Bool[np.ndarray, "tokens tokens"]
) -> Float[np.ndarray, " tokens"]:
    """Each token's mean with those it `touching` says it touches, which count half.

    One token that a code fits by chance then no longer outweighs a run of tokens that it fits.
    """
    weights = np.where(np.eye(len(heat), dtype=bool), 1.0, NEIGHBOUR * touches)
    return weights @ heat / weights.sum(1)
